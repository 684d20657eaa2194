"""Lets Django empty the tables between transactional tests.

The triggers that keep the trail append-only refuse that, as they must; only the
flush of the test runner goes around them, and puts them back.
"""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import TransactionTestCase

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
            # no table is altered while checks of its rows are still to come
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(ALL_POSTGRESQL)
            found = cursor.fetchall()
            away = [f"ALTER TABLE {t} DISABLE TRIGGER {n}" for t, n in found]
            back = [f"ALTER TABLE {t} ENABLE ALWAYS TRIGGER {n}" for t, n in found]
            # foreign keys are triggers too: whoever forges goes around them
            away.append("SET session_replication_role = replica")
            back.insert(0, "SET session_replication_role = origin")
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


@contextmanager
def restored_after_flush(written):
    """Put back the rows `written` by migrations whenever a test emptied all tables.

    Which test runs next, and in which process, must not matter.
    """
    original = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # not in the stubs

    def teardown(self):
        setattr(connection, "_test_serialized_contents", written)  # noqa: B010 - not in the stubs
        self.serialized_rollback = True  # the flush then makes no rows of its own
        original(self)
        with triggers_away():
            connection.creation.deserialize_db_from_string(written)
        ContentType.objects.clear_cache()

    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
    try:
        yield
    finally:
        patch.undo()
