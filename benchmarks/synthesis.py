"""A server for silent children of any number: `synthesis.py PORT PARENT HOST,… ADDRESS…`.

Every name one label below PARENT is the apex of an unsigned zone with SOA and NS, and
without anything else: no zone has to be made or loaded, however many are delegated.
Answers are octets as Knot would send them for such a zone; nothing is kept between
two questions. It serves measurements, and knows what those ask; imports nothing of
ours, so that it starts at once.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, cast

HEADER: Final = struct.Struct("!HHHHHH")
TAIL: Final = struct.Struct("!HH")
RECORD: Final = struct.Struct("!HHIH")
QR, AA, RD = 0x8000, 0x0400, 0x0100
OPCODE: Final = 0x7800
FORMERR, NXDOMAIN, NOTIMP, REFUSED = 1, 3, 4, 5
NS, SOA, OPT = 2, 6, 41
META: Final = 128
"""Types from here on are no data: transfers, ANY and the like (RFC 6895, 3.1)."""
META_ENDS: Final = 256
IN: Final = 1
TTL: Final = 300
NEGATIVE_TTL: Final = 60
TIMERS: Final = struct.pack("!IIIII", 1, 3600, 600, 604_800, NEGATIVE_TTL)
MAX_NAME, MAX_LABEL = 255, 63
POINTER: Final = 0xC000
PAYLOAD: Final = 1232
DO: Final = 0x8000
NSID_CODE: Final = 3
NSID: Final = TAIL.pack(NSID_CODE, 0)
MAX_QUERY: Final = 512
"""Octets of a question with all that we put into one; longer ones are not ours."""
BACKLOG: Final = 1024


class Silent:
    """Knows the zones of all children of one parent, which are alike."""

    def __init__(self, parent: str, hosts: Sequence[str]) -> None:
        self._parent = wire(parent).lower()
        self._hosts = [wire(host) for host in hosts]
        self._identity = socket.gethostname().encode()

    def answer(self, query: bytes) -> bytes | None:
        """Return the answer to one message; None where none is due."""
        if len(query) < HEADER.size:
            return None
        ident, flags, questions, answers, authority, additional = HEADER.unpack_from(
            query
        )
        if flags & QR:
            return None
        kept = flags & (OPCODE | RD) | QR
        if flags & OPCODE:
            return HEADER.pack(ident, kept | NOTIMP, 0, 0, 0, 0)
        starts = labels(query)
        if starts is None or questions != 1 or answers or authority or additional > 1:
            return HEADER.pack(ident, kept | FORMERR, 0, 0, 0, 0)
        end = starts[-1] + 1 + TAIL.size
        edns = options(query, end, self._identity) if additional else b""
        if edns is None:
            return HEADER.pack(ident, kept | FORMERR, 0, 0, 0, 0)
        flags, counts, records = self._found(query, starts)
        head = HEADER.pack(ident, kept | flags, 1, *counts, 1 if edns else 0)
        return head + query[HEADER.size : end] + records + edns

    def _found(
        self, query: bytes, starts: Sequence[int]
    ) -> tuple[int, tuple[int, int], bytes]:
        """Return flags, the counts of answer and authority, and their records."""
        rdtype, rdclass = TAIL.unpack_from(query, starts[-1] + 1)
        apex = self._apex(query, starts)
        if apex is None or rdclass != IN or META <= rdtype < META_ENDS:
            return REFUSED, (0, 0), b""
        owner = (POINTER | apex).to_bytes(2)
        name = query[apex : starts[-1] + 1].lower()
        if apex != HEADER.size:
            return AA | NXDOMAIN, (0, 1), self._soa(owner, name, NEGATIVE_TTL)
        if rdtype == SOA:
            return AA, (1, 0), self._soa(owner, name, TTL)
        if rdtype == NS:
            records = (record(owner, NS, TTL, host) for host in self._hosts)
            return AA, (len(self._hosts), 0), b"".join(records)
        return AA, (0, 1), self._soa(owner, name, NEGATIVE_TTL)

    def _apex(self, query: bytes, starts: Sequence[int]) -> int | None:
        """Return where the child's name begins in the question; None for strangers."""
        name = query[: starts[-1] + 1].lower()
        for apex, above in pairwise(starts):
            if name[above:] == self._parent:
                return apex
        return None

    def _soa(self, owner: bytes, apex: bytes, ttl: int) -> bytes:
        rdata = self._hosts[0] + b"\x0ahostmaster" + apex + TIMERS
        return record(owner, SOA, ttl, rdata)


def wire(name: str) -> bytes:
    """Return a name in wire form."""
    parts = [label.encode() for label in name.strip(".").split(".") if label]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def record(owner: bytes, rdtype: int, ttl: int, rdata: bytes) -> bytes:
    """Return one record in wire form."""
    return owner + RECORD.pack(rdtype, IN, ttl, len(rdata)) + rdata


def labels(query: bytes) -> list[int] | None:
    """Return where the labels of the question begin, the root's last; None if broken."""
    at, starts = HEADER.size, [HEADER.size]
    while at < len(query) and (length := query[at]):
        at += 1 + length
        if length > MAX_LABEL or at - HEADER.size >= MAX_NAME:
            return None
        starts.append(at)
    return starts if at + 1 + TAIL.size <= len(query) else None


def options(query: bytes, at: int, identity: bytes) -> bytes | None:
    """Return the OPT of the answer to a query with one; None if it is no such thing."""
    if len(query) < at + 1 + RECORD.size or query[at]:
        return None
    rdtype, _payload, ttl, length = RECORD.unpack_from(query, at + 1)
    start = at + 1 + RECORD.size
    if rdtype != OPT or start + length != len(query):
        return None
    asked = query[start:] == NSID  # the one option that we ask for (P-2.24)
    own = TAIL.pack(NSID_CODE, len(identity)) + identity if asked else b""
    return b"\0" + RECORD.pack(OPT, PAYLOAD, ttl & DO, len(own)) + own


class Datagrams(asyncio.DatagramProtocol):
    """UDP at one address."""

    def __init__(self, silent: Silent) -> None:
        self.silent = silent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers go back through."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer, if an answer is due."""
        if (reply := self.silent.answer(data)) is not None:
            self.transport.sendto(reply, addr)


class Stream(asyncio.Protocol):
    """One TCP connection: all questions that have come are answered together."""

    def __init__(self, silent: Silent) -> None:
        self.silent = silent
        self.waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers go back through."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer what is complete; whoever talks nonsense is hung up on."""
        replies = [self.silent.answer(query) for query in self._queries(data)]
        framed = (len(r).to_bytes(2) + r for r in replies if r is not None)
        self.transport.write(b"".join(framed))
        if None in replies or len(self.waiting) > 2 + MAX_QUERY:
            self.transport.close()

    def _queries(self, data: bytes) -> Iterator[bytes]:
        held, at = self.waiting + data, 0
        while len(held) >= at + 2:
            end = at + 2 + int.from_bytes(held[at : at + 2])
            if end > len(held):
                break
            yield held[at + 2 : end]
            at = end
        self.waiting = held[at:]

    def pause_writing(self) -> None:
        """Read no more from a client that does not read its answers."""
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self.transport.resume_reading()


async def serve(silent: Silent, addresses: Sequence[str], port: int) -> None:
    """Answer at these addresses until the process is ended."""
    loop = asyncio.get_running_loop()
    for address in addresses:
        await loop.create_datagram_endpoint(
            lambda: Datagrams(silent), local_addr=(address, port)
        )
        await loop.create_server(lambda: Stream(silent), address, port, backlog=BACKLOG)
    await loop.create_future()


if __name__ == "__main__":
    own_port, of_parent, of_hosts, *at_addresses = sys.argv[1:]
    asyncio.run(
        serve(Silent(of_parent, of_hosts.split(",")), at_addresses, int(own_port))
    )
