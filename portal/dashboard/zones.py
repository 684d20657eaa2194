"""Parent zones: their rules and how their delegations stand."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from bootstrap import clock
from bootstrap.models import DomainState, Zone
from bootstrap.services import statistics
from portal.access import ZONES, holds, staff_only, within

from . import svg


@require_safe
@staff_only
def zones(request: HttpRequest) -> HttpResponse:
    """List the parent zones, with figures as last counted."""
    rows = list(within(request, Zone.objects.all(), "pk"))
    told = statistics.standing(now=clock.now(), zones=[row.pk for row in rows])
    counted = [each.counted_at for each in told.values() if each.counted_at]
    shown = [(row, told[row.pk]) for row in rows]
    context = {"zones": shown, "counted_at": min(counted, default=None)}
    return render(request, "dashboard/zones.html", context)


@require_safe
@staff_only
def zone(request: HttpRequest, zone_id: int) -> HttpResponse:
    """Show one parent zone: settings, policy in force, delegations by state."""
    row = get_object_or_404(within(request, Zone.objects.all(), "pk"), pk=zone_id)
    told = statistics.standing(now=clock.now(), zones=[row.pk])[row.pk]
    states = {s: told.states[s] for s in DomainState.values if told.states[s]}
    return render(
        request,
        "dashboard/zone.html",
        {
            "zone": row,
            "state_bars": svg.bars(states),
            "counted_at": told.counted_at,
            "policies": list(row.policies.all()[:10]),
            "rules_changes": list(row.changes.all()[:10]),
            "may_change": holds(request.user, ZONES, row.pk),
        },
    )
