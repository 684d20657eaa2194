"""Nameservers that misbehave on purpose, on loopback (security.md 8.4).

A server is two functions: `udp` turns a query into the packets sent back, `tcp`
has a whole connection to itself. Both are ordinary code of the test.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Udp = Callable[[bytes], Iterable[bytes]]


@dataclass
class Peer:
    """The server's end of one TCP connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    server: HostileServer

    async def query(self) -> bytes:
        """Return the next query."""
        (length,) = struct.unpack("!H", await self.reader.readexactly(2))
        packet = await self.reader.readexactly(length)
        self.server.saw("tcp", packet)
        return packet

    def send(self, packet: bytes, *, length: int | None = None) -> None:
        """Send a message, with a length that may be a lie."""
        real = len(packet) if length is None else length
        self.writer.write(struct.pack("!H", real) + packet)

    def reset(self) -> None:
        """End the connection with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Tcp = Callable[[Peer], Awaitable[None]]


@dataclass
class HostileServer:
    """One address that answers as `udp` and `tcp` say; None does not listen."""

    udp: Udp | None = None
    tcp: Tcp | None = None
    address: str = "127.0.0.1"
    port: int = 0
    queries: list[tuple[str, bytes]] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    connections: int = 0
    took: float = 0.0

    def saw(self, over: str, packet: bytes) -> None:
        self.queries.append((over, packet))

    def count(self, over: str) -> int:
        return sum(1 for seen, _packet in self.queries if seen == over)

    async def __aenter__(self) -> HostileServer:
        loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        self._listener = socket.create_server(
            (self.address, self.port), family=family, backlog=1000
        )
        self.port = self._listener.getsockname()[1]
        self._server = None
        if self.tcp is None:
            self._listener.close()
        else:
            self._server = await asyncio.start_server(
                self._connected, sock=self._listener
            )
        self._transport = None
        if self.udp is not None:
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self), local_addr=(self.address, self.port)
            )
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._transport is not None:
            self._transport.close()
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        assert self.tcp is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(
                asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError
            ):
                await self.tcp(Peer(reader, writer, self))
        finally:
            self._tasks.discard(task)
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: HostileServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.saw("udp", data)
        self._server.ports.append(addr[1])
        assert self._server.udp is not None
        for packet in self._server.udp(data):
            self._transport.sendto(packet, addr)  # type: ignore[attr-defined]


# -- answers -------------------------------------------------------------------


def answer(query: bytes, text: str = "192.0.2.80", *, aa: bool = True) -> bytes:
    """Return an honest answer: one A record, whatever was asked."""
    message = dns.message.make_response(dns.message.from_wire(query))
    if aa:
        message.flags |= dns.flags.AA
    name = message.question[0].name
    message.answer.append(dns.rrset.from_text(name, 60, "IN", "A", text))
    return message.to_wire()


def error(query: bytes, rcode: dns.rcode.Rcode) -> bytes:
    """Return an error that echoes the question."""
    message = dns.message.make_response(dns.message.from_wire(query))
    message.set_rcode(rcode)
    return message.to_wire()


def bare_error(query: bytes, rcode: int) -> bytes:
    """Return a header alone, as servers do that know no EDNS."""
    return query[:2] + struct.pack("!HHHHH", 0x8000 | rcode, 0, 0, 0, 0)


def truncated(query: bytes) -> bytes:
    """Return an answer with TC=1 and, against the rules, records in it."""
    return with_flags(answer(query, "192.0.2.66"), set_=0x0200)


def with_flags(packet: bytes, *, set_: int = 0, clear: int = 0) -> bytes:
    (flags,) = struct.unpack("!H", packet[2:4])
    return packet[:2] + struct.pack("!H", (flags | set_) & ~clear) + packet[4:]


def with_id(packet: bytes, shift: int = 1) -> bytes:
    (ident,) = struct.unpack("!H", packet[:2])
    return struct.pack("!H", (ident + shift) & 0xFFFF) + packet[2:]


def other_question(query: bytes) -> bytes:
    message = dns.message.from_wire(query)
    other = dns.message.make_query("elsewhere.example.", "A", use_edns=True)
    other.id = message.id
    return answer(other.to_wire())


def other_case(query: bytes) -> bytes:
    """Return the answer with the question in lower case."""
    packet = bytearray(answer(query))
    end = 12 + len(dns.message.from_wire(query).question[0].name.to_wire() or b"")
    packet[12:end] = bytes(packet[12:end]).lower()
    return bytes(packet)


def bomb(query: bytes) -> bytes:
    """Return a legal message that is dear to parse (F-1): thousands of records."""
    message = dns.message.from_wire(query)
    head = struct.pack("!HHHHHH", message.id, 0x8400, 1, 1200, 0, 0)
    end = 12 + len(message.question[0].name.to_wire() or b"") + 4
    record = struct.pack("!HHHIH", 0xC00C, 2, 1, 60, 2) + b"\xc0\x0c"
    return head + query[12:end] + record * 1200


def big(query: bytes, octets: int) -> bytes:
    """Return an honest answer of about `octets` octets."""
    message = dns.message.make_response(dns.message.from_wire(query))
    message.flags |= dns.flags.AA
    name = message.question[0].name
    texts = [f'"{number:03d}{"x" * 200}"' for number in range(octets // 220)]
    message.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *texts))
    return message.to_wire(max_size=65_535)


# -- behaviours over UDP -------------------------------------------------------


def honest(query: bytes) -> list[bytes]:
    return [answer(query)]


def silent(_query: bytes) -> list[bytes]:
    return []


def sprayed(query: bytes) -> list[bytes]:
    """Fifty wrong packets, and then the right one (S-7)."""
    good = answer(query)
    wrong = [
        with_id(good),
        good[:7],
        with_flags(good, clear=0x8000),
        other_question(query),
        bomb(query)[:1200],
    ]
    return [*wrong * 10, good]


# -- behaviours over TCP -------------------------------------------------------


def replying(make: Callable[[bytes], bytes]) -> Tcp:
    """Answer each query with what `make` makes of it."""

    async def tcp(peer: Peer) -> None:
        while True:
            peer.send(make(await peer.query()))

    return tcp


tcp_honest = replying(answer)


async def tcp_silent(peer: Peer) -> None:
    """Accept, read, and say nothing."""
    while True:
        await peer.query()


async def tcp_closing(_peer: Peer) -> None:
    """Accept and close."""


async def tcp_reset(peer: Peer) -> None:
    """Accept, read a query, and reset."""
    await peer.query()
    peer.reset()


async def tcp_mid_message(peer: Peer) -> None:
    """Close in the middle of the answer."""
    packet = answer(await peer.query())
    peer.send(packet[:20], length=len(packet))
    await peer.writer.drain()


async def tcp_trickle(peer: Peer) -> None:
    """Send the length and then an octet every 20 ms, for ever."""
    packet = answer(await peer.query())
    peer.writer.write(struct.pack("!H", 4000))
    for octet in packet * 100:
        peer.writer.write(bytes([octet]))
        await peer.writer.drain()
        await asyncio.sleep(0.02)


def tcp_lying(length: Callable[[int], int]) -> Tcp:
    """Send right answers with wrong lengths."""

    async def tcp(peer: Peer) -> None:
        while True:
            packet = answer(await peer.query())
            peer.send(packet, length=length(len(packet)))

    return tcp


async def tcp_several(peer: Peer) -> None:
    """Send answers to questions that nobody asked before the right one."""
    while True:
        query = await peer.query()
        for shift in (1, 2, 3):
            peer.send(with_id(answer(query, "192.0.2.66"), shift))
        peer.send(b"")
        peer.send(answer(query))


async def tcp_flood(peer: Peer) -> None:
    """Send wrong answers without end."""
    packet = with_id(answer(await peer.query()), 7)
    while True:
        peer.send(packet)
        await peer.writer.drain()
        await asyncio.sleep(0)


async def tcp_backwards(peer: Peer) -> None:
    """Answer in reverse order of asking, what arrives within 50 ms."""
    queries: list[bytes] = []
    while True:
        try:
            async with asyncio.timeout(0.05):
                queries.append(await peer.query())
        except TimeoutError:
            for query in reversed(queries):
                peer.send(answer(query))
            queries = []


async def tcp_one_each(peer: Peer) -> None:
    """Answer one query and close: a server that knows no pipelining."""
    peer.send(answer(await peer.query()))
    await peer.writer.drain()


async def tcp_lossy(peer: Peer) -> None:
    """Answer all types but CDS: a middlebox that drops what it does not know."""
    while True:
        query = await peer.query()
        if dns.message.from_wire(query).question[0].rdtype != 59:
            peer.send(answer(query))
