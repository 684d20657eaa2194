"""The queue, and the page on which a change is reviewed and decided."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from bootstrap.models import Proposal
from bootstrap.models.proposal import ProposalQuerySet
from portal.access import fresh_second_factor, staff_only

from . import decisions, presenters, svg
from .forms import QueueFilter
from .paging import page_of


@require_safe
@staff_only
def queue(request: HttpRequest) -> HttpResponse:
    """List what only a person can move, oldest first; htmx asks for the rows alone."""
    form = QueueFilter(request.GET)
    waiting = Proposal.objects.awaiting_staff().with_domain().select_related("scan")
    found = page_of(_narrowed(waiting.order_by("created_at"), form), request)
    for row in found.rows:
        row.diff = presenters.ds_diff(row.old_ds, row.new_ds)
        row.marks = presenters.tally(row.scan.checks)
    live = request.headers.get("HX-Request") == "true"
    page = "dashboard/_queue.html" if live else "dashboard/queue.html"
    return render(request, page, {"form": form, "page": found})


def _narrowed(rows: ProposalQuerySet, form: QueueFilter) -> ProposalQuerySet:
    if not form.is_valid():
        return rows.none()
    wanted = form.cleaned_data
    columns = {
        "domain__name__contains": wanted["q"].strip().rstrip(".").lower(),
        "domain__zone": wanted["zone"],
        "state": wanted["state"],
        "path": wanted["path"],
    }
    return rows.filter(**{column: value for column, value in columns.items() if value})


def fetch(proposal_id: UUID) -> Proposal:
    """Return a proposal with all that its page is about, or raise 404."""
    rows = Proposal.objects.with_domain().select_related("scan", "evidence")
    return get_object_or_404(rows, pk=proposal_id)


@require_safe
@staff_only
def proposal(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Show one change with all that is known about it."""
    row = fetch(proposal_id)
    return render(request, "dashboard/proposal.html", review(request, row))


@require_POST
@staff_only
@fresh_second_factor
def decide(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Handle the decision form; a refusal shows the page again with the reason."""
    row = fetch(proposal_id)
    answer = decisions.decide(request, row, via="dashboard")
    if answer.done:
        messages.success(request, presenters.DONE[answer.form.cleaned_data["verb"]])
        return redirect("dashboard:proposal", proposal_id=row.pk)
    context = review(request, fetch(proposal_id), answer)
    return render(request, "dashboard/proposal.html", context, status=answer.status)


def review(
    request: HttpRequest, row: Proposal, answer: decisions.Answer | None = None
) -> dict[str, Any]:
    """Return everything that a reviewer needs in sight."""
    here = reverse("dashboard:proposal", kwargs={"proposal_id": row.pk})
    action = reverse("dashboard:decide", kwargs={"proposal_id": row.pk})
    return {
        "proposal": row,
        "domain": row.domain,
        "panel": decisions.panel(request, row, action=action, back=here, answer=answer),
        **facts(row),
    }


def facts(row: Proposal) -> dict[str, Any]:
    """Return what both doors show about a change, beside the panel."""
    times = (
        row.created_at,
        row.approved_at,
        row.sent_at,
        row.visible_at,
        row.settled_at,
    )
    return {
        "scan": row.scan,
        "diff": presenters.ds_diff(row.old_ds, row.new_ds),
        "stages": presenters.stage_bar(row.state, times),
        "table": presenters.server_table(row.scan.nameservers),
        "chains": svg.chains(row.scan.signals),
        "decisions": list(row.decisions.all()),
        "publications": list(row.publications.all()),
        "sightings": list(row.sightings.all()[:50]),
        "earlier": list(
            Proposal.objects.filter(domain=row.domain)
            .exclude(pk=row.pk)
            .order_by("-created_at")[:5]
        ),
    }
