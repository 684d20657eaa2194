"""The few things that a machine may ask for; none of them decides (S-111)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import P, PathEx, Router

from bootstrap import clock
from bootstrap.models import Alarm
from bootstrap.services import alarms, requests, suspension

from .bearers import Token, bearer_of, within
from .once import once
from .problems import Problem
from .registry import domain_named
from .schemas import (
    Acknowledgement,
    Done,
    ResumptionRequest,
    ScanRequest,
    SuspensionRequest,
)

router = Router()
REQUEST = "scans:request"
ACKNOWLEDGE = "alarms:acknowledge"
SWITCH = "automation:switch"
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
