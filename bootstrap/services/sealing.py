"""Pending entries → leaves → tiles → signed checkpoint, in an order that survives.

Meets S-90.

security.md 5.2: each step can be repeated. Leaves are committed first; files are
written from them; the signer remembers before it signs; the checkpoint is
published last. Whatever a crash left undone, the next seal does.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Max

from bootstrap.core.tlog import merkle, notes, tiles
from bootstrap.models import AuditEntry, AuditLeaf, Checkpoint

from . import trailrows
from .logfiles import CHECKPOINT, LogFiles
from .signing import Signer

BATCH: Final = 4096
"""Leaves in one transaction."""
ADVISORY_LOCK: Final = 0x7365616C
"""PostgreSQL advisory lock of the one sealer ("seal")."""


class RolledBack(Exception):
    """The database holds less than what was signed or published (S-94)."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A new head of the tree, and how many entries it added."""

    checkpoint: Checkpoint
    added: int


def seal(*, files: LogFiles, signer: Signer, now: datetime) -> Sealed | None:
    """Give all pending entries their place and publish a checkpoint.

    Returns None when there is nothing new.

    Raises:
        RolledBack: leaves that were signed or published are gone.
        HistoryDiffers, WillNotSign, KeyUnusable: see there; nothing is signed.
    """
    with _only_sealer(files):
        while _place_batch():
            pass
        size = leaf_count()
        published = published_size(files)
        _refuse_rollback(size, max(published, signer.last()[0]))
        _refuse_other_past(published, files)
        head = Checkpoint.objects.order_by("-size").first()
        if head is not None and head.size == size == published:
            return None
        if size == 0:
            return None
        return _publish(size, published, files=files, signer=signer, now=now)


def leaf_count() -> int:
    """Return how many leaves the tree has."""
    last = AuditLeaf.objects.aggregate(last=Max("index"))["last"]
    return 0 if last is None else int(last) + 1


def _publish(
    size: int, published: int, *, files: LogFiles, signer: Signer, now: datetime
) -> Sealed:
    nodes = _write_tiles(published, size, files)
    signed = signer.last()[0]
    proof = merkle.prove_consistency(signed, size, nodes)
    root = merkle.root(size, nodes)
    signed_at = now.replace(microsecond=0)
    text = notes.Checkpoint(signer.origin, size, root)
    note = signer.sign(text, proof, now=signed_at)
    checkpoint, _made = Checkpoint.objects.get_or_create(
        size=size, defaults={"root": root, "note": note.to_text(), "at": signed_at}
    )
    publish_note(checkpoint, files)
    files.forget_partial(published, size)
    return Sealed(checkpoint, size - published)


def publish_note(checkpoint: Checkpoint, files: LogFiles) -> str:
    """Put a checkpoint, with the cosignatures it has so far, in its place."""
    note = note_of(checkpoint)
    files.write(CHECKPOINT, note.encode(), replace=True)
    return note


def note_of(checkpoint: Checkpoint) -> str:
    """Return a checkpoint's signed note with the cosignatures it has so far."""
    lines = checkpoint.cosignatures.order_by("pk").values_list("line", flat=True)
    return checkpoint.note + "".join(f"{line}\n" for line in lines)


@transaction.atomic
def _place_batch() -> int:
    """Turn up to 4096 pending entries into leaves; return how many."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
    waiting = trailrows.waiting(BATCH)
    leaves = enumerate(waiting, leaf_count())
    trailrows.insert_leaves(
        (index, entry, merkle.leaf_hash(body)) for index, (entry, body) in leaves
    )
    trailrows.take_off([entry for entry, _body in waiting])
    return len(waiting)


def _write_tiles(old: int, new: int, files: LogFiles) -> merkle.Nodes:
    """Write bundles and tiles for this growth; return the nodes of the new tree."""
    before = files.nodes(old)
    frontier = merkle.Frontier.of(old, before)
    made: dict[tuple[int, int], bytes] = {}
    hashes = AuditLeaf.objects.filter(index__gte=old).values_list("hash", flat=True)
    for leaf in hashes.iterator(BATCH):
        for level, index, value in frontier.append(bytes(leaf)):
            made[level, index] = value

    def nodes(level: int, index: int) -> bytes:
        return made.get((level, index)) or before(level, index)

    files.write_all(
        (tiles.bundle_path(number, width), _bundle(number, width))
        for number, width in tiles.bundles_for(old, new)
    )
    files.write_all((tile.path, tile.data(nodes)) for tile in tiles.tiles_for(old, new))
    return nodes


def _bundle(number: int, width: int) -> bytes:
    first = number * tiles.WIDTH
    bodies = trailrows.bodies_of(first, first + width)
    return tiles.encode_bundle(bodies)


def published_size(files: LogFiles) -> int:
    """Return the size that the published checkpoint claims; 0 before the first."""
    text = files.checkpoint()
    if text is None:
        return 0
    return notes.Checkpoint.from_text(notes.read(text).text).size


def _refuse_rollback(have: int, known: int) -> None:
    if have < known:
        raise RolledBack(
            f"the database holds {have} leaves, but {known} were signed: an older"
            " backup was restored, or entries were deleted; see"
            " docs/runbooks/ledger-rolled-back.md"
        )


def _refuse_other_past(published: int, files: LogFiles) -> None:
    """Hold the last published leaf to its tile: a refilled database differs there."""
    if not published:
        return
    leaf = AuditLeaf.objects.filter(index=published - 1).first()
    if leaf is None or bytes(leaf.hash) != files.nodes(published)(0, published - 1):
        raise RolledBack(
            f"leaf {published - 1} of the database is not the one in the published"
            " tile: an older backup was restored and written to, or the tile was"
            " changed; see docs/runbooks/ledger-rolled-back.md"
        )


@contextmanager
def _only_sealer(files: LogFiles) -> Iterator[None]:
    files.folder.mkdir(parents=True, exist_ok=True)
    with (files.folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def entry_index(entry: AuditEntry) -> int | None:
    """Return the place of an entry in the tree, or None while it is pending."""
    leaf = AuditLeaf.objects.filter(entry=entry).first()
    return None if leaf is None else leaf.index


def prove(entry: AuditEntry, files: LogFiles) -> str:
    """Return the inclusion proof of an entry (C2SP tlog-proof).

    Raises:
        LookupError: the entry is not yet under a checkpoint.
    """
    index = entry_index(entry)
    head = Checkpoint.objects.order_by("-size").first()
    if index is None or head is None or index >= head.size:
        raise LookupError("the entry is not yet sealed")
    path = merkle.prove_inclusion(index, head.size, files.nodes(head.size))
    return notes.proof_text(index, path, note_of(head))
