"""Who serves a zone, as a server of the zone above says (RFC 1034, section 4.3.2).

Nothing beyond the delegation itself is believed: the cut lies below the zone
that was asked and at or above the name that was asked for, and addresses are
taken for names inside the delegating zone alone (S-21).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from bootstrap.core.dns.messages import Rcode, Response
from bootstrap.core.dns.names import Name, canonical
from bootstrap.core.dns.records import RdataType, RRset

MAX_NAMESERVERS: Final = 13
"""NS records of one RRset that are looked at (S-17)."""
MAX_ADDRESSES: Final = 8
"""Addresses of one host that are looked at (protocol.md 10)."""
ADDRESSES: Final = frozenset({RdataType.A, RdataType.AAAA})
ANSWERING: Final = frozenset({Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.YXDOMAIN})


@dataclass(frozen=True, slots=True)
class Referral:
    """The servers of `zone`: hosts, and the addresses that came along.

    `needed` are hosts without address that can be looked up elsewhere; a host
    inside the zone without glue cannot, and is left out. `ttl` is in seconds.
    """

    zone: Name
    glue: tuple[tuple[Name, tuple[str, ...]], ...]
    needed: tuple[Name, ...]
    ttl: int


def referral(response: Response, zone: Name) -> Referral | None:
    """Return the delegation that a server of `zone` tells us about, if any.

    Upward, sideways and self referrals are none: they lead in circles.
    """
    if response.rcode != Rcode.NOERROR:
        return None
    for signed in (*response.authority, *response.answer):
        rrset = signed.rrset
        if rrset.rdtype == RdataType.NS and _is_cut(rrset.owner, response, zone):
            return _read(rrset, response, zone)
    return None


def is_useful(response: Response, zone: Name) -> bool:
    """Say whether a server of `zone` answered at all: not failing, not lame."""
    if response.rcode not in ANSWERING or response.tc:
        return False
    lame = not response.aa and not response.answer
    return not lame or referral(response, zone) is not None


def addresses_of(rrset: RRset) -> tuple[str, ...]:
    """Return the addresses in an A or AAAA RRset, as text."""
    texts = (str(ip_address(rdata)) for rdata in rrset.rdatas)
    return tuple(texts)[:MAX_ADDRESSES]


def targets_of(rrset: RRset) -> tuple[Name, ...]:
    """Return the hosts that an NS RRset names."""
    hosts = (canonical(rdata.target) for rdata in rrset.parsed())  # type: ignore[attr-defined]
    return tuple(hosts)[:MAX_NAMESERVERS]


def _is_cut(owner: Name, response: Response, zone: Name) -> bool:
    below = owner != zone and owner.is_subdomain(zone)
    return below and response.name.is_subdomain(owner)


def _read(rrset: RRset, response: Response, zone: Name) -> Referral:
    glue: dict[Name, list[str]] = {}
    for signed in response.additional:
        found = signed.rrset
        if found.rdtype in ADDRESSES and found.owner.is_subdomain(zone):
            glue.setdefault(found.owner, []).extend(addresses_of(found))
    hosts = targets_of(rrset)
    return Referral(
        rrset.owner,
        tuple((host, tuple(glue[host])) for host in hosts if host in glue),
        tuple(
            host
            for host in hosts
            if host not in glue and not host.is_subdomain(rrset.owner)
        ),
        rrset.ttl,
    )
