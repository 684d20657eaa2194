"""A deterministic subset of CBOR (RFC 8949, section 4.2.1): bytes in, items out.

Integers of 64 bits, byte strings, text, arrays, maps with text keys, false,
true and null; definite lengths and shortest forms only. One item has exactly
one encoding, and the reader refuses every other one. No tags and no floats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

Item = None | bool | int | bytes | str | Sequence["Item"] | Mapping[str, "Item"]

UINT, NINT, BYTES, TEXT, ARRAY, MAP, _TAG, SIMPLE = range(8)
INLINE: Final = 24
"""Arguments below this number share the first octet."""
SIMPLES: Final[Mapping[int, bool | None]] = {20: False, 21: True, 22: None}
SIMPLE_NUMBERS: Final = {value: number for number, value in SIMPLES.items()}
MAX_DEPTH: Final = 24


class BundleMalformed(Exception):
    """The octets are no bundle; `where` is the offset or the path of the trouble."""

    def __init__(self, where: int | str, problem: str) -> None:
        place = f"octet {where}" if isinstance(where, int) else where
        super().__init__(f"{place}: {problem}")
        self.where = where


def encode(item: Item) -> bytes:
    """Return the one encoding of `item`.

    Raises:
        TypeError: the item is of no type that the subset knows.
        OverflowError: an integer needs more than 64 bits.
    """
    out = bytearray()
    write(item, out)
    return bytes(out)


def write(item: Item, out: bytearray) -> None:
    """Append the one encoding of `item`."""
    put = _WRITERS.get(type(item), write_simple)
    put(item, out)


def write_bytes(item: bytes, out: bytearray) -> None:
    """Append a byte string."""
    out += head(BYTES, len(item))
    out += item


def write_text(item: str, out: bytearray) -> None:
    """Append text."""
    text = item.encode()
    out += head(TEXT, len(text))
    out += text


def write_integer(item: int, out: bytearray) -> None:
    """Append an integer of at most 64 bits."""
    out += head(NINT, -1 - item) if item < 0 else head(UINT, item)


def write_array(items: Sequence[Item], out: bytearray) -> None:
    """Append an array of items."""
    out += head(ARRAY, len(items))
    for element in items:
        write(element, out)


def write_simple(item: Item, out: bytearray) -> None:
    """Write true, false and null: all that the table of writers leaves over."""
    if item is not None and not isinstance(item, bool):
        raise TypeError(f"cannot encode {type(item).__name__}")
    out.append(SIMPLE << 5 | SIMPLE_NUMBERS[item])


def write_map(items: Mapping[str, Item], out: bytearray) -> None:
    """Append a map, its keys in the order of their encodings."""
    out += head(MAP, len(items))
    for key, name in _in_order(tuple(items)):
        out += key
        write(items[name], out)


@lru_cache(maxsize=4_096)
def _in_order(names: tuple[str, ...]) -> tuple[tuple[bytes, str], ...]:
    """Return keys with their encoding, in the order of the encoding."""
    return tuple(sorted((encode(name), name) for name in names))


_WRITERS: Final[Mapping[type, Callable[[Any, bytearray], None]]] = {
    bytes: write_bytes,
    str: write_text,
    int: write_integer,
    list: write_array,
    tuple: write_array,
    dict: write_map,
}
_SHORT: Final = [bytes((first,)) for first in range(256)]


def head(major: int, argument: int) -> bytes:
    """Return the first octets of an item: its major type and argument.

    Raises:
        OverflowError: the argument needs more than 64 bits.
    """
    first = major << 5
    if argument < INLINE:
        return _SHORT[first | argument]
    for power, size in enumerate((1, 2, 4, 8)):
        if argument < 1 << (8 * size):
            return bytes((first | (INLINE + power),)) + argument.to_bytes(size, "big")
    raise OverflowError("an integer of more than 64 bits")


def decode(octets: bytes) -> Item:
    """Return the item that `octets` encode.

    Raises:
        BundleMalformed: they are no single item in its one form.
    """
    reader = Reader(octets)
    item = reader.item()
    if reader.at != len(octets):
        raise BundleMalformed(reader.at, "more octets than the item has")
    return item


class Reader:
    """Reads items one after the other; `at` is the next octet."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.at = 0
        self._readers: Mapping[int, Callable[[int, int, int], Item]] = {
            UINT: lambda argument, _start, _depth: argument,
            NINT: lambda argument, _start, _depth: -1 - argument,
            BYTES: lambda argument, _start, _depth: self.take(argument),
            TEXT: self._text,
            ARRAY: self._array,
            MAP: self._map,
        }

    def item(self, depth: int = 0) -> Item:
        """Return the next item.

        Raises:
            BundleMalformed: it is not in its one form.
        """
        start = self.at
        if depth > MAX_DEPTH:
            raise BundleMalformed(start, "nested too deep")
        major, argument = self.head()
        read = self._readers.get(major, self._simple)
        return read(argument, start, depth)

    def head(self) -> tuple[int, int]:
        """Return major type and argument of the next item.

        Raises:
            BundleMalformed: the octets end, or a shorter form exists.
        """
        start = self.at
        first = self.take(1)[0]
        major, low = first >> 5, first & 31
        if low < INLINE:
            return major, low
        if low > INLINE + 3:
            raise BundleMalformed(start, "an indefinite or reserved length")
        size = 1 << (low - INLINE)
        argument = int.from_bytes(self.take(size), "big")
        least = INLINE if size == 1 else 1 << (8 * size // 2)
        if argument < least:
            raise BundleMalformed(start, "not the shortest form")
        return major, argument

    def take(self, count: int) -> bytes:
        """Return the next `count` octets.

        Raises:
            BundleMalformed: fewer are left.
        """
        taken = self.octets[self.at : self.at + count]
        if len(taken) < count:
            raise BundleMalformed(self.at, "the octets end in the middle of an item")
        self.at += count
        return taken

    def _fits(self, count: int, start: int) -> None:
        if count > len(self.octets) - self.at:
            raise BundleMalformed(start, "more elements than there are octets")

    def _array(self, count: int, start: int, depth: int) -> list[Item]:
        self._fits(count, start)
        return [self.item(depth + 1) for _ in range(count)]

    def _text(self, count: int, start: int, _depth: int) -> str:
        try:
            return self.take(count).decode()
        except UnicodeDecodeError as exc:
            raise BundleMalformed(start, "text that is no UTF-8") from exc

    def _map(self, count: int, start: int, depth: int) -> dict[str, Item]:
        self._fits(2 * count, start)
        found: dict[str, Item] = {}
        last = b""
        for _ in range(count):
            key_at = self.at
            key = self.item(depth + 1)
            octets = self.octets[key_at : self.at]
            if not isinstance(key, str):
                raise BundleMalformed(key_at, "a key that is no text")
            if octets <= last:
                raise BundleMalformed(key_at, "keys out of order, or twice")
            last = octets
            found[key] = self.item(depth + 1)
        return found

    def _simple(self, argument: int, start: int, _depth: int) -> bool | None:
        head_octet = self.octets[start]
        if head_octet != SIMPLE << 5 | argument or argument not in SIMPLES:
            raise BundleMalformed(start, "a tag, a float or another simple value")
        return SIMPLES[argument]
