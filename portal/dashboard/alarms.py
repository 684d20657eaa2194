"""Alarms: acknowledged with a comment, never silently gone."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from bootstrap import clock
from bootstrap.models import Alarm
from bootstrap.services import alarms as service
from portal.access import HOLD, actor_of, holds, may, need, staff_only, within

from .forms import CommentForm
from .paging import page_of


@require_safe
@staff_only
def alarms(request: HttpRequest) -> HttpResponse:
    """List the open alarms, or all of them."""
    everything = request.GET.get("show") == "all"
    rows = Alarm.objects.select_related("domain").order_by("-opened_at")
    shown = rows if everything else rows.open()
    found = page_of(within(request, shown), request)
    for row in found.rows:
        row.may_acknowledge = holds(request.user, HOLD, _zone(row))
    context = {"page": found, "everything": everything}
    return render(request, "dashboard/alarms.html", context)


@require_POST
@may(HOLD)
def acknowledge(request: HttpRequest, alarm_id: int) -> HttpResponse:
    """Handle the acknowledge button."""
    rows = within(request, Alarm.objects.select_related("domain"))
    alarm = get_object_or_404(rows, pk=alarm_id)
    need(request, HOLD, _zone(alarm))
    form = CommentForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say what you saw or did: the comment is missing.")
        return redirect("dashboard:alarms")
    said = form.cleaned_data["comment"]
    try:
        service.acknowledge(
            alarm, actor=actor_of(request), comment=said, now=clock.now()
        )
    except service.AlarmClosed:
        messages.info(request, "This alarm has ended meanwhile.")
    return redirect("dashboard:alarms")


def _zone(alarm: Alarm) -> int | None:
    return alarm.domain.zone_id if alarm.domain else None
