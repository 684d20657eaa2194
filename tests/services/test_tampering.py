"""Whoever goes around the triggers is found out, column by column (S-93)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models

from bootstrap.models import AuditEntry, AuditLeaf
from bootstrap.services import audit
from tests.support.trail import triggers_away

from . import test_keeping
from .builders import NOW, a_person
from .test_keeping import a_keeper, write

keeper, time, witness = test_keeping.keeper, test_keeping.time, test_keeping.witness
pytestmark = pytest.mark.django_db(transaction=True)

TABLES = (
    "AuditEntry",
    "AuditLeaf",
    "Checkpoint",
    "Cosignature",
    "AuditHead",
    "AuditDisclosure",
    "AuditPerson",
    "AuditPending",
)
NOTHING_REFERS_TO = {
    ("Cosignature", "id"),
    ("AuditDisclosure", "id"),
    ("AuditPerson", "id"),
}
"""Numbers of rows, with no meaning of their own."""
COLUMNS = [
    (name, field.column)
    for name in TABLES
    for field in apps.get_model("bootstrap", name)._meta.concrete_fields
    if (name, field.attname) not in NOTHING_REFERS_TO
]


@pytest.fixture
def sealed(tmp_path, time, witness):
    """A log with people, a proposal's move, a witness, and one entry that waits."""
    trusted, _log = witness
    keeper = a_keeper(tmp_path, time, trusted)
    write(300)
    audit.record(
        "user.signed-in", stream="people", actor=a_person(), now=NOW, private={"x": "y"}
    )
    keeper.round()
    write(1)
    assert list(keeper.verifier.everything()) == []
    return keeper


def changed(field: models.Field[Any, Any], value: Any) -> Any:
    """Return another value of the same kind, as the database would hold it."""
    if isinstance(field, models.ForeignKey):
        field = field.target_field
    if isinstance(field, models.DateTimeField):
        return value + timedelta(microseconds=1)
    if isinstance(field, models.UUIDField):
        return AuditEntry.objects.order_by("-pk")[0].uid.__class__(int=1)
    if isinstance(field, models.IntegerField):
        return (value or 0) + 100_000
    if isinstance(field, models.BinaryField):
        return bytes(value)[:-1] + bytes([bytes(value)[-1] ^ 1])
    return value[:-1] + ("B" if value.endswith("A") else "A") if value else "A"


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_change_of_any_column_is_detected(sealed, table, column):
    model = apps.get_model("bootstrap", table)
    field = next(f for f in model._meta.concrete_fields if f.column == column)
    row = model._default_manager.order_by("pk").first()
    value = changed(field, getattr(row, field.attname))
    quoted = connection.ops.quote_name
    sql = (  # names of our own tables and columns
        f"UPDATE {quoted(model._meta.db_table)} SET {quoted(column)} = %s"  # noqa: S608
        f" WHERE {quoted(model._meta.pk.column)} = %s"
    )
    ready = [
        field.get_db_prep_value(value, connection),
        model._meta.pk.get_db_prep_value(row.pk, connection),
    ]

    with triggers_away(), connection.constraint_checks_disabled():
        with connection.cursor() as cursor:
            cursor.execute(sql, ready)
        found = [str(trouble) for trouble in sealed.verifier.everything()]
        with connection.cursor() as cursor:
            back = field.get_db_prep_value(getattr(row, field.attname), connection)
            now = value if field.primary_key else row.pk
            where = model._meta.pk.get_db_prep_value(now, connection)
            cursor.execute(sql, [back, where])

    assert found
    if table == "AuditEntry":
        assert any(str(row.uid) in trouble for trouble in found), found


def delete(entries):
    AuditLeaf.objects.filter(entry=entries[100]).delete()
    entries[100]._meta.model.objects.filter(pk=entries[100].pk)._raw_delete("default")


def truncate(entries):
    AuditLeaf.objects.filter(index__gte=290).delete()


def exchange(entries):
    one, two = (AuditLeaf.objects.get(index=n) for n in (10, 20))
    spare = AuditEntry.objects.get(leaf=None).pk
    for leaf, entry in ((one, spare), (two, one.entry_id), (one, two.entry_id)):
        AuditLeaf.objects.filter(pk=leaf.pk).update(entry_id=entry)


TRIALS = {"deletion": delete, "truncation": truncate, "exchange of two": exchange}


@pytest.mark.parametrize("trial", TRIALS.values(), ids=TRIALS)
def test_what_is_deleted_or_moved_is_named(sealed, trial):
    entries = list(AuditEntry.objects.order_by("leaf__index").filter(leaf__gte=0))
    with triggers_away():
        trial(entries)
    found = [str(trouble) for trouble in sealed.verifier.everything()]
    named = {
        delete: str(entries[100].uid),
        truncate: str(entries[295].uid),
        exchange: str(entries[10].uid),
    }
    assert any(named[trial] in trouble for trouble in found), found[:5]
