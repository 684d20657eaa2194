"""Ends proposals whose evidence, approval or registry data no longer hold."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow.lifecycle import (
    TRANSITIONS,
    Event,
    State,
    TransitionRefused,
)
from bootstrap.models import Proposal

from . import leasing, states
from .actors import POLICY, Actor
from .transitions import Note, move

LAPSABLE: Final = frozenset(
    state for state, event in TRANSITIONS if event is Event.LAPSE
)
"""States that a proposal can lapse from: nothing has left for the parent."""


@transaction.atomic
def lapse(
    proposal: Proposal,
    *,
    actor: Actor,
    now: datetime,
    reason: Reason,
    why: str = "",
    look_again: bool = True,
) -> None:
    """End a proposal as stale and have its child looked at again (P-1.62, P-4.44).

    `reason` is the code that is stored (`PUB_EVIDENCE_STALE`, `PUB_CONFLICT`, or
    what a newer evaluation found), `why` the facts in words. Nothing is
    evaluated again where `look_again` is false: somebody has just looked.

    Raises:
        TransitionRefused: it has ended, or may have left for the parent.
    """
    note = Note(
        type=EntryType.PROPOSAL_STALE, data={"reason": reason.value, "why": why}
    )
    move(proposal, Event.LAPSE, note, actor=actor, now=now, reason=reason.value)
    if look_again:
        leasing.request([proposal.domain_id], trigger=Trigger.PUBLICATION, now=now)
    states.refresh([proposal.domain], now=now)


def lapse_expired(*, now: datetime, limit: int = 500) -> int:
    """Lapse what has outlived its approval or its signatures; return how many."""
    # a failed one waits for staff, however old it is
    waiting = sorted(LAPSABLE - {State.FAILED})
    expired = Proposal.objects.filter(state__in=waiting, expires_at__lte=now)
    lapsed = 0
    for proposal in expired.with_domain()[:limit]:
        try:
            lapse(
                proposal,
                actor=POLICY,
                now=now,
                reason=Reason.PUB_EVIDENCE_STALE,
                why="the evidence or the approval expired",
            )
        except TransitionRefused:
            continue  # somebody moved it meanwhile
        lapsed += 1
    return lapsed
