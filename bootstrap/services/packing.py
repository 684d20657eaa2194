"""How the store writes a bundle down: what others have too apart, the rest as one.

A *text* is the manifest of a bundle, or a part of it. Where it refers to a packet,
the reference is left out and the packet is kept instead: its digest is made again
when it is read. Where a part stands that other bundles have too, a *piece*, its
place is kept. A packed text is, with numbers as in LEB128,

    count of holes, length of the text that is left,
    for each hole: octets since the last one, and 2 × length of a packet,
        or 2 × place of a piece + 1,
    the text that is left, the packets.

Nothing here decides what evidence is: whoever reads compares the address (S-98).
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from bootstrap.core.evidence.bundle import MAX_OCTETS

REFERENCE: Final = b"\x58\x20"
"""How CBOR begins a byte string of 32 octets."""
WIDTHS: Final = "BHIQ"
"""Codes of arrays for offsets of one, two, four and eight octets."""
ID: Final = 8
BITS: Final = 7
MORE: Final = 0x80
LONGEST: Final = 63
"""Bits of the largest number that is read."""


class NotPacked(Exception):
    """The octets are no packed text; the message says why."""


@dataclass(slots=True)
class Text:
    """A part of a manifest, with the packets to which it refers, by hex digest."""

    octets: bytes
    packets: dict[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Writer:
    """Packs one text from its start to its end."""

    text: bytes
    at: int = 0
    _left: list[bytes] = field(default_factory=list)
    _holes: list[tuple[int, int]] = field(default_factory=list)
    _packets: list[bytes] = field(default_factory=list)
    _since: int = 0

    def packets(self, packets: Iterable[bytes]) -> None:
        """Leave the next references to packets out, in their order.

        Raises:
            NotPacked: there is none to one of them, which would be lost.
        """
        for packet in packets:
            digest = hashlib.sha256(packet).digest()
            if not self._cut(REFERENCE + digest, len(packet) << 1):
                raise NotPacked(f"nothing refers to {digest.hex()} from {self.at} on")
            self._packets.append(packet)

    def piece(self, octets: bytes, place: int) -> bool:
        """Leave the next occurrence of a piece out; say whether there is one."""
        return self._cut(octets, place << 1 | 1)

    def _cut(self, octets: bytes, filling: int) -> bool:
        found = self.text.find(octets, self.at)
        if found < 0:
            return False
        self._left.append(self.text[self.at : found])
        self._holes.append((self._since + found - self.at, filling))
        self._since, self.at = 0, found + len(octets)
        return True

    def packed(self) -> bytes:
        """Return the packed text; nothing can be cut after this."""
        left = b"".join((*self._left, self.text[self.at :]))
        out = bytearray()
        write(len(self._holes), out)
        write(len(left), out)
        for gap, filling in self._holes:
            write(gap, out)
            write(filling, out)
        return b"".join((out, left, *self._packets))


def opened(packed: bytes, pieces: Sequence[Text] = (), limit: int = MAX_OCTETS) -> Text:
    """Return the text that was packed, with all packets in it.

    Raises:
        NotPacked: the octets are no packed text, need other pieces, or become
            more than `limit`, as by one piece in many places (S-24).
    """
    reader = _Reader(packed)
    holes, length = reader.number(), reader.number()
    if holes > len(packed):
        raise NotPacked("more holes than octets")
    cuts = [(reader.number(), reader.number()) for _ in range(holes)]
    left = reader.take(length)
    found = Text(b"")
    parts: list[bytes] = []
    at = 0
    limit -= len(left)
    for gap, filling in cuts:
        parts.append(left[at : at + gap])
        at += gap
        parts.append(_filled(filling, reader, pieces, found.packets))
        limit -= len(parts[-1])
        if limit < 0:
            raise NotPacked("larger than any bundle")
    if at > len(left) or reader.at != len(packed):
        raise NotPacked("holes beyond the text, or octets beyond the packets")
    found.octets = b"".join((*parts, left[at:]))
    return found


def _filled(
    filling: int,
    reader: _Reader,
    pieces: Sequence[Text],
    packets: dict[str, bytes],
) -> bytes:
    """Return what stood in a hole, and note the packets behind it."""
    if filling & 1:
        place = filling >> 1
        if place >= len(pieces):
            raise NotPacked(f"piece {place} of {len(pieces)}")
        packets |= pieces[place].packets
        return pieces[place].octets
    packet = reader.take(filling >> 1)
    digest = hashlib.sha256(packet)
    packets[digest.hexdigest()] = packet
    return REFERENCE + digest.digest()


class _Reader:
    """Takes numbers and octets from the front."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.at = 0

    def number(self) -> int:
        value = shift = 0
        while True:
            (octet,) = self.take(1)
            value |= (octet & ~MORE) << shift
            if octet < MORE:
                return value
            shift += BITS
            if shift > LONGEST:
                raise NotPacked("a number without end")

    def take(self, count: int) -> bytes:
        taken = self.octets[self.at : self.at + count]
        if len(taken) < count:
            raise NotPacked("the octets end too early")
        self.at += count
        return taken


def write(number: int, out: bytearray) -> None:
    """Append a number: seven bits an octet, the least first."""
    while number >= MORE:
        out.append(number & (MORE - 1) | MORE)
        number >>= BITS
    out.append(number)


def keys(numbers: Sequence[int]) -> bytes:
    """Return keys of pieces as a column: the least, then offsets of one width."""
    if not numbers:
        return b""
    least = min(numbers)
    spread = max(numbers) - least
    code = next(code for code in WIDTHS if spread < 1 << 8 * array(code).itemsize)
    offsets = array(code, (number - least for number in numbers))
    if sys.byteorder == "big":  # pragma: no cover
        offsets.byteswap()
    return bytes((offsets.itemsize,)) + least.to_bytes(ID, "little") + offsets.tobytes()


def numbers(column: bytes) -> list[int]:
    """Return the keys of pieces that a column holds, in order.

    Raises:
        NotPacked: the column holds something else.
    """
    if not column:
        return []
    code = next((c for c in WIDTHS if array(c).itemsize == column[0]), None)
    if code is None or len(column) <= ID or (len(column) - 1 - ID) % column[0]:
        raise NotPacked("no keys of pieces")
    least = int.from_bytes(column[1 : 1 + ID], "little")
    offsets = array(code, column[1 + ID :])
    if sys.byteorder == "big":  # pragma: no cover
        offsets.byteswap()
    return [least + offset for offset in offsets]
