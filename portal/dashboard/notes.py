"""Notes of staff, and automation off and on: what a person does beside a decision."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from bootstrap import clock
from bootstrap.core.evaluation.delegation import Suspension
from bootstrap.models import Domain, Proposal
from bootstrap.services import notes, suspension
from portal.access import (
    COMMENT,
    HOLD,
    actor_of,
    fresh_second_factor,
    may,
    need,
    within,
)

from .forms import CommentForm, SuspendForm

EMPTY = "Nothing was written: the text is missing."


def _domain(request: HttpRequest, domain_id: int) -> Domain:
    rows = within(request, Domain.objects.select_related("zone"), "zone")
    return get_object_or_404(rows, pk=domain_id)


@require_POST
@may(COMMENT)
def note_domain(request: HttpRequest, domain_id: int) -> HttpResponse:
    """Write a note beside a child."""
    row = _domain(request, domain_id)
    need(request, COMMENT, row.zone_id)
    _write(request, row, None)
    return redirect("dashboard:domain", domain_id=row.pk)


@require_POST
@may(COMMENT)
def note_proposal(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Write a note beside a change."""
    rows = within(request, Proposal.objects.with_domain())
    row = get_object_or_404(rows, pk=proposal_id)
    need(request, COMMENT, row.domain.zone_id)
    _write(request, row.domain, row)
    return redirect("dashboard:proposal", proposal_id=row.pk)


def _write(request: HttpRequest, domain: Domain, proposal: Proposal | None) -> None:
    form = CommentForm(request.POST)
    if not form.is_valid():
        messages.error(request, EMPTY)
        return
    text, actor = form.cleaned_data["comment"], actor_of(request)
    notes.write(domain, text, actor=actor, now=clock.now(), proposal=proposal)


@require_POST
@may(HOLD)
@fresh_second_factor
def suspend(request: HttpRequest, domain_id: int) -> HttpResponse:
    """Turn automation off for one child, with a reason."""
    row = _domain(request, domain_id)
    need(request, HOLD, row.zone_id)
    form = SuspendForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was changed: choose a cause and say why.")
        return redirect("dashboard:domain", domain_id=row.pk)
    cause, said = Suspension(form.cleaned_data["cause"]), form.cleaned_data["comment"]
    done = suspension.suspend(
        row, cause, actor=actor_of(request), now=clock.now(), note=said
    )
    return _turned(request, row, "Automation is off.", done=done)


@require_POST
@may(HOLD)
@fresh_second_factor
def resume(request: HttpRequest, domain_id: int) -> HttpResponse:
    """Turn automation on again, with a reason."""
    row = _domain(request, domain_id)
    need(request, HOLD, row.zone_id)
    form = CommentForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was changed: say why.")
        return redirect("dashboard:domain", domain_id=row.pk)
    said = form.cleaned_data["comment"]
    done = suspension.resume(row, actor=actor_of(request), now=clock.now(), note=said)
    return _turned(request, row, "Automation is on again.", done=done)


def _turned(
    request: HttpRequest, row: Domain, words: str, *, done: bool
) -> HttpResponse:
    tell: Callable[..., None] = messages.success if done else messages.info
    tell(request, words if done else "It was so already; nothing was changed.")
    return redirect("dashboard:domain", domain_id=row.pk)
