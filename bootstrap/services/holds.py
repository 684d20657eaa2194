"""What a breaker holds, and how it goes on once two persons released it (S-64).

A held child may still be approved, by two persons; a released breaker gives all
that it held back to the route that they had before.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from bootstrap import bell
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow import freshness
from bootstrap.core.workflow.lifecycle import Event, State, TransitionRefused
from bootstrap.core.workflow.policy import APPROVALS, Route
from bootstrap.models import (
    Breaker,
    BreakerScope,
    BreakerVoice,
    Decision,
    Domain,
    Proposal,
)

from . import alarms, audit, binding, breakers, states
from .actors import POLICY, Actor, ActorKind
from .binding import DECIDE
from .breakers import ALARM, STREAM
from .lapsing import lapse
from .people import same_person
from .transitions import Note, move

PERSONS: Final = 2
PREFIX: Final = "BREAKER_"


class ReleaseRefused(Exception):
    """This person may not release the breaker, or it is released already."""


def reason_of(breaker: Breaker) -> str:
    """Return what a held proposal shows as its reason."""
    return f"{PREFIX}{breaker.pk}_{breaker.reason}"[:40]


def hold(proposal: Proposal, breaker: Breaker, *, actor: Actor, now: datetime) -> None:
    """Stop one proposal until the breaker is released or two persons approve it.

    Raises:
        TransitionRefused: it moved on meanwhile.
    """
    note = Note(
        type=EntryType.PROPOSAL_HELD,
        data={"reason": breaker.reason, "breaker": breaker.pk},
    )
    move(
        proposal,
        Event.HOLD,
        note,
        actor=actor,
        now=now,
        reason=reason_of(breaker),
        approvals_needed=max(PERSONS, proposal.approvals_needed),
        approved_at=None,
    )
    states.refresh([proposal.domain], now=now)


def release(breaker: Breaker, *, actor: Actor, comment: str, now: datetime) -> bool:
    """Count one person's word; release at the second, and say whether it is.

    Raises:
        ReleaseRefused: no person, no right, no comment, a second word of the same
            person, or released already. The refusal is recorded.
    """
    try:
        with transaction.atomic():
            released = _release(breaker, actor, comment, now)
    except ReleaseRefused as refusal:
        _record(EntryType.DECISION_REFUSED, breaker, actor, comment, now, str(refusal))
        raise
    breaker.refresh_from_db()
    return released


def _release(breaker: Breaker, actor: Actor, comment: str, now: datetime) -> bool:
    row = Breaker.objects.select_for_update().get(pk=breaker.pk)
    if row.released_at is not None:
        raise ReleaseRefused("the breaker is released already")
    if actor.kind is not ActorKind.STAFF or DECIDE not in actor.permissions:
        raise ReleaseRefused(f"{actor.name} may not release breakers")
    if not comment.strip():
        raise ReleaseRefused("a comment is needed")
    if row.voices.filter(actor__in=same_person(actor.name)).exists():
        raise ReleaseRefused(f"{actor.name} has said so already")
    try:
        with transaction.atomic():
            BreakerVoice.objects.create(
                breaker=row, actor=actor.name, via=actor.via, comment=comment, at=now
            )
    except IntegrityError:
        raise ReleaseRefused(f"{actor.name} has said so already") from None
    if row.voices.count() < PERSONS:
        _record(EntryType.BREAKER_VOICE, row, actor, comment, now)
        return False
    Breaker.objects.filter(pk=row.pk).update(released_at=now)
    _record(EntryType.BREAKER_RELEASED, row, actor, comment, now)
    subject = f"{row.scope} {row.subject}".strip()
    alarms.close_alarm(ALARM, subject=subject, now=now)
    bell.ring(bell.Work.GUARDS)
    return True


def resume(*, now: datetime, limit: int = 100) -> int:
    """Give back what released breakers held; return how many went on.

    What another open breaker covers stays held. Approving is asked of the
    breakers again: a flood that goes on opens the next one.
    """
    resumed = 0
    still = [reason_of(breaker) for breaker in Breaker.objects.open()]
    held = Proposal.objects.filter(state=State.HELD.value, reason__startswith=PREFIX)
    held = held.exclude(reason__in=still).order_by("created_at")
    for proposal in held.select_related("scan")[:limit]:
        try:
            with transaction.atomic():
                resumed += _resume(proposal, now)
        except TransitionRefused:
            continue  # somebody decided about it meanwhile
    return resumed


def _resume(proposal: Proposal, now: datetime) -> bool:
    rows = Domain.objects.select_for_update(of=("self",)).select_related("zone")
    proposal.domain = rows.get(pk=proposal.domain_id)
    if changed := binding.changes(proposal, proposal.domain, now):
        reason, why = Reason.PUB_CONFLICT, "; ".join(changed)
        lapse(proposal, actor=POLICY, now=now, reason=reason, why=why)
        return True
    if (other := breakers.watch_approval(proposal, now=now)) is not None:
        Proposal.objects.filter(pk=proposal.pk, version=proposal.version).update(
            reason=reason_of(other)
        )
        return False
    route = Route(proposal.route)
    note = Note(type=EntryType.PROPOSAL_RELEASED, data={"breaker": proposal.reason})
    move(
        proposal,
        Event.RELEASE,
        note,
        actor=POLICY,
        now=now,
        approvals_needed=APPROVALS[route],
        reason=proposal.scan.primary_reason,
    )
    if route is Route.RULE:
        approve_by_rule(proposal, now=now)
    states.refresh([proposal.domain], now=now)
    return True


def approve_by_rule(proposal: Proposal, *, now: datetime) -> None:
    """Let the zone's policy say yes; the caller has asked the breakers."""
    Decision.objects.get_or_create(
        proposal=proposal,
        verb="approve",
        actor=POLICY.name,
        digest=proposal.digest,
        defaults={"actor_kind": POLICY.kind.value, "via": POLICY.via, "at": now},
    )
    note = Note(
        type=EntryType.PROPOSAL_APPROVED,
        data={"route": proposal.route},
        evidence=(proposal.evidence_id,),
    )
    ends = freshness.expiry(now, proposal.proof_ends_at, freshness.LIMITS)
    move(
        proposal,
        Event.APPROVE,
        note,
        actor=POLICY,
        now=now,
        approved_at=now,
        expires_at=ends,
    )
    bell.ring(bell.Work.PUBLICATIONS)


def _record(
    entry: EntryType,
    breaker: Breaker,
    actor: Actor,
    comment: str,
    now: datetime,
    why: str = "",
) -> None:
    audit.record(
        entry,
        stream=STREAM,
        actor=actor,
        now=now,
        private={"comment": comment},
        breaker=breaker.pk,
        scope=str(breaker.scope),
        subject=breaker.subject,
        reason=breaker.reason,
        why=why,
    )


def open_breakers() -> list[Breaker]:
    """Return what is open, the global one first."""
    order = {BreakerScope.GLOBAL.value: 0}
    return sorted(
        Breaker.objects.open().prefetch_related("voices"),
        key=lambda found: (order.get(found.scope, 1), found.opened_at),
    )
