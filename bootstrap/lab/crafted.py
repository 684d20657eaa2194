"""Denials that no honest server would send, written out record by record.

A zone signs them all the same: what is wrong with them is what they say.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import dns.name
import dns.rdatatype
import dns.rrset
from dns.rdatatype import RdataType

from . import rdatas

if TYPE_CHECKING:
    from dns.rrset import RRset

    from bootstrap.core.dns.names import Name

APEX: Final = "^"
HERE: Final = "@"
STEPS: Final = {"-": -1, "+": 1}
HASH_OCTETS: Final = 20
HASHES: Final = 2 ** (8 * HASH_OCTETS)
TTL: Final = 60
KINDS: Final = ("nsec", "nsec3", "flood")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crafted:
    """One record for the denial of `rdtype` (None: any type) at `name`.

    `owner` and `after` are the two ends of the gap; for NSEC3 their hashes are
    moved by `steps`, and `under` is where the hash stands.
    """

    name: Name
    rdtype: RdataType | None
    kind: str
    owner: Name
    after: Name
    under: Name
    types: tuple[RdataType, ...] = ()
    steps: tuple[int, int] = (0, 0)
    algorithm: int = 1
    flags: int = 0
    iterations: int = 0
    salt: bytes = b""

    @classmethod
    def parse(cls, text: str, here: Name, apex: Name) -> Self:
        """Return the record of "[NAME][/TYPE]: KIND OWNER NEXT [TYPE | KEY=VALUE]…".

        Names are `@` (the name denied), `^` (the zone), "x.^" below the zone, "x." absolute, or
        below `@`. Before a name of NSEC3, each + or - moves the hash by one.
        KEY is flags, algorithm, iterations, salt (hex) or under (a name). "flood" stands
        for many further records, which prove nothing.

        Raises:
            ValueError: an unknown kind, type or key.
        """
        target, _, said = text.partition(": ")
        name, _, rdtype = target.partition("/")
        kind, first, second, *rest = (*said.split(), APEX, APEX)[: _words(said)]
        if kind not in KINDS:
            raise ValueError(f"no denial {kind!r}")
        options = dict(word.split("=") for word in rest if "=" in word)
        under = options.pop("under", APEX)
        numbers = {key: int(value) for key, value in options.items() if key != "salt"}
        if unknown := numbers.keys() - {"flags", "algorithm", "iterations"}:
            raise ValueError(f"no option {min(unknown)!r}")
        owner, up = _moved(first)
        after, on = _moved(second)
        return cls(
            name=_named(name or HERE, here, apex),
            rdtype=dns.rdatatype.from_text(rdtype) if rdtype else None,
            kind=kind,
            owner=_named(owner, here, apex),
            after=_named(after, here, apex),
            under=_named(under, here, apex),
            types=tuple(dns.rdatatype.from_text(w) for w in rest if "=" not in w),
            steps=(up, on),
            salt=bytes.fromhex(options.get("salt", "")),
            **numbers,
        )

    def denies(self, name: Name, rdtype: RdataType) -> bool:
        """Say whether this record belongs into the answer to a question."""
        return self.name == name and self.rdtype in (None, rdtype)

    def rrsets(self) -> Iterator[RRset]:
        """Yield the record, or the flood, for the authority section."""
        if self.kind == "nsec":
            yield self._nsec(self.owner)
        elif self.kind == "nsec3":
            yield self._nsec3()
        else:
            for number in range(FLOOD):
                label = f"flood{number}".encode()
                yield self._nsec(dns.name.Name((label, *self.owner.labels)))

    def _nsec(self, owner: Name) -> RRset:
        bits = rdatas.bitmap({*self.types, RdataType.RRSIG, RdataType.NSEC})
        return _rrset(owner, RdataType.NSEC, (self.after.to_wire() or b"") + bits)

    def _nsec3(self) -> RRset:
        up, on = self.steps
        wire = struct.pack(
            "!BBHB", self.algorithm, self.flags, self.iterations, len(self.salt)
        )
        wire += self.salt + bytes([HASH_OCTETS]) + self._hash(self.after, on)
        wire += rdatas.bitmap({*self.types, RdataType.RRSIG})
        label = base64.b32hexencode(self._hash(self.owner, up)).lower()
        owner = dns.name.Name((label, *self.under.labels))
        return _rrset(owner, RdataType.NSEC3, wire)

    def _hash(self, name: Name, step: int) -> bytes:
        digest = name.to_wire() or b""
        for _ in range(self.iterations + 1):
            digest = hashlib.sha1(digest + self.salt).digest()  # noqa: S324
        moved = (int.from_bytes(digest, "big") + step) % HASHES
        return moved.to_bytes(HASH_OCTETS, "big")


FLOOD: Final = 20
"""More than one response may have (P-7.80)."""


def proof(
    crafted: Iterable[Crafted], name: Name, rdtype: RdataType
) -> list[RRset] | None:
    """Return what is sent instead of a proof about `name`; None: an honest one."""
    chosen = [one for one in crafted if one.denies(name, rdtype)]
    return [rrset for one in chosen for rrset in one.rrsets()] if chosen else None


def _words(said: str) -> int:
    return max(len(said.split()), 3)


def _moved(text: str) -> tuple[str, int]:
    bare = text.lstrip("+-")
    return bare, sum(STEPS[sign] for sign in text[: len(text) - len(bare)])


def _named(text: str, here: Name, apex: Name) -> Name:
    if text == HERE:
        return here
    if text == APEX:
        return apex
    if text.endswith(f".{APEX}"):
        text, here = text.removesuffix(f".{APEX}"), apex
    return dns.name.from_text(text, origin=here).canonicalize()


def _rrset(owner: Name, rdtype: RdataType, wire: bytes) -> RRset:
    rdata = rdatas.from_wire(rdtype, wire)
    return dns.rrset.from_rdata_list(owner, TTL, [rdata])
