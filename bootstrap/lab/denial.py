"""Proofs of what is not there: NSEC, NSEC3 and compact denial.

RFC 4035, section 3.1.3; RFC 5155, section 7.2; RFC 9824. Each function returns
RRsets for the authority section, without their signatures.
"""

from __future__ import annotations

import base64
import bisect
import hashlib
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

import dns.name
import dns.rrset
from dns.rdatatype import RdataType

from . import rdatas
from .defects import Denial, Flawed
from .zones import NEGATIVE_TTL

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.rrset import RRset

    from bootstrap.core.dns.names import Name

    from .zones import Zone

NXNAME: Final = RdataType.make(128)
SHA1_HASH: Final = 1
OPT_OUT: Final = 1
WILDCARD: Final = dns.name.from_text("*", origin=None)


@dataclass
class Chain:
    """A zone's names in the order of its denial records; good for one generation."""

    generation: int = -1
    keys: list[tuple[bytes, ...]] = field(default_factory=list)
    names: list[Name] = field(default_factory=list)
    members: frozenset[Name] = frozenset()

    def at_or_before(self, key: tuple[bytes, ...]) -> int:
        """Return the index of the record that matches or covers `key`."""
        return bisect.bisect_right(self.keys, key) - 1


class Denier:
    """Proves absences in one zone, following its changes.

    `make` gives the zone when it is first looked at: most zones of a large world
    are never asked for.
    """

    def __init__(self, make: Callable[[], Zone]) -> None:
        self._make = make
        self._zone: Zone | None = None
        self._chain = Chain()
        self._hashes: dict[Name, bytes] = {}

    @classmethod
    def of(cls, zone: Zone) -> Self:
        """Return the denier of a zone that is there already."""
        denier = cls(lambda: zone)
        denier._zone = zone
        return denier

    @property
    def zone(self) -> Zone:
        """The zone."""
        if self._zone is None:
            self._zone = self._make()
        return self._zone

    @property
    def made(self) -> Zone | None:
        """The zone, if it has been looked at."""
        return self._zone

    def absent_type(self, name: Name) -> list[RRset]:
        """Prove that `name` exists but the type asked for does not (NODATA)."""
        return self._prove(name, [name])

    def absent_name(self, name: Name) -> list[RRset]:
        """Prove that neither `name` nor a wildcard for it exists (NXDOMAIN)."""
        encloser = self.encloser(name)
        if encloser == name:  # an empty non-terminal is said not to exist
            return self._prove(name, [name])
        return self._prove(name, [name, WILDCARD.derelativize(encloser)])

    def contradicted(self, name: Name) -> list[RRset]:
        """Prove, falsely, that an existing `name` does not exist (P-1.29)."""
        chain = self._current()
        index = chain.at_or_before(self._key(name))
        before = chain.names[index - 1]
        after = chain.names[(index + 1) % len(chain.names)]
        return [_nsec(before, after, self.zone.types_at(before))]

    def expanded(self, name: Name) -> list[RRset]:
        """Prove that `name` itself does not exist, beside a wildcard's answer."""
        return self._prove(name, [name])

    def absent_wildcard_type(self, name: Name) -> list[RRset]:
        """Prove that the wildcard covering `name` lacks the type asked for."""
        return self.absent_name(name)

    def encloser(self, name: Name) -> Name:
        """Return the closest encloser: the deepest ancestor that exists."""
        while not self.zone.exists(name):
            name = name.parent()
        return name

    def chain_names(self) -> list[Name]:
        """Return the owners of the denial chain, in its order; for transfers."""
        return list(self._current().names)

    def record_of(self, name: Name) -> RRset:
        """Return the denial record that matches or covers `name`."""
        chain = self._current()
        index = chain.at_or_before(self._key(name))
        successor = (index + 1) % len(chain.names)
        if self.zone.signing.denial is Denial.NSEC3:
            return self._nsec3(chain, index, successor)
        owner, after = chain.names[index], chain.names[successor]
        return _nsec(owner, after, self.zone.types_at(owner))

    def _prove(self, name: Name, targets: list[Name]) -> list[RRset]:
        signing = self.zone.signing
        if signing.flawed(Flawed.NO_DENIAL, name, RdataType.NSEC):
            return []
        if signing.flawed(Flawed.WRONG_DENIAL, name, RdataType.NSEC):
            targets = [self._elsewhere(name)]
        if signing.denial is Denial.COMPACT:
            return [self._compact(name)]
        if signing.denial is Denial.NSEC3:
            targets = [t for target in targets for t in self._closest(target)]
        return list({r.name: r for r in map(self.record_of, targets)}.values())

    def _closest(self, name: Name) -> list[Name]:
        """Return what an NSEC3 proof about `name` must match and cover.

        An insecure delegation below opt-out has no record of its own, so the
        closest provable encloser is proven instead (RFC 5155, section 7.2.4).
        """
        present = self._current().members
        if name in present:
            return [name]
        while name.parent() not in present:
            name = name.parent()
        return [name.parent(), name]

    def _elsewhere(self, name: Name) -> Name:
        chain = self._current()
        if self.zone.signing.denial is Denial.NSEC3:
            return self.zone.apex
        index = chain.at_or_before(self._key(name))
        return chain.names[(index + 1) % len(chain.names)]

    def _compact(self, name: Name) -> RRset:
        types = self.zone.types_at(name)
        if not self.zone.exists(name):
            types = {NXNAME}
        return _nsec(name, _just_after(name), types)

    def _current(self) -> Chain:
        if self._chain.generation != self.zone.generation:
            names = self._hashed_names() if self._is_nsec3 else self._plain_names()
            order = sorted((self._key(name), name) for name in names)
            self._chain = Chain(
                self.zone.generation,
                [key for key, _ in order],
                [name for _, name in order],
                frozenset(names),
            )
        return self._chain

    @property
    def _is_nsec3(self) -> bool:
        return self.zone.signing.denial is Denial.NSEC3

    def _plain_names(self) -> set[Name]:
        return {n for n in self.zone.nodes if self.zone.cut_at_or_above(n) in (None, n)}

    def _hashed_names(self) -> set[Name]:
        zone = self.zone
        names = self._plain_names()
        if zone.signing.opt_out:
            names = {n for n in names if not _insecure_cut(zone, n)}
        above = {zone.apex}
        for name in names:
            ancestor = name
            while ancestor not in above:
                above.add(ancestor)
                ancestor = ancestor.parent()
        return names | above

    def _key(self, name: Name) -> tuple[bytes, ...]:
        return (self._hash(name),) if self._is_nsec3 else name.labels[::-1]

    def _hash(self, name: Name) -> bytes:
        if name not in self._hashes:
            signing = self.zone.signing
            digest = name.to_wire() or b""
            for _ in range(signing.iterations + 1):
                digest = hashlib.sha1(digest + signing.salt).digest()  # noqa: S324
            self._hashes[name] = digest
        return self._hashes[name]

    def _nsec3(self, chain: Chain, index: int, successor: int) -> RRset:
        signing, name = self.zone.signing, chain.names[index]
        types = self.zone.types_at(name)
        signed_here = types - {RdataType.NS} or name == self.zone.apex
        flags = OPT_OUT if signing.opt_out else 0
        wire = struct.pack(
            "!BBHB", SHA1_HASH, flags, signing.iterations, len(signing.salt)
        )
        after = chain.keys[successor][0]
        wire += signing.salt + bytes([len(after)]) + after
        wire += rdatas.bitmap(types | ({RdataType.RRSIG} if signed_here else set()))
        label = base64.b32hexencode(chain.keys[index][0]).lower()
        owner = dns.name.Name((label, *self.zone.apex.labels))
        return _rrset(owner, RdataType.NSEC3, wire)


def _just_after(name: Name) -> Name:
    """Return a name that nothing lies between `name` and (RFC 4470, section 3)."""
    try:
        return dns.name.Name((b"\0", *name.labels))
    except dns.name.NameTooLong:
        first = name.labels[0]
        return dns.name.Name((first[:-1] + bytes([first[-1] + 1]), *name.labels[1:]))


def _insecure_cut(zone: Zone, name: Name) -> bool:
    return name != zone.apex and zone.types_at(name) == {RdataType.NS}


def _nsec(owner: Name, after: Name, types: set[RdataType]) -> RRset:
    bits = rdatas.bitmap(types | {RdataType.RRSIG, RdataType.NSEC})
    return _rrset(owner, RdataType.NSEC, (after.to_wire() or b"") + bits)


def _rrset(owner: Name, rdtype: RdataType, wire: bytes) -> RRset:
    rdata = rdatas.from_wire(rdtype, wire)
    return dns.rrset.from_rdata_list(owner, NEGATIVE_TTL, [rdata])
