"""Rules of a zone: written by one person, confirmed by another (S-64, S-72)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from bootstrap import clock
from bootstrap.models import RulesChange, Zone
from bootstrap.services import rules as service, zones
from portal.access import (
    ZONES,
    actor_of,
    fresh_second_factor,
    holds,
    may,
    need,
    staff_only,
    within,
)

from .presenters import Change, Json, changes
from .rulesforms import RulesForm, label_of

PAGE = "dashboard/rules_edit.html"


def _zone(request: HttpRequest, zone_id: int) -> Zone:
    """Return a zone whose rules this person may change."""
    zone = get_object_or_404(within(request, Zone.objects.all(), "pk"), pk=zone_id)
    need(request, ZONES, zone.pk)
    return zone


@require_safe
@may(ZONES)
def edit(request: HttpRequest, zone_id: int) -> HttpResponse:
    """Show the rules of a zone as a form."""
    zone = _zone(request, zone_id)
    form = RulesForm.of(zone, zones.policy_of(zone))
    return render(request, PAGE, {"zone": zone, "form": form})


@require_POST
@may(ZONES)
@fresh_second_factor
def ask(request: HttpRequest, zone_id: int) -> HttpResponse:
    """Show the effect of what is typed, or write it down for a second person."""
    zone = _zone(request, zone_id)
    form = RulesForm(request.POST)
    if not form.is_valid():
        return render(request, PAGE, {"zone": zone, "form": form}, status=422)
    if request.POST.get("step") != "ask":
        shown = _previewed(zone, form)
        return render(request, PAGE, {"zone": zone, "form": form, **shown})
    return _asked(request, zone, form)


def _previewed(zone: Zone, form: RulesForm) -> dict[str, Any]:
    policy = form.policy(zones.policy_of(zone))
    before = _flat(zone, zones.text_of(zones.policy_of(zone)))
    after = {**before, **form.settings(), **zones.text_of(policy)}
    told = service.effect(zone, policy, now=clock.now())
    return {"changes": _named(before, after), "effect": told, "previewed": True}


def _flat(zone: Zone, policy: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(zone, name) for name in RulesForm.SETTINGS} | policy


def _asked(request: HttpRequest, zone: Zone, form: RulesForm) -> HttpResponse:
    policy = form.policy(zones.policy_of(zone))
    wanted = service.Wanted(form.settings(), policy, form.cleaned_data["reason"])
    try:
        row = service.ask(zone, wanted, actor=actor_of(request), now=clock.now())
    except (service.RulesRefused, zones.ZoneRefused) as refusal:
        shown = {"zone": zone, "form": form, "refusal": str(refusal)}
        return render(request, PAGE, shown, status=409)
    messages.success(request, "Written down. Somebody else must confirm it.")
    return redirect("dashboard:rules", change_id=row.pk)


@require_safe
@staff_only
def rules(request: HttpRequest, change_id: int) -> HttpResponse:
    """Show one change of rules: what, why, its effect, who, and who is needed."""
    row = _change(request, change_id)
    return render(request, "dashboard/rules.html", _shown(request, row))


def _change(request: HttpRequest, change_id: int) -> RulesChange:
    rows = within(request, RulesChange.objects.select_related("zone"), "zone")
    return get_object_or_404(rows, pk=change_id)


def _shown(request: HttpRequest, row: RulesChange) -> dict[str, Any]:
    return {
        "change": row,
        "zone": row.zone,
        "changes": _differences(row),
        "effect": row.effect,
        "may_decide": holds(request.user, ZONES, row.zone_id) and row.stand == "open",
        "mine": request.user.get_username() == row.author,
    }


def _named(before: Json, after: Json) -> list[tuple[str, Change]]:
    """Return what differs, each with what the form calls it."""
    return [(label_of(change.what), change) for change in changes(before, after)]


def _differences(row: RulesChange) -> list[tuple[str, Change]]:
    before = {**row.before.get("settings", {}), **row.before.get("policy", {})}
    return _named(before, {**before, **row.settings, **(row.policy or {})})


@require_POST
@may(ZONES)
@fresh_second_factor
def decide(request: HttpRequest, change_id: int) -> HttpResponse:
    """Confirm as a second person, or refuse."""
    row = _change(request, change_id)
    need(request, ZONES, row.zone_id)
    said = request.POST.get("comment", "").strip()[:2000]
    confirming = request.POST.get("verb") == "confirm"
    verb = service.confirm if confirming else service.refuse
    try:
        verb(row, actor=actor_of(request), comment=said, now=clock.now())
    except (service.RulesRefused, zones.ZoneRefused) as refusal:
        shown = {**_shown(request, row), "refusal": str(refusal)}
        return render(request, "dashboard/rules.html", shown, status=409)
    messages.success(request, "In force." if confirming else "Refused.")
    return redirect("dashboard:rules", change_id=row.pk)
