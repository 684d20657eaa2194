"""Writes what is staged: new children with their place in the schedule, new data.

Set-based, so that a million rows take seconds; columns that are not staged get
their model's default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, models

from bootstrap.core.evaluation.queries import Trigger
from bootstrap.models import Domain, DomainState, WorkItem

from .staging import BUCKETS, Staging

FIRST_SCANS_A_SECOND: Final = 10_000
"""At most so many children become due in one second after an import."""


def adopt(staged: Staging, *, now: datetime) -> int:
    """Insert the children that are not stored yet; return how many.

    The first import of a zone says nothing of when an NS set came to be; later
    a new child is a change like any other (S-63).
    """
    zone = staged.zone
    columns: dict[str, object] = {
        **{name: _Staged(name) for name in ("name", "ns_key", "registrar")},
        **{name: _Staged(name) for name in ("nameservers", "glue", "ds", "statuses")},
        "zone": zone.pk,
        "created_at": now,
        "changed_at": now,
        "ns_changed_at": now if zone.imported_at else None,
        "state_since": now,
        "state": _state_of_new(),
    }
    source = "FROM import_row s"
    # A table that was analysed while empty is read from its start for each row, and
    # grows with each: minutes for what takes seconds.
    if Domain.objects.exists():
        source += (
            " WHERE NOT EXISTS (SELECT 1 FROM bootstrap_domain d WHERE d.name = s.name)"
        )
    added = _insert(Domain, columns, source)
    if added:
        _schedule(staged, added, now)
    return added


def apply(
    staged: Staging, ids: Sequence[int], *, renewed: Sequence[int], now: datetime
) -> None:
    """Give stored domains what the source shows; those in `renewed` a new NS age."""
    sets = [f"{name} = s.{name}" for name in (*staged.columns, "ns_key")]
    now_text = _prepared(Domain, "changed_at", now)
    _execute(
        f"UPDATE bootstrap_domain SET {', '.join(sets)}, version = version + 1,"  # noqa: S608 - names of our own columns and placeholders
        " changed_at = %s, removed_at = NULL FROM import_row s"
        f" WHERE s.name = bootstrap_domain.name AND bootstrap_domain.id IN ({_marks(ids)})",
        [now_text, *ids],
    )
    Domain.objects.filter(pk__in=renewed).update(ns_changed_at=now, signed_since=None)


class _Staged:
    """The value stands in a staged column, or is an expression over them."""

    def __init__(self, sql: str) -> None:
        self.sql = sql if "(" in sql or " " in sql else f"s.{sql}"


def _state_of_new() -> _Staged:
    empty = "'[]'::jsonb" if connection.vendor == "postgresql" else "'[]'"
    states = (DomainState.UNSIGNED.value, DomainState.SECURED.value)
    return _Staged("CASE WHEN s.ds = {} THEN '{}' ELSE '{}' END".format(empty, *states))


def _schedule(staged: Staging, added: int, now: datetime) -> None:
    """Give each child without one a place in the schedule, spread over a window."""
    longest = timedelta(seconds=staged.zone.scan_every_seconds)
    window = min(timedelta(seconds=added / FIRST_SCANS_A_SECOND), longest)
    dues = [
        (bucket, _prepared(WorkItem, "due_at", now + window * bucket / BUCKETS))
        for bucket in range(BUCKETS)
    ]
    kind = "timestamptz" if connection.vendor == "postgresql" else "text"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE import_due (bucket integer PRIMARY KEY, due {kind})"
        )
        cursor.executemany("INSERT INTO import_due VALUES (%s, %s)", dues)
    columns: dict[str, object] = {
        "domain": _Staged("(d.id)"),
        "due_at": _Staged("(t.due)"),
        "trigger": Trigger.SCHEDULE.value,
    }
    source = (
        "FROM bootstrap_domain d JOIN import_row s ON s.name = d.name"
        " JOIN import_due t ON t.bucket = s.bucket"
    )
    if WorkItem.objects.exists():  # see `adopt`
        source += (
            " WHERE NOT EXISTS"
            " (SELECT 1 FROM bootstrap_workitem w WHERE w.domain_id = d.id)"
        )
    _insert(WorkItem, columns, source)
    _execute("DROP TABLE import_due", [])


def _insert(
    model: type[models.Model], columns: Mapping[str, object], source: str
) -> int:
    """Insert one row for each of `source`; return how many."""
    names: list[str] = []
    terms: list[str] = []
    values: list[Any] = []
    for field in model._meta.concrete_fields:  # noqa: SLF001 - Django's documented API
        if isinstance(field, models.AutoField):
            continue
        value = columns.get(field.name, _Default)
        names.append(connection.ops.quote_name(str(field.column)))
        if isinstance(value, _Staged):
            terms.append(value.sql)
            continue
        terms.append("%s")
        given = field.get_default() if value is _Default else value
        values.append(field.get_db_prep_save(given, connection))
    table = connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001 - as above
    return _execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(terms)} {source}",
        values,
    )


class _Default:
    """The column takes its model's default."""


def _prepared(model: type[models.Model], name: str, value: object) -> Any:  # noqa: ANN401 - what the driver takes
    field = model._meta.get_field(name)  # noqa: SLF001 - Django's documented API
    if not isinstance(field, models.Field):
        raise TypeError(f"{name} is no column of {model.__name__}")
    return field.get_db_prep_save(value, connection)


def _marks(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))


def _execute(sql: str, values: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)
