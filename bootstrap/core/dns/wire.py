"""Names and rdata out of a packet, in canonical form and at a bounded price (P-7.24).

Rdata becomes the bytes that a signature covers: names uncompressed, and in
lower case for the types of RFC 4034, section 6.2 as corrected by RFC 6840,
section 5.1 (NSEC out, RRSIG in). Types without a layout are opaque (RFC 3597).
What the content means is for others; here it must only have its form.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from dns.rdatatype import RdataType

from .names import MAX_WIRE, Name, interned, pack

HEADER: Final = 12
MAX_LABELS: Final = 4_000
"""Sum of labels of all names of one packet, compression undone (S-15)."""
MAX_LABEL: Final = 63
POINTER: Final = 0xC0
MAX_BITMAP: Final = 32
"""Octets of one window of a type bitmap (RFC 4034, section 4.1.2)."""


class Refused(Exception):
    """The packet is not worth parsing; the message says which limit or form."""


class Field(Enum):
    """A part of rdata whose length is not fixed."""

    FOLDED = auto()  # a name, in lower case where it is signed
    KEPT = auto()  # a name whose letters stay as they are
    STRING = auto()  # one octet of length, then as many octets
    BITMAP = auto()  # type bitmap, to the end
    REST = auto()  # anything, to the end


Layout = tuple[Field | int, ...]
"""Fixed octets (int) and fields, in order."""

_NAME: Final[Layout] = (Field.FOLDED,)
_TWO_NAMES: Final[Layout] = (Field.FOLDED, Field.FOLDED)
_PREFERENCE: Final[Layout] = (2, Field.FOLDED)
_KEY: Final[Layout] = (4, Field.REST)
_SIGNATURE: Final[Layout] = (18, Field.FOLDED, Field.REST)
_SERVICE: Final[Layout] = (2, Field.KEPT, Field.REST)

LAYOUTS: Final[Mapping[int, Layout]] = MappingProxyType(
    {
        RdataType.A: (4,),
        RdataType.NS: _NAME,
        RdataType.MD: _NAME,
        RdataType.MF: _NAME,
        RdataType.CNAME: _NAME,
        RdataType.SOA: (Field.FOLDED, Field.FOLDED, 20),
        RdataType.MB: _NAME,
        RdataType.MG: _NAME,
        RdataType.MR: _NAME,
        RdataType.PTR: _NAME,
        RdataType.MINFO: _TWO_NAMES,
        RdataType.MX: _PREFERENCE,
        RdataType.RP: _TWO_NAMES,
        RdataType.AFSDB: _PREFERENCE,
        RdataType.RT: _PREFERENCE,
        RdataType.SIG: _SIGNATURE,
        RdataType.KEY: _KEY,
        RdataType.PX: (2, Field.FOLDED, Field.FOLDED),
        RdataType.AAAA: (16,),
        RdataType.NXT: (Field.FOLDED, Field.REST),
        RdataType.SRV: (6, Field.FOLDED),
        RdataType.NAPTR: (4, Field.STRING, Field.STRING, Field.STRING, Field.FOLDED),
        RdataType.KX: _PREFERENCE,
        RdataType.DNAME: _NAME,
        RdataType.DS: _KEY,
        RdataType.RRSIG: _SIGNATURE,
        RdataType.NSEC: (Field.KEPT, Field.BITMAP),
        RdataType.DNSKEY: _KEY,
        RdataType.NSEC3: (4, Field.STRING, Field.STRING, Field.BITMAP),
        RdataType.NSEC3PARAM: (4, Field.STRING),
        RdataType.CDS: _KEY,
        RdataType.CDNSKEY: _KEY,
        RdataType.CSYNC: (6, Field.BITMAP),
        RdataType.SVCB: _SERVICE,
        RdataType.HTTPS: _SERVICE,
        RdataType.DSYNC: (5, Field.KEPT),
        RdataType.LP: (2, Field.KEPT),
    }
)

REFUSED_TYPES: Final = frozenset(
    {
        RdataType.TSIG,
        RdataType.TKEY,
        RdataType.HIP,
        RdataType.IPSECKEY,
        RdataType.AMTRELAY,
    }
)
"""Never asked for by us; transactions (S-18), or names where we would not look."""


class Reader:
    """Reads names of one packet and counts their labels (S-15, S-19)."""

    __slots__ = ("_known", "_left", "wire")

    def __init__(self, wire: bytes) -> None:
        self.wire = wire
        self._left = MAX_LABELS
        self._known: dict[int, tuple[bytes, ...]] = {}

    def name(self, offset: int) -> tuple[Name, int]:
        """Return the canonical name at `offset`, and where it ends.

        Raises:
            Refused: it leaves the packet, is too long, has an unknown kind of
                label, does not point strictly backward, or is one too many.
        """
        labels, end = self.labels(offset)
        return interned((*map(bytes.lower, labels), b"")), end

    def labels(self, offset: int) -> tuple[tuple[bytes, ...], int]:
        """Return the labels at `offset` as they are, and where the name ends.

        Raises:
            Refused: as for `name`.
        """
        start, end = offset, 0
        labels: tuple[bytes, ...] = ()
        limit = offset  # whatever a name points to began before it
        while True:
            plain, offset = self._plain(offset)
            labels += plain
            size = self._octet(offset)
            if size == 0:
                end = end or offset + 1
                break
            target = (size & ~POINTER) << 8 | self._octet(offset + 1)
            end = end or offset + 2
            if not HEADER <= target < limit:
                raise Refused("a name does not point strictly backward")
            if target in self._known:
                labels += self._known[target]
                break
            limit = offset = target
        self._count(labels)
        self._known[start] = labels
        return labels, end

    def _plain(self, offset: int) -> tuple[tuple[bytes, ...], int]:
        """Return the labels up to a pointer or the root, and where that stands."""
        labels = []
        while 0 < (size := self._octet(offset)) < POINTER:
            if size > MAX_LABEL:
                raise Refused("a label of unknown kind")
            label = self.wire[offset + 1 : offset + 1 + size]
            if len(label) < size:
                raise Refused("a label leaves the packet")
            labels.append(label)
            offset += 1 + size
        return tuple(labels), offset

    def _octet(self, offset: int) -> int:
        if offset >= len(self.wire):
            raise Refused("a name leaves the packet")
        return self.wire[offset]

    def _count(self, labels: tuple[bytes, ...]) -> None:
        if sum(map(len, labels)) + len(labels) + 1 > MAX_WIRE:
            raise Refused(f"a name of more than {MAX_WIRE} octets")
        self._left -= len(labels)
        if self._left < 0:
            raise Refused(f"more than {MAX_LABELS} labels")


def rdata(reader: Reader, rdtype: int, start: int, end: int) -> bytes:
    """Return the canonical rdata between `start` and `end`.

    Raises:
        Refused: the rdata has not the form of its type.
    """
    if rdtype in REFUSED_TYPES:
        raise Refused(f"a record of type {rdtype}")
    parts = []
    for field in LAYOUTS.get(rdtype, (Field.REST,)):
        part, start = _field(reader, field, start, end)
        parts.append(part)
    if start != end:
        raise Refused(f"rdata of type {rdtype} has not its form")
    return b"".join(parts)


def _field(
    reader: Reader, field: Field | int, start: int, end: int
) -> tuple[bytes, int]:
    """Return one part of rdata, and where the next one starts."""
    if isinstance(field, int):
        after = start + field
    elif field is Field.STRING:
        after = start + 1 + reader.wire[start] if start < end else end + 1
    elif field in (Field.FOLDED, Field.KEPT):
        labels, after = reader.labels(start)
        if after <= end:
            octets = pack((*labels, b""))
            return octets.lower() if field is Field.FOLDED else octets, after
    else:
        after = end
    if after > end:
        raise Refused("a record is shorter than its fields")
    part = reader.wire[start:after]
    if field is Field.BITMAP:
        types(part)
    return part, after


def name_at(canonical: bytes, offset: int = 0) -> tuple[Name, int]:
    """Return the uncompressed name in canonical rdata, and where it ends.

    Letters are folded: NSEC keeps them in its rdata, but names compare without.
    """
    labels = []
    while size := canonical[offset]:
        labels.append(canonical[offset + 1 : offset + 1 + size].lower())
        offset += 1 + size
    return interned((*labels, b"")), offset + 1


@lru_cache(maxsize=4_096)
def types(bitmap: bytes) -> frozenset[int]:
    """Return the types that a bitmap lists (RFC 4034, section 4.1.2).

    Raises:
        Refused: a length out of range or past the end, a window out of order
            or repeated, or trailing zero octets (P-7.46).
    """
    found = set()
    position, last = 0, -1
    while position < len(bitmap):
        window, size = bitmap[position], (*bitmap[position + 1 : position + 2], 0)[0]
        octets = bitmap[position + 2 : position + 2 + size]
        if window <= last or not 1 <= size <= MAX_BITMAP or len(octets) < size:
            raise Refused("a type bitmap has not its form")
        if not octets[-1]:
            raise Refused("a type bitmap ends in zeros")
        position, last = position + 2 + size, window
        found |= {
            window * 256 + index * 8 + bit
            for index, octet in enumerate(octets)
            for bit in range(8)
            if octet & 0x80 >> bit
        }
    return frozenset(found)
