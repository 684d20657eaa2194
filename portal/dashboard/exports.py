"""Lists and reports as CSV, NDJSON and JSON: streamed, marked, guarded, recorded."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_POST

from bootstrap import clock
from bootstrap.models import Alarm, ScanAttempt, Zone
from bootstrap.services import exports
from bootstrap.services.summaries import moment
from portal import sheets
from portal.access import AUDIT, actor_of, holds, staff_only, within

from . import audit, domains, queue
from .forms import TrailFilter

CHUNK: Final = 500

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class List:
    """A list that can leave: its rows as the page filters them, and its columns."""

    rows: Callable[[HttpRequest], QuerySet[Any]]
    columns: Sequence[str]
    audit_only: bool = False


def _domains(request: HttpRequest) -> QuerySet[Any]:
    return domains.narrowed(request, domains.asked(request))


def _queue(request: HttpRequest) -> QuerySet[Any]:
    form, now = queue.asked(request), clock.now()
    return queue.narrowed(queue.standing(request, form, now), form, now)


def _scans(request: HttpRequest) -> QuerySet[Any]:
    rows = within(request, ScanAttempt.objects.order_by("-started_at"))
    outcome = request.GET.get("outcome", "")
    return rows.filter(outcome=outcome) if outcome else rows


def _alarms(request: HttpRequest) -> QuerySet[Any]:
    rows = Alarm.objects.order_by("-opened_at")
    shown = rows if request.GET.get("show") == "all" else rows.open()
    return within(request, shown)


def _zones(request: HttpRequest) -> QuerySet[Any]:
    return within(request, Zone.objects.order_by("name"), "pk")


def _trail(request: HttpRequest) -> QuerySet[Any]:
    return audit.narrowed(TrailFilter(request.GET))


LISTS: Final[Mapping[str, List]] = {
    "domains": List(
        _domains,
        (
            "name",
            "zone__name",
            "state",
            "state_since",
            "last_outcome",
            "last_reason",
            "last_scan_at",
            "registrar",
            "nameservers",
            "ds",
            "auth_method",
        ),
    ),
    "queue": List(
        _queue,
        (
            "id",
            "domain__name",
            "domain__zone__name",
            "state",
            "path",
            "reason",
            "old_ds",
            "new_ds",
            "created_at",
            "expires_at",
            "requested_by",
            "approvals_needed",
            "digest",
        ),
    ),
    "zones": List(
        _zones,
        (
            "name",
            "routing",
            "two_persons",
            "automated",
            "primary",
            "servers",
            "observe_seconds",
            "quiet_seconds",
            "scan_every_seconds",
            "ds_ttl_initial",
            "ds_ttl",
            "soa_serial",
            "imported_at",
        ),
    ),
    "scans": List(
        _scans,
        (
            "id",
            "domain__name",
            "started_at",
            "trigger",
            "path",
            "outcome",
            "primary_reason",
            "reasons",
            "ds",
            "evidence_id",
        ),
    ),
    "alarms": List(
        _alarms,
        (
            "code",
            "subject",
            "detail",
            "opened_at",
            "times_seen",
            "acknowledged_at",
            "acknowledged_by",
            "comment",
            "closed_at",
        ),
    ),
    "trail": List(
        _trail, ("uid", "stream", "number", "type", "at", "body"), audit_only=True
    ),
}
FORMS: Final = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}


@require_POST
@staff_only
def export(request: HttpRequest, what: str, form: str) -> StreamingHttpResponse:
    """Hand out exactly the filtered list."""
    wanted = LISTS.get(what)
    if wanted is None or form not in FORMS:
        raise Http404
    if wanted.audit_only and not holds(request.user, AUDIT):
        raise PermissionDenied
    note = note_of(request, what, form)
    rows = _rows(wanted, request)
    lines = as_csv(wanted.columns, rows, note.mark)
    if form == "ndjson":
        lines = as_ndjson(rows, note.mark)
    return stream(note, lines, FORMS[form])


def note_of(request: HttpRequest, what: str, form: str) -> exports.Export:
    """Return who takes what, as it is recorded."""
    query = request.GET.urlencode()
    return exports.Export(what, form, query, actor_of(request), clock.now())


def stream(
    note: exports.Export, lines: Iterable[str], content_type: str
) -> StreamingHttpResponse:
    """Return the answer that hands lines on as they come, under a dated name."""
    answer = StreamingHttpResponse(
        exports.follow(note, lines), content_type=content_type
    )
    name = f"{note.what}-{note.at:%Y%m%dT%H%M%SZ}.{note.form}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _rows(wanted: List, request: HttpRequest) -> Iterator[dict[str, Any]]:
    found = wanted.rows(request).values(*wanted.columns)[: exports.MOST]
    for row in found.iterator(CHUNK):
        yield {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 - a column's value in, JSON out
    if hasattr(value, "astimezone"):
        return moment(value)
    if isinstance(value, bytes | memoryview):
        return json.loads(bytes(value))
    return value if isinstance(value, int | str | list | dict | None) else str(value)


class _Line:
    """What `csv` writes to: keeps nothing, gives each line back."""

    def write(self, line: str) -> str:
        return line


def as_csv(columns: Sequence[str], rows: Iterable[Row], mark: str) -> Iterator[str]:
    """Return lines of CSV: the mark as a comment, the header, guarded rows."""
    writer = csv.writer(_Line())
    yield "# " + " ".join(mark.split()) + "\r\n"
    yield str(writer.writerow([name.replace("__", "_") for name in columns]))
    for row in rows:
        yield str(writer.writerow([sheets.guarded(row.get(name)) for name in columns]))


def as_ndjson(rows: Iterable[Row], mark: str) -> Iterator[str]:
    """Return one JSON object a line: first the mark, then the rows."""
    yield json.dumps({"export": mark}) + "\n"
    for row in rows:
        named = {name.replace("__", "_"): value for name, value in row.items()}
        yield json.dumps(named) + "\n"


def whole(note: exports.Export, text: str, content_type: str) -> HttpResponse:
    """Return one text as a file, recorded like a list."""
    octets = b"".join(exports.follow(note, [text]))
    answer = HttpResponse(octets, content_type=content_type)
    name = f"{note.what}-{note.at:%Y%m%dT%H%M%SZ}.{note.form}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
