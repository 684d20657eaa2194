"""The trail: list, filter, one entry with the bytes that are hashed."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from bootstrap import clock, config
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import AuditDisclosure, AuditEntry
from bootstrap.services import disclosures, proofs, sealing
from bootstrap.services.logfiles import HistoryDiffers, LogFiles
from portal import idn
from portal.access import AUDIT, actor_of, may

from . import layouts
from .forms import TrailFilter
from .paging import Page, page_of

TEXT: Final = "text/plain; charset=utf-8"
BESIDE: Final = {"page", *layouts.KEYS}
"""What an address says beside its filters."""


@require_safe
@may(AUDIT)
def trail(request: HttpRequest) -> HttpResponse:
    """List the entries, newest first."""
    form = TrailFilter(request.GET)
    layout = layouts.of("trail", request, request.GET)
    found, log = _found(form, request, layout), proofs.log_state()
    for row in found.rows:
        row.who, row.proof = _who(row), log.of(row.sealed_under)
    context = {"form": form, "page": found, "log": log, "layout": layout}
    return render(request, "dashboard/trail.html", context)


def _who(row: Any) -> str:  # noqa: ANN401 - an entry with its person
    """Say who acted: a person by the disclosure, a part of ours by its name."""
    actor = json.loads(bytes(row.body)).get("actor", {})
    return row.person or f"{actor.get('kind')} {actor.get('ref')}"


def narrowed(form: TrailFilter) -> QuerySet[AuditEntry]:
    """Return the entries that the filters leave, newest first."""
    rows = AuditEntry.objects.order_by("-pk")
    if not form.is_valid():
        return rows.none()
    wanted = form.cleaned_data
    until = wanted["until"] + timedelta(days=1) if wanted["until"] else None
    child = idn.ascii_form(wanted["domain"].strip().rstrip("."))
    columns = {
        "stream": f"child:{child}." if child else "",
        "type__in": _kinds(wanted["type"].strip()),
        "at__gte": _midnight(wanted["since"]),
        "at__lt": _midnight(until),
    }
    rows = rows.filter(**{column: value for column, value in columns.items() if value})
    if stream := wanted["q"].strip().lower():
        begins = Q(stream__startswith=stream)
        rows = rows.filter(begins | Q(stream__startswith=f"child:{stream}"))
    if person := wanted["actor"].strip():
        rows = rows.filter(uid__in=_theirs(person).values("entry_uid"))
    return rows


def _kinds(begin: str) -> list[str]:
    """Return the kinds of entries that begin so, or what fits none of them."""
    if not begin:
        return []
    return [kind.value for kind in EntryType if kind.startswith(begin)] or [begin]


def _theirs(person: str) -> QuerySet[AuditDisclosure]:
    """Return what names a person's entries, newest first: their keys hold the time."""
    rows = AuditDisclosure.objects.filter(name="actor", value=person)
    return rows.order_by("-entry_uid")


def _found(form: TrailFilter, request: HttpRequest, layout: layouts.Layout) -> Page:
    """Return a page of entries; one person's alone is found by what names them."""
    wanted = {name for name, value in request.GET.items() if value}
    newest_first = layout.sort == "-when"
    if not form.is_valid() or wanted - BESIDE != {"actor"} or not newest_first:
        rows = narrowed(form).order_by(*layout.order)
        return page_of(_told(rows), request, layout.size)
    person = form.cleaned_data["actor"].strip()
    found = page_of(_theirs(person), request, layout.size)
    uids = [each.entry_uid for each in found.rows]
    theirs = AuditEntry.objects.filter(uid__in=uids).order_by("-uid")
    found.rows[:] = _told(theirs)
    return found


def _told(rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    """Add to entries their places in the log and whom they name."""
    named = AuditDisclosure.objects.filter(entry_uid=OuterRef("uid"), name="actor")
    return proofs.placed(rows).annotate(person=Subquery(named.values("value")[:1]))


def _midnight(day: datetime | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None


@require_safe
@may(AUDIT)
def entry(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show one entry: its content, its disclosures, its place in the stream."""
    row = get_object_or_404(proofs.placed(AuditEntry.objects.all()), uid=uid)
    body = bytes(row.body)
    stream = AuditEntry.objects.filter(stream=row.stream)
    shown = disclosures.show(row, actor=actor_of(request), now=clock.now())
    context = {
        "entry": row,
        **proof_of(row),
        "told": json.dumps(json.loads(body), indent=2, ensure_ascii=True),
        "sha256": hashlib.sha256(body).hexdigest(),
        "disclosures": shown,
        "before": stream.filter(number=row.number - 1).first(),
        "after": stream.filter(number=row.number + 1).first(),
    }
    return render(request, "dashboard/entry.html", context)


def proof_of(row: Any) -> dict[str, Any]:  # noqa: ANN401 - an entry with its place
    """Return what both doors show of an entry's proof."""
    log = proofs.log_state()
    return {"log": log, "proof": log.of(row.sealed_under)}


@require_safe
@may(AUDIT)
def proof(request: HttpRequest, uid: UUID) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Hand out the proof that an entry is in the log (C2SP tlog-proof)."""
    row = get_object_or_404(AuditEntry, uid=uid)
    try:
        text = sealing.prove(row, LogFiles(config.log_folder()))
    except (LookupError, HistoryDiffers) as refusal:
        told = f"no proof: {refusal}; is `manage.py sealer` running?\n"
        return HttpResponse(told, content_type=TEXT, status=409)
    return _file(text.encode(), f"entry-{uid}.tlog-proof", TEXT)


@require_safe
@may(AUDIT)
def octets(request: HttpRequest, uid: UUID) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Hand out an entry, octet for octet as it is hashed."""
    row = get_object_or_404(AuditEntry, uid=uid)
    return _file(bytes(row.body), f"entry-{uid}.json", "application/json")


def _file(content: bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
