"""CNAME and DNAME: where an answer sends us (RFC 1034, section 3.6.2; RFC 6672)."""

from __future__ import annotations

import dns.name

from bootstrap.core.dns.messages import Response
from bootstrap.core.dns.names import Name, is_within
from bootstrap.core.dns.records import RdataType, RRset, Signed
from bootstrap.core.dns.wire import name_at

from .security import Flaw
from .signatures import Unverified


def dname_above(response: Response, name: Name, zone: Name) -> Signed | None:
    """Return the DNAME of this zone that redirects `name`, if one is there."""
    for signed in response.answer:
        owner = signed.rrset.owner
        if (
            signed.rrset.rdtype == RdataType.DNAME
            and owner.labels != name.labels
            and is_within(name, owner)
            and is_within(owner, zone)
        ):
            return signed
    return None


def target_of(alias: RRset, name: Name) -> Name | Unverified:
    """Return where `name` leads by a CNAME at it or a DNAME above it.

    The name behind a DNAME may be too long, which the server says by YXDOMAIN
    (RFC 6672, section 2.2; P-7.71).
    """
    if len(alias.rdatas) != 1:
        return Unverified(Flaw.MALFORMED, f"{len(alias.rdatas)} aliases at one name")
    target, _end = name_at(alias.rdatas[0])
    # Of a CNAME's owner, which is the name itself, nothing is kept.
    kept = name.labels[: -len(alias.owner.labels)]
    try:
        return Name((*kept, *target.labels))
    except dns.name.NameTooLong:
        return Unverified(Flaw.MALFORMED, "the name behind the DNAME is too long")


def fits(response: Response, name: Name, target: Name) -> bool:
    """Say whether the CNAME made from a DNAME, if there, is what it must be.

    It is unsigned, so it is computed again (RFC 6672, section 5.3.1).
    """
    made = response.answered(name, RdataType.CNAME)
    return made is None or target_of(made.rrset, name) == target
