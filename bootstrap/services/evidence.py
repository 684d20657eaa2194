"""Evidence as kept: bundles by address, what they share once, bytes given back.

The keys behind a DS set stay with it, as the child published them (P-5.3).

How a bundle is packed is the store's business and no part of the format; a stored
blob is opened under a limit, whatever it claims to hold (S-24).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final

from django.db import connection, transaction

from bootstrap.core.evidence import bundle
from bootstrap.core.evidence.bundle import Bundle, Parts
from bootstrap.models import Evidence, EvidenceBody, EvidencePiece
from bootstrap.models.squeezed import EVIDENCE, CannotOpen, squeeze, unsqueeze

from . import bulk, packing, secondhash
from .packing import NotPacked, Text
from .sharing import Packed, Piece, Shelf

SLICE: Final = 200
"""Rows in one statement: SQLite takes a limited number of parameters."""
MONTHS_AHEAD: Final = 4
PIECES: Final = EvidencePiece._meta.db_table  # noqa: SLF001 - Django's documented way


class EvidenceUnreadable(Exception):
    """The bundle of an address cannot be given; the message says why."""

    def __init__(self, digest: str, problem: str) -> None:
        super().__init__(f"evidence {digest}: {problem}")
        self.digest = digest


class EvidenceDamaged(EvidenceUnreadable):
    """What is stored under an address is not what was put there."""


class EvidenceCompacted(EvidenceUnreadable):
    """It belonged to a routine evaluation that changed nothing: the hash is left."""


@transaction.atomic
def store(bundles: Iterable[Bundle], *, now: datetime) -> list[str]:
    """Keep bundles; return their addresses in the same order.

    What is there already is left as it is: an address names one content.
    """
    shelf = Shelf()
    addresses: list[str] = []
    fresh: dict[str, tuple[int, Packed]] = {}
    for each in bundles:
        parts = bundle.split(each)
        octets = bundle.join(parts)
        addresses.append(bundle.address(octets))
        secondhash.remember(addresses[-1], octets)
        fresh[addresses[-1]] = len(octets), shelf.pack(each, parts)
    for known in _known(fresh):
        del fresh[known]
    numbers = _store_pieces(shelf.pieces, day_of(now))
    bulk.insert(
        Evidence,
        ("digest", "size", "created_at", "compacted"),
        [(digest, size, now, False) for digest, (size, _) in sorted(fresh.items())],
        ignore_conflicts=True,
    )
    bulk.insert(
        EvidenceBody,
        ("evidence", "created_at", "pieces", "packed"),
        [
            (
                digest,
                now,
                packing.keys([numbers[piece] for piece in packed.pieces]),
                squeeze(packed.octets, EVIDENCE),
            )
            for digest, (_, packed) in sorted(fresh.items())
        ],
        ignore_conflicts=True,
    )
    return addresses


def day_of(now: datetime) -> date:
    """Return the day in UTC whose bundles share pieces."""
    return now.astimezone(UTC).date()


def _known(digests: Collection[str]) -> Iterator[str]:
    for part in slices(sorted(digests)):
        rows = Evidence.objects.filter(digest__in=part)
        yield from rows.values_list("digest", flat=True)


def _store_pieces(pieces: Mapping[str, Piece], day: date) -> dict[str, int]:
    """Keep what is not there; return the key of each digest."""
    _hold_pieces()
    there = _numbers(pieces, day)
    # In the order of digests, so that two writers never wait for each other.
    bulk.insert(
        EvidencePiece,
        ("day", "digest", "packed"),
        [
            (day, digest, squeeze(piece.packed, EVIDENCE))
            for digest, piece in sorted(pieces.items())
            if digest not in there
        ],
        ignore_conflicts=True,
    )
    return there | _numbers(pieces.keys() - there.keys(), day)


def _hold_pieces() -> None:
    """Let none of the pieces go that we are about to count on; see `compaction`."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {PIECES} IN ROW EXCLUSIVE MODE")


def _numbers(digests: Collection[str], day: date) -> dict[str, int]:
    rows = EvidencePiece.objects.filter(day=day)
    return {
        digest: number
        for part in slices(sorted(digests))
        for digest, number in rows.filter(digest__in=part).values_list("digest", "pk")
    }


def slices(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield values in parts that one statement takes."""
    for start in range(0, len(values), SLICE):
        yield values[start : start + SLICE]


def keep_months(*, now: datetime) -> int:
    """Make partitions for this and the coming months; return how many were missing.

    Until one is there, its bodies go to the partition for the rest, and move.
    """
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bootstrap_evidence_months(%s::date, %s)",
            [day_of(now), MONTHS_AHEAD],
        )
        (made,) = cursor.fetchone()
    return int(made)


def octets_of(digest: str) -> bytes:
    """Return the encoded bundle of an address, byte for byte.

    Raises:
        Evidence.DoesNotExist: nothing is kept under this address.
        EvidenceCompacted: only address and size are kept of it.
        EvidenceDamaged: what is kept is not what the address names.
    """
    row = Evidence.objects.get(digest=digest)
    if row.compacted:
        raise EvidenceCompacted(digest, "compacted; address and size are what is left")
    rows = EvidenceBody.objects.filter(evidence=digest, created_at=row.created_at)
    body = rows.first()
    if body is None:
        raise EvidenceDamaged(digest, "its body is gone")
    try:
        text = _text(body)
    except (CannotOpen, NotPacked) as exc:
        raise EvidenceDamaged(digest, str(exc)) from exc
    octets = bundle.join(Parts(text.octets, text.packets))
    if bundle.address(octets) != digest:
        raise EvidenceDamaged(digest, "another content")
    return octets


def _text(body: EvidenceBody) -> Text:
    """Return the manifest of a body, and its packets.

    Raises:
        CannotOpen, NotPacked: something is damaged, or missing.
    """
    keys = packing.numbers(bytes(body.pieces))
    kept = dict(EvidencePiece.objects.filter(pk__in=keys).values_list("pk", "packed"))
    missing = set(keys) - kept.keys()
    if missing:
        raise NotPacked(f"piece {min(missing)} is missing")
    limit = bundle.MAX_OCTETS
    pieces = []
    for key in keys:
        octets = unsqueeze(bytes(kept[key]), limit)
        limit -= len(octets)
        pieces.append(packing.opened(octets))
    packed = unsqueeze(bytes(body.packed), limit)
    return packing.opened(packed, pieces)


def load(digest: str) -> Bundle:
    """Return the bundle of an address.

    Raises:
        Evidence.DoesNotExist: nothing is kept under this address.
        EvidenceCompacted: only address and size are kept of it.
        EvidenceDamaged: what is kept is not what the address names.
    """
    return bundle.decode(octets_of(digest))
