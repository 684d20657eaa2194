"""The page on which a change is reviewed and decided."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from bootstrap import clock, config
from bootstrap.models import Proposal
from bootstrap.services import dossiers, proofs
from bootstrap.services.logfiles import LogFiles
from portal.access import (
    COMMENT,
    DECIDE,
    SCAN,
    actor_of,
    fresh_second_factor,
    holds,
    may,
    staff_only,
    within,
)

from . import decisions, presenters, rollbacks, svg

NOTES: Final = 20
ATTEMPTS: Final = 8


def fetch(request: HttpRequest, proposal_id: UUID) -> Proposal:
    """Return a proposal with all that its page is about, or raise 404."""
    all_rows = Proposal.objects.with_domain().select_related("scan", "evidence")
    return get_object_or_404(within(request, all_rows), pk=proposal_id)


@require_safe
@staff_only
def proposal(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Show one change with all that is known about it."""
    row = fetch(request, proposal_id)
    return render(request, "dashboard/proposal.html", review(request, row))


@require_POST
@staff_only
@fresh_second_factor
def decide(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Handle the decision form; a refusal shows the page again with the reason."""
    row = fetch(request, proposal_id)
    answer = decisions.decide(request, row, via="dashboard")
    if answer.done:
        messages.success(request, presenters.DONE[answer.form.cleaned_data["verb"]])
        return redirect("dashboard:proposal", proposal_id=row.pk)
    context = review(request, fetch(request, proposal_id), answer)
    return render(request, "dashboard/proposal.html", context, status=answer.status)


@require_POST
@staff_only
def dossier(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Hand out one file that proves the change; who took it is recorded (S-116)."""
    row = fetch(request, proposal_id)
    files = LogFiles(config.log_folder())
    try:
        made = dossiers.take(row, files, actor=actor_of(request), now=clock.now())
    except dossiers.NoDossier as refusal:
        messages.error(request, f"There is no dossier now: {refusal}.")
        return redirect("dashboard:proposal", proposal_id=row.pk)
    response = HttpResponse(made.octets, content_type="application/x-tar")
    response["Content-Disposition"] = f'attachment; filename="dossier-{row.pk}.tar"'
    return response


@require_POST
@may(DECIDE)
@fresh_second_factor
def rollback(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Propose the way back; the page of the new change shows what is missing."""
    found = rollbacks.ask(request, fetch(request, proposal_id), via="dashboard")
    return redirect("dashboard:proposal", proposal_id=found.pk)


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
        "way_back": rollbacks.offer(
            request, row, action=reverse("dashboard:rollback", args=[row.pk]), back=here
        ),
        "may_scan": holds(request.user, SCAN, row.domain.zone_id),
        "may_comment": holds(request.user, COMMENT, row.domain.zone_id),
        "notes": list(row.domain.notes.order_by("-at")[:NOTES]),
        "attempts": presenters.attempts(
            list(row.domain.scans.order_by("-started_at")[:ATTEMPTS])
        ),
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
        "life": proofs.of_proposal(row),
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
