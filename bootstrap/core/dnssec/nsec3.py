"""Proofs of absence by NSEC3 (RFC 5155, section 8; RFC 9276)."""

from __future__ import annotations

import hashlib
from base64 import b32hexdecode
from binascii import Error as BadBase32
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import Final

from bootstrap.core.dns.names import Name, interned, packed, tail
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dns.wire import types

from .absence import MISSING, Absent, NoCloser, at_name, hides_what_is_below, objection
from .security import Absence, Flaw
from .signatures import Context, Unverified, Verified

SHA1: Final = 1
OPT_OUT: Final = 1
OCTETS: Final = 20
FIXED: Final = 5
"""Octets of rdata before the salt: algorithm, flags, iterations, salt length."""


@dataclass(frozen=True, slots=True)
class Nsec3:
    """One verified NSEC3 record: no hash exists between `owner` and `next_hash`."""

    owner: bytes
    next_hash: bytes
    opt_out: bool
    iterations: int
    salt: bytes
    types: frozenset[int]
    verified: Verified

    def covers(self, hashed: bytes) -> bool:
        """Say whether `hashed` falls into the gap; the last one wraps around."""
        if self.owner < self.next_hash:
            return self.owner < hashed < self.next_hash
        return hashed > self.owner or hashed < self.next_hash


def parse(verified: Verified, zone: Name) -> tuple[Nsec3, ...]:
    """Return the records of a verified NSEC3 RRset that may prove something.

    Unknown hash algorithms and flags are ignored (RFC 5155, sections 8.1, 8.2;
    P-7.52), and so are owners that are no hash below the apex.
    """
    rrset = verified.signed.rrset
    owner = _hash_of(rrset.owner, zone)
    if owner is None:
        return ()
    return tuple(
        found
        for rdata in rrset.rdatas
        if (found := _record(owner, rdata, verified)) is not None
    )


def _hash_of(owner: Name, zone: Name) -> bytes | None:
    if owner.labels[1:] != zone.labels:
        return None
    try:
        hashed = b32hexdecode(owner.labels[0].upper())
    except BadBase32:
        return None
    return hashed if len(hashed) == OCTETS else None


def _record(owner: bytes, rdata: bytes, verified: Verified) -> Nsec3 | None:
    algorithm, flags = rdata[0], rdata[1]
    iterations = int.from_bytes(rdata[2:4], "big")
    after_salt = FIXED + rdata[4]
    after_hash = after_salt + 1 + rdata[after_salt]
    next_hash = rdata[after_salt + 1 : after_hash]
    if algorithm != SHA1 or flags & ~OPT_OUT or len(next_hash) != OCTETS:
        return None
    return Nsec3(
        owner=owner,
        next_hash=next_hash,
        opt_out=bool(flags & OPT_OUT),
        iterations=iterations,
        salt=rdata[FIXED:after_salt],
        types=types(rdata[after_hash:]),
        verified=verified,
    )


@lru_cache(maxsize=16_384)
def hash_name(name: bytes, salt: bytes, iterations: int) -> bytes:
    """Return the hash of canonical wire octets (RFC 5155, section 5)."""
    digest = hashlib.sha1(name + salt, usedforsecurity=False).digest()
    for _ in range(iterations):
        digest = hashlib.sha1(digest + salt, usedforsecurity=False).digest()
    return digest


@dataclass(frozen=True, slots=True)
class Chain:
    """The records of one response that share salt and iterations."""

    zone: Name
    records: tuple[Nsec3, ...]
    context: Context
    _known: dict[tuple[bytes, ...], bytes] = field(default_factory=dict, compare=False)

    def hash(self, name: Name) -> bytes:
        """Return the hash of `name` and pay for it (P-7.55, S-35)."""
        if name.labels not in self._known:
            first = self.records[0]
            self.context.budget.spend_hashes(first.iterations + 1)
            hashed = hash_name(packed(name), first.salt, first.iterations)
            self._known[name.labels] = hashed
        return self._known[name.labels]

    def at(self, name: Name) -> Nsec3 | None:
        """Return the record that matches `name`."""
        hashed = self.hash(name)
        return next((r for r in self.records if r.owner == hashed), None)

    def over(self, name: Name) -> Nsec3 | None:
        """Return the record that covers `name`."""
        hashed = self.hash(name)
        return next((r for r in self.records if r.covers(hashed)), None)

    def encloser(self, name: Name) -> tuple[Name, Nsec3, Nsec3] | None:
        """Return the closest encloser of `name` and the records that prove it.

        These match the encloser and cover the next closer name (RFC 5155, 8.3).
        """
        closer = name
        while closer.labels != self.zone.labels:
            ancestor = tail(closer, len(closer.labels) - 1)
            matching = self.at(ancestor)
            if matching is not None:
                covering = self.over(closer)
                if covering is None or hides_what_is_below(matching.types):
                    return None
                return ancestor, matching, covering
            closer = ancestor
        return None


def chains(
    records: tuple[Nsec3, ...], zone: Name, context: Context
) -> Iterator[Chain | Unverified]:
    """Yield the records grouped by parameters, or what forbids using them (P-7.54).

    The cap comes after the signature was verified (RFC 9276, section 3.2; P-7.53).
    """

    def parameters(record: Nsec3) -> tuple[int, bytes]:
        return record.iterations, record.salt

    for (iterations, salt), group in groupby(
        sorted(records, key=parameters), parameters
    ):
        if iterations > context.limits.nsec3_iterations:
            yield Unverified(Flaw.NSEC3_ITERATIONS, f"{iterations} iterations")
        elif len(salt) > context.limits.nsec3_salt:
            yield Unverified(Flaw.LIMIT, f"a salt of {len(salt)} octets")
        else:
            yield Chain(zone, tuple(group), context)


def absence(name: Name, rdtype: RdataType, chain: Chain) -> Absent | Unverified:
    """Return what one chain proves of `rdtype` at `name` (RFC 5155, 8.4 to 8.7).

    Meets P-7.50, P-7.51.
    """
    matching = chain.at(name)
    if matching is not None:
        return at_name(matching.types, rdtype, (matching.verified,))
    found = chain.encloser(name)
    if found is None:
        return MISSING
    encloser, at_encloser, covering = found
    used: tuple[Verified, ...] = (at_encloser.verified, covering.verified)
    if rdtype == RdataType.DS and covering.opt_out:
        return Absent(Absence.NODATA, used, opt_out=True)  # section 8.6
    wildcard = interned((b"*", *encloser.labels))
    source = chain.at(wildcard)
    if source is not None:
        used = (*used, source.verified)
        return objection(source.types, rdtype) or Absent(
            Absence.NODATA, used, opt_out=covering.opt_out
        )
    denied = chain.over(wildcard)
    if denied is None:
        return MISSING
    used = (*used, denied.verified)
    return Absent(Absence.NXDOMAIN, used, opt_out=covering.opt_out)


def no_closer(name: Name, encloser: Name, chain: Chain) -> NoCloser | Unverified:
    """Return the proof that the wildcard below `encloser` answers for `name`.

    RFC 5155, section 8.8: the next closer name has to be covered.
    """
    closer = tail(name, len(encloser.labels) + 1)
    covering = chain.over(closer)
    if covering is None:
        return MISSING
    return NoCloser((covering.verified,), covering.opt_out)
