"""Back to the DS set before: a new proposal, never a deletion of its own (P-3.41).

The inverse of a published change is kept with it (`old_ds`). Its return is a
change like any other, with its own evidence, approver and trail (S-77). The
person who asks is the first of the two, the one who approves the second.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from bootstrap.core.evaluation.paths import AuthMethod, Path
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow import freshness
from bootstrap.core.workflow.breakers import operator_of
from bootstrap.core.workflow.lifecycle import Event, State, TransitionRefused
from bootstrap.core.workflow.policy import Route
from bootstrap.models import Domain, Proposal, ScanAttempt

from . import binding, states
from .actors import Actor, ActorKind
from .binding import DECIDE, DecisionRefused
from .people import lacks
from .transitions import Note, begin, move, say

WATCHED: Final = (State.SENT, State.VISIBLE)
"""Published and still observed: the rollback takes the child's one open place."""
REVERSIBLE: Final = (*WATCHED, State.SETTLED)


@transaction.atomic
def request_rollback(
    proposal: Proposal, *, actor: Actor, reason: str, now: datetime
) -> Proposal:
    """Propose the DS set that the parent held before `proposal` was published.

    Evidence is the newest evaluation of the child: the one that shows the
    damage. A change that is still observed ends as `CONFLICT`, since it will not
    be what the parent holds; nothing is sent before another person approves.

    Raises:
        DecisionRefused: no person with the right to decide, no reason, or the
            parent holds another set by now.
        TransitionRefused: it was not published, or another change is open.
    """
    _check(proposal, actor, reason)
    rows = Domain.objects.select_for_update(of=("self",)).select_related("zone")
    domain = rows.get(pk=proposal.domain_id)
    old = Proposal.objects.select_for_update(of=("self",)).get(pk=proposal.pk)
    old.domain = domain
    if State(old.state) not in REVERSIBLE:
        raise TransitionRefused(State(old.state), Event.DISAGREE)
    if sorted(domain.ds) != sorted(old.new_ds):
        raise DecisionRefused("the parent holds another DS set by now")
    if State(old.state) in WATCHED:
        note = Note(
            type=EntryType.ROLLBACK_REQUESTED,
            data={"inverse": old.old_ds},
            private={"reason": reason},
        )
        why = Reason.PUB_CONFLICT.value
        move(old, Event.DISAGREE, note, actor=actor, now=now, reason=why)
    elif Proposal.objects.open().filter(domain=domain).exists():
        raise DecisionRefused("another change of this child is open")
    found = _propose(old, domain, actor, reason, now)
    states.refresh([domain], now=now)
    return found


def _check(proposal: Proposal, actor: Actor, reason: str) -> None:
    zone = proposal.domain.zone_id
    if actor.kind is not ActorKind.STAFF or not actor.may(DECIDE, zone):
        raise DecisionRefused(lacks(actor, DECIDE))
    if not reason.strip():
        raise DecisionRefused("a reason is needed")


def _propose(
    old: Proposal, domain: Domain, actor: Actor, reason: str, now: datetime
) -> Proposal:
    scan = _damage(old)
    proposal = Proposal(
        domain=domain,
        path=_path(domain.ds, old.old_ds).value,
        auth_method=AuthMethod.MANUAL.value,
        state_since=now,
        reason=Reason.POL_MANUAL_REVIEW.value,
        old_ds=sorted(domain.ds),
        new_ds=sorted(old.old_ds),
        nameservers=domain.nameservers,
        operator=operator_of(domain.nameservers),
        delegation_version=domain.version,
        route=Route.TWO_PERSONS.value,
        approvals_needed=1,  # beside the one who asks, who cannot approve (S-64)
        requested_by=actor.name,
        scan=scan,
        evidence_id=scan.evidence_id,
        created_at=now,
        not_before=now,
        expires_at=freshness.expiry(now, None, freshness.LIMITS),
    )
    proposal.digest = binding.digest_of(proposal, domain)
    note = Note(
        type=EntryType.PROPOSAL_CREATED,
        data={"route": proposal.route, "rolls_back": old.pk},
        private={"reason": reason},
        evidence=(proposal.evidence_id,),
    )
    begin(proposal, note, actor=actor, now=now)
    if State(old.state) is State.SETTLED:
        asked = Note(type=EntryType.ROLLBACK_REQUESTED, private={"reason": reason})
        say(old, asked, actor=actor, now=now)
    return proposal


def _damage(old: Proposal) -> ScanAttempt:
    """Return the newest evaluation with evidence, else the one behind the change."""
    newest = ScanAttempt.objects.filter(domain=old.domain_id).exclude(evidence=None)
    return newest.order_by("-started_at").first() or old.scan


def _path(held: list[str], wanted: list[str]) -> Path:
    if not wanted:
        return Path.REMOVAL
    return Path.UPDATE if held else Path.BOOTSTRAP
