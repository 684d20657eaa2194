"""Pages of long lists: by position for people, without counting everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

PAGE = 50
DIGITS = 5
FAR = 2_000
"""Counting and paging stop here; filters lead to the rest, and exports hold it."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows, and where the neighbours are."""

    rows: list[Any]
    number: int
    total: int
    size: int = PAGE

    @property
    def first(self) -> int:
        """Position of the first row, from one; zero when there is none."""
        return (self.number - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Position of the last row."""
        return (self.number - 1) * self.size + len(self.rows)

    @property
    def capped(self) -> bool:
        """There are more rows than were counted."""
        return self.total > FAR

    @property
    def previous(self) -> int | None:
        """The page before."""
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        """The page after."""
        return self.number + 1 if self.last < self.total else None


def page_of(rows: QuerySet[Any], request: HttpRequest, size: int = PAGE) -> Page:
    """Return the page that the query string asks for: two queries.

    The first finds the keys of all that can be paged to, and so counts them: what a
    page shows is fetched and joined for its own rows alone.
    """
    keys = list(rows.values_list("pk", flat=True)[: FAR + 1])
    total = len(keys)
    wanted = request.GET.get("page", "1")
    number = (
        int(wanted)
        if wanted.isascii() and wanted.isdigit() and len(wanted) <= DIGITS
        else 1
    )
    number = max(1, min(number, -(-total // size) or 1))
    start = (number - 1) * size
    found = list(rows.filter(pk__in=keys[start : start + size])) if keys else []
    return Page(found, number, total, size)
