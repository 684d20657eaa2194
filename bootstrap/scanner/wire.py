"""Builds queries and recognises their answers, on bytes alone.

Nothing is parsed here beyond the header and the echoed question: that is all
it takes to know whether a packet belongs to a query (S-7).
"""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import RdataType

HEADER: Final = struct.Struct("!HHHHHH")
UDP_PAYLOAD: Final = 1232
"""Octets that we accept over UDP (RFC 9715; S-8, P-2.22)."""

_CLASS_IN: Final = 1
_OPT: Final = struct.pack(
    "!BHHIHHH",
    0,  # owner: the root
    RdataType.OPT,
    UDP_PAYLOAD,
    0x8000,  # extended rcode 0, version 0, DO
    4,  # one option:
    3,  # NSID (RFC 5001; P-2.24),
    0,  # empty in queries
)
_QR: Final = 0x8000
_OPCODE: Final = 0x7800
_TC: Final = 0x0200
_RCODE: Final = 0x000F


@unique
class Match(StrEnum):
    """How a packet relates to a query."""

    ANSWER = "answer"
    TRUNCATED = "truncated"  # belongs to the query; ask again over TCP (S-8)
    FOREIGN = "foreign"  # wrong id, question, opcode or direction (S-7)


@dataclass(frozen=True, slots=True)
class Question:
    """One question in wire form, as it will be sent."""

    qname: bytes
    tail: bytes
    """Type and class, four octets."""

    def message(self, ident: int) -> bytes:
        """Return the query: RD=0, EDNS with DO, NSID asked (protocol.md 2.1)."""
        header = HEADER.pack(ident, 0, 1, 0, 0, 1)
        return header + self.qname + self.tail + _OPT

    def mixed(self) -> Question:
        """Return the same question with letters in random case (S-6)."""
        coin = secrets.randbits(len(self.qname))
        mixed = bytearray(self.qname)
        for position, octet in enumerate(mixed):
            # Length octets are at most 63, so only letters are in this range.
            if 0x61 <= octet <= 0x7A and coin >> position & 1:  # noqa: PLR2004 - a to z
                mixed[position] = octet - 0x20
        return Question(bytes(mixed), self.tail)


def question(name: Name, rdtype: RdataType) -> Question:
    """Return the question for `name` and `rdtype`, class IN."""
    return Question(name.to_digestable(), struct.pack("!HH", rdtype, _CLASS_IN))


def new_id() -> int:
    """Return an unpredictable message id (RFC 5452, section 9.2)."""
    return secrets.randbits(16)


def match(packet: bytes, ident: int, asked: Question, *, exact: bool) -> Match:
    """Say whether `packet` answers `asked`.

    With `exact` the question must be echoed octet by octet, so that letter case
    counts (S-6). Without, on a connection, case is free, and an error without
    any question is taken: some servers know no better.
    """
    if len(packet) < HEADER.size:
        return Match.FOREIGN
    got, flags, questions, _an, _ns, _ar = HEADER.unpack_from(packet)
    if got != ident or not flags & _QR or flags & _OPCODE:
        return Match.FOREIGN
    if not _echoes(packet, flags, questions, asked, exact=exact):
        return Match.FOREIGN
    return Match.TRUNCATED if flags & _TC else Match.ANSWER


def _echoes(
    packet: bytes, flags: int, questions: int, asked: Question, *, exact: bool
) -> bool:
    if questions == 0:
        return not exact and bool(flags & _RCODE)
    end = HEADER.size + len(asked.qname)
    name, tail = packet[HEADER.size : end], packet[end : end + 4]
    if questions != 1 or tail != asked.tail:
        return False
    return name == asked.qname or (not exact and name.lower() == asked.qname)
