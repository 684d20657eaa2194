"""What every address said of the child's apex, read once and classified."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.name

from bootstrap.core.dns.messages import Malformed, Response, read
from bootstrap.core.dns.names import Name, canonical
from bootstrap.core.dns.records import RdataType, Signed, text_of

from .case import Case
from .classify import classify
from .observations import Observation
from .queries import Carrier, probe_name
from .reasons import Reason

REQUEST_TYPES: Final = (RdataType.CDS, RdataType.CDNSKEY)
"""The types by which a child asks for a DS change (RFC 7344, section 3; P-1.7)."""

USED_TYPES: Final = (RdataType.A, RdataType.AAAA, RdataType.MX)
"""What people ask a zone's apex for (P-3.13)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One address's word about one type; `signed` when it holds the RRset.

    `response` is set when the packet could be read, `packet` says that one came.
    """

    address: str
    name: Name
    rdtype: RdataType
    reason: Reason
    response: Response | None = None
    signed: Signed | None = None
    packet: bool = False
    vantage: str = "local"
    detail: str = ""

    @property
    def asks(self) -> bool:
        """The type is one by which a child can ask for a change."""
        return self.rdtype in REQUEST_TYPES

    @property
    def content(self) -> tuple[bytes, ...]:
        """The rdata of the RRset, sorted; empty when it does not exist."""
        return self.signed.rrset.rdatas if self.signed else ()

    @property
    def presentation(self) -> tuple[str, ...]:
        """The rdata as text, sorted; what has no text form as hex."""
        return tuple(sorted(text_of(self.rdtype, rdata) for rdata in self.content))

    def hosts(self) -> tuple[Name, ...]:
        """Return the targets of an NS RRset, canonical and sorted."""
        if self.signed is None or self.signed.rrset.rdtype != RdataType.NS:
            return ()
        return tuple(sorted(_targets(self.signed.rrset.rdatas)))


def answers_of(case: Case) -> tuple[Answer, ...]:
    """Return the answers about the apex, in the order of address and type."""
    return _answers(case, _is_apex)


def probes_of(case: Case) -> tuple[Answer, ...]:
    """Return the answers about the name that should not exist (P-2.9)."""
    probe = probe_name(case.delegation.child, case.now)
    return _answers(case, lambda seen, _child: seen.query.name == probe)


def _answers(
    case: Case, wanted: Callable[[Observation, Name], bool]
) -> tuple[Answer, ...]:
    child = case.delegation.child
    by_udp = _udp(case)
    answers = [
        _answer(observation, child, udp_works=observation.query.server in by_udp)
        for observation in case.observations
        if wanted(observation, child)
    ]
    return tuple(sorted(answers, key=_order))


def _targets(rdatas: Iterable[bytes]) -> set[Name]:
    found = set()
    for rdata in rdatas:
        try:
            found.add(canonical(dns.name.from_wire(rdata, 0)[0]))
        except dns.exception.DNSException:
            continue  # the reader refuses such packets; nothing can be asked of it
    return found


def _order(answer: Answer) -> tuple[str, int, str, str]:
    return (answer.address, answer.rdtype, answer.vantage, answer.reason)


def _is_apex(observation: Observation, child: Name) -> bool:
    query = observation.query
    return query.carrier is Carrier.TCP and query.zone == child == query.name


def _udp(case: Case) -> frozenset[str]:
    """Return the addresses that answered something about the child by UDP."""
    return frozenset(
        observation.query.server
        for observation in case.observations
        if observation.received is not None
        and observation.transport == "udp"
        and observation.query.zone == case.delegation.child
    )


def _answer(observation: Observation, child: Name, *, udp_works: bool) -> Answer:
    query = observation.query
    response, detail = _read(observation)
    reason = classify(observation, response, child, udp_works=udp_works)
    signed = response.answered(query.name, query.rdtype) if response else None
    return Answer(
        address=query.server,
        name=query.name,
        rdtype=query.rdtype,
        reason=reason,
        response=response,
        signed=signed if reason is Reason.NS_OK_DATA else None,
        packet=observation.received is not None,
        vantage=observation.vantage,
        detail=detail,
    )


def _read(observation: Observation) -> tuple[Response | None, str]:
    query = observation.query
    if observation.received is None:
        trouble = observation.trouble
        return None, trouble.value if trouble else "no packet and no trouble recorded"
    try:
        return read(observation.received, query.name, query.rdtype), ""
    except Malformed as exc:
        return None, str(exc)
