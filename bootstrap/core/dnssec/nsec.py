"""Proofs of absence by NSEC (RFC 4035, section 5.4; RFC 4470; RFC 9824)."""

from __future__ import annotations

from dataclasses import dataclass

import dns.name

from bootstrap.core.dns.names import Name
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
        if not self.owner < name:
            return False
        if self.next_name != zone and not name < self.next_name:
            return False
        return not (name.is_subdomain(self.owner) and hides_what_is_below(self.types))


def parse(verified: Verified, zone: Name) -> tuple[Nsec, ...]:
    """Return the records of a verified NSEC RRset that may prove something.

    A record with its next name outside the zone, or before its owner without
    being the apex, is no link of a chain.
    """
    rrset = verified.signed.rrset
    found = []
    for rdata in rrset.rdatas:
        next_name, end = name_at(rdata)
        ahead = rrset.owner < next_name and next_name.is_subdomain(zone)
        if ahead or next_name == zone:
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
    if covering.next_name.is_subdomain(name):
        return Absent(Absence.NODATA, (covering.verified,), frozenset())
    wildcard = dns.name.Name((b"*", *_encloser(name, covering).labels))
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
    if covering is None or covering.next_name.is_subdomain(name):
        return MISSING
    if _encloser(name, covering) != encloser:
        return MISSING
    return NoCloser((covering.verified,))


def _at(name: Name, nsecs: tuple[Nsec, ...]) -> Nsec | None:
    return next((nsec for nsec in nsecs if nsec.owner == name), None)


def _over(name: Name, zone: Name, nsecs: tuple[Nsec, ...]) -> Nsec | None:
    return next((nsec for nsec in nsecs if nsec.covers(name, zone)), None)


def _encloser(name: Name, covering: Nsec) -> Name:
    """Return the closest encloser: the deepest ancestor that the gap's ends share."""
    _, _, with_owner = name.fullcompare(covering.owner)
    _, _, with_next = name.fullcompare(covering.next_name)
    return Name(name.labels[-max(with_owner, with_next) :])
