"""Lets Django empty the tables between transactional tests.

The triggers that keep the trail append-only refuse that, as they must; only the
flush of the test runner goes around them, and puts them back.
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module

from django.db import connection

triggers = import_module("bootstrap.migrations._triggers")


class _Editor:
    """As much of a schema editor as a data migration needs."""

    connection = connection


def install_triggers():
    triggers.install(None, _Editor)


def remove_triggers():
    triggers.remove(None, _Editor)


@contextmanager
def flush_allowed():
    """Make `flush` drop the triggers, empty the tables, and install them again."""
    operations = type(connection.ops)
    original = operations.execute_sql_flush

    def execute(self, statements):
        remove_triggers()
        try:
            original(self, statements)
        finally:
            install_triggers()

    operations.execute_sql_flush = execute
    try:
        yield
    finally:
        operations.execute_sql_flush = original
