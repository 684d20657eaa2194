"""Where a name stands, for its owner and its operator: five steps and one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bootstrap.core.dns.names import (
    UnusableSignalingName,
    out_of_domain,
    parse_name,
    signaling_name,
    unrooted,
)
from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import Domain, DomainState
from bootstrap.services import states

STEPS: Final = ("signed", "announced", "signals found", "accepted", "secured")


@dataclass(frozen=True, slots=True)
class Standing:
    """`reached` counts finished steps; `sentence` is all that an owner must read."""

    word: str
    sentence: str
    reached: int
    stuck: bool = False


STANDINGS: Final[Mapping[str, Standing]] = {
    DomainState.SUSPENDED: Standing(
        "automation is off",
        "Automation of DNSSEC is off for this name; its registrar can say why.",
        0,
        stuck=True,
    ),
    DomainState.BROKEN: Standing(
        "secured, but failing validation",
        "This name has DS records at its parent, but what its nameservers answer"
        " does not validate: validating resolvers cannot reach it now.",
        4,
        stuck=True,
    ),
    DomainState.PUBLISHED: Standing(
        "published, being observed",
        "The DS records were sent to the parent zone and are being observed.",
        4,
    ),
    DomainState.PENDING: Standing(
        "accepted, waiting for review or publication",
        "Everything was found as it must be; the change waits for review or"
        " publication at the registry.",
        4,
    ),
    DomainState.SECURED: Standing(
        "secured",
        "This name is secured with DNSSEC, and its nameservers validate.",
        5,
    ),
    DomainState.ANNOUNCED: Standing(
        "announced, being checked",
        "This name asks for DNSSEC; a check could not be finished yet and will be"
        " repeated by itself.",
        2,
    ),
    DomainState.BLOCKED: Standing(
        "needs a change at your DNS operator",
        "This name asks for DNSSEC, but something at its DNS operator must change"
        " first.",
        2,
        stuck=True,
    ),
    DomainState.WAITING: Standing(
        "announced, but your DNS operator does not vouch for it yet",
        "This name asks for DNSSEC, but its DNS operator publishes no signal that"
        " vouches for it.",
        2,
        stuck=True,
    ),
    DomainState.SIGNED: Standing(
        "signed, not announced",
        "The zone is signed but publishes no CDS or CDNSKEY records, so nobody has"
        " asked us to secure it.",
        1,
    ),
    DomainState.UNSIGNED: Standing(
        "not signed yet", "The zone of this name is not signed with DNSSEC.", 0
    ),
}
"""Every state but alarms, which are for staff; owners see the state below (ux.md)."""


def public_state(row: Domain) -> DomainState:
    """Return the state that the public sees: alarms are for staff (ux.md)."""
    if row.state != DomainState.ALARM:
        return DomainState(row.state)
    under_way = row.proposals.open().first()
    proposal = State(under_way.state) if under_way else None
    return states.state_of(row, states.Known(proposal=proposal))


@dataclass(frozen=True, slots=True)
class Step:
    """One of the five: its mark is done, now, next or stopped."""

    word: str
    mark: str


def road(standing: Standing) -> tuple[Step, ...]:
    """Return the five steps, each with its mark."""
    return tuple(
        Step(word, _mark(position, standing)) for position, word in enumerate(STEPS)
    )


def _mark(position: int, standing: Standing) -> str:
    if position < standing.reached:
        return "done"
    if position > standing.reached:
        return "next"
    return "stopped" if standing.stuck else "now"


@dataclass(frozen=True, slots=True)
class Record:
    """A record to publish, ready to copy."""

    name: str
    rdtype: str
    content: str

    @property
    def line(self) -> str:
        """The record in the form of a zone file."""
        return f"{self.name}. 3600 IN {self.rdtype} {self.content}"


def wanted_signals(
    child: str, nameservers: Sequence[str], views: Sequence[Mapping[str, Any]]
) -> tuple[Record, ...]:
    """Return the signals that would vouch for `child` (RFC 9615, section 3.2)."""
    announced = sorted(set(_announced(views)))
    owner = parse_name(child)
    hosts = out_of_domain(owner, [parse_name(host) for host in nameservers])
    found = []
    for host in hosts:
        try:
            signal = unrooted(signaling_name(owner, host))
        except UnusableSignalingName:
            continue  # told by the reason of the evaluation itself
        found += [Record(signal, rdtype, content) for rdtype, content in announced]
    return tuple(found)


def _announced(views: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for view in views:
        for answer in view.get("answers", ()):
            if answer.get("type") in {"CDS", "CDNSKEY"}:
                for content in answer.get("records", ()):
                    yield str(answer["type"]), str(content)
