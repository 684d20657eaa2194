"""The log as a folder for outsiders: C2SP's static layout, a period's bundles.

`checkpoint`, all hash tiles, `key`, time stamps, and the entry bundles of the period.
What is left out is told in `partial`, so that a verifier knows which bundles must be there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from bootstrap.core.tlog import tiles
from bootstrap.models import AuditLeaf

from . import checkpoints, stamping
from .logfiles import CHECKPOINT, KEY, LogFiles

PARTIAL = "partial"


class NothingSealed(Exception):
    """There is no checkpoint yet, or no key beside it."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds: leaves [first, last) of `size`."""

    size: int
    first: int
    last: int


def export(
    files: LogFiles, folder: LogFiles, *, since: datetime | None, until: datetime | None
) -> Exported:
    """Write the log into an empty folder, with the entries of [since, until).

    Raises:
        NothingSealed: nothing is published yet.
        HistoryDiffers: a file of the log is missing, or the folder is not empty.
    """
    note, key = files.checkpoint(), files.read(KEY)
    if note is None or key is None:
        raise NothingSealed("nothing is sealed yet: is `manage.py sealer` running?")
    size = checkpoints.size_of(note)
    first, last = _range(size, since, until)
    for number, width in tiles.bundles_for(0, size):
        start = number * tiles.WIDTH
        if start < last and start + width > first:
            data = tiles.encode_bundle(files.bundle(number, width))
            folder.write(tiles.bundle_path(number, width), data)
    for tile in tiles.tiles_for(0, size):
        folder.write(tile.path, files.tile(tile))
    if (first, last) != (0, size):
        held = {"first": first, "last": last}
        folder.write(PARTIAL, (json.dumps(held) + "\n").encode())
    folder.write_all(stamping.stamps(files))
    folder.write(KEY, key)
    folder.write(CHECKPOINT, note.encode())
    return Exported(size, first, last)


def _range(
    size: int, since: datetime | None, until: datetime | None
) -> tuple[int, int]:
    """Return the leaves of a period, widened to whole bundles."""
    leaves = AuditLeaf.objects.filter(index__lt=size)
    found = leaves.filter(entry__at__gte=since) if since else leaves
    found = found.filter(entry__at__lt=until) if until else found
    first, last = _ends(found)
    first -= first % tiles.WIDTH
    return first, min(size, -(-last // tiles.WIDTH) * tiles.WIDTH)


def _ends(found: QuerySet[AuditLeaf]) -> tuple[int, int]:
    indexes = found.values_list("index", flat=True)
    first = indexes.order_by("index").first()
    last = indexes.order_by("-index").first()
    return (0, 0) if first is None or last is None else (int(first), int(last) + 1)
