"""Lets Django empty the tables between transactional tests.

The triggers that keep the trail append-only refuse that, as they must; only the
flush of the test runner goes around them, and puts them back.
"""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.db import connection

ALL_SQLITE = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
ALL_POSTGRESQL = """
    SELECT DISTINCT tgrelid::regclass::text, tgname FROM pg_trigger
    WHERE NOT tgisinternal
"""


@contextmanager
def triggers_away():
    """Switch every trigger of ours off, and on again."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(ALL_POSTGRESQL)
            found = cursor.fetchall()
            away = [f"ALTER TABLE {t} DISABLE TRIGGER {n}" for t, n in found]
            back = [f"ALTER TABLE {t} ENABLE ALWAYS TRIGGER {n}" for t, n in found]
        else:
            cursor.execute(ALL_SQLITE)
            found = cursor.fetchall()
            away = [f"DROP TRIGGER {name}" for name, _sql in found]
            back = [sql for _name, sql in found]
        for statement in away:
            cursor.execute(statement)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for statement in back:
                cursor.execute(statement)


@contextmanager
def flush_allowed():
    """Let `flush` empty the tables of the trail too."""
    operations = type(connection.ops)
    original = operations.execute_sql_flush

    def execute(self, statements):
        with triggers_away():
            original(self, statements)

    patch = pytest.MonkeyPatch()
    patch.setattr(operations, "execute_sql_flush", execute)
    try:
        yield
    finally:
        patch.undo()
