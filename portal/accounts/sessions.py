"""One's own sessions: a page that lists them, and buttons that end them (S-103)."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal import visits


@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """List where one is signed in; this session is marked."""
    visits.note(request)
    rows = visits.of(request.user)  # type: ignore[arg-type]  # nobody comes here unnamed
    key = request.session.session_key
    shown = [
        (row, visits.device(row.user_agent), row.session_key == key) for row in rows
    ]
    return render(request, "account/sessions.html", {"sessions": shown})


@require_POST
def end(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one of one's own sessions; the one of this request is a sign-out."""
    row = get_object_or_404(UserSession, pk=session_id, user_id=request.user.pk)
    here = row.session_key == request.session.session_key
    visits.end(request.user, [row], request=request, why="revoked")  # type: ignore[arg-type]
    if here:
        logout(request)
        return redirect("account_login")
    messages.success(request, _("That session has ended."))
    return redirect("sessions")


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """End all of one's sessions but this one."""
    person = request.user
    rows = visits.others(person, request)  # type: ignore[arg-type]
    visits.end(person, rows, request=request, why="revoked")  # type: ignore[arg-type]
    messages.success(request, _("All other sessions have ended."))
    return redirect("sessions")
