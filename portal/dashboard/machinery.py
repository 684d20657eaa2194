"""Our own parts: running scans with start and stop, and the state of the system."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from bootstrap import clock
from bootstrap.models import Breaker, Zone
from bootstrap.services import (
    deliveries,
    holds as guards,
    machinery,
    powers,
    scanruns,
    switches,
)
from portal.access import (
    DECIDE,
    HOLD,
    SCAN,
    actor_of,
    everywhere,
    fresh_second_factor,
    holds,
    holds_somewhere,
    may,
    need,
    staff_only,
    within,
    zones_of,
)

from .forms import CommentForm, ZoneChoice


@require_safe
@staff_only
def running(request: HttpRequest) -> HttpResponse:
    """Show what the scanner has in hand; htmx asks for the figures alone."""
    now = clock.now()
    zones = powers.where(request.user, SCAN)
    mine = powers.within(within(request, Zone.objects.all(), "pk"), zones, "pk")
    shown = {"work": machinery.work(now, zones_of(request)), "zones": list(mine)}
    shown |= {"may_scan": holds_somewhere(request.user, SCAN), "now": now}
    live = request.headers.get("HX-Request") == "true"
    page = "dashboard/_running.html" if live else "dashboard/running.html"
    return render(request, page, shown)


@require_POST
@may(SCAN)
def start(request: HttpRequest) -> HttpResponse:
    """Let a whole zone be looked at."""
    return _run(request, scanruns.start, "{} domains are due now.")


@require_POST
@may(SCAN)
def stop(request: HttpRequest) -> HttpResponse:
    """Call back what was started and has not begun."""
    return _run(request, scanruns.stop, "{} looks are called back; what runs ends.")


def _run(request: HttpRequest, verb: Callable[..., int], words: str) -> HttpResponse:
    zones = within(request, Zone.objects.all(), "pk")
    form = ZoneChoice(request.POST, zones=zones)
    if form.is_valid():
        zone, now = form.cleaned_data["zone"], clock.now()
        need(request, SCAN, zone.pk)
        count = verb(zone, actor=actor_of(request), now=now)
        messages.success(request, words.format(count))
    else:
        messages.error(request, "Choose a zone.")
    return redirect("dashboard:running")


@require_safe
@everywhere
def system(request: HttpRequest) -> HttpResponse:
    """Show how our own parts are."""
    now = clock.now()
    shown = {"seen": machinery.look(now), "work": machinery.work(now), "now": now}
    shown["listeners"] = deliveries.listeners()
    shown["may_stop"] = holds(request.user, HOLD)
    shown["may_release"] = holds(request.user, DECIDE)
    return render(request, "dashboard/system.html", shown)


@require_POST
@may(HOLD, here=False)
@fresh_second_factor
def engage(request: HttpRequest) -> HttpResponse:
    """Stop all publication (S-71)."""
    return _switch(request, switches.engage, "Publication is stopped.")


@require_POST
@may(DECIDE, here=False)
@fresh_second_factor
def disengage(request: HttpRequest) -> HttpResponse:
    """Let publication go on."""
    return _switch(request, switches.release, "Publication goes on.")


def _switch(request: HttpRequest, verb: Callable[..., None], done: str) -> HttpResponse:
    said = request.POST.get("comment", "")[:2000]
    try:
        verb(actor=actor_of(request), reason=said, now=clock.now())
    except switches.SwitchRefused as refusal:
        messages.error(request, f"Nothing was changed: {refusal}.")
    else:
        messages.success(request, done)
    return redirect("dashboard:system")


@require_POST
@may(DECIDE, here=False)
@fresh_second_factor
def release(request: HttpRequest, breaker_id: int) -> HttpResponse:
    """Give one person's word for the release of a breaker (S-64)."""
    row, form = get_object_or_404(Breaker, pk=breaker_id), CommentForm(request.POST)
    said = form.cleaned_data["comment"] if form.is_valid() else ""
    try:
        done = guards.release(
            row, actor=actor_of(request), comment=said, now=clock.now()
        )
    except guards.ReleaseRefused as refusal:
        messages.error(request, f"Not released: {refusal}.")
    else:
        words = "The breaker is released." if done else "One more person is needed."
        messages.success(request, words)
    return redirect("dashboard:system")
