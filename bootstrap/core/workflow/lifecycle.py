"""The life of a proposal: states, events, and every arrow between them.

Two rules. All arrows stand in `TRANSITIONS`, and nothing else decides what may
follow what. A state says who acts next (architecture.md 2.7).
"""

from __future__ import annotations

from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final


@unique
class State(StrEnum):
    """Where a proposal stands, and who acts next."""

    CANDIDATE = "candidate"  # the approval rule, or staff
    HELD = "held"  # staff: a check, a breaker or a lock stopped it
    APPROVED = "approved"  # the publisher
    SENDING = "sending"  # the publisher, or the next one by read-back
    SENT = "sent"  # verification: visible on every parent server?
    VISIBLE = "visible"  # verification: does the child validate, and stay so?
    SETTLED = "settled"  # nobody
    REJECTED = "rejected"  # nobody
    STALE = "stale"  # nobody: evidence or approval too old, or facts changed
    CONFLICT = "conflict"  # nobody: the parent holds something else
    FAILED = "failed"  # staff: the publisher gave up


@unique
class Event(StrEnum):
    """What can happen to a proposal."""

    APPROVE = "approve"
    REJECT = "reject"
    HOLD = "hold"
    RELEASE = "release"
    LAPSE = "lapse"
    BEGIN = "begin"  # about to send: committed before the packet
    DEFER = "defer"  # the parent could not be reached, or nothing was applied
    CONFIRM = "confirm"  # read back: the parent holds the new set
    DISAGREE = "disagree"  # read back: the parent holds a third thing
    GIVE_UP = "give_up"
    APPEAR = "appear"  # on every parent server
    SETTLE = "settle"


class TransitionRefused(Exception):
    """The proposal is in a state that has no arrow for this event."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"cannot {event} a proposal that is {state}")
        self.state = state
        self.event = event


TRANSITIONS: Final = MappingProxyType(
    {
        (State.CANDIDATE, Event.APPROVE): State.APPROVED,
        (State.CANDIDATE, Event.REJECT): State.REJECTED,
        (State.CANDIDATE, Event.HOLD): State.HELD,
        (State.CANDIDATE, Event.LAPSE): State.STALE,
        (State.HELD, Event.APPROVE): State.APPROVED,
        (State.HELD, Event.REJECT): State.REJECTED,
        (State.HELD, Event.RELEASE): State.CANDIDATE,
        (State.HELD, Event.LAPSE): State.STALE,
        (State.APPROVED, Event.BEGIN): State.SENDING,
        (State.APPROVED, Event.HOLD): State.HELD,
        (State.APPROVED, Event.LAPSE): State.STALE,
        (State.APPROVED, Event.DISAGREE): State.CONFLICT,
        (State.APPROVED, Event.GIVE_UP): State.FAILED,
        (State.SENDING, Event.CONFIRM): State.SENT,
        (State.SENDING, Event.DEFER): State.APPROVED,
        (State.SENDING, Event.DISAGREE): State.CONFLICT,
        (State.SENDING, Event.GIVE_UP): State.FAILED,
        (State.SENT, Event.APPEAR): State.VISIBLE,
        (State.SENT, Event.DISAGREE): State.CONFLICT,
        (State.SENT, Event.GIVE_UP): State.FAILED,
        (State.VISIBLE, Event.SETTLE): State.SETTLED,
        (State.VISIBLE, Event.DISAGREE): State.CONFLICT,
        (State.FAILED, Event.RELEASE): State.APPROVED,
        (State.FAILED, Event.CONFIRM): State.SENT,
        (State.FAILED, Event.REJECT): State.REJECTED,
        (State.FAILED, Event.LAPSE): State.STALE,
    }
)

OPEN: Final = frozenset(state for state, _event in TRANSITIONS)
"""States from which something can still happen: one open proposal a child."""


def advance(state: State, event: Event) -> State:
    """Return the state after `event`.

    Raises:
        TransitionRefused: the table has no such arrow.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise TransitionRefused(state, event) from None
