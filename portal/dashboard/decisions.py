"""The decision: one panel, one form, one service behind both doors.

The dashboard and the admin show this panel and hand its answer to `decide`
(architecture.md 2.6), so that the digest of what was on the screen, four eyes and
the fresh second factor hold at both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from bootstrap import clock
from bootstrap.core.workflow.lifecycle import (
    TRANSITIONS,
    Event,
    State,
    TransitionRefused,
)
from bootstrap.models import Proposal
from bootstrap.services import binding, proposals
from portal.access import VERBS, actor_of, holds, is_fresh, step_up_url

from .forms import DecisionForm
from .presenters import Change, changes

EVENTS: Final[Mapping[str, Event]] = {
    "approve": Event.APPROVE,
    "reject": Event.REJECT,
    "hold": Event.HOLD,
    "release": Event.RELEASE,
}
SERVICES: Final[Mapping[str, Callable[..., object]]] = {
    "approve": proposals.approve,
    "reject": proposals.reject,
    "hold": proposals.hold,
    "release": proposals.release,
}
SALT: Final = "decision.shown"


@dataclass(frozen=True, slots=True)
class Panel:
    """All that the decision panel shows."""

    proposal: Proposal
    form: DecisionForm
    verbs: tuple[str, ...]
    """What this person may do in this state, in the order of buttons."""
    action: str
    back: str
    shown: str
    fresh: bool
    step_up: str
    given: int
    """Approvals of exactly this digest so far."""
    mine: bool
    """This person asked for the change, or has approved it already."""
    voices: tuple[str, ...] = ()
    """Who has approved exactly this digest."""
    changed: tuple[Change, ...] = ()
    refusal: str = ""

    @property
    def open(self) -> bool:
        """Somebody can still decide something."""
        return any(
            (State(self.proposal.state), e) in TRANSITIONS for e in EVENTS.values()
        )

    @property
    def missing(self) -> int:
        """Approvals that are still needed."""
        return max(0, self.proposal.approvals_needed - self.given)


@dataclass(frozen=True, slots=True)
class Answer:
    """How a decision went: done, or the form again with what stood against it."""

    done: bool
    status: int
    form: DecisionForm
    changed: tuple[Change, ...] = ()
    refusal: str = ""


def panel(
    request: HttpRequest,
    proposal: Proposal,
    *,
    action: str,
    back: str,
    answer: Answer | None = None,
) -> Panel:
    """Return the panel for this person; after a refused decision, with the refusal."""
    decisions = list(binding.approvals(proposal))
    person = request.user.get_username()
    return Panel(
        proposal=proposal,
        form=answer.form if answer else DecisionForm(),
        verbs=allowed(request, proposal),
        action=action,
        back=back,
        shown=signing.dumps(snapshot(proposal), salt=SALT, compress=True),
        fresh=is_fresh(request),
        step_up=step_up_url(request, back),
        given=len({decision.actor for decision in decisions}),
        mine=person in {proposal.requested_by, *(d.actor for d in decisions)},
        voices=tuple(dict.fromkeys(d.actor for d in decisions)),
        changed=answer.changed if answer else (),
        refusal=answer.refusal if answer else "",
    )


def allowed(request: HttpRequest, proposal: Proposal) -> tuple[str, ...]:
    """Return the verbs that the state has an arrow for and the person may use."""
    state = State(proposal.state)
    return tuple(
        verb
        for verb, event in EVENTS.items()
        if (state, event) in TRANSITIONS
        and holds(request.user, VERBS[verb], proposal.domain.zone_id)
    )


def snapshot(proposal: Proposal) -> dict[str, Any]:
    """Return the facts that a decision is about, as the page shows them."""
    return {
        "state": proposal.state,
        "old DS": proposal.old_ds,
        "new DS": proposal.new_ds,
        "nameservers": proposal.nameservers,
        "DS at the parent": proposal.domain.ds,
        "nameservers at the parent": proposal.domain.nameservers,
        "evidence": proposal.evidence_id,
        "version": proposal.version,
    }


def decide(request: HttpRequest, proposal: Proposal, *, via: str) -> Answer:
    """Do what the form says, once, or say why not.

    Raises:
        PermissionDenied: the person's role has no such verb.
    """
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return Answer(done=False, status=422, form=form)
    verb = form.cleaned_data["verb"]
    if not holds(request.user, VERBS[verb], proposal.domain.zone_id):
        raise PermissionDenied
    try:
        SERVICES[verb](
            proposal,
            actor=actor_of(request, via),
            digest=form.cleaned_data["digest"],
            comment=form.cleaned_data["comment"],
            now=clock.now(),
        )
    except (proposals.StaleDecision, TransitionRefused) as stale:
        return _refused(form, proposal, str(stale))
    except proposals.DecisionRefused as refusal:
        return Answer(done=False, status=409, form=form, refusal=str(refusal))
    return Answer(done=True, status=302, form=form)


def _refused(form: DecisionForm, proposal: Proposal, why: str) -> Answer:
    """Return a refusal that says what has changed since the page was loaded."""
    now = Proposal.objects.with_domain().get(pk=proposal.pk)
    try:
        before = signing.loads(form.cleaned_data["shown"], salt=SALT)
    except signing.BadSignature:
        before = {}  # an altered or missing snapshot: all facts count as new
    return Answer(
        done=False,
        status=409,
        form=form,
        changed=changes(before, snapshot(now)),
        refusal=why,
    )
