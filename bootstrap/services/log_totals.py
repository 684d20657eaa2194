"""Checks of the trail as a whole: nothing outside of the tree, nothing beside it."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from django.db.models import OuterRef, Subquery

from bootstrap.core.tlog import entries, merkle, notes, tiles
from bootstrap.models import (
    AuditDisclosure,
    AuditEntry,
    AuditHead,
    AuditLeaf,
    AuditPending,
    AuditPerson,
    Checkpoint,
    Cosignature,
)

from . import checkpoints, log_checks, sealing
from .log_checks import Trouble
from .logfiles import HistoryDiffers, LogFiles
from .signing import verify

SLICE: Final = 500


def totals(files: LogFiles) -> Iterator[Trouble]:
    """Yield all that is wrong outside of any one leaf."""
    yield from _waiting()
    yield from _heads()
    yield from _disclosures()
    yield from published(files)
    yield from _upper_tiles(files)


def _waiting() -> Iterator[Trouble]:
    """Every entry is either in the tree or waits for it."""
    for found in log_checks.unsealed():
        if isinstance(found, Trouble):
            yield found
        else:
            yield from log_checks.row_troubles(found)
    for entry in AuditEntry.objects.filter(leaf=None, pending=None):
        yield Trouble(
            "neither sealed nor waiting to be", None, f"{entry.uid} ({entry})"
        )
    for pending in AuditPending.objects.filter(entry__leaf__isnull=False):
        yield Trouble("sealed, and yet it waits", None, str(pending))
    known = AuditEntry.objects.values("pk")
    for pending in AuditPending.objects.exclude(entry_id__in=known):
        yield Trouble("waits for the sealer and does not exist", None, str(pending))
    size = AuditLeaf.objects.count()
    last = AuditLeaf.objects.order_by("-index").values_list("index", flat=True).first()
    if last is not None and last + 1 != size:
        yield Trouble(f"there are {size} leaves up to number {last}")


def _heads() -> Iterator[Trouble]:
    """Every stream's head names its newest entry (S-88)."""
    newest = AuditEntry.objects.filter(stream=OuterRef("stream")).order_by("-number")
    rows = AuditHead.objects.annotate(
        newest=Subquery(newest.values("number")[:1]),
        body=Subquery(newest.values("body")[:1]),
    )
    for head in rows.iterator(SLICE):
        digest = entries.digest(bytes(head.body)) if head.body is not None else ""
        if (head.number, head.digest) != (head.newest or 0, digest):
            what = f"stream {head.stream} ends at {head.newest}, its head says"
            yield Trouble(f"{what} {head.number}, or another entry")
    known = AuditHead.objects.values("stream")
    headless = AuditEntry.objects.filter(number=1).exclude(stream__in=known)
    for entry in headless:
        yield Trouble("its stream has no head", None, f"{entry.uid} ({entry})")


def _disclosures() -> Iterator[Trouble]:
    """Every personal value is the one that its entry names by digest (S-95)."""
    bodies = AuditEntry.objects.filter(uid=OuterRef("entry_uid")).values("body")
    rows = AuditDisclosure.objects.annotate(body=Subquery(bodies[:1])).order_by("pk")
    keys = {p.name: bytes(p.key) for p in AuditPerson.objects.all()}
    for row in rows.iterator(SLICE):
        told = json.loads(bytes(row.body)) if row.body is not None else {}
        made = entries.Disclosure(row.salt, row.name, row.value).digest
        if row.digest != made or made not in told.get("sd", ()):
            yield Trouble(
                f"its {row.name} is not what it named", None, str(row.entry_uid)
            )
        elif row.name == "actor":
            yield from _pseudonym(row, told, keys)


def _pseudonym(
    row: AuditDisclosure, told: dict[str, Any], keys: dict[str, bytes]
) -> Iterator[Trouble]:
    key = keys.get(row.value, b"")
    if hmac.digest(key, b"audit", "sha256").hex()[:32] != told["actor"]["ref"]:
        yield Trouble("its pseudonym is of another person", None, str(row.entry_uid))


def published(files: LogFiles) -> Iterator[Trouble]:
    """The published checkpoint is the newest of the database."""
    known = Checkpoint.objects.values("pk")
    for line in Cosignature.objects.exclude(checkpoint_id__in=known):
        yield Trouble(f"cosignature {line.witness} belongs to no checkpoint")
    newest = Checkpoint.objects.order_by("-size").first()
    text = files.checkpoint()
    if newest is None and text is None:
        return
    try:
        found = notes.read(text or "").text
        size = checkpoints.size_of(text or "")
    except notes.NoteWrong as exc:
        yield Trouble(f"the published checkpoint: {exc}")
        return
    if newest is None or size > newest.size:
        yield Trouble(f"a checkpoint of {size} is published that the database lacks")
        yield from _lost(files, size)
    elif size < newest.size:
        yield Trouble(f"{size} is published, but {newest.size} were signed", size)
    elif not newest.note.startswith(f"{found}\n"):
        yield Trouble(f"another checkpoint of {size} is published")


def older(
    files: LogFiles, key: notes.VerifierKey, where: str, text: str
) -> Iterator[Trouble]:
    """Hold the log to a checkpoint that was kept elsewhere: it begins with that tree."""
    try:
        note = notes.read(text)
        note.check(key, verify)
        told = notes.Checkpoint.from_text(note.text)
        size = sealing.published_size(files)
        if told.size > size:
            gone = f"entries {size} to {told.size - 1} are missing"
            yield Trouble(f"{where} is of {told.size} entries: {gone}", size)
        elif merkle.root(told.size, files.nodes(size)) != told.root:
            yield Trouble(
                f"{where} is of another tree: history was forked before entry"
                f" {told.size}"
            )
    except (notes.NoteWrong, notes.NotSigned, HistoryDiffers, tiles.TileWrong) as exc:
        yield Trouble(f"{where}: {exc}")


def _lost(files: LogFiles, size: int) -> Iterator[Trouble]:
    """Name the entries that were sealed and that the database no longer has."""
    have = AuditLeaf.objects.count()
    for number, width in tiles.bundles_for(have, size):
        first = number * tiles.WIDTH
        try:
            bodies = files.bundle(number, width)
        except HistoryDiffers as exc:
            yield Trouble(str(exc), first)
            continue
        for index, body in enumerate(bodies, first):
            if index >= have:
                name = log_checks.name_of(body)
                yield Trouble("the leaf or its entry is gone", index, name)


def _upper_tiles(files: LogFiles) -> Iterator[Trouble]:
    """Every hash of the tiles from the second level on is that of the tile below."""
    newest = Checkpoint.objects.order_by("-size").first()
    size = newest.size if newest else 0
    level = 2
    while size >> (tiles.HEIGHT * level):
        for number in range(size >> (tiles.HEIGHT * level)):
            yield from _upper(files, level, number)
        level += 1


def _upper(files: LogFiles, level: int, number: int) -> Iterator[Trouble]:
    above, offset = divmod(number, tiles.WIDTH)
    try:
        below = files.tile(tiles.Tile(level - 1, number))
        data = files.tile(tiles.Tile(level, above, offset + 1))
    except HistoryDiffers as exc:
        yield Trouble(str(exc))
        return
    at = range(0, len(below), merkle.HASH_SIZE)
    nodes = merkle.in_memory(below[n : n + merkle.HASH_SIZE] for n in at)
    if data[offset * merkle.HASH_SIZE :] != nodes(tiles.HEIGHT, 0):
        yield Trouble(f"tile {level}/{above} does not fit the tile below it")


def some(troubles: Iterator[Trouble], count: int) -> list[Trouble]:
    """Return the first troubles, at most `count`."""
    return list(islice(troubles, count))
