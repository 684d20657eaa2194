"""The log as files (C2SP tlog-tiles): written whole, durable, never changed.

Each file is written beside its place, synced, renamed, and the folder synced,
so that a crash leaves the old file or the new one (security.md 5.2). A full
tile that is already there must hold the same bytes; another content means that
history was rewritten, and nothing goes on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final

from bootstrap.core.tlog import merkle, tiles

CHECKPOINT: Final = "checkpoint"
KEY: Final = "key"
"""The log's public key, as C2SP spells it; beside the checkpoint, for readers."""
TILES_IN_MEMORY: Final = 256
FILES_AT_ONCE: Final = 256
"""Files that are in memory and on their way at a time."""


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
        self.write_all([(path, data)], replace=replace)

    def write_all(
        self, files: Iterable[tuple[str, bytes]], *, replace: bool = False
    ) -> None:
        """Write files durably, each whole or not at all.

        All are written before the first is synced, so that one turn of the disk does
        for many; then they get their names, and each folder is synced once.

        Raises:
            HistoryDiffers: one exists with other bytes, and `replace` is not set.
        """
        remaining = iter(files)
        while batch := list(islice(remaining, FILES_AT_ONCE)):
            _put(
                {
                    self.folder / path: data
                    for path, data in batch
                    if replace or not self._holds(path, data)
                }
            )

    def _holds(self, path: str, data: bytes) -> bool:
        """Say whether a file is there already, as it must be."""
        target = self.folder / path
        if not target.exists():
            return False
        if target.read_bytes() != data:
            raise HistoryDiffers(f"{path} holds another history")
        return True

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None when it is not there."""
        target = self.folder / path
        return target.read_bytes() if target.exists() else None

    def tile(self, tile: tiles.Tile) -> bytes:
        """Return a tile's bytes; a partial one also from a fuller one.

        Raises:
            HistoryDiffers: it is not there.
        """
        data = self._fullest(
            tiles.Tile(tile.level, tile.number).path, tile.path, tile.width
        )
        if data is None:
            raise HistoryDiffers(f"{tile.path} is missing")
        return data[: tile.width * merkle.HASH_SIZE]

    def bundle(self, number: int, width: int) -> tuple[bytes, ...]:
        """Return the first `width` entries of a bundle.

        Raises:
            HistoryDiffers: it is not there, or is no bundle.
        """
        full, partial = tiles.bundle_path(number), tiles.bundle_path(number, width)
        data = self._fullest(full, partial, width)
        if data is None:
            raise HistoryDiffers(f"{partial} is missing")
        try:
            return tiles.decode_bundle(data)[:width]
        except tiles.BundleWrong as exc:
            raise HistoryDiffers(f"{partial}: {exc}") from exc

    def _fullest(self, full: str, partial: str, width: int) -> bytes | None:
        """Return the file of this width, or a wider one that took its place."""
        for path in (self.folder / partial, self.folder / full):
            if path.is_file():
                return path.read_bytes()
        narrow = (self.folder / f"{full}.p").glob("[0-9]*")
        widths = sorted(int(path.name) for path in narrow if path.name.isdecimal())
        wider = next((found for found in widths if found > width), None)
        return self.read(f"{full}.p/{wider}") if wider else None

    def nodes(self, size: int) -> merkle.Nodes:
        """Return the tree's nodes as the files hold them, for `size` leaves."""

        @lru_cache(TILES_IN_MEMORY)
        def read(level: int, number: int) -> bytes:
            have = size >> (tiles.HEIGHT * level)
            width = min(tiles.WIDTH, have - number * tiles.WIDTH)
            return self.tile(tiles.Tile(level, number, width))

        return tiles.nodes_from(read)

    def forget_partial(self, old: int, new: int) -> None:
        """Remove the narrower forms of what this growth has made full."""
        for tile in tiles.tiles_for(old, new):
            if tile.width == tiles.WIDTH:
                shutil.rmtree(f"{self.folder / tile.path}.p", ignore_errors=True)
        for number, width in tiles.bundles_for(old, new):
            if width == tiles.WIDTH:
                path = self.folder / tiles.bundle_path(number)
                shutil.rmtree(f"{path}.p", ignore_errors=True)

    def checkpoint(self) -> str | None:
        """Return the newest published checkpoint."""
        data = self.read(CHECKPOINT)
        return None if data is None else data.decode()


def _put(files: Mapping[Path, bytes]) -> None:
    folders = {target.parent for target in files}
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    beside = {target: target.with_name(target.name + ".new") for target in files}
    for target, data in files.items():
        beside[target].write_bytes(data)
    for path in beside.values():
        _sync(path)
    for target, path in beside.items():
        path.rename(target)
    for folder in folders:
        _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
