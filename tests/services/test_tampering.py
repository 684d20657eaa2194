"""Whoever goes around the triggers is found out, column by column (S-93)."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import rfc8785
from django.apps import apps
from django.db import connection, models

from bootstrap import config
from bootstrap.core.tlog import merkle, tiles
from bootstrap.core.tlog.entries import digest
from bootstrap.models import (
    Alarm,
    AuditEntry,
    AuditHead,
    AuditLeaf,
    AuditPending,
    Checkpoint,
    Cosignature,
)
from bootstrap.services import audit, chain
from bootstrap.services.logfiles import HistoryDiffers
from bootstrap.services.sealing import RolledBack
from bootstrap.services.signing import WillNotSign
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


def forged(entry: AuditEntry, **columns: Any) -> AuditEntry:
    """Insert an entry that looks like this one, as somebody with all rights could."""
    told = json.loads(bytes(entry.body)) | columns
    body = rfc8785.dumps(told)
    return AuditEntry.objects.create(
        uid=told["id"],
        stream=told["stream"],
        number=told["n"],
        previous=told["prev"] or "",
        type=told["type"],
        at=entry.at,
        body=body,
    )


def at(index: int) -> AuditEntry:
    return AuditLeaf.objects.get(index=index).entry


def place(index: int, entry: AuditEntry) -> None:
    leaf = merkle.leaf_hash(bytes(entry.body))
    AuditLeaf.objects.filter(index=index).update(entry=entry, hash=leaf)


ID = "019ab000-0000-7000-8000-000000000001"


def delete(_files):
    entry = at(100)
    AuditLeaf.objects.filter(entry=entry).delete()
    AuditEntry.objects.filter(pk=entry.pk)._raw_delete("default")
    return entry.uid


def truncate_leaves(_files):
    entry = at(295)
    AuditLeaf.objects.filter(index__gte=290).delete()
    return entry.uid


def truncate_everything(_files):
    """Cut entries, leaves, checkpoints and heads, as if the rest had never been."""
    entry = at(295)
    Cosignature.objects.all().delete()
    Checkpoint.objects.all().delete()
    gone = AuditLeaf.objects.filter(index__gte=290)
    ids = list(gone.values_list("entry_id", flat=True))
    gone.delete()
    AuditPending.objects.all().delete()
    AuditEntry.objects.filter(pk__in=ids)._raw_delete("default")
    AuditEntry.objects.filter(leaf=None)._raw_delete("default")
    for head in AuditHead.objects.all():
        last = AuditEntry.objects.filter(stream=head.stream).order_by("number").last()
        if last is None:
            head.delete()
            continue
        head.number, head.digest = last.number, digest(bytes(last.body))
        head.save()
    return entry.uid


def exchange(_files):
    one, two = at(10), at(20)
    place(20, AuditEntry.objects.get(leaf=None))
    place(10, two)
    place(20, one)
    return one.uid


def reorder(_files):
    """Give three entries of one stream each other's places."""
    spare, (first, second, third) = (
        AuditEntry.objects.get(leaf=None),
        map(at, (3, 6, 9)),
    )
    place(3, spare)
    place(6, first)
    place(9, second)
    place(3, third)
    return first.uid


def replace(_files):
    """Put a forged entry in the place of a true one."""
    entry = at(50)
    AuditLeaf.objects.filter(index=50).update(entry=AuditEntry.objects.get(leaf=None))
    AuditEntry.objects.filter(pk=entry.pk)._raw_delete("default")
    place(50, forged(entry, type="scan.verdict"))
    return entry.uid


def insert_behind(_files):
    """Put a forged entry at the end of the tree, with its leaf."""
    last = AuditEntry.objects.filter(stream="people").latest("number")
    new = forged(last, id=ID, n=last.number + 1, prev=digest(bytes(last.body)))
    AuditPending.objects.filter(entry=new).delete()
    AuditLeaf.objects.create(
        index=AuditLeaf.objects.count(),
        entry=new,
        hash=merkle.leaf_hash(bytes(new.body)),
    )
    return f"stream people ends at {new.number}, its head says {last.number}"


def insert_between(_files):
    """Put a forged entry into the tree and let all that follow move up."""
    new = forged(at(60), id=ID, stream="child:x.", n=1, prev=None)
    AuditPending.objects.filter(entry=new).delete()
    for leaf in AuditLeaf.objects.filter(index__gte=60).order_by("-index"):
        AuditLeaf.objects.filter(pk=leaf.pk).update(index=leaf.index + 1)
    AuditLeaf.objects.create(
        index=60, entry=new, hash=merkle.leaf_hash(bytes(new.body))
    )
    return new.uid


def rewrite_files_too(files):
    """Change an entry in the database, in its bundle and in its tile."""
    entry = at(70)
    AuditLeaf.objects.filter(index=70).update(entry=AuditEntry.objects.get(leaf=None))
    AuditEntry.objects.filter(pk=entry.pk)._raw_delete("default")
    new = forged(entry, type="scan.verdict")
    place(70, new)
    bodies = list(files.bundle(0, 256))
    bodies[70] = bytes(new.body)
    files.write("tile/entries/000", tiles.encode_bundle(bodies), replace=True)
    hashes = b"".join(map(merkle.leaf_hash, bodies))
    files.write("tile/0/000", hashes, replace=True)
    # the next of its stream knows what it followed
    return f"another entry {new.number} of its stream"


TRIALS = [
    delete,
    truncate_leaves,
    truncate_everything,
    exchange,
    reorder,
    replace,
    insert_behind,
    insert_between,
    rewrite_files_too,
]


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.__name__)
def test_what_is_deleted_inserted_or_moved_is_named(sealed, trial):
    with triggers_away():
        named = trial(sealed.files)

    found = [str(trouble) for trouble in sealed.verifier.everything()]

    assert any(str(named) in trouble for trouble in found), found[:5]


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.__name__)
def test_no_trial_gets_the_sealer_to_sign_another_history(sealed, trial):
    """What is signed afterwards, if anything, still begins with what was signed."""
    size, root = sealed.signer.last()
    with triggers_away():
        trial(sealed.files)
    sealed.verified = NOW  # no slice: the sealer alone
    with suppress(RolledBack, HistoryDiffers, WillNotSign):
        write(3)
        sealed._seal(NOW)

    now_size, now_root = sealed.signer.last()
    proof: tuple[bytes, ...] = ()
    if now_size > size:
        proof = merkle.prove_consistency(size, now_size, sealed.files.nodes(now_size))
    merkle.check_consistency(size, root, now_size, now_root, proof)


def test_a_fork_signed_with_the_right_key_differs_from_what_left_the_house(
    tmp_path, time
):
    """Database, folder and the signer's memory are all replaced; a drop is not."""
    drop = config.Target("file", str(tmp_path / "drop"))
    first = a_keeper(tmp_path, time, publish=(drop,))
    write(300)
    first.round()
    with triggers_away():
        for model in (Checkpoint, AuditLeaf, AuditPending, AuditHead):
            model.objects.all().delete()
        AuditEntry.objects.all()._raw_delete("default")
    shutil.rmtree(first.files.folder)
    first.signer.state_file.unlink()
    write(400)
    forger = a_keeper(tmp_path, time)
    assert forger.round()
    assert list(forger.verifier.everything()) == []

    with pytest.raises(HistoryDiffers, match="forked"):
        a_keeper(tmp_path, time, publish=(drop,)).start()
    assert Alarm.objects.open().filter(subject=chain.FORKED).exists()
    assert chain.open_alarm(NOW) is not None
