"""NOTIFY(CDS), read and acknowledged (RFC 1996, RFC 9859): a name, nothing more.

Whatever else such a message carries is not looked at (P-6.12, S-27): it says
"look at this child", and anybody may say so.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from .messages import Rcode
from .names import MAX_WIRE, Name, interned
from .records import RdataType

HEADER: Final = struct.Struct("!6H")
OPCODE: Final = 4
"""NOTIFY (RFC 1996, section 3)."""
CLASS_IN: Final = 1
MAX_LABEL: Final = 63
_QR: Final = 0x8000
_OPCODE_AT: Final = 11
_OPCODES: Final = 0xF
_QUESTION: Final = struct.Struct("!HH")


class NoNotification(Exception):
    """Nothing that deserves an answer: no query, another opcode, or no form."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One message: the child it names, if we act on its kind, and our answer.

    `answer` is never longer than what came (P-6.18) and says the same whether
    the child is ours or not, so that nobody learns from it what we delegate.
    """

    child: Name | None
    answer: bytes


def hear(wire: bytes) -> Heard:
    """Return what a message asks for, and the answer to it (P-6.10, P-6.13).

    Another type than CDS is REFUSED; CDS speaks for CDNSKEY, too (P-6.1).

    Raises:
        NoNotification: to be discarded without an answer; with more than one
            question, too (P-6.11).
    """
    if len(wire) < HEADER.size:
        raise NoNotification("shorter than a header")
    ident, flags, questions, _answers, _authority, _additional = HEADER.unpack_from(
        wire
    )
    if flags & _QR or flags >> _OPCODE_AT & _OPCODES != OPCODE:
        raise NoNotification("no NOTIFY")
    if questions != 1:
        raise NoNotification("not one question")
    name, end = _name(wire)
    if end + _QUESTION.size > len(wire):
        raise NoNotification("the question is cut off")
    rdtype, rdclass = _QUESTION.unpack_from(wire, end)
    is_ours = rdtype == RdataType.CDS and rdclass == CLASS_IN
    rcode = Rcode.NOERROR if is_ours else Rcode.REFUSED
    header = HEADER.pack(ident, _QR | OPCODE << _OPCODE_AT | rcode, 1, 0, 0, 0)
    asked = wire[HEADER.size : end + _QUESTION.size]
    return Heard(name if is_ours else None, header + asked)


def _name(wire: bytes) -> tuple[Name, int]:
    """Return the name of the question, which nothing before it could compress."""
    labels: list[bytes] = []
    at = HEADER.size
    while at < len(wire) and wire[at]:
        size = wire[at]
        if size > MAX_LABEL:
            raise NoNotification("a compressed or unknown label")
        labels.append(wire[at + 1 : at + 1 + size].lower())
        at += 1 + size
    if at >= len(wire) or at + 1 - HEADER.size > MAX_WIRE:
        raise NoNotification("no name")
    return interned((*labels, b"")), at + 1
