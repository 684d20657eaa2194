"""The report of a period: a page made for printing, CSV and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from bootstrap import clock
from bootstrap.services import proofs, reports
from portal.access import AUDIT, may

from . import exports
from .forms import PeriodFilter

MONTH: Final = timedelta(days=30)
PARTS: Final = ("sent", "overrides", "four_eyes", "rules", "alarms", "decisions")


@require_safe
@may(AUDIT)
def report(request: HttpRequest) -> HttpResponse:
    """Show the report of the period that the query string names: last month's else."""
    form = PeriodFilter(request.GET)
    context = {"form": form, "report": _made(form), "log": proofs.log_state()}
    return render(request, "dashboard/report.html", context)


@require_POST
@may(AUDIT)
def download(request: HttpRequest, form: str) -> HttpResponseBase:
    """Hand the same report out as JSON or CSV."""
    made = _made(PeriodFilter(request.GET))
    if made is None or form not in {"json", "csv"}:
        raise Http404
    note = exports.note_of(request, "report", form)
    if form == "csv":
        lines = exports.as_csv(("part", "key", "value"), _lines(made), note.mark)
        return exports.stream(note, lines, "text/csv; charset=utf-8")
    told = {"export": note.mark, **made.as_json()}
    text = json.dumps(told, indent=2) + "\n"
    return exports.whole(note, text, "application/json")


def _made(form: PeriodFilter) -> reports.Report | None:
    if not form.is_valid():
        return None
    now = clock.now()
    first, last = form.cleaned_data["since"], form.cleaned_data["until"]
    until = _midnight(last) + timedelta(days=1) if last else now
    since = _midnight(first) if first else until - MONTH
    return reports.make(since, until, now=now)


def _midnight(day: Any) -> datetime:  # noqa: ANN401 - a date of a form
    return datetime.combine(day, time(), UTC)


def _lines(made: reports.Report) -> Iterator[dict[str, Any]]:
    """Return the report flat: part, row and column, value."""
    told = made.as_json()
    for key, value in told.items():
        if key not in PARTS:
            yield {"part": "report", "key": key, "value": value}
    for part in PARTS:
        for number, row in enumerate(told[part], 1):
            for key, value in row.items():
                yield {"part": part, "key": f"{number}.{key}", "value": value}
