"""Evidence as kept: manifests by address, packets by content, bytes given back.

The keys behind a DS set stay with it, as the child published them (P-5.3).

Compression is the store's business and no part of the format; a stored blob is
opened under a limit, whatever it claims to hold (S-24).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

from django.db import transaction

from bootstrap.core.evidence import bundle
from bootstrap.core.evidence.bundle import Bundle, Parts
from bootstrap.models import Evidence, Packet

from . import bulk

LEVEL: Final = 6
SLICE: Final = 200
"""Rows in one statement: SQLite takes a limited number of parameters."""


COMPACTED: Final = b""
"""The manifest of evidence of which only address and size are kept (P-8.36)."""


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
    split = [bundle.split(each) for each in bundles]
    encoded = [bundle.join(parts) for parts in split]
    addresses = [bundle.address(octets) for octets in encoded]
    bulk.insert(
        Evidence,
        ("digest", "manifest", "size", "created_at"),
        [
            (digest, zlib.compress(parts.manifest, LEVEL), len(octets), now)
            for digest, parts, octets in zip(addresses, split, encoded, strict=True)
        ],
        ignore_conflicts=True,
    )
    # Links first: see `compaction`. Their keys are checked at the commit.
    _store_links(dict(zip(addresses, split, strict=True)))
    _store_packets(split)
    return addresses


def _store_packets(split: Iterable[Parts]) -> None:
    packets = {
        digest: body for parts in split for digest, body in parts.packets.items()
    }
    known = _known(packets)
    # In the order of digests, so that two writers never wait for each other.
    bulk.insert(
        Packet,
        ("digest", "body", "size"),
        [
            (digest, zlib.compress(body, LEVEL), len(body))
            for digest, body in sorted(packets.items())
            if digest not in known
        ],
        ignore_conflicts=True,
    )


def _known(digests: Collection[str]) -> set[str]:
    ordered = sorted(digests)
    return {
        digest
        for start in range(0, len(ordered), SLICE)
        for digest in Packet.objects.filter(
            digest__in=ordered[start : start + SLICE]
        ).values_list("digest", flat=True)
    }


def _store_links(split: Mapping[str, Parts]) -> None:
    bulk.insert(
        Evidence.packets.through,
        ("evidence", "packet"),
        [
            (address, digest)
            for address, parts in split.items()
            for digest in sorted(parts.packets)
        ],
        ignore_conflicts=True,
    )


def octets_of(digest: str) -> bytes:
    """Return the encoded bundle of an address, byte for byte.

    Raises:
        Evidence.DoesNotExist: nothing is kept under this address.
        EvidenceCompacted: only address and size are kept of it.
        EvidenceDamaged: what is kept is not what the address names.
    """
    row = Evidence.objects.get(digest=digest)
    if bytes(row.manifest) == COMPACTED:
        raise EvidenceCompacted(digest, "compacted; address and size are what is left")
    manifest = _opened(digest, bytes(row.manifest))
    packets: dict[str, bytes] = {}
    for packet, body in row.packets.values_list("digest", "body"):
        packets[packet] = _opened(digest, bytes(body))
        if hashlib.sha256(packets[packet]).hexdigest() != packet:
            raise EvidenceDamaged(digest, f"packet {packet} has another content")
    octets = bundle.join(Parts(manifest, packets))
    if bundle.address(octets) != digest:
        raise EvidenceDamaged(digest, "another content")
    return octets


def load(digest: str) -> Bundle:
    """Return the bundle of an address.

    Raises:
        Evidence.DoesNotExist: nothing is kept under this address.
        EvidenceCompacted: only address and size are kept of it.
        EvidenceDamaged: what is kept is not what the address names.
    """
    return bundle.decode(octets_of(digest))


def _opened(digest: str, blob: bytes) -> bytes:
    opener = zlib.decompressobj()
    try:
        octets = opener.decompress(blob, bundle.MAX_OCTETS)
    except zlib.error as exc:
        raise EvidenceDamaged(digest, f"cannot be opened: {exc}") from exc
    if opener.unconsumed_tail:
        raise EvidenceDamaged(digest, f"larger than {bundle.MAX_OCTETS} octets")
    if not opener.eof:
        raise EvidenceDamaged(digest, "ends in the middle")
    return octets
