"""Alarms, and the trail with its proofs."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router

from bootstrap import clock, config
from bootstrap.models import Alarm, AuditEntry
from bootstrap.services import disclosures, sealing
from bootstrap.services.logfiles import LogFiles

from .bearers import Token, bearer_of, within
from .paging import Page, Text, Where, page
from .problems import Problem
from .schemas import AlarmOut, EntryDetail, EntryOut

router = Router()
ALARMS = Token("alarms:read")
AUDIT = Token("audit:read", everywhere=True)


class AlarmWhere(Where):
    """Only what is open, or everything."""

    open: bool = True


class TrailWhere(Where):
    """The filters of the trail."""

    stream: Text = ""
    type: Text = ""
    since: datetime | None = None
    until: datetime | None = None


@router.get("/alarms", auth=ALARMS, response=Page[AlarmOut])
def alarms(request: HttpRequest, where: Query[AlarmWhere]) -> dict[str, Any]:
    """List alarms, newest first."""
    rows = Alarm.objects.open() if where.open else Alarm.objects.all()
    return page(within(request, rows), where, ["-pk"])


@router.get("/audit", auth=AUDIT, response=Page[EntryOut])
def entries(request: HttpRequest, where: Query[TrailWhere]) -> dict[str, Any]:  # noqa: ARG001 - the library's signature
    """List entries of the trail, newest first; personal values are not told."""
    columns = {
        "stream": where.stream,
        "type__startswith": where.type,
        "at__gte": where.since,
        "at__lt": where.until,
    }
    chosen = {name: value for name, value in columns.items() if value}
    return page(AuditEntry.objects.filter(**chosen), where, ["-pk"])


@router.get("/audit/{uid}", auth=AUDIT, response=EntryDetail)
def entry(request: HttpRequest, uid: UUID) -> Any:  # noqa: ANN401 - a row with facts beside
    """Show one entry: the bytes that are hashed, its disclosures, its leaf."""
    row: Any = get_object_or_404(AuditEntry, uid=uid)
    row.canonical = bytes(row.body).decode()
    row.sha256 = hashlib.sha256(bytes(row.body)).hexdigest()
    row.index = sealing.entry_index(row)
    row.disclosures = disclosures.show(
        row, actor=bearer_of(request).actor("audit:read"), now=clock.now()
    )
    return row


@router.get("/audit/{uid}/proof", auth=AUDIT, response=str)
def proof(request: HttpRequest, uid: UUID) -> HttpResponse:  # noqa: ARG001 - the library's signature
    """Hand out the proof that an entry is in the log (C2SP tlog-proof)."""
    row = get_object_or_404(AuditEntry, uid=uid)
    try:
        text = sealing.prove(row, LogFiles(config.log_folder()))
    except LookupError as pending:
        raise Problem(409, "The entry is not yet sealed; ask again later.") from pending
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="proof-{uid}.txt"'
    return response
