"""The few things that a machine may ask for; none of them decides (S-111)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import P, PathEx, Router

from bootstrap import clock
from bootstrap.models import Alarm, Zone
from bootstrap.services import alarms, notes, requests, scanruns, suspension

from .bearers import Token, bearer_of, within
from .once import once
from .problems import Problem
from .registry import canonical, domain_named
from .schemas import (
    Acknowledgement,
    Done,
    NoteRequest,
    ResumptionRequest,
    Run,
    ScanRequest,
    ScanRun,
    SuspensionRequest,
)

router = Router()
REQUEST = "scans:request"
ACKNOWLEDGE = "alarms:acknowledge"
SWITCH = "automation:switch"
WRITE = "notes:write"
MOST_ID = 2**63 - 1


@router.post("/scan-requests", auth=Token(REQUEST), response={202: Done})
def request_scan(request: HttpRequest, asked: ScanRequest) -> HttpResponse:
    """Ask for a new evaluation of one child."""
    row = domain_named(request, asked.domain)
    actor = bearer_of(request).actor(REQUEST)

    def act() -> dict[str, Any]:
        if row.removed_at is not None:
            raise Problem(409, "The registry delegates this name no more.")
        requests.request_scan(row, actor=actor, now=clock.now())
        return {"domain": row.name, "changed": True}

    return once(request, act, status=202)


@router.post("/scan-runs", auth=Token(REQUEST), response={202: Run})
def start_scans(request: HttpRequest, asked: ScanRun) -> HttpResponse:
    """Let a whole zone be looked at."""
    return _run(request, asked, scanruns.start)


@router.post("/scan-runs/recall", auth=Token(REQUEST), response={202: Run})
def stop_scans(request: HttpRequest, asked: ScanRun) -> HttpResponse:
    """Call back what was started and has not begun; what runs comes to its end."""
    return _run(request, asked, scanruns.stop)


def _run(
    request: HttpRequest, asked: ScanRun, verb: Callable[..., int]
) -> HttpResponse:
    rows = within(request, Zone.objects.all(), "pk")
    zone = get_object_or_404(rows, name=canonical(asked.zone))
    actor = bearer_of(request).actor(REQUEST)

    def act() -> dict[str, Any]:
        return {"zone": zone.name, "count": verb(zone, actor=actor, now=clock.now())}

    return once(request, act, status=202)


@router.post("/notes", auth=Token(WRITE), response={200: Done})
def note(request: HttpRequest, asked: NoteRequest) -> HttpResponse:
    """Write a remark beside a child, for its history; it decides nothing."""
    row = domain_named(request, asked.domain)
    proposal = None
    if asked.proposal is not None:
        proposal = get_object_or_404(row.proposals.all(), pk=asked.proposal)
    actor = bearer_of(request).actor(WRITE)

    def act() -> dict[str, Any]:
        notes.write(row, asked.text, actor=actor, now=clock.now(), proposal=proposal)
        return {"domain": row.name, "changed": True}

    return once(request, act)


@router.post(
    "/alarms/{alarm_id}/acknowledgement",
    auth=Token(ACKNOWLEDGE),
    response={200: Done},
)
def acknowledge(
    request: HttpRequest,
    said: Acknowledgement,
    alarm_id: PathEx[int, P(ge=1, le=MOST_ID)],
) -> HttpResponse:
    """Say that an alarm was seen; it stays open until its cause ends."""
    rows = within(request, Alarm.objects.select_related("domain"))
    alarm = get_object_or_404(rows, pk=alarm_id)
    actor = bearer_of(request).actor(ACKNOWLEDGE)

    def act() -> dict[str, Any]:
        try:
            alarms.acknowledge(
                alarm, actor=actor, comment=said.comment, now=clock.now()
            )
        except alarms.AlarmClosed as closed:
            raise Problem(409, "This alarm has ended meanwhile.") from closed
        name = alarm.domain.name if alarm.domain else None
        return {"domain": name, "changed": True}

    return once(request, act)


@router.post("/suspensions", auth=Token(SWITCH), response={200: Done})
def suspend(request: HttpRequest, asked: SuspensionRequest) -> HttpResponse:
    """Turn automation off for one child; the first reason stays."""
    row = domain_named(request, asked.domain)
    actor = bearer_of(request).actor(SWITCH)

    def act() -> dict[str, Any]:
        changed = suspension.suspend(
            row, asked.reason, actor=actor, now=clock.now(), note=asked.note
        )
        return {"domain": row.name, "changed": changed}

    return once(request, act)


@router.post("/resumptions", auth=Token(SWITCH), response={200: Done})
def resume(request: HttpRequest, asked: ResumptionRequest) -> HttpResponse:
    """Turn automation on again for one child."""
    row = domain_named(request, asked.domain)
    actor = bearer_of(request).actor(SWITCH)

    def act() -> dict[str, Any]:
        changed = suspension.resume(row, actor=actor, now=clock.now(), note=asked.note)
        return {"domain": row.name, "changed": changed}

    return once(request, act)
