"""The trail: list, filter, one entry with the bytes that are hashed."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from bootstrap import clock
from bootstrap.models import AuditDisclosure, AuditEntry
from bootstrap.services import disclosures
from portal.access import AUDIT, actor_of, may

from .forms import TrailFilter
from .paging import page_of


@require_safe
@may(AUDIT)
def trail(request: HttpRequest) -> HttpResponse:
    """List the entries, newest first."""
    form = TrailFilter(request.GET)
    found = page_of(narrowed(form), request)
    _name_actors(found.rows)
    return render(request, "dashboard/trail.html", {"form": form, "page": found})


def _name_actors(rows: list[Any]) -> None:
    """Say who acted: a person by the disclosure, a part of ours by its name."""
    uids = [row.uid for row in rows]
    disclosed = AuditDisclosure.objects.filter(entry_uid__in=uids, name="actor")
    people = dict(disclosed.values_list("entry_uid", "value"))
    for row in rows:
        actor = json.loads(bytes(row.body)).get("actor", {})
        row.who = people.get(row.uid) or f"{actor.get('kind')} {actor.get('ref')}"


def narrowed(form: TrailFilter) -> QuerySet[AuditEntry]:
    """Return the entries that the filters leave, newest first."""
    rows = AuditEntry.objects.order_by("-pk")
    if not form.is_valid():
        return rows.none()
    wanted = form.cleaned_data
    until = wanted["until"] + timedelta(days=1) if wanted["until"] else None
    child = wanted["domain"].strip().rstrip(".").lower()
    columns = {
        "stream__contains": wanted["q"].strip().lower(),
        "stream": f"child:{child}." if child else "",
        "type__startswith": wanted["type"].strip(),
        "at__gte": _midnight(wanted["since"]),
        "at__lt": _midnight(until),
    }
    rows = rows.filter(**{column: value for column, value in columns.items() if value})
    return _by(rows, wanted["actor"].strip())


def _by(rows: QuerySet[AuditEntry], person: str) -> QuerySet[AuditEntry]:
    if not person:
        return rows
    theirs = AuditDisclosure.objects.filter(name="actor", value=person)
    return rows.filter(uid__in=theirs.values("entry_uid"))


def _midnight(day: datetime | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None


@require_safe
@may(AUDIT)
def entry(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show one entry: its content, its disclosures, its place in the stream."""
    row = get_object_or_404(AuditEntry, uid=uid)
    body = bytes(row.body)
    stream = AuditEntry.objects.filter(stream=row.stream)
    shown = disclosures.show(row, actor=actor_of(request), now=clock.now())
    context = {
        "entry": row,
        "told": json.dumps(json.loads(body), indent=2, ensure_ascii=True),
        "sha256": hashlib.sha256(body).hexdigest(),
        "disclosures": shown,
        "before": stream.filter(number=row.number - 1).first(),
        "after": stream.filter(number=row.number + 1).first(),
    }
    return render(request, "dashboard/entry.html", context)
