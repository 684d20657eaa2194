"""Proofs of absence by NSEC (RFC 4035, section 5.4; RFC 4470; RFC 9824)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from bootstrap.core.dns.names import Name, interned, is_within, place, tail
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dns.wire import name_at, types

from .absence import MISSING, Absent, NoCloser, at_name, hides_what_is_below, objection
from .security import Absence
from .signatures import Unverified, Verified


@dataclass(frozen=True, slots=True)
class Nsec:
    """One verified NSEC record: nothing exists between `owner` and `next_name`."""

    owner: Name
    next_name: Name
    types: frozenset[int]
    verified: Verified

    def covers(self, name: Name, zone: Name) -> bool:
        """Say whether `name` of `zone` falls into the gap (P-7.42, P-7.43)."""
        if not place(self.owner) < place(name):
            return False
        is_last = self.next_name.labels == zone.labels
        if not is_last and not place(name) < place(self.next_name):
            return False
        return not (is_within(name, self.owner) and hides_what_is_below(self.types))


def parse(verified: Verified, zone: Name) -> tuple[Nsec, ...]:
    """Return the records of a verified NSEC RRset that may prove something.

    A record with its next name outside the zone, or before its owner without
    being the apex, is no link of a chain.
    """
    rrset = verified.signed.rrset
    found = []
    for rdata in rrset.rdatas:
        next_name, end = name_at(rdata)
        ahead = place(rrset.owner) < place(next_name) and is_within(next_name, zone)
        if ahead or next_name.labels == zone.labels:
            found.append(Nsec(rrset.owner, next_name, types(rdata[end:]), verified))
    return tuple(found)


def absence(
    name: Name, rdtype: RdataType, zone: Name, nsecs: tuple[Nsec, ...]
) -> Absent | Unverified:
    """Return what the records prove of `rdtype` at `name`.

    RFC 4035, section 5.4: a record at the name; or one that covers it, which
    makes it an empty non-terminal when the next name is below it; or else the
    wildcard at the closest encloser has to be accounted for too (P-7.40).
    """
    matching = _at(name, nsecs)
    if matching is not None:
        return at_name(matching.types, rdtype, (matching.verified,))
    covering = _over(name, zone, nsecs)
    if covering is None:
        return MISSING
    if is_within(covering.next_name, name):
        return Absent(Absence.NODATA, (covering.verified,), frozenset())
    wildcard = interned((b"*", *_encloser(name, covering).labels))
    source = _at(wildcard, nsecs)
    if source is not None:
        used = (covering.verified, source.verified)
        return objection(source.types, rdtype) or Absent(Absence.NODATA, used)
    denied = _over(wildcard, zone, nsecs)
    if denied is None:
        return MISSING
    return Absent(Absence.NXDOMAIN, (covering.verified, denied.verified))


def no_closer(
    name: Name, encloser: Name, zone: Name, nsecs: tuple[Nsec, ...]
) -> NoCloser | Unverified:
    """Return the proof that `name` is answered by the wildcard below `encloser`.

    The gap must reach exactly up to the encloser: past a closer name, even an
    empty one, no wildcard matches (RFC 4592, section 2.2.2; P-7.32).
    """
    covering = _over(name, zone, nsecs)
    if covering is None or is_within(covering.next_name, name):
        return MISSING
    if _encloser(name, covering) != encloser:
        return MISSING
    return NoCloser((covering.verified,))


def _at(name: Name, nsecs: tuple[Nsec, ...]) -> Nsec | None:
    return next((nsec for nsec in nsecs if nsec.owner.labels == name.labels), None)


def _over(name: Name, zone: Name, nsecs: tuple[Nsec, ...]) -> Nsec | None:
    return next((nsec for nsec in nsecs if nsec.covers(name, zone)), None)


def _encloser(name: Name, covering: Nsec) -> Name:
    """Return the closest encloser: the deepest ancestor that the gap's ends share."""
    return tail(
        name, max(_shared(name, covering.owner), _shared(name, covering.next_name))
    )


def _shared(name: Name, other: Name) -> int:
    """Return how many labels two names have in common, the root's included."""
    pairs = zip(place(name), place(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
