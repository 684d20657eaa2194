"""Looks at raw bytes before anything is made of them: size, records, labels (S-15).

Meets S-16, P-7.83.

One pass over the packet. What comes out is bounded in every direction and its
rdata is canonical; what does not fit is refused with the limit that it broke.
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass
from typing import Final, NamedTuple

from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from .names import ROOT, Name
from .wire import HEADER, Reader, Refused, rdata, types

__all__ = ["Refused", "types"]

MAX_OCTETS: Final = 16_384
MAX_RECORDS: Final = 160
MAX_RRSET: Final = 100
"""Records of one owner and type (S-17)."""
ADDITIONAL: Final = 2

_RECORD: Final = struct.Struct("!HHIH")
_QUESTION: Final = struct.Struct("!HH")


class Record(NamedTuple):
    """One record: `section` 0 answer, 1 authority, 2 additional; TTL in seconds."""

    section: int
    owner: Name
    rdtype: int
    ttl: int
    rdata: bytes


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet taken apart; `opt` is its OPT record (RFC 6891), kept apart."""

    flags: int
    name: Name
    rdtype: int
    rdclass: int
    records: tuple[Record, ...]
    opt: Opt | None


class Opt(NamedTuple):
    """The OPT record: extended rcode, version and flags, and its options."""

    extended: int
    options: tuple[tuple[int, bytes], ...]


def inspect(wire: bytes) -> Packet:
    """Return the packet in parts, or refuse what would be dear to parse.

    Raises:
        Refused: with the limit that was exceeded, or the form that it lacks
            (S-15, S-17 to S-19).
    """
    if not HEADER <= len(wire) <= MAX_OCTETS:
        raise Refused(f"{len(wire)} octets")
    _id, flags, questions, *counts = struct.unpack_from("!6H", wire)
    if questions != 1:
        raise Refused(f"{questions} questions")
    if sum(counts) > MAX_RECORDS:
        raise Refused(f"{sum(counts)} records")
    reader = Reader(wire)
    name, offset = reader.name(HEADER)
    rdtype, rdclass = _take(_QUESTION, wire, offset)
    offset += _QUESTION.size
    records = []
    opts: list[Opt] = []
    for section, count in enumerate(counts):
        for _ in range(count):
            record, offset = _record(reader, section, offset, opts)
            records.append(record)
    if offset != len(wire):
        raise Refused("octets after the last record")
    if len(opts) > 1:
        raise Refused("several OPT records")  # P-7.91
    kept = tuple(record for record in records if record is not None)
    _limit_rrsets(kept)
    return Packet(flags, name, rdtype, rdclass, kept, opts[0] if opts else None)


def _take(form: struct.Struct, wire: bytes, offset: int) -> tuple[int, ...]:
    if offset + form.size > len(wire):
        raise Refused("the packet ends too early")
    return form.unpack_from(wire, offset)


def _record(
    reader: Reader, section: int, offset: int, opts: list[Opt]
) -> tuple[Record | None, int]:
    """Return the record at `offset` and where it ends; an OPT goes to `opts`."""
    owner, offset = reader.name(offset)
    rdtype, rdclass, ttl, size = _take(_RECORD, reader.wire, offset)
    start = offset + _RECORD.size
    end = start + size
    if end > len(reader.wire):
        raise Refused("rdata leaves the packet")
    if rdtype == RdataType.OPT:
        if section != ADDITIONAL or owner != ROOT:
            raise Refused("OPT at a wrong place")
        opts.append(Opt(ttl, _options(reader.wire[start:end])))
        return None, end
    if rdclass != RdataClass.IN:
        raise Refused(f"a record of class {rdclass}")
    canonical = rdata(reader, rdtype, start, end)
    # RFC 2181, section 8: a TTL with the highest bit set counts as zero.
    return Record(section, owner, rdtype, ttl if ttl < 1 << 31 else 0, canonical), end


def _options(octets: bytes) -> tuple[tuple[int, bytes], ...]:
    found = []
    offset = 0
    while offset < len(octets):
        code, size = _take(_QUESTION, octets, offset)
        offset += _QUESTION.size + size
        if offset > len(octets):
            raise Refused("an EDNS option leaves its record")
        found.append((code, octets[offset - size : offset]))
    return tuple(found)


def _limit_rrsets(records: tuple[Record, ...]) -> None:
    if len(records) <= MAX_RRSET:
        return
    sizes = Counter((record.owner, record.rdtype) for record in records)
    if max(sizes.values()) > MAX_RRSET:
        raise Refused(f"more than {MAX_RRSET} records in one RRset")
