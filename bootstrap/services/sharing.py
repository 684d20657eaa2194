"""What of a bundle others have too: told from what it is, not from how often it came.

Exchanges about names that are not the child's, chains of keys above it, policy and
anchors are the same for many children, who looked at the same time; they become
pieces (P-8.37). Everything else is the child's own and stays with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Final

from bootstrap.core.dns.names import Name
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.dnssec.chain import Cut
from bootstrap.core.evaluation.observations import Observation
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.verdict import Verdict
from bootstrap.core.evidence import bundle, values
from bootstrap.core.evidence.bundle import Bundle, Parts

from .packing import Writer

LEAST: Final = 48
"""Octets from which on a piece of its own is smaller than another copy."""
CUTS: Final = tuple[Cut, ...]
ANCHORS: Final = tuple[Anchor, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A shared part of a manifest, packed, and its own digest."""

    octets: bytes
    digest: str
    packed: bytes


@dataclass(frozen=True, slots=True)
class Packed:
    """A bundle packed, with the digests of its pieces in the order of their places."""

    octets: bytes
    pieces: tuple[str, ...]


@dataclass(slots=True)
class Shelf:
    """The pieces of some bundles, each made once."""

    pieces: dict[str, Piece] = field(default_factory=dict)
    _known: dict[Hashable, Piece | None] = field(default_factory=dict)
    _kept: list[object] = field(default_factory=list)
    """What was known by its place in memory must stay there."""

    def pack(self, found: Bundle, parts: Parts) -> Packed:
        """Return a bundle packed; `parts` are what `bundle.split` makes of it."""
        writer = Writer(parts.manifest)
        places: dict[str, int] = {}

        def cut(piece: Piece | None) -> bool:
            if piece is None:
                return False
            place = places.setdefault(piece.digest, len(places))
            return writer.piece(piece.octets, place)

        case = found.case
        cut(self._plain(AcceptancePolicy, case.policy))
        cut(self._plain(ANCHORS, case.anchors))
        child = case.delegation.child
        for seen in case.observations:
            own = is_own(child, seen.query.name)
            if own or not cut(self._exchange(seen)):
                writer.packets(_packets(seen))
        for cuts in _chains(found.verdict, child):
            cut(self._plain(CUTS, cuts))
        return Packed(writer.packed(), tuple(places))

    def _plain(self, kind: Hashable, value: object) -> Piece | None:
        """Return the piece of a value without packets, unless it is too small."""
        if id(value) not in self._known:
            self._remember(value, values.encode(kind, value), ())
        return self._known[id(value)]

    def _exchange(self, seen: Observation) -> Piece | None:
        if id(seen) not in self._known:
            octets = values.encode(Observation, bundle.referring(seen))
            self._remember(seen, octets, tuple(_packets(seen)))
        return self._known[id(seen)]

    def _remember(
        self, value: object, octets: bytes, packets: tuple[bytes, ...]
    ) -> None:
        self._kept.append(value)
        piece = None
        if len(octets) >= LEAST:
            digest = hashlib.sha256(octets).hexdigest()
            piece = self.pieces.get(digest) or _piece(octets, digest, packets)
            self.pieces[digest] = piece
        self._known[id(value)] = piece


def _piece(octets: bytes, digest: str, packets: tuple[bytes, ...]) -> Piece:
    writer = Writer(octets)
    writer.packets(packets)
    return Piece(octets, digest, writer.packed())


def is_own(child: Name, name: Name) -> bool:
    """Say whether a name is the child's, below it, or one of its signaling names."""
    labels = child.labels[:-1]
    length = len(labels)
    places = range(len(name.labels) - length)
    return any(name.labels[at : at + length] == labels for at in places)


def _packets(seen: Observation) -> Iterator[bytes]:
    """Yield packets in the order in which an encoded observation refers to them."""
    if seen.sent:
        yield seen.sent
    if seen.received is not None:
        yield seen.received


def _chains(verdict: Verdict, child: Name) -> Iterator[tuple[Cut, ...]]:
    """Yield the chains of keys above the child, in the order of a manifest."""
    for view in verdict.signals:
        for proof in (view.cds, view.cdnskey):
            if proof and proof.cuts and not is_own(child, proof.cuts[-1].zone):
                yield proof.cuts
