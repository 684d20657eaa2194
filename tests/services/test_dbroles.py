"""The application's role in PostgreSQL cannot change the past (S-86, P-8.35)."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Alarm, AuditEntry, AuditLeaf, AuditPending, Checkpoint
from bootstrap.services import audit, dbroles
from bootstrap.services.actors import OPERATOR
from bootstrap.services.sealing import RolledBack

from . import test_keeping
from .acts import ACTS, Scene
from .builders import NOW
from .test_keeping import Time, a_keeper

keeper, time, witness = test_keeping.keeper, test_keeping.time, test_keeping.witness
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no roles"),
]
NAMES = dbroles.Names("trial_app", "trial_sealer", "trial_monitor")
ROLES = (NAMES.app, NAMES.sealer, NAMES.monitor)
SEALERS = {EntryType.KEY_USED, EntryType.LOG_HEARTBEAT, EntryType.CLOCK_CHANGED}


@pytest.fixture
def roles(db):
    """The three roles with their rights, until the test's transaction ends."""
    name = str(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        for statement in dbroles.statements(
            NAMES, database=name, tables=dbroles.tables()
        ):
            cursor.execute(statement)


@contextmanager
def acting_as(role: str):
    """Have no other rights than this role's."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {role}")
        yield cursor
        cursor.execute("RESET ROLE")


@pytest.mark.parametrize("entry_type", EntryType)
def test_every_act_is_possible_with_the_rights_of_who_does_it(
    roles, entry_type, tmp_path, settings
):
    role = NAMES.sealer if entry_type in SEALERS else NAMES.app
    with acting_as(role):
        ACTS[entry_type](Scene(tmp_path, settings))()
        assert AuditEntry.objects.filter(type=entry_type.value).exists()


def test_the_sealer_seals_alarms_and_asks_witnesses_with_its_own_rights(
    roles, tmp_path, witness
):
    time = Time()
    trusted, _log = witness
    with acting_as(NAMES.app):
        audit.record("scan.verdict", stream="s", actor=OPERATOR, now=NOW)
    with acting_as(NAMES.sealer):
        keeper = a_keeper(tmp_path, time, trusted)
        keeper.start()
        assert keeper.round()
        time.pass_(minutes=2)
        (keeper.files.folder / "tile/0/000.p/2").write_bytes(bytes(64))
        with pytest.raises(RolledBack):  # and the alarm that it opens first
            keeper.round()
    assert Alarm.objects.open().get().code == "X_AUDIT_CHAIN"
    assert not AuditPending.objects.filter(entry__leaf__isnull=False).exists()
    assert Checkpoint.objects.get().cosignatures.exists()


@contextmanager
def denied():
    """Expect that the database refuses for want of a right."""
    refusal = pytest.raises(DatabaseError, match=r"permission denied|must be owner")
    with refusal, transaction.atomic():
        yield


STATEMENTS = {
    "update": "UPDATE {table} SET {column} = {column}",
    "delete": "DELETE FROM {table}",
    "truncate": "TRUNCATE {table} CASCADE",
    "drop the triggers": "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "go around the triggers": "SET session_replication_role = replica",
    "replace": "INSERT INTO {table} SELECT * FROM {table}"
    " ON CONFLICT ({column}) DO UPDATE SET {column} = EXCLUDED.{column}",
    "drop": "DROP TABLE {table}",
}
PAST = {
    "bootstrap_auditentry": "id",
    "bootstrap_auditleaf": '"index"',
    "bootstrap_checkpoint": "size",
    "bootstrap_cosignature": "id",
    "bootstrap_decision": "id",
    "bootstrap_policyversion": "id",
}


@pytest.fixture
def sealed(tmp_path):
    audit.record("scan.verdict", stream="s", actor=OPERATOR, now=NOW)
    a_keeper(tmp_path, Time()).round()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_no_role_changes_what_was_written(roles, sealed, role, statement):
    for table, column in PAST.items():
        with acting_as(role) as cursor, denied():
            cursor.execute(statement.format(table=table, column=column))


@pytest.mark.parametrize("what", ["update", "delete", "truncate"])
@pytest.mark.parametrize("mode", ["origin", "replica"])
def test_even_the_owner_meets_the_triggers(roles, sealed, what, mode):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"SET session_replication_role = {mode}")
        for table in ("bootstrap_auditentry", "bootstrap_auditleaf"):
            text = STATEMENTS[what].format(table=table, column=PAST[table])
            with (
                pytest.raises(DatabaseError, match="append-only"),
                transaction.atomic(),
            ):
                cursor.execute(text)
        cursor.execute("SET session_replication_role = origin")


def test_the_app_gives_no_entry_its_place_and_takes_none_from_the_sealer(roles, sealed):
    entry = audit.record("scan.verdict", stream="s", actor=OPERATOR, now=NOW)
    attempts = [
        lambda: AuditLeaf.objects.create(index=9, entry=entry, hash=bytes(32)),
        lambda: AuditPending.objects.all().delete(),
        lambda: Checkpoint.objects.create(size=9, root=bytes(32), note="", at=NOW),
    ]
    with acting_as(NAMES.app):
        for attempt in attempts:
            with denied():
                attempt()


def test_the_sealer_touches_no_change_and_no_account(roles):
    with acting_as(NAMES.sealer) as cursor:
        for statement in (
            "UPDATE bootstrap_proposal SET state = 'approved'",
            "UPDATE bootstrap_domain SET ds = '[]'",
            "SELECT password FROM auth_user",
            "INSERT INTO bootstrap_decision (verb) VALUES ('approve')",
        ):
            with denied():
                cursor.execute(statement)


def test_the_command_prints_what_psql_takes(capsys):
    call_command("audit", "roles", "--app", "web")
    told = capsys.readouterr().out
    assert told.startswith("BEGIN;\n")
    assert 'GRANT SELECT, INSERT ON "bootstrap_auditentry" TO web;' in told
    with pytest.raises(CommandError, match="no name"):
        call_command("audit", "roles", "--app", "web; DROP")
