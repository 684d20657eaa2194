"""A plain "no such records" from the servers of a zone, told from bytes alone.

Stage one asks this of most packets that a scan ever sees, so nothing is built here:
the header, the echoed question and the outline of each record are all that it
takes. Whatever is not exactly as such answers are is for the reader of whole
messages (`messages.read`) to understand.
"""

from __future__ import annotations

import struct
from typing import Final

from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from .wire import HEADER, MAX_LABEL, POINTER

MAX_RECORDS: Final = 16
"""Records of an ordinary denial: SOA, a few proofs, their signatures, OPT."""

_HEADER: Final = struct.Struct("!HHHHHH")
_RECORD: Final = struct.Struct("!HHIH")
_FLAGS: Final = 0xFE0F
"""QR, opcode, AA, TC and RCODE; the others mean nothing here."""
_WANTED: Final = 0x8400
"""A response to a query, authoritative, whole, NOERROR."""
_QNAME: Final = bytes((POINTER, HEADER))
"""A pointer to the name in the question."""
_PROOFS: Final = frozenset({RdataType.RRSIG, RdataType.NSEC, RdataType.NSEC3})
_VERSION_AND_RCODE: Final = 0xFFFF0000
"""Upper half of an OPT's TTL (RFC 6891, section 6.1.3)."""


def is_signed_denial(packet: bytes, qname: bytes, rdtype: RdataType) -> bool | None:
    """Say whether the apex lacks `rdtype`, and in a signed zone; None if it is not plain.

    Such an answer is what the decision calls `NS_OK_NODATA` (protocol.md 2.2):
    authoritative NOERROR with EDNS, no answer, and the SOA of the child itself.
    Rdata is not looked at. True when a signature is beside the SOA, which says
    that the zone is signed and proves nothing.

    Args:
        packet: one message, as it came.
        qname: the child's name in wire form, in lower case.
        rdtype: the type that was asked for.
    """
    try:
        return _is_signed(packet, qname, rdtype)
    except (struct.error, IndexError):
        return None


def _is_signed(packet: bytes, qname: bytes, rdtype: RdataType) -> bool | None:
    _id, flags, questions, answers, authority, additional = _HEADER.unpack_from(packet)
    if flags & _FLAGS != _WANTED or (questions, answers, additional) != (1, 0, 1):
        return None
    end = HEADER + len(qname)
    asked = packet[end : end + 4]
    if packet[HEADER:end].lower() != qname or asked != _question(rdtype):
        return None
    if not 0 < authority < MAX_RECORDS:
        return None
    found = _authority(packet, end + 4, authority, qname)
    if found is None:
        return None
    at, types = found
    if types.count(RdataType.SOA) != 1 or not _ends_with_opt(packet, at):
        return None
    return RdataType.RRSIG in types


def _question(rdtype: RdataType) -> bytes:
    return struct.pack("!HH", rdtype, RdataClass.IN)


def _authority(
    packet: bytes, at: int, count: int, qname: bytes
) -> tuple[int, list[int]] | None:
    """Return where the section ends and its types; None if anything is unusual."""
    types: list[int] = []
    for _ in range(count):
        start = at
        at = _after_name(packet, at)
        rdtype, rdclass, _ttl, length = _RECORD.unpack_from(packet, at)
        if rdclass != RdataClass.IN:
            return None
        if rdtype == RdataType.SOA:
            owner = packet[start:at]
            if owner != _QNAME and owner.lower() != qname:
                return None
        elif rdtype not in _PROOFS:
            return None
        types.append(rdtype)
        at += _RECORD.size + length
    return at, types


def _after_name(packet: bytes, at: int) -> int:
    """Return where the name that starts here ends; what it points at is no matter."""
    while (length := packet[at]) and length < POINTER:
        if length > MAX_LABEL:
            raise IndexError("a label of a kind that nobody uses")
        at += 1 + length
    return at + (2 if length else 1)


def _ends_with_opt(packet: bytes, at: int) -> bool:
    """Say whether one OPT without an error of its own follows, and nothing else."""
    rdtype, _payload, ttl, length = _RECORD.unpack_from(packet, at + 1)
    is_whole = at + 1 + _RECORD.size + length == len(packet)
    is_plain = not ttl & _VERSION_AND_RCODE
    return not packet[at] and rdtype == RdataType.OPT and is_plain and is_whole
