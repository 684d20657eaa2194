"""What somebody with all rights could do to the log: to its tables, its files, its head."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import rfc8785

from bootstrap.core.tlog import merkle, notes, tiles
from bootstrap.core.tlog.entries import digest
from bootstrap.models import (
    AuditEntry,
    AuditHead,
    AuditLeaf,
    AuditPending,
    Checkpoint,
    Cosignature,
)
from bootstrap.services.logfiles import CHECKPOINT, LogFiles

from .trail import triggers_away

Sign = Callable[[notes.Checkpoint], notes.Note]


def bodies_of(files: LogFiles, size: int) -> list[bytes]:
    """Return the entries that the bundles hold."""
    found: list[bytes] = []
    for number, width in tiles.bundles_for(0, size):
        found += files.bundle(number, width)
    return found


def spelled(body: bytes, **changes: object) -> bytes:
    """Return an entry like this one, with other fields."""
    return rfc8785.dumps(json.loads(body) | changes)


def moved(bodies: Sequence[bytes], *order: int) -> list[bytes]:
    """Give entries each other's places, around in this order."""
    changed = list(bodies)
    for place, other in zip(order, (*order[1:], order[0]), strict=True):
        changed[place] = bodies[other]
    return changed


def chained(bodies: Sequence[bytes]) -> list[bytes]:
    """Return the entries with numbers and predecessors that fit again."""
    heads: dict[str, tuple[int, str]] = {}
    made = []
    for body in bodies:
        stream = json.loads(body)["stream"]
        number, before = heads.get(stream, (0, ""))
        made.append(spelled(body, n=number + 1, prev=before or None))
        heads[stream] = (number + 1, digest(made[-1]))
    return made


def rewrite_tables(bodies: Sequence[bytes], heads: Iterable[Checkpoint]) -> None:
    """Put this history and these checkpoints in the place of the trail's."""
    kept = list(heads)
    with triggers_away():
        for model in (Cosignature, Checkpoint, AuditLeaf, AuditPending, AuditHead):
            model._base_manager.all().delete()
        AuditEntry.objects.all()._raw_delete("default")
        rows = AuditEntry.objects.bulk_create(map(_row, bodies))
        AuditLeaf.objects.bulk_create(
            AuditLeaf(index=index, entry=row, hash=merkle.leaf_hash(bytes(row.body)))
            for index, row in enumerate(rows)
        )
        newest = {row.stream: row for row in rows}
        AuditHead.objects.bulk_create(
            AuditHead(stream=s, number=row.number, digest=digest(bytes(row.body)))
            for s, row in newest.items()
        )
        Checkpoint.objects.bulk_create(kept)


def _row(body: bytes) -> AuditEntry:
    told: dict[str, Any] = json.loads(body)
    return AuditEntry(
        uid=told["id"],
        stream=told["stream"],
        number=told["n"],
        previous=told["prev"] or "",
        type=told["type"],
        at=datetime.fromisoformat(told["ts"]),
        body=body,
    )


def rewrite_files(
    files: LogFiles, bodies: Sequence[bytes], head: str | None = None
) -> None:
    """Write the files of this history; the checkpoint only where one is given."""
    shutil.rmtree(files.folder / "tile")
    nodes = merkle.in_memory(map(merkle.leaf_hash, bodies))
    for number, width in tiles.bundles_for(0, len(bodies)):
        part = bodies[number * tiles.WIDTH : number * tiles.WIDTH + width]
        files.write(tiles.bundle_path(number, width), tiles.encode_bundle(part))
    for tile in tiles.tiles_for(0, len(bodies)):
        files.write(tile.path, tile.data(nodes))
    if head is not None:
        files.write(CHECKPOINT, head.encode(), replace=True)


def head_of(origin: str, bodies: Sequence[bytes]) -> notes.Checkpoint:
    """Return the unsigned head of the tree over these entries."""
    nodes = merkle.in_memory(map(merkle.leaf_hash, bodies))
    return notes.Checkpoint(origin, len(bodies), merkle.root(len(bodies), nodes))
