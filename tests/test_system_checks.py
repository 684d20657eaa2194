from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from bootstrap import system_checks

pytestmark = pytest.mark.django_db


def drop(trigger: str) -> None:
    table = " ON bootstrap_auditentry" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {trigger}{table}")


def test_a_migrated_database_has_every_trigger():
    call_command("check", databases=["default"])


def test_a_missing_trigger_is_named():
    drop("audit_pending")
    with pytest.raises(SystemCheckError, match="audit_pending"):
        call_command("check", databases=["default"])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite cannot")
def test_a_trigger_that_spares_replicas_counts_as_missing():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE bootstrap_auditentry ENABLE TRIGGER audit_pending")
    assert system_checks.check_triggers(None, ["default"])


@pytest.mark.skipif(connection.vendor != "sqlite", reason="settings of SQLite")
def test_sqlite_without_recursive_triggers_is_refused(settings):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers = OFF")
    try:
        found = system_checks.check_sqlite(None, ["default"])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA recursive_triggers = ON")
    assert "REPLACE" in found[0].msg


@pytest.mark.skipif(connection.vendor != "sqlite", reason="settings of SQLite")
def test_sqlite_without_immediate_transactions_is_refused(monkeypatch):
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "transaction_mode", None)
    assert "IMMEDIATE" in system_checks.check_sqlite(None, ["default"])[0].msg


def test_without_a_database_named_nothing_is_asked():
    assert system_checks.check_triggers(None) == []
    assert system_checks.check_sqlite(None) == []
