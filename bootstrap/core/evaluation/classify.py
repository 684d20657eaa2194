"""One response of one server to one question about the apex: one NS_* reason.

The tables are protocol.md 2.2; nothing here looks at a second server.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from bootstrap.core.dns.messages import Rcode, Response, find
from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import RdataType

from .observations import Observation, Trouble
from .reasons import Reason

TROUBLES: Final = MappingProxyType(
    {
        Trouble.TIMEOUT: Reason.NS_TIMEOUT,
        Trouble.UNREACHABLE: Reason.NS_UNREACHABLE,
        Trouble.TCP_CLOSED: Reason.NS_UNREACHABLE,
        Trouble.FORBIDDEN: Reason.NS_ADDR_FORBIDDEN,
        Trouble.NO_EGRESS: Reason.X_EGRESS_FAMILY,
        Trouble.JUNK: Reason.NS_MALFORMED,
        Trouble.LIMIT: Reason.NS_TIMEOUT,
    }
)
"""Total over `Trouble`."""

TCP_TROUBLES: Final = frozenset(
    {Trouble.TIMEOUT, Trouble.UNREACHABLE, Trouble.TCP_CLOSED}
)
"""With an answer by UDP these mean that only TCP fails (P-2.20)."""

RCODES: Final = MappingProxyType(
    {
        Rcode.REFUSED: Reason.NS_REFUSED,
        Rcode.NOTAUTH: Reason.NS_NOTAUTH,
        Rcode.SERVFAIL: Reason.NS_SERVFAIL,
        Rcode.FORMERR: Reason.NS_FORMERR,
        Rcode.NOTIMP: Reason.NS_NOTIMP,
        Rcode.BADVERS: Reason.NS_NO_EDNS,
        Rcode.NXDOMAIN: Reason.NS_LAME_NXDOMAIN,
    }
)
"""RCODEs that settle it alone; any other but NOERROR is `NS_MALFORMED`."""

USABLE: Final = frozenset({Reason.NS_OK_DATA, Reason.NS_OK_NODATA})
"""What counts as a response of a server of the child (P-2.30)."""
USABLE_FOR_UPDATE: Final = USABLE | {Reason.NS_NODATA_NO_SOA}
"""Updates may also rest on an empty answer without SOA (RFC 9975, section 3)."""


def classify(
    observation: Observation, response: Response | None, child: Name, *, udp_works: bool
) -> Reason:
    """Return what the observation says of its server; `response` if it was readable.

    `udp_works` says that the same address answered a question by UDP.
    """
    if observation.trouble is not None:
        if udp_works and observation.trouble in TCP_TROUBLES:
            return Reason.NS_TCP_UNAVAILABLE
        return TROUBLES[observation.trouble]
    if response is None or response.tc:
        return Reason.NS_MALFORMED  # also TC=1 inside TCP (P-2.21)
    if observation.transport != "tcp":
        return Reason.NS_TCP_UNAVAILABLE  # nothing unsigned rests on UDP (S-6)
    return _header(response) or _content(response, child)


def _header(response: Response) -> Reason | None:
    if response.rcode == Rcode.FORMERR and not response.edns:
        return Reason.NS_NO_EDNS  # how servers without EDNS answer (RFC 6891, 7)
    if response.rcode != Rcode.NOERROR:
        return RCODES.get(response.rcode, Reason.NS_MALFORMED)
    if not response.aa:
        return _lame(response)
    return None if response.edns else Reason.NS_NO_EDNS


def _lame(response: Response) -> Reason:
    named = {signed.rrset.rdtype for signed in response.authority}
    if not response.answer and RdataType.NS in named:
        return Reason.NS_LAME_REFERRAL
    return Reason.NS_LAME_NOT_AA


def _content(response: Response, child: Name) -> Reason:
    if find(response.answer, child, RdataType.CNAME):
        return Reason.NS_APEX_CNAME
    if response.answered(child, response.rdtype):
        return Reason.NS_OK_DATA
    if response.answer:
        return Reason.NS_MALFORMED  # an answer about something else
    return _nodata(response, child)


def _nodata(response: Response, child: Name) -> Reason:
    owners = {
        signed.rrset.owner
        for signed in response.authority
        if signed.rrset.rdtype == RdataType.SOA
    }
    if owners - {child}:
        return Reason.NS_LAME_NXDOMAIN
    if not owners or response.rdtype == RdataType.SOA:
        return Reason.NS_NODATA_NO_SOA
    return Reason.NS_OK_NODATA
