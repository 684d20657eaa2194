"""Who may say yes to a verdict: a rule, one person, two persons, or nobody yet.

The default is to act at the next opportunity once a request is authenticated
(BCP 246, section 7.1(2); P-0.12). A person who stands in between is a policy of
the zone, and never stands in the way of a rollover unless it says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from bootstrap.core.evaluation.paths import AuthMethod, Path
from bootstrap.core.evaluation.reasons import MEANINGS, Kind, Reason
from bootstrap.core.evaluation.verdict import Outcome, Verdict


@unique
class Route(StrEnum):
    """Who approves; stored with the proposal, never renamed."""

    RULE = "rule"
    STAFF = "staff"
    TWO_PERSONS = "two-persons"
    HOLD = "hold"  # stopped by a check or an alarm: an override, by two (S-64)


APPROVALS: Final = MappingProxyType(
    {Route.RULE: 0, Route.STAFF: 1, Route.TWO_PERSONS: 2, Route.HOLD: 2}
)
"""How many persons must say yes, by route."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingPolicy:
    """A zone's answer to "who approves?".

    `review` sends first DS sets to staff. `updates_too` and `removals_too` do so
    for changes of a secure child, which BCP 246 wants prompt: off by default.
    `single_path` sends those to staff whose trust rests on one signaling zone
    (P-9.12).
    """

    review: bool = True
    two_persons: bool = False
    updates_too: bool = False
    removals_too: bool = False
    single_path: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known beside the verdict.

    `alarm` is the code of an open class A alarm about the child, `breaker` the
    name of an open breaker that covers it; empty for none.
    """

    alarm: str = ""
    breaker: str = ""


@dataclass(frozen=True, slots=True)
class Routed:
    """The route, and the code that says why."""

    route: Route
    reason: str

    @property
    def approvals(self) -> int:
        """How many persons must say yes."""
        return APPROVALS[self.route]


class NotProposable(Exception):
    """The verdict asks for no change of the parent."""


def route(verdict: Verdict, facts: Facts, routing: RoutingPolicy) -> Routed:
    """Return who may approve what `verdict` supports; one success is enough (P-4.11).

    Raises:
        NotProposable: the outcome is neither accept nor hold.
    """
    if verdict.outcome is Outcome.HOLD:
        return Routed(Route.HOLD, verdict.primary.value)
    if verdict.outcome is not Outcome.ACCEPT or verdict.path is None:
        raise NotProposable(f"the outcome is {verdict.outcome}")
    if stop := facts.alarm or facts.breaker:
        return Routed(Route.HOLD, stop)
    if needs_two(verdict.path, verdict.auth_method):
        return Routed(Route.TWO_PERSONS, Reason.POL_MANUAL_REVIEW.value)
    if waits_for_staff(verdict, routing):
        people = Route.TWO_PERSONS if routing.two_persons else Route.STAFF
        return Routed(people, Reason.POL_MANUAL_REVIEW.value)
    return Routed(Route.RULE, verdict.primary.value)


def needs_two(path: Path, auth_method: AuthMethod | None) -> bool:
    """Say whether the change takes four eyes whatever the zone's policy (S-64).

    That is a removal of DS that no authenticated signal of the child asked for.
    """
    return path is Path.REMOVAL and auth_method is not AuthMethod.RFC7344_CHAIN


def waits_for_staff(verdict: Verdict, routing: RoutingPolicy) -> bool:
    """Say whether the zone's policy puts a person before this change (P-0.12)."""
    if routing.single_path and Reason.SIG_SINGLE_PATH in verdict.reasons:
        return True
    asked = {
        Path.BOOTSTRAP: routing.review,
        Path.UPDATE: routing.updates_too,
        Path.REMOVAL: routing.removals_too,
    }
    return verdict.path is not None and asked[verdict.path]


def is_alarm(code: str) -> bool:
    """Say whether an alarm of this code stops automation for its child (class A)."""
    try:
        meaning = MEANINGS[Reason(code)]
    except ValueError:
        return False
    return Kind.ALARM in {meaning.kind, meaning.then}
