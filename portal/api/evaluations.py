"""Evaluations with everything that they rest on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router

from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.models import ScanAttempt
from bootstrap.services import evidence as kept

from .bearers import Token, within
from .paging import Page, Text, Where, page
from .problems import Problem
from .registry import canonical
from .schemas import ScanDetail, ScanOut

router = Router()
SCANS = Token("scans:read")
BUNDLE = "application/vnd.bootstrap.evidence"


class ScanWhere(Where):
    """The filters of the list of evaluations."""

    domain: Text = ""
    outcome: Outcome | None = None


@router.get("/scans", auth=SCANS, response=Page[ScanOut])
def scans(request: HttpRequest, where: Query[ScanWhere]) -> dict[str, Any]:
    """List evaluations, newest first."""
    rows = within(request, ScanAttempt.objects.select_related("domain"))
    if where.domain:
        rows = rows.filter(domain__name=canonical(where.domain))
    if where.outcome:
        rows = rows.filter(outcome=where.outcome.value)
    return page(rows, where, ["-started_at", "-pk"])


@router.get("/scans/{scan_id}", auth=SCANS, response=ScanDetail)
def scan(request: HttpRequest, scan_id: UUID) -> ScanAttempt:
    """Show one evaluation: checks, findings, what every server said, signals."""
    rows = ScanAttempt.objects.select_related("domain")
    return get_object_or_404(within(request, rows), pk=scan_id)


@router.get("/scans/{scan_id}/evidence", auth=SCANS, response=bytes)
def evidence(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Hand out the bundle, octet for octet, under its own address."""
    row = get_object_or_404(within(request, ScanAttempt.objects.all()), pk=scan_id)
    if row.evidence_id is None:
        raise Http404
    try:
        octets = kept.octets_of(row.evidence_id)
    except kept.EvidenceDamaged as damage:
        raise Problem(410, f"The bundle is damaged: {damage}") from damage
    response = HttpResponse(octets, content_type=BUNDLE)
    name = f"evidence-{row.evidence_id[:16]}.cbor"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
