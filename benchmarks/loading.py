"""Rows into tables, quickly: COPY on PostgreSQL, bulk inserts elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Field, ForeignKey, JSONField, Model

from bootstrap.models.fields import AddressField, ViewField

SLICE = 500

Row = Mapping[str, Any]
"""Column names and Python values; what is missing takes the field's default."""


def put(model: type[Model], rows: Iterable[Row]) -> int:
    """Write rows; return how many there were.

    Keys are given by the caller: no sequence is moved, see `move_sequences`.
    """
    if connection.vendor == "postgresql":
        return _copy(model, rows)
    return _insert(model, rows)


def _insert(model: type[Model], rows: Iterable[Row]) -> int:
    count, source = 0, iter(rows)
    while some := [model(**row) for row in islice(source, SLICE)]:
        model._default_manager.bulk_create(some, batch_size=SLICE)
        count += len(some)
    return count


def _copy(model: type[Model], rows: Iterable[Row]) -> int:
    fields = model._meta.concrete_fields
    quoted = [connection.ops.quote_name(str(field.column)) for field in fields]
    table = connection.ops.quote_name(model._meta.db_table)
    statement = f"COPY {table} ({', '.join(quoted)}) FROM STDIN"
    count = 0
    connection.ensure_connection()
    with connection.connection.cursor() as cursor, cursor.copy(statement) as copy:
        for line in _lines(model, rows):
            copy.write_row(line)
            count += 1
    return count


def _lines(model: type[Model], rows: Iterable[Row]) -> Iterator[Sequence[Any]]:
    """Return rows as the columns stand: JSON as text, digests and views as octets."""
    fields = model._meta.concrete_fields
    names = [field.attname for field in fields]
    spare = {field.attname: field.get_default() for field in fields}
    turns = {field.attname: turn for field in fields if (turn := _turn(field))}
    for row in rows:
        full = {**spare, **row}
        yield [turns[n](full[n]) if n in turns else full[n] for n in names]


def _turn(field: Field[Any, Any]) -> Callable[[Any], object] | None:
    """Return what makes a column's values of Python's, where they differ."""
    target = field.target_field if isinstance(field, ForeignKey) else field
    if isinstance(target, JSONField):
        return _text
    if isinstance(target, AddressField | ViewField):
        return lambda value: target.get_db_prep_value(value, connection)
    return None


def _text(value: object) -> str | None:
    return None if value is None else json.dumps(value)


def trust() -> None:
    """Leave foreign keys unchecked until the transaction ends, where we may.

    Checking ten million references takes as long as writing the rows. Triggers
    that fire always, those of the trail, still do.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            if cursor.fetchone() == (True,):
                cursor.execute("SET LOCAL session_replication_role = replica")


def move_sequences(models: Iterable[type[Model]]) -> None:
    """Let the database give keys beyond those that were written."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for model in models:
            table, key = model._meta.db_table, model._meta.pk.column
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{key}'),"
                f" (SELECT coalesce(max({key}), 1) FROM {table}))"
            )


def analyze() -> None:
    """Give the planner its figures, as autovacuum would within the hour."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "ANALYZE" if connection.in_atomic_block else "VACUUM ANALYZE"
            )
