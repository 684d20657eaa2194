"""The sealer: nothing lost, nothing doubled, nothing signed twice (S-90, S-91, S-94)."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from bootstrap.core.tlog import merkle, notes, tiles
from bootstrap.models import AuditEntry, AuditLeaf, AuditPending, Checkpoint
from bootstrap.services import audit, sealing, signing
from bootstrap.services.actors import SCANNER
from bootstrap.services.logfiles import HistoryDiffers, LogFiles
from bootstrap.services.signing import KeyUnusable, Signer, WillNotSign

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ORIGIN = "portal.example/audit"
pytestmark = pytest.mark.django_db


@pytest.fixture
def files(tmp_path) -> LogFiles:
    return LogFiles(tmp_path / "log")


@pytest.fixture
def signer(tmp_path) -> Signer:
    signing.make_key(tmp_path / "log.key")
    return Signer(ORIGIN, tmp_path / "log.key", tmp_path / "signer.json")


def write(count: int) -> list[AuditEntry]:
    return [
        audit.record(
            "scan.failed",
            stream=f"child:n{n % 7}.example.",
            actor=SCANNER,
            now=NOW,
            number=n,
        )
        for n in range(count)
    ]


def test_entries_get_their_place_and_a_stranger_can_check_them(files, signer):
    entries = write(300)

    sealed = sealing.seal(files=files, signer=signer, now=NOW)

    assert sealed is not None
    assert sealed.added == 300
    assert not AuditPending.objects.exists()
    note = notes.read(files.checkpoint() or "")
    note.check(signer.public, signing.verify)
    head = notes.Checkpoint.from_text(note.text)
    assert (head.origin, head.size) == (ORIGIN, 300)

    bundles = [files.read(tiles.bundle_path(0)), files.read(tiles.bundle_path(1, 44))]
    bodies = [body for data in bundles for body in tiles.decode_bundle(data or b"")]
    assert bodies == [bytes(entry.body) for entry in entries]
    nodes = merkle.in_memory(merkle.leaf_hash(body) for body in bodies)
    assert head.root == merkle.root(300, nodes)

    index, path, checkpoint = notes.read_proof(sealing.prove(entries[17], files))
    merkle.check_inclusion(merkle.leaf_hash(bodies[17]), index, 300, path, head.root)
    assert checkpoint == files.checkpoint()


def test_the_log_grows_and_each_checkpoint_contains_the_last(files, signer):
    sizes = []
    for count in (3, 255, 1, 300):
        write(count)
        sealing.seal(files=files, signer=signer, now=NOW)
        sizes.append(signer.last()[0])

    assert sizes == [3, 258, 259, 559]
    nodes = files.nodes(559)
    for earlier in Checkpoint.objects.all():
        proof = merkle.prove_consistency(earlier.size, 559, nodes)
        root = merkle.root(559, nodes)
        merkle.check_consistency(earlier.size, bytes(earlier.root), 559, root, proof)


def test_nothing_new_makes_no_checkpoint(files, signer):
    assert sealing.seal(files=files, signer=signer, now=NOW) is None
    write(1)
    assert sealing.seal(files=files, signer=signer, now=NOW) is not None
    assert sealing.seal(files=files, signer=signer, now=NOW) is None


class Crash(Exception):
    """The process ended here."""


@pytest.mark.parametrize("place", ["_write_tiles", "_bundle"])
def test_a_crash_between_the_steps_is_mended_by_the_next_seal(
    files, signer, monkeypatch, place
):
    write(300)
    with monkeypatch.context() as broken:

        def crash(*_args, **_kwargs):
            raise Crash

        broken.setattr(sealing, place, crash)
        with pytest.raises(Crash):
            sealing.seal(files=files, signer=signer, now=NOW)
    write(10)

    sealed = sealing.seal(files=files, signer=signer, now=NOW)

    assert sealed is not None
    assert sealed.checkpoint.size == 310 == signer.last()[0]
    assert list(AuditLeaf.objects.values_list("index", flat=True)) == list(range(310))


def test_a_signer_that_is_ahead_is_caught_up_with(files, signer, monkeypatch):
    write(5)
    with monkeypatch.context() as broken:

        def crash(*_args, **_kwargs):
            raise Crash

        broken.setattr(Checkpoint.objects, "get_or_create", crash)
        with pytest.raises(Crash):
            sealing.seal(files=files, signer=signer, now=NOW)
    assert signer.last()[0] == 5
    assert not Checkpoint.objects.exists()

    sealing.seal(files=files, signer=signer, now=NOW)

    assert Checkpoint.objects.get().size == 5


def test_an_older_database_is_noticed_and_nothing_is_signed(files, signer):
    write(5)
    sealing.seal(files=files, signer=signer, now=NOW)
    signer.state_file.write_text(json.dumps({"size": 9, "root": "00" * 32}))

    with pytest.raises(sealing.RolledBack, match="9 were signed"):
        sealing.seal(files=files, signer=signer, now=NOW)


@pytest.mark.parametrize("tile", [tiles.Tile(1, 0, 1), tiles.Tile(0, 1, 44)])
def test_a_rewritten_tile_on_the_growing_edge_is_never_signed(files, signer, tile):
    write(300)
    sealing.seal(files=files, signer=signer, now=NOW)
    (files.folder / tile.path).write_bytes(b"\0" * 32 * tile.width)
    write(1)

    with pytest.raises((HistoryDiffers, WillNotSign, sealing.RolledBack)):
        sealing.seal(files=files, signer=signer, now=NOW)
    assert signer.last()[0] == 300


def test_the_signer_never_signs_two_histories(signer):
    leaves = [merkle.leaf_hash(bytes([n])) for n in range(8)]
    nodes = merkle.in_memory(leaves)
    five = notes.Checkpoint(ORIGIN, 5, merkle.root(5, nodes))
    signer.sign(five, (), now=NOW)

    other = merkle.in_memory(merkle.leaf_hash(b"x") for _ in range(8))
    with pytest.raises(WillNotSign):
        signer.sign(notes.Checkpoint(ORIGIN, 5, merkle.root(5, other)), (), now=NOW)
    with pytest.raises(WillNotSign, match="fewer"):
        signer.sign(notes.Checkpoint(ORIGIN, 4, merkle.root(4, nodes)), (), now=NOW)
    proof = merkle.prove_consistency(5, 8, other)
    with pytest.raises(WillNotSign):
        signer.sign(notes.Checkpoint(ORIGIN, 8, merkle.root(8, other)), proof, now=NOW)
    with pytest.raises(WillNotSign, match="not elsewhere"):
        signer.sign(
            notes.Checkpoint("elsewhere", 8, merkle.root(8, nodes)), (), now=NOW
        )
    assert signer.last() == (5, five.root)


def test_a_key_that_others_can_read_is_refused(signer):
    signer.key_file.chmod(0o644)
    with pytest.raises(KeyUnusable, match="chmod 400"):
        signer.sign(notes.Checkpoint(ORIGIN, 0, merkle.EMPTY_ROOT), (), now=NOW)


def test_leaves_cannot_be_changed_removed_or_put_out_of_order(files, signer):
    write(2)
    sealing.seal(files=files, signer=signer, now=NOW)
    write(1)
    attempts = [
        lambda: AuditLeaf.objects.filter(index=0).update(hash=b"x"),
        lambda: AuditLeaf.objects.filter(index=1).delete(),
        lambda: AuditLeaf.objects.create(
            index=7, entry=AuditEntry.objects.order_by("-pk")[0], hash=b"x"
        ),
        lambda: Checkpoint.objects.all().update(note="another"),
        lambda: Checkpoint.objects.all().delete(),
    ]
    for attempt in attempts:
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
    assert connection.is_usable()
    assert AuditLeaf.objects.count() == 2
