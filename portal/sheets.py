"""Lists to take away: CSV that no spreadsheet takes for formulas, and JSON (S-52)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.http import HttpResponse, JsonResponse

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "|")
"""What a spreadsheet may take for the beginning of something to compute."""


def guarded(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula; numbers stay.

    An apostrophe stands before what looks like one; lists are told as JSON.
    """
    if isinstance(value, int | float) or value is None:
        return value
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    formula = text.lstrip().startswith(FORMULA) or text[:1] in FORMULA
    return f"'{text}" if formula else text


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as CSV with a header line."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([guarded(row.get(column)) for column in columns])
    return out.getvalue()


def sheet(
    ending: str, name: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> HttpResponse:
    """Return rows as a download: `ending` is csv or json."""
    if ending == "json":
        return JsonResponse({"rows": [dict(row) for row in rows]})
    response = HttpResponse(csv_text(columns, rows), "text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
