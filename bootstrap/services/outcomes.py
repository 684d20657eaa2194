"""What came of an attempt: the commit after the packet (S-73 to S-75)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from bootstrap import bell
from bootstrap.core.evaluation.delegation import Suspension
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow.lifecycle import Event, TransitionRefused
from bootstrap.models import Domain, Proposal, Publication, Zone

from . import alarms, leasing, states, suspension
from .actors import Actor
from .binding import BY_HAND
from .claims import Claim, Ending
from .sending import Effect, Report
from .transitions import Note, move

MAX_ATTEMPTS: Final = 8
DELAYS: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 20, 40, 80))
"""Waiting after the first, second, … attempt; the last one repeats (S-82)."""
JITTER: Final = 0.2


@dataclass(frozen=True, slots=True)
class _Ended:
    """One attempt that is over, as its outcome is recorded."""

    claim: Claim
    proposal: Proposal
    report: Report
    actor: Actor
    now: datetime

    def move(self, event: Event, entry_type: EntryType, **columns: object) -> None:
        """Advance the proposal and give back the lease."""
        changes = {"lease_until": None, **columns}
        note = Note(
            type=entry_type,
            data=_facts(self.proposal, self.report),
            evidence=(self.proposal.evidence_id,),
        )
        move(self.proposal, event, note, actor=self.actor, now=self.now, **changes)

    def alarm(self, code: Reason) -> None:
        """Have somebody look at this child's publication."""
        domain = self.proposal.domain
        told = " ".join(filter(None, (self.report.rcode, self.report.detail)))
        alarms.open_alarm(
            code.value, subject=domain.name, domain=domain, detail=told, now=self.now
        )


def conclude(claim: Claim, report: Report, *, actor: Actor, now: datetime) -> Ending:
    """Record the outcome, if the claim still holds; a late writer changes nothing."""
    try:
        with transaction.atomic(durable=True):
            return _say(claim, report, actor=actor, now=now)
    except TransitionRefused:
        return Ending.TAKEN


def _say(claim: Claim, report: Report, *, actor: Actor, now: datetime) -> Ending:
    Domain.objects.select_for_update().get(pk=claim.proposal.domain_id)
    held = Proposal.objects.half_sent().filter(fence=claim.fence)
    proposal = held.filter(pk=claim.proposal.pk).first()
    if proposal is None:
        return Ending.TAKEN
    _keep_attempt(claim, report, now)
    ended = _Ended(claim, proposal, report, actor, now)
    ending = _ENDINGS[report.effect](ended)
    states.refresh(Domain.objects.filter(pk=proposal.domain_id), now=now)
    return ending


def _keep_attempt(claim: Claim, report: Report, now: datetime) -> None:
    attempt = claim.attempt
    if attempt is None:
        return
    attempt.request = report.request or attempt.request
    attempt.response = report.response or attempt.response
    attempt.detail = report.detail
    attempt.rcode = report.rcode
    if report.effect is not Effect.UNKNOWN:
        attempt.ended_at = now
        attempt.outcome = report.effect.value
    attempt.save()


def _sent(ended: _Ended) -> Ending:
    proposal, now = ended.proposal, ended.now
    ended.move(Event.CONFIRM, EntryType.PUBLICATION_SENT, sent_at=now, next_try_at=now)
    domain = proposal.domain
    Domain.objects.filter(pk=domain.pk).update(
        ds=sorted(proposal.new_ds),
        version=domain.version + 1,
        changed_at=now,
        auth_method=proposal.auth_method if proposal.new_ds else "",
    )
    if proposal.auth_method in BY_HAND:
        _by_hand(ended, Domain.objects.get(pk=domain.pk))
    for code in (Reason.PUB_ZONE_REJECTED, Reason.PUB_CONFLICT):
        alarms.close_alarm(code.value, subject=domain.name, now=now)
    bell.ring(bell.Work.VERIFICATIONS)
    return Ending.SENT


def _by_hand(ended: _Ended, domain: Domain) -> None:
    """Let a manual change count as one by another channel (P-3.41, P-5.42, P-5.43).

    Removal suspends automation, a new set ends that; what the child published
    before it can undo neither (P-4.5). A removal that the child asked for in band
    leaves automation on (P-4.23).
    """
    now, actor = ended.now, ended.actor
    Domain.objects.filter(pk=domain.pk).update(oob_change_at=now)
    if not ended.proposal.new_ds:
        suspension.suspend(domain, Suspension.OOB_REMOVAL, actor=actor, now=now)
    elif domain.suspension == Suspension.OOB_REMOVAL:
        suspension.resume(domain, actor=actor, now=now)


def _deferred(ended: _Ended) -> Ending:
    proposal, report, now = ended.proposal, ended.report, ended.now
    if proposal.attempts >= MAX_ATTEMPTS:
        return _failed(ended)
    # Taken over from a sender that died, and nothing was applied: no need to wait.
    at_once = report.held is not None and not report.request
    again = now if at_once else now + pause(proposal.attempts)
    ended.move(Event.DEFER, EntryType.PUBLICATION_DEFERRED, next_try_at=again)
    return Ending.DEFERRED


def _conflict(ended: _Ended) -> Ending:
    ended.move(
        Event.DISAGREE,
        EntryType.PUBLICATION_CONFLICT,
        reason=Reason.PUB_CONFLICT.value,
    )
    ended.alarm(Reason.PUB_CONFLICT)
    leasing.request(
        [ended.proposal.domain_id], trigger=Trigger.PUBLICATION, now=ended.now
    )
    return Ending.CONFLICT


def _failed(ended: _Ended) -> Ending:
    ended = replace(ended, report=_explained(ended.report, ended.claim.zone))
    ended.move(
        Event.GIVE_UP,
        EntryType.PUBLICATION_FAILED,
        reason=Reason.PUB_ZONE_REJECTED.value,
    )
    ended.alarm(Reason.PUB_ZONE_REJECTED)
    return Ending.FAILED


def _unknown(ended: _Ended) -> Ending:
    """Keep it half sent; the next read-back is due after a pause."""
    proposal, now = ended.proposal, ended.now
    again = now + pause(proposal.attempts)
    Proposal.objects.filter(pk=proposal.pk, fence=ended.claim.fence).update(
        lease_until=again
    )
    if now - proposal.state_since >= sum(DELAYS, timedelta()):
        ended.alarm(Reason.PUB_ZONE_REJECTED)
    return Ending.UNKNOWN


_ENDINGS: Final = {
    Effect.APPLIED: _sent,
    Effect.READ_BACK: _sent,
    Effect.UNCHANGED: _deferred,
    Effect.UNREACHABLE: _deferred,
    Effect.CONFLICT: _conflict,
    Effect.REFUSED: _failed,
    Effect.UNKNOWN: _unknown,
}


def pause(attempts: int) -> timedelta:
    """Return how long to wait after this many attempts, with jitter (S-82)."""
    step = DELAYS[min(max(attempts, 1), len(DELAYS)) - 1]
    return step * (1 + JITTER * secrets.randbelow(1001) / 1000)


def _facts(proposal: Proposal, report: Report) -> dict[str, object]:
    held = report.held
    return {
        "attempt": proposal.attempts,
        "effect": report.effect.value,
        "rcode": report.rcode,
        "detail": report.detail,
        "held": None if held is None else [ds.to_text() for ds in held.ds],
        "serial": None if held is None else held.serial,
    }


def _explained(report: Report, zone: Zone) -> Report:
    """Say what BADKEY means: after a good history, a policy and no lost key (F-12)."""
    if report.rcode != "BADKEY":
        return report
    knew = Publication.objects.filter(
        proposal__domain__zone=zone, outcome=Effect.APPLIED.value
    ).exists()
    detail = (
        "the primary's policy refuses this change (it accepted the key before)"
        if knew
        else "the primary does not know the key, or its policy refuses the change"
    )
    return replace(report, detail=detail)
