"""The page of one evaluation: dated, and the same for as long as it is kept."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.models import ScanAttempt
from portal import words
from portal.visitors import measured

HOUR = 3600


@login_not_required
@require_safe
@measured
@cache_control(private=True, max_age=HOUR)
def report(request: HttpRequest, scan_id: uuid.UUID) -> HttpResponse:
    """Show one evaluation as it was."""
    scan = _scan(scan_id)
    context = {
        "scan": scan,
        "name": scan.domain.name,
        "outcome": _ending(scan),
        "reason": words.reason(scan.primary_reason),
        "reasons": [words.reason(code) for code in scan.reasons],
    }
    return render(request, "status/report.html", context)


@login_not_required
@require_safe
@measured
@cache_control(public=True, max_age=HOUR)
def report_json(request: HttpRequest, scan_id: uuid.UUID) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Say the same as JSON: what was seen, and our codes."""
    return JsonResponse(_plain(_scan(scan_id)))


def _scan(scan_id: uuid.UUID) -> ScanAttempt:
    """Return an evaluation of a name that we still act for."""
    rows = ScanAttempt.objects.select_related("domain")
    scan = rows.filter(pk=scan_id, domain__removed_at=None).first()
    if scan is None:
        raise Http404
    return scan


def _ending(scan: ScanAttempt) -> words.Badge:
    """Return what came of it, in words for its owner: accepted, or who must act."""
    if scan.outcome == Outcome.ACCEPT:
        return words.badge("outcome", scan.outcome)
    reason = words.reason(scan.primary_reason)
    return replace(reason.kind, word=reason.who.rstrip("."))


def _plain(scan: ScanAttempt) -> dict[str, Any]:
    """Return what anybody could have seen; details of checks stay inside (S-108)."""
    return {
        "id": str(scan.pk),
        "domain": scan.domain.name,
        "at": scan.started_at.isoformat(),
        "software": scan.software,
        "outcome": scan.outcome,
        "reason": scan.primary_reason,
        "reasons": scan.reasons,
        "ds": sorted(scan.ds),
        "nameservers": scan.nameservers,
        "signals": [
            {key: signal.get(key) for key in ("nameserver", "name", "reasons")}
            for signal in scan.signals
        ],
    }
