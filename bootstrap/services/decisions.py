"""What people say to a proposal: approve, reject, hold, release.

Each binds the person to the digest that was on the screen. Rights, four eyes
and facts are checked inside the transaction that moves the row; a refusal
changes nothing and leaves an entry of its own (S-64, S-65).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import transaction

from bootstrap import bell
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow import freshness
from bootstrap.core.workflow.lifecycle import Event, State, TransitionRefused, advance
from bootstrap.models import Decision, Domain, Proposal

from . import audit, binding, chain, states
from .actors import Actor
from .binding import DECIDE, HOLD, Ballot, DecisionRefused, StaleDecision
from .lapsing import lapse
from .transitions import Note, move, say

FACTS_CHANGED: Final = Reason.PUB_CONFLICT


def approve(
    proposal: Proposal, *, actor: Actor, digest: str, comment: str, now: datetime
) -> None:
    """Let the DS set be published, or count one of two voices.

    When NS set, DS set, the registry's version, the suspension or the evidence
    no longer are what was approved, the proposal lapses and the child is
    evaluated again.

    Raises:
        DecisionRefused: no permission, or no four eyes.
        LedgerBroken: the audit log is in doubt (P-8.33).
        StaleDecision: what was seen, or what it rests on, changed.
        TransitionRefused: the proposal no longer waits for a decision.
    """
    _decide(_approve, proposal, Ballot("approve", actor, digest, comment, now))


def reject(
    proposal: Proposal, *, actor: Actor, digest: str, comment: str, now: datetime
) -> None:
    """Say no; the same request may come again with new evidence.

    Raises:
        DecisionRefused: no permission.
        StaleDecision: what was seen changed.
        TransitionRefused: the proposal no longer waits for a decision.
    """
    _decide(_reject, proposal, Ballot("reject", actor, digest, comment, now))


def hold(
    proposal: Proposal, *, actor: Actor, digest: str, comment: str, now: datetime
) -> None:
    """Stop it until somebody releases, approves or rejects it.

    Raises:
        DecisionRefused: no permission.
        StaleDecision: what was seen changed.
        TransitionRefused: it has ended, or may have left for the parent.
    """
    _decide(_hold, proposal, Ballot("hold", actor, digest, comment, now))


def release(
    proposal: Proposal, *, actor: Actor, digest: str, comment: str, now: datetime
) -> None:
    """Put it back: a held one waits for approval, a failed one is published again.

    Raises:
        DecisionRefused: no permission.
        StaleDecision: what was seen, or what it rests on, changed.
        TransitionRefused: it is neither held nor failed.
    """
    _decide(_release, proposal, Ballot("release", actor, digest, comment, now))


Verb = Callable[[Proposal, Domain, Ballot], tuple[str, ...]]
"""Does it within a transaction; returns what changed when it lapsed instead."""


def _decide(verb: Verb, proposal: Proposal, ballot: Ballot) -> None:
    try:
        with transaction.atomic():
            chain.check_decisions()
            binding.check_comment(ballot)
            row, domain = _locked(proposal)
            changes = verb(row, domain, ballot)
            states.refresh([domain], now=ballot.now)
    except (DecisionRefused, StaleDecision, TransitionRefused) as refusal:
        _record_refusal(proposal, ballot, refusal)
        raise
    proposal.refresh_from_db()
    if changes:
        raise StaleDecision(*changes)


def _locked(proposal: Proposal) -> tuple[Proposal, Domain]:
    """Lock the child, then its proposal: everybody in this order (P-5.47)."""
    domain = (
        Domain.objects.select_for_update(of=("self",))
        .select_related("zone")
        .get(pk=proposal.domain_id)
    )
    row = (
        Proposal.objects.select_for_update(of=("self",))
        .select_related("scan")
        .get(pk=proposal.pk)
    )
    row.domain = domain
    return row, domain


def _approve(row: Proposal, domain: Domain, ballot: Ballot) -> tuple[str, ...]:
    advance(State(row.state), Event.APPROVE)  # refused before anything is counted
    chain.check_approvals(ballot.now)
    binding.check_person(ballot, DECIDE, row.domain.zone_id)
    binding.check_seen(row, ballot)
    binding.check_four_eyes(row, ballot)
    if changes := _lapsed(row, domain, ballot):
        return changes
    _decision(row, ballot)
    needed = max(row.approvals_needed, 1)
    voices = binding.approvals(row).count()
    if voices < needed:
        note = _note(EntryType.APPROVAL_COUNTED, row, ballot, needed=needed)
        say(row, note, actor=ballot.actor, now=ballot.now)
        return ()
    note = _note(EntryType.PROPOSAL_APPROVED, row, ballot, voices=voices)
    ends = freshness.expiry(ballot.now, row.proof_ends_at, freshness.LIMITS)
    _move(row, Event.APPROVE, note, ballot, approved_at=ballot.now, expires_at=ends)
    bell.ring(bell.Work.PUBLICATIONS)
    return ()


def _reject(row: Proposal, domain: Domain, ballot: Ballot) -> tuple[str, ...]:
    del domain
    advance(State(row.state), Event.REJECT)
    binding.check_person(ballot, DECIDE, row.domain.zone_id)
    binding.check_seen(row, ballot)
    _decision(row, ballot)
    note = _note(EntryType.PROPOSAL_REJECTED, row, ballot)
    _move(row, Event.REJECT, note, ballot)
    return ()


def _hold(row: Proposal, domain: Domain, ballot: Ballot) -> tuple[str, ...]:
    del domain
    advance(State(row.state), Event.HOLD)
    binding.check_person(ballot, HOLD, row.domain.zone_id)
    binding.check_seen(row, ballot)
    _decision(row, ballot)
    note = _note(EntryType.PROPOSAL_HELD, row, ballot)
    _move(row, Event.HOLD, note, ballot, reason=Reason.POL_MANUAL_REVIEW.value)
    return ()


def _release(row: Proposal, domain: Domain, ballot: Ballot) -> tuple[str, ...]:
    target = advance(State(row.state), Event.RELEASE)
    chain.check_approvals(ballot.now)
    binding.check_person(ballot, DECIDE, row.domain.zone_id)
    binding.check_seen(row, ballot)
    if changes := _lapsed(row, domain, ballot):
        return changes
    _decision(row, ballot)
    note = _note(EntryType.PROPOSAL_RELEASED, row, ballot)
    _move(row, Event.RELEASE, note, ballot, attempts=0, next_try_at=None)
    if target is State.APPROVED:
        bell.ring(bell.Work.PUBLICATIONS)
    return ()


def _lapsed(row: Proposal, domain: Domain, ballot: Ballot) -> tuple[str, ...]:
    """Let the row lapse if its facts changed, and return what changed."""
    changes = binding.changes(row, domain, ballot.now)
    if changes:
        why = "; ".join(changes)
        lapse(row, actor=ballot.actor, now=ballot.now, reason=FACTS_CHANGED, why=why)
    return changes


def _decision(row: Proposal, ballot: Ballot) -> None:
    Decision.objects.create(
        proposal=row,
        verb=ballot.verb,
        actor=ballot.actor.name,
        actor_kind=ballot.actor.kind.value,
        via=ballot.actor.via,
        comment=ballot.comment,
        digest=ballot.digest,
        at=ballot.now,
    )


def _note(entry_type: EntryType, row: Proposal, ballot: Ballot, **data: object) -> Note:
    return Note(
        type=entry_type,
        data=data,
        private={"comment": ballot.comment},
        evidence=(row.evidence_id,),
    )


def _move(
    row: Proposal, event: Event, note: Note, ballot: Ballot, **columns: object
) -> None:
    move(row, event, note, actor=ballot.actor, now=ballot.now, **columns)


def _record_refusal(proposal: Proposal, ballot: Ballot, refusal: Exception) -> None:
    stale = isinstance(refusal, StaleDecision)
    audit.record(
        EntryType.APPROVAL_STALE if stale else EntryType.DECISION_REFUSED,
        stream=proposal.domain.stream,
        actor=ballot.actor,
        now=ballot.now,
        private={"why": str(refusal), "comment": ballot.comment},
        verb=ballot.verb,
        proposal=proposal.pk,
        seen=ballot.digest,
        refusal=type(refusal).__name__,
    )
