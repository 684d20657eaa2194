"""People of staff, for administrators: who there is, and where they are signed in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal import visits
from portal.access import PEOPLE, may

from .paging import page_of


@require_safe
@may(PEOPLE)
def people(request: HttpRequest) -> HttpResponse:
    """List the accounts by name, with roles and sessions."""
    rows = User.objects.order_by("username").prefetch_related("groups")
    found = page_of(rows.annotate(sessions=Count("usersession")), request)
    return render(request, "dashboard/people.html", {"page": found})


@require_safe
@may(PEOPLE)
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show one account: its roles and its sessions."""
    row = get_object_or_404(User, pk=user_id)
    return render(request, "dashboard/person.html", _shown(row))


def _shown(row: User) -> dict[str, Any]:
    return {
        "person": row,
        "roles": list(row.groups.order_by("name")),
        "sessions": [(s, visits.device(s.user_agent)) for s in visits.of(row)],
    }


@require_POST
@may(PEOPLE)
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
