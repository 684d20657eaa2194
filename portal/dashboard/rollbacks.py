"""The way back of a published change: asked for at both doors, approved by another.

The dashboard and the admin show this form and hand its answer to `ask`, as they do
with decisions (architecture.md 2.6).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from bootstrap import clock
from bootstrap.core.workflow.lifecycle import State, TransitionRefused
from bootstrap.models import Proposal
from bootstrap.services import rollback
from bootstrap.services.binding import DecisionRefused
from portal.access import DECIDE, actor_of, holds

from .forms import CommentForm
from .presenters import DsLine, ds_diff


@dataclass(frozen=True, slots=True)
class WayBack:
    """What the form shows: where it goes, and what would change at the parent."""

    action: str
    back: str
    diff: tuple[DsLine, ...]


def offer(
    request: HttpRequest, row: Proposal, *, action: str, back: str
) -> WayBack | None:
    """Return the form where the change was published and the person may decide."""
    published = State(row.state) in rollback.REVERSIBLE
    if not published or not holds(request.user, DECIDE, row.domain.zone_id):
        return None
    return WayBack(action, back, ds_diff(row.new_ds, row.old_ds))


def ask(request: HttpRequest, row: Proposal, *, via: str) -> Proposal:
    """Propose the way back; a refusal is told and the change itself returned.

    Raises:
        PermissionDenied: the person may not decide.
    """
    if not holds(request.user, DECIDE, row.domain.zone_id):
        raise PermissionDenied
    form = CommentForm(request.POST)
    said = form.cleaned_data["comment"] if form.is_valid() else ""
    actor = actor_of(request, via)
    try:
        found = rollback.request_rollback(
            row, actor=actor, reason=said, now=clock.now()
        )
    except (DecisionRefused, TransitionRefused) as refusal:
        messages.error(request, f"Nothing was asked for: {refusal}.")
        return row
    messages.success(
        request, "The way back is proposed. Somebody else must approve it."
    )
    return found
