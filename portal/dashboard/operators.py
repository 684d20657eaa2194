"""Operators: one finding for one cause, and what automation would find."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from bootstrap import clock
from bootstrap.models import Domain, OperatorFinding, Zone
from bootstrap.services import operators as service
from portal import causes, sheets
from portal.access import actor_of, staff_only, within, zones_of

from .paging import page_of

SOME = 25
"""Members shown of each cause; the list of domains has them all."""
FIGURES = (
    ("ready", "would be accepted now", "check", "ok"),
    ("blocked", "something is in the way", "triangle", "warn"),
    ("signed", "signed, nothing announced", "ring-dot", "calm"),
    ("unsigned", "not signed", "ring", "calm"),
    ("suspended", "automation is off", "pause", "calm"),
    ("unseen", "not looked at yet", "clock", "wait"),
)
"""Kinds of readiness: key, words, icon, tone."""


@require_safe
@staff_only
def operators(request: HttpRequest) -> HttpResponse:
    """List the causes, the largest first, and each zone's readiness."""
    rows = OperatorFinding.objects.all()
    closed = "closed" in request.GET
    mine = service.seen(rows.closed() if closed else rows.open(), zones_of(request))
    context = {
        "page": page_of(mine, request),
        "closed": closed,
        "zones": service.zone_readiness(
            list(within(request, Zone.objects.all(), "pk"))
        ),
    }
    return render(request, "dashboard/operators.html", context)


@require_safe
@staff_only
def operator(request: HttpRequest, ns_key: str) -> HttpResponse:
    """Show one operator: its causes with their members, and its readiness."""
    theirs = Domain.objects.delegated().filter(ns_key=ns_key).order_by("pk")
    one = within(request, theirs, "zone").first()
    if one is None:
        raise Http404
    zones = zones_of(request)
    found = service.seen(OperatorFinding.objects.open().filter(ns_key=ns_key), zones)
    context = {
        "nameservers": sorted(one.nameservers),
        "ns_key": ns_key,
        "findings": [_shown(finding, request) for finding in found],
        **_readiness(service.operator_readiness(ns_key, zones)),
    }
    return render(request, "dashboard/operator.html", context)


@require_safe
@staff_only
def readiness(request: HttpRequest, zone_id: int) -> HttpResponse:
    """Show what automation would find in one zone, before it is switched on."""
    zone = get_object_or_404(within(request, Zone.objects.all(), "pk"), pk=zone_id)
    ((_zone, found),) = service.zone_readiness([zone])
    context = {"zone": zone, **_readiness(found)}
    return render(request, "dashboard/readiness.html", context)


@require_safe
@staff_only
def members(request: HttpRequest, finding_id: uuid.UUID, ending: str) -> HttpResponse:
    """Give the whole list of a cause's members away, and record it (S-116)."""
    zones = zones_of(request)
    mine = service.seen(OperatorFinding.objects.all(), zones)
    finding = get_object_or_404(mine, pk=finding_id)
    rows = causes.listed(finding, request, zones)
    digest = hashlib.sha256(json.dumps(rows).encode()).hexdigest()
    service.exported(
        finding,
        actor=actor_of(request),
        rows=len(rows),
        digest=digest,
        now=clock.now(),
    )
    return sheets.sheet(ending, f"operator-{finding.pk}", causes.COLUMNS, rows)


def _shown(finding: OperatorFinding, request: HttpRequest) -> dict[str, Any]:
    zones = zones_of(request)
    return {
        "finding": finding,
        "rows": list(service.members(finding, zones)[:SOME]),
        "link": causes.link_to(finding, request, zones),
    }


def _readiness(found: service.Readiness) -> dict[str, Any]:
    counts = [(found.count(kind), *words) for kind, *words in FIGURES]
    return {"readiness": found, "figures": [row for row in counts if row[0]]}
