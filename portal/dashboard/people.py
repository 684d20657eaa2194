"""People of staff, for administrators: their roles, and where they are signed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from bootstrap import clock
from bootstrap.models import RoleRequest, ZoneRole
from portal import visits
from portal.access import PEOPLE, may

from .forms import RoleForm
from .paging import page_of
from .tokens import known_of

MOST: Final = 50


@require_safe
@may(PEOPLE, here=False)
def people(request: HttpRequest) -> HttpResponse:
    """List the accounts, those first for whom a role waits for a second person."""
    waits = Q(role_requests__stand=RoleRequest.Stand.OPEN)
    rows = User.objects.prefetch_related("groups").annotate(
        sessions=Count("usersession", distinct=True),
        waits=Count("role_requests", filter=waits, distinct=True),
    )
    found = page_of(rows.order_by("-waits", "username"), request)
    _place(found.rows)
    return render(request, "dashboard/people.html", {"page": found})


def _place(people: Sequence[Any]) -> None:
    """Give each account the roles that it has in single zones."""
    rows = ZoneRole.objects.filter(user__in=[each.pk for each in people])
    found: dict[int, list[ZoneRole]] = {}
    for row in rows.select_related("role", "zone").order_by("zone__name", "role__name"):
        found.setdefault(row.user_id, []).append(row)
    for each in people:
        each.placed = found.get(each.pk, [])


@require_safe
@may(PEOPLE, here=False)
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show one account: its roles and its sessions."""
    row = get_object_or_404(User, pk=user_id)
    return render(request, "dashboard/person.html", shown(row))


def shown(row: User, form: RoleForm | None = None, refusal: str = "") -> dict[str, Any]:
    """Return what the page of one account shows."""
    _place([row])
    asked = RoleRequest.objects.filter(user=row).select_related("role", "zone")
    return {
        "person": row,
        "roles": list(row.groups.order_by("name")),
        "form": form or RoleForm(),
        "refusal": refusal,
        "asked": list(asked[:MOST]),
        "tokens": known_of(row.pk),
        "now": clock.now(),
        "sessions": [(s, visits.device(s.user_agent)) for s in visits.of(row)],
    }


@require_POST
@may(PEOPLE, here=False)
def end_sessions(request: HttpRequest, user_id: int) -> HttpResponse:
    """End one session of a person, or all of them but the one of this request."""
    row = get_object_or_404(User, pk=user_id)
    chosen = visits.others(row, request)
    if wanted := request.POST.get("session", ""):
        chosen = [each for each in chosen if str(each.pk) == wanted]
    count = visits.end(row, chosen, request=request, why="revoked")
    if count:
        messages.success(request, f"Ended: {count}.")
    else:
        messages.info(request, "There was nothing to end.")
    return redirect("dashboard:person", user_id=row.pk)
