"""A whole zone in one conversation: whose records it holds (RFC 5936).

Only the owners are read, and no record is believed: what for, `discovery` says.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from typing import Final

import dns.exception
import dns.wire

from bootstrap.core.dns.names import Name, canonical
from bootstrap.core.dns.records import RdataType

from .transport import SocketTransport
from .wire import HEADER, new_id

_LENGTH: Final = struct.Struct("!H")
_RECORD: Final = "!HHIH"
_FIXED: Final = 4
"""Octets of type and class behind the name of a question."""
_CLASS_IN: Final = 1
_QR: Final = 0x8000
_RCODE: Final = 0x000F
_ENDS: Final = 2
"""The SOA begins a transfer and ends it."""


class NoTransfer(Exception):
    """The other side refuses, or what it sends is no transfer; says which."""


async def owners(
    transport: SocketTransport, server: str, zone: Name, *, octets: int
) -> AsyncIterator[Name]:
    """Yield the owner of each record of `zone`, transferred from `server`.

    Raises:
        NoSocket: no connection.
        OSError: closed before the end, or more than `octets`.
        NoTransfer: refused, or no transfer of this zone.
    """
    loop = asyncio.get_running_loop()
    ident = new_id()
    async with transport.connection(server) as connected:
        message = _request(ident, zone)
        await loop.sock_sendall(connected, _LENGTH.pack(len(message)) + message)
        boundaries = 0
        while boundaries < _ENDS:
            (length,) = _LENGTH.unpack(await _exactly(connected, _LENGTH.size))
            octets -= length
            if octets < 0:
                raise OSError("a transfer larger than what we take")
            wire = await _exactly(connected, length)
            for owner, rdtype in _records(wire, ident):
                is_boundary = rdtype == RdataType.SOA and owner == zone
                if not boundaries and not is_boundary:
                    raise NoTransfer("the first record is not the SOA")
                boundaries += is_boundary
                yield owner


def _request(ident: int, zone: Name) -> bytes:
    asked = struct.pack("!HH", RdataType.AXFR, _CLASS_IN)
    return HEADER.pack(ident, 0, 1, 0, 0, 0) + zone.to_digestable() + asked


async def _exactly(connected: socket.socket, octets: int) -> bytes:
    loop = asyncio.get_running_loop()
    got = bytearray()
    while len(got) < octets:
        part = await loop.sock_recv(connected, octets - len(got))
        if not part:
            raise ConnectionResetError("closed before the whole zone came")
        got += part
    return bytes(got)


def _records(wire: bytes, ident: int) -> list[tuple[Name, int]]:
    """Return owner and type of the answer's records.

    Raises:
        NoTransfer: not an answer to this transfer, refused, or malformed.
    """
    try:
        parser = dns.wire.Parser(wire)
        got, flags, questions, answers, _ns, _ar = parser.get_struct("!6H")
        if got != ident or not flags & _QR or flags & _RCODE or not answers:
            raise NoTransfer("refused, or no answer to this")
        for _ in range(questions):
            parser.get_name(decompress=True)
            parser.get_bytes(_FIXED)
        found: list[tuple[Name, int]] = []
        for _ in range(answers):
            owner = canonical(parser.get_name(decompress=True))
            rdtype, _rdclass, _ttl, length = parser.get_struct(_RECORD)
            parser.get_bytes(length)
            found.append((owner, rdtype))
    except dns.exception.DNSException as exc:
        raise NoTransfer(f"malformed: {exc}") from exc
    return found
