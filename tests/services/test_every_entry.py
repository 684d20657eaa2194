"""No act without its entry, no entry without its act: for every type (S-85, S-87)."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from bootstrap.core.tlog.types import EntryType
from bootstrap.models import AuditEntry, AuditHead, AuditPerson

from .acts import ACTS, Scene

pytestmark = pytest.mark.django_db

COMMITTED_BEFORE = {
    # each of its decisions is an act with an entry of its own
    EntryType.BATCH_DECIDED: {
        f"bootstrap.{name}"
        for name in ("AuditEntry", "AuditHead", "AuditPending", "AuditDisclosure")
    }
    | {"bootstrap.AuditPerson", "bootstrap.Decision", "bootstrap.Proposal"}
    | {"bootstrap.Domain", "django_q.OrmQ"},
    # the intent, before the parent is asked (say, do, say)
    EntryType.TTL_RESTORED: {"bootstrap.Publication"},
}
"""Tables that an act of several transactions has written to before its entry."""

POSTGRESQL = """
    CREATE FUNCTION refuse_this_type() RETURNS trigger AS $$
    BEGIN
        RAISE EXCEPTION 'no entry for you'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$ LANGUAGE plpgsql;
    CREATE TRIGGER refuse_this_type BEFORE INSERT ON bootstrap_auditentry
    FOR EACH ROW WHEN (NEW.type = '{type}') EXECUTE FUNCTION refuse_this_type()
"""
SQLITE = """
    CREATE TRIGGER refuse_this_type BEFORE INSERT ON bootstrap_auditentry
    WHEN NEW.type = '{type}' BEGIN SELECT RAISE(ABORT, 'no entry for you'); END
"""


@contextmanager
def refusing(entry_type: EntryType):
    """Let the database refuse entries of one type, as a full disk would all."""
    postgresql = connection.vendor == "postgresql"
    run((POSTGRESQL if postgresql else SQLITE).format(type=entry_type.value))
    yield
    name = (
        "FUNCTION refuse_this_type CASCADE"
        if postgresql
        else "TRIGGER refuse_this_type"
    )
    run(f"DROP {name}")


def run(sql: str) -> None:
    """Change the table's triggers; PostgreSQL wants no check to be due meanwhile."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sql = f"SET CONSTRAINTS ALL IMMEDIATE; {sql}; SET CONSTRAINTS ALL DEFERRED"
        cursor.execute(sql)


def everything() -> dict[str, list[object]]:
    """Return every row of every table.

    A place held for an entry and a key made for a pseudonym are none yet: an entry
    that is recorded alone takes them with its transaction, which here is the test's.
    """
    found = {
        model._meta.label: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_models()
    }
    heads = found[AuditHead._meta.label]
    found[AuditHead._meta.label] = [row for row in heads if row[1] > 0]
    del found[AuditPerson._meta.label]
    return found


def times(entry_type: EntryType) -> int:
    return AuditEntry.objects.filter(type=entry_type.value).count()


@contextmanager
def undone():
    """Roll back what happens within, also what insists on its own transaction."""
    with like_the_tests_own():
        yield
        transaction.set_rollback(True)


def moves_without_evidence() -> list[str]:
    """Return the entries that move a change and do not say on what it rests."""
    moves = AuditEntry.objects.filter(about__isnull=False)
    told = [(entry.type, json.loads(bytes(entry.body))) for entry in moves]
    return [kind for kind, entry in told if not (entry["ev"] and entry["actor"])]


def like_the_tests_own():
    """Return a transaction that does not count as one around the act."""
    outer = transaction.atomic()
    outer._from_testcase = True  # type: ignore[attr-defined]  # as TestCase does it
    return outer


@contextmanager
def ending_with_the_act():
    """Let a failed act that had no transaction of its own end without the test's.

    PostgreSQL takes nothing more in a transaction that failed. SQLite does, and
    shows what an act leaves behind that does not hold together by itself.
    """
    if connection.vendor == "postgresql":
        with like_the_tests_own():
            yield
    else:
        yield


def test_every_type_has_an_act_that_writes_it():
    assert ACTS.keys() == set(EntryType)


@pytest.mark.parametrize("entry_type", EntryType)
def test_act_and_entry_are_there_together_or_not_at_all(entry_type, tmp_path, settings):
    act = ACTS[entry_type](Scene(tmp_path, settings))
    before, count = everything(), times(entry_type)

    with undone():
        act()
        assert times(entry_type) > count
    assert everything() == before

    refused = pytest.raises(IntegrityError, match="no entry for you")
    with refusing(entry_type), refused, ending_with_the_act():
        act()
    unlike = {name for name, rows in everything().items() if rows != before[name]}
    assert unlike <= COMMITTED_BEFORE.get(entry_type, set())

    act()
    assert times(entry_type) > count
    assert moves_without_evidence() == []
