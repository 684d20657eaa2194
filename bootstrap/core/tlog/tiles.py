"""Tiles and entry bundles: paths and bytes of C2SP tlog-tiles.

A tile holds 256 hashes of one level (level L of the tiles is level 8·L of the
tree); a bundle holds 256 entries. The last one of each level may be partial and
says so in its path. Files of this form never change once they are full.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .merkle import HASH_SIZE, Nodes, node_hash

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
MAX_ENTRY: Final = 0xFFFF
LENGTH_OCTETS: Final = 2
GROUP: Final = 1000

TileReader = Callable[[int, int], bytes]
"""(level, number) → bytes of that tile, as full as the tree has it."""


class BundleWrong(Exception):
    """The bytes are no entry bundle."""


class TileWrong(Exception):
    """The bytes are no tile of this width."""


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Hashes of one level: `width` of them, from `number` × 256 on."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """The path below the log's prefix."""
        return f"tile/{self.level}/{_spelled(self.number)}{_partial(self.width)}"

    def data(self, nodes: Nodes) -> bytes:
        """Return the tile's bytes, read from the tree."""
        first = self.number * WIDTH
        level = self.level * HEIGHT
        return b"".join(nodes(level, first + i) for i in range(self.width))


def bundle_path(number: int, width: int = WIDTH) -> str:
    """Return the path of the entry bundle `number`."""
    return f"tile/entries/{_spelled(number)}{_partial(width)}"


def tiles_for(old: int, new: int) -> Iterator[Tile]:
    """Return the tiles to write when the tree grows from `old` to `new` leaves."""
    level = 0
    while (have := new >> (HEIGHT * level)) > 0:
        had = old >> (HEIGHT * level)
        for number in range(had // WIDTH, (have + WIDTH - 1) // WIDTH):
            width = min(WIDTH, have - number * WIDTH)
            if width > min(WIDTH, max(0, had - number * WIDTH)):
                yield Tile(level, number, width)
        level += 1


def bundles_for(old: int, new: int) -> Iterator[tuple[int, int]]:
    """Return (number, width) of the bundles to write for this growth."""
    for tile in tiles_for(old, new):
        if tile.level == 0:
            yield tile.number, tile.width


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the bundle of these entries: each after its length in two octets.

    Raises:
        ValueError: more than 256 entries, or one is longer than 65,535 octets.
    """
    if len(entries) > WIDTH or any(len(entry) > MAX_ENTRY for entry in entries):
        raise ValueError("an entry bundle has 256 entries of 65,535 octets at most")
    return b"".join(
        len(entry).to_bytes(LENGTH_OCTETS, "big") + entry for entry in entries
    )


def decode_bundle(data: bytes) -> tuple[bytes, ...]:
    """Return the entries of a bundle.

    Raises:
        BundleWrong: the lengths do not fit the bytes.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        if at + LENGTH_OCTETS > len(data):
            raise BundleWrong("the bundle ends within a length")
        end = at + LENGTH_OCTETS + int.from_bytes(data[at : at + LENGTH_OCTETS], "big")
        if end > len(data):
            raise BundleWrong("the bundle ends within an entry")
        entries.append(data[at + LENGTH_OCTETS : end])
        at = end
    if len(entries) > WIDTH:
        raise BundleWrong("the bundle has more than 256 entries")
    return tuple(entries)


def nodes_from(read: TileReader) -> Nodes:
    """Return the nodes of a tree from its tiles; `read` gives a tile's bytes."""

    def nodes(level: int, index: int) -> bytes:
        tile_level, rest = divmod(level, HEIGHT)
        first = index << rest
        number, offset = divmod(first, WIDTH)
        hashes = _hashes(read(tile_level, number), offset, 1 << rest)
        while len(hashes) > 1:
            pairs = zip(hashes[::2], hashes[1::2], strict=True)
            hashes = [node_hash(left, right) for left, right in pairs]
        return hashes[0]

    return nodes


def _hashes(data: bytes, offset: int, count: int) -> list[bytes]:
    if len(data) % HASH_SIZE or len(data) < (offset + count) * HASH_SIZE:
        raise TileWrong("the tile is shorter than the tree needs")
    return [
        data[at : at + HASH_SIZE]
        for at in range(offset * HASH_SIZE, (offset + count) * HASH_SIZE, HASH_SIZE)
    ]


def _spelled(number: int) -> str:
    """Spell a tile number: groups of three digits, all but the last with an x."""
    groups = [f"{number % GROUP:03}"]
    while number := number // GROUP:
        groups.append(f"x{number % GROUP:03}")
    return "/".join(reversed(groups))


def _partial(width: int) -> str:
    return "" if width == WIDTH else f".p/{width}"
