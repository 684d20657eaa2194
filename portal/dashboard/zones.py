"""Parent zones: their rules and how their delegations stand."""

from __future__ import annotations

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from bootstrap.models import DomainState, Zone
from portal.access import ZONES, holds, staff_only

from . import svg


@require_safe
@staff_only
def zones(request: HttpRequest) -> HttpResponse:
    """List the parent zones."""
    here = Q(domains__removed_at=None)
    rows = Zone.objects.annotate(
        delegations=Count("domains", filter=here),
        secured=Count("domains", filter=here & Q(domains__state=DomainState.SECURED)),
    )
    return render(request, "dashboard/zones.html", {"zones": list(rows)})


@require_safe
@staff_only
def zone(request: HttpRequest, zone_id: int) -> HttpResponse:
    """Show one parent zone: settings, policy in force, delegations by state."""
    row = get_object_or_404(Zone, pk=zone_id)
    here = row.domains.filter(removed_at=None).order_by().values_list("state")
    found = dict(here.annotate(count=Count("pk")))
    counts = {state: found[state] for state in DomainState.values if state in found}
    return render(
        request,
        "dashboard/zone.html",
        {
            "zone": row,
            "state_bars": svg.bars(counts),
            "policies": list(row.policies.all()[:10]),
            "rules_changes": list(row.changes.all()[:10]),
            "may_change": holds(request.user, ZONES),
        },
    )
