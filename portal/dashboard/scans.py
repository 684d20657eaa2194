"""One evaluation: its findings, its pictures, its packets."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.models import ScanAttempt
from bootstrap.services import evidence as kept
from portal.access import staff_only, within

from . import layouts, packets, presenters, svg
from .paging import page_of


@require_safe
@staff_only
def scans(request: HttpRequest) -> HttpResponse:
    """List evaluations, newest first, filtered by outcome."""
    all_rows = ScanAttempt.objects.select_related("domain")
    layout = layouts.of("scans", request, request.GET)
    rows = within(request, all_rows).order_by(*layout.order)
    outcome = request.GET.get("outcome", "")
    chosen = rows.filter(outcome=outcome) if outcome else rows
    found = page_of(chosen, request, layout.size)
    outcomes = [word.value for word in Outcome]
    context = {"page": found, "outcome": outcome, "outcomes": outcomes}
    return render(request, "dashboard/scans.html", context | {"layout": layout})


@require_safe
@staff_only
def scan(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Show one evaluation with everything that it rests on."""
    rows = ScanAttempt.objects.select_related("domain__zone", "evidence")
    row = get_object_or_404(within(request, rows), pk=scan_id)
    return render(request, "dashboard/scan.html", facts(row))


def facts(row: ScanAttempt) -> dict[str, object]:
    """Return what the page of an evaluation shows, here and in the admin."""
    return {
        "scan": row,
        "domain": row.domain,
        "findings": row.findings,
        "table": presenters.server_table(row.nameservers),
        "chains": svg.chains(row.signals),
        "seen": packets.messages(row.evidence_id),
    }


@require_safe
@staff_only
def evidence(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Hand out the bundle, octet for octet, under its own address."""
    row = get_object_or_404(within(request, ScanAttempt.objects.all()), pk=scan_id)
    if row.evidence_id is None:
        raise Http404
    try:
        octets = kept.octets_of(row.evidence_id)
    except kept.EvidenceCompacted as gone:
        return HttpResponse(f"{gone}\n", content_type="text/plain", status=410)
    response = HttpResponse(octets, content_type="application/vnd.bootstrap.evidence")
    name = f"evidence-{row.evidence_id[:16]}.cbor"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_safe
@staff_only
def messages(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Hand out every message in the form of dig, then octet by octet."""
    row = get_object_or_404(within(request, ScanAttempt.objects.all()), pk=scan_id)
    seen = packets.messages(row.evidence_id)
    if not seen.exchanges:
        raise Http404
    response = HttpResponse(packets.as_text(seen), content_type="text/plain")
    name = f"messages-{row.pk}.txt"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_safe
@staff_only
def compare(request: HttpRequest, scan_id: UUID, before_id: UUID) -> HttpResponse:
    """Show what two evaluations of one child say differently."""
    rows = within(request, ScanAttempt.objects.select_related("domain"))
    after = get_object_or_404(rows, pk=scan_id)
    before = get_object_or_404(rows, pk=before_id, domain=after.domain)
    found = presenters.evaluation_changes(_told(before), _told(after))
    context = {"before": before, "after": after, "changes": found}
    context["domain"] = after.domain
    return render(request, "dashboard/compare.html", context)


def _told(row: ScanAttempt) -> dict[str, object]:
    return {
        "outcome": row.outcome,
        "primary reason": row.primary_reason,
        "path": row.path,
        "DS": sorted(row.ds),
        "checks": row.checks,
        "nameservers": row.nameservers,
        "signals": row.signals,
    }
