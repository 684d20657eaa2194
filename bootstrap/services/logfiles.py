"""The log as files (C2SP tlog-tiles): written whole, durable, never changed.

Each file is written beside its place, synced, renamed, and the folder synced,
so that a crash leaves the old file or the new one (security.md 5.2). A full
tile that is already there must hold the same bytes; another content means that
history was rewritten, and nothing goes on.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bootstrap.core.tlog import merkle, tiles

CHECKPOINT = "checkpoint"


class HistoryDiffers(Exception):
    """A file of the log exists already and holds something else."""


@dataclass(frozen=True, slots=True)
class LogFiles:
    """One log's folder."""

    folder: Path

    def write(self, path: str, data: bytes, *, replace: bool = False) -> None:
        """Write one file durably.

        Raises:
            HistoryDiffers: it exists with other bytes, and `replace` is not set.
        """
        target = self.folder / path
        if target.exists() and not replace:
            if target.read_bytes() != data:
                raise HistoryDiffers(f"{path} holds another history")
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(target.name + ".new")
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(target)
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None when it is not there."""
        target = self.folder / path
        return target.read_bytes() if target.exists() else None

    def nodes(self, size: int) -> merkle.Nodes:
        """Return the tree's nodes as the files hold them, for `size` leaves."""

        def tile(level: int, number: int) -> bytes:
            have = size >> (tiles.HEIGHT * level)
            width = min(tiles.WIDTH, have - number * tiles.WIDTH)
            data = self.read(tiles.Tile(level, number, width).path)
            if data is None:
                raise HistoryDiffers(f"tile {level}/{number} of {width} is missing")
            return data

        return tiles.nodes_from(tile)

    def checkpoint(self) -> str | None:
        """Return the newest published checkpoint."""
        data = self.read(CHECKPOINT)
        return None if data is None else data.decode()
