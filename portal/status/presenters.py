"""Where a name stands, for its owner and its operator: five steps and one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import dns.exception
import dns.rdata

from bootstrap.core.dns.names import (
    Name,
    UnusableSignalingName,
    out_of_domain,
    parse_name,
    signaling_name,
    unrooted,
)
from bootstrap.core.dns.records import Key
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


def to_publish(
    recipe: str,
    child: str,
    nameservers: Sequence[str],
    views: Sequence[Mapping[str, Any]],
) -> tuple[str, ...]:
    """Return the records that would mend it, as lines of a zone file.

    `recipe` comes with the reason; its {nameserver} stands for each host that
    owes a signal (RFC 9615, section 3.2), its {ds} for each DS that the child's
    own records ask for.
    """
    owner = parse_name(child)
    hosts = _signaling_hosts(owner, nameservers)
    wanted = _wanted_ds(owner, views)
    lines: list[str] = []
    for line in recipe.splitlines():
        for host in hosts if "{nameserver}" in line else ("",):
            values = wanted if "{ds}" in line else ("",)
            lines += [line.format(child=child, nameserver=host, ds=ds) for ds in values]
    return tuple(lines)


def _signaling_hosts(owner: Name, nameservers: Sequence[str]) -> tuple[str, ...]:
    hosts = out_of_domain(owner, [parse_name(host) for host in nameservers])
    return tuple(unrooted(host) for host in hosts if _fits(owner, host))


def _fits(owner: Name, host: Name) -> bool:
    try:
        signaling_name(owner, host)
    except UnusableSignalingName:
        return False  # told by the reason of the evaluation itself
    return True


def _wanted_ds(owner: Name, views: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the announced CDS; where there is none, the DS of each SEP key."""
    announced = _records(views, "CDS")
    if announced:
        return tuple(sorted(announced))
    keys = [_key(text) for text in _records(views, "DNSKEY")]
    return tuple(
        sorted(k.ds(owner).to_text() for k in keys if k is not None and k.is_sep)
    )


def _records(views: Sequence[Mapping[str, Any]], rdtype: str) -> set[str]:
    return {
        str(content)
        for view in views
        for answer in view.get("answers", ())
        if answer.get("type") == rdtype
        for content in answer.get("records", ())
    }


def _key(text: str) -> Key | None:
    try:
        wire = dns.rdata.from_text("IN", "DNSKEY", text).to_wire()
        return Key.from_wire(wire) if wire is not None else None
    except (dns.exception.DNSException, ValueError):
        return None  # not a key that anybody could publish
