"""Many rows in one statement, where the ORM's way costs more than the rows.

PostgreSQL gets COPY, and arrays where that cannot do it; SQLite a prepared
statement that runs once a row. Values are prepared as their fields prepare them.
Constraints and triggers hold as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection, models

Rows = Sequence[tuple[Any, ...]]
AT_ONCE: Final = 2_000
"""Rows in one statement."""


def insert(
    model: type[models.Model],
    names: Sequence[str],
    rows: Rows,
    *,
    ignore_conflicts: bool = False,
) -> None:
    """Insert rows that give these fields; with `ignore_conflicts`, what is there stays."""
    fields = _fields(model, names)
    columns = ", ".join(_quoted(field.column) for field in fields)
    table = _quoted(model._meta.db_table)  # noqa: SLF001 - Django's documented API
    if connection.vendor == "postgresql" and not ignore_conflicts:
        _copy(f"COPY {table} ({columns}) FROM STDIN", fields, rows)
        return
    into = f"INSERT INTO {table} ({columns})"
    end = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    marks = ", ".join(["%s"] * len(fields))
    _execute(
        fields,
        rows,
        arrays=f"{into} SELECT * FROM {_unnest(fields)}{end}",  # noqa: S608 - names from models only
        each=f"{into} VALUES ({marks}){end}",
    )


def insert_objects(objects: Sequence[models.Model]) -> None:
    """Insert instances of one model whose keys are made here, or not needed."""
    if not objects:
        return
    fields = [
        field
        for field in objects[0]._meta.concrete_fields  # noqa: SLF001 - Django's documented API
        if not isinstance(field, models.AutoField)
    ]
    names = [field.attname for field in fields]
    rows = [tuple(getattr(each, name) for name in names) for each in objects]
    insert(type(objects[0]), [field.name for field in fields], rows)


def update(
    model: type[models.Model], key: str, names: Sequence[str], rows: Rows
) -> None:
    """Set these fields in the rows of a key; each row is the key, then their values."""
    fields = _fields(model, (key, *names))
    table = _quoted(model._meta.db_table)  # noqa: SLF001 - Django's documented API
    first, *others = (_quoted(field.column) for field in fields)
    values = ", ".join(f"{column} = %s" for column in others)
    arrays = ", ".join(f"{column} = given.{column}" for column in others)
    # The key comes first for PostgreSQL and last for SQLite.
    turned = [(*values, pk) for pk, *values in rows]
    if connection.vendor == "postgresql":
        known = ", ".join((first, *others))
        statement = (
            f"UPDATE {table} SET {arrays} FROM {_unnest(fields)} AS given ({known})"  # noqa: S608 - names from models only
            f" WHERE {table}.{first} = given.{first}"
        )
        _execute(fields, rows, arrays=statement, each="")
        return
    statement = f"UPDATE {table} SET {values} WHERE {first} = %s"  # noqa: S608 - names from models only
    _execute([*fields[1:], fields[0]], turned, arrays="", each=statement)


Field = models.Field[Any, Any]


def _execute(fields: Sequence[Field], rows: Rows, *, arrays: str, each: str) -> None:
    with connection.cursor() as cursor:
        for start in range(0, len(rows), AT_ONCE):
            given = zip(*rows[start : start + AT_ONCE], strict=True)
            columns = [
                _prepared(field, values)
                for field, values in zip(fields, given, strict=True)
            ]
            if connection.vendor == "postgresql":
                cursor.execute(arrays, columns)
            else:
                cursor.executemany(each, list(zip(*columns, strict=True)))


def _copy(statement: str, fields: Sequence[Field], rows: Rows) -> None:
    if not rows:
        return
    given = zip(*rows, strict=True)
    columns = [
        _prepared(field, values) for field, values in zip(fields, given, strict=True)
    ]
    # COPY is not of Django's cursor: its errors would come as the driver's own.
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(statement) as copy,
    ):
        for row in zip(*columns, strict=True):
            copy.write_row(row)


def _prepared(field: Field, values: tuple[Any, ...]) -> list[Any]:
    """Return a column's values as the database takes them."""
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(target, models.CharField | models.TextField):
        # What Django would do for each: members of enumerations become text.
        return [value if value is None else str(value) for value in values]
    return [field.get_db_prep_save(value, connection) for value in values]


def _fields(model: type[models.Model], names: Sequence[str]) -> list[Field]:
    found = [model._meta.get_field(name) for name in names]  # noqa: SLF001 - Django's documented API
    return [field for field in found if isinstance(field, models.Field)]


def _unnest(fields: Sequence[Field]) -> str:
    types = (f"%s::{_cast(field)}[]" for field in fields)
    return f"unnest({', '.join(types)})"


def _cast(field: Field) -> str:
    kind = field.rel_db_type(connection) if field.is_relation else None
    return kind or field.cast_db_type(connection) or "text"


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or "")
