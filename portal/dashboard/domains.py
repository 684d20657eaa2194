"""Domains: the list, and one child's story."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from bootstrap import clock
from bootstrap.core.evaluation.delegation import Suspension
from bootstrap.models import Alarm, AuditEntry, Domain, Proposal, ScanAttempt, Zone
from bootstrap.services import requests
from portal import idn, words
from portal.access import (
    COMMENT,
    HOLD,
    SCAN,
    actor_of,
    holds,
    may,
    need,
    staff_only,
    within,
)

from . import layouts
from .forms import DomainFilter
from .paging import page_of

STORY = 40
SOME = 20


@require_safe
@staff_only
def domains(request: HttpRequest) -> HttpResponse:
    """List the delegations, filtered by what the query string says."""
    form, layout = asked(request), layouts.of("domains", request, request.GET)
    rows = narrowed(request, form).order_by(*layout.order)
    shown = {"form": form, "page": page_of(rows, request, layout.size)}
    return render(request, "dashboard/domains.html", shown | {"layout": layout})


def asked(request: HttpRequest) -> DomainFilter:
    """Return the filters of the address, with the zones that this person sees."""
    zones = within(request, Zone.objects.all(), "pk")
    return DomainFilter(request.GET, zones=zones)


def narrowed(request: HttpRequest, form: DomainFilter) -> QuerySet[Domain]:
    """Return the delegations that the filters leave, by name; nonsense leaves none."""
    all_rows = Domain.objects.delegated().select_related("zone").order_by("name")
    rows = within(request, all_rows, "zone")
    if not form.is_valid():
        return rows.none()
    wanted = form.cleaned_data
    columns = {
        "name__contains": idn.ascii_form(wanted["q"].strip().rstrip(".")),
        "zone": wanted["zone"],
        "state": wanted["state"],
        "last_reason": wanted["reason"].strip(),
        "ns_key": wanted["operator"].strip(),
    }
    return rows.filter(**{column: value for column, value in columns.items() if value})


@require_safe
@staff_only
def domain(request: HttpRequest, domain_id: int) -> HttpResponse:
    """Tell one child's story."""
    rows = within(request, Domain.objects.select_related("zone"), "zone")
    row = get_object_or_404(rows, pk=domain_id)
    context = {
        "domain": row,
        "stand": words.standing(row.state, row.last_reason),
        "open_proposal": row.proposals.open().first(),
        "events": story(row),
        "changes": _changes(row)[:SOME],
        "kept": list(row.scans.exclude(evidence=None)[:SOME]),
        "notes": list(row.notes.order_by("-at")[:SOME]),
        "causes": [cause.value for cause in Suspension],
        "may_scan": holds(request.user, SCAN, row.zone_id),
        "may_comment": holds(request.user, COMMENT, row.zone_id),
        "may_hold": holds(request.user, HOLD, row.zone_id),
    }
    return render(request, "dashboard/domain.html", context)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a story: what kind, when, and the row that tells it."""

    kind: str
    at: datetime
    row: Any
    times: int = 1
    """How many scans in a row said the same (P-8.36)."""


def story(row: Domain) -> list[Event]:
    """Return what happened to a child, newest first; equal scans are one line."""
    scans = list(row.scans.all()[:STORY])
    events = [*_looks(row, scans), *_scans(scans)]
    events += [Event("proposal", p.created_at, p) for p in _changes(row)]
    events += [Event("alarm", a.opened_at, a) for a in _alarms(row)]
    events += [Event("note", n.at, n) for n in row.notes.order_by("-at")[:STORY]]
    events += [Event("entry", e.at, e) for e in _entries(row)]
    return sorted(events, key=lambda event: event.at, reverse=True)[:STORY]


def _looks(row: Domain, scans: list[ScanAttempt]) -> list[Event]:
    """Tell of the last routine scan, where the first look ended it (P-8.3)."""
    at = row.last_scan_at
    is_newer = at is not None and (not scans or scans[0].started_at < at)
    return [Event("look", at, row)] if at is not None and is_newer else []


def _changes(row: Domain) -> list[Proposal]:
    return list(row.proposals.order_by("-created_at")[:STORY])


TOLD = ("delegation.", "suspension.")
"""What only the trail knows of a child: the registry's changes, automation."""


def _entries(row: Domain) -> list[AuditEntry]:
    told = Q(type__startswith=TOLD[0]) | Q(type__startswith=TOLD[1])
    rows = AuditEntry.objects.filter(told, stream=row.stream)
    return list(rows.order_by("-number")[:STORY])


def _alarms(row: Domain) -> list[Alarm]:
    return list(row.alarms.all()[:STORY])


def _scans(scans: list[ScanAttempt]) -> list[Event]:
    told: list[Event] = []
    for scan in scans:
        same = told and told[-1].row.primary_reason == scan.primary_reason
        if same and told[-1].row.ds == scan.ds:
            newest = told[-1]
            told[-1] = Event("scan", newest.at, newest.row, newest.times + 1)
        else:
            told.append(Event("scan", scan.started_at, scan))
    return told


@require_POST
@may(SCAN)
def scan_again(request: HttpRequest, domain_id: int) -> HttpResponse:
    """Handle the "scan again" button."""
    rows = within(request, Domain.objects.delegated(), "zone")
    row = get_object_or_404(rows, pk=domain_id)
    need(request, SCAN, row.zone_id)
    requests.request_scan(row, actor=actor_of(request), now=clock.now())
    messages.success(request, "A scan is asked for; it starts within a minute.")
    return redirect("dashboard:domain", domain_id=row.pk)
