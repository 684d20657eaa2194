"""Listens for NOTIFY(CDS) over UDP and TCP, and answers once it was written down.

RFC 9859. What is heard is gathered for a moment and handed over together: a
flood costs one question to the database a moment, whatever its size (S-28).
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.notify import NoNotification, hear

_LENGTH: Final = struct.Struct("!H")
MOMENT: Final = 0.02
"""Seconds for which notifications are gathered."""
PENDING: Final = 5_000
"""Children gathered at most; beyond it, messages are answered and forgotten."""
CONNECTIONS: Final = 100
IDLE: Final = 10.0
"""Seconds a connection may be silent."""
BUFFER: Final = 2**20
"""Octets that may wait in the kernel while we write down."""

Senders = Mapping[Name, Sequence[str]]
"""Children, each with the addresses that named it."""
WriteDown = Callable[[Senders], Awaitable[None]]


@dataclass(slots=True)
class Tally:
    """What came so far, counted instead of logged one by one (P-6.18)."""

    counts: Counter[str] = field(default_factory=Counter)

    def take(self) -> dict[str, int]:
        """Return the counts and begin anew."""
        taken, self.counts = dict(self.counts), Counter()
        return taken


class Listener:
    """Hears notifications on given addresses; use it as a context manager.

    `write_down` makes jobs durable; an answer leaves only afterwards (P-6.13),
    or at once where no job is made. When it raises, nothing is answered, and
    the sender comes again.
    """

    def __init__(self, write_down: WriteDown) -> None:
        self._write_down = write_down
        self._waiting: dict[Name, dict[str, None]] = {}
        self._answers: list[Callable[[], None]] = []
        self._flush: asyncio.Task[None] | None = None
        self._open = 0
        self._servers: list[asyncio.Server] = []
        self._transports: list[asyncio.DatagramTransport] = []
        self.tally = Tally()

    async def listen(self, address: str, port: int) -> int:
        """Open UDP and TCP at an address; return the port, chosen when it was 0.

        Raises:
            OSError: the address is not ours, or the port is taken or forbidden.
        """
        loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connected, address, port)
        self._servers.append(server)
        chosen: int = server.sockets[0].getsockname()[1]
        transport, _protocol = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=(address, chosen)
        )
        self._transports.append(transport)
        return chosen

    async def aclose(self) -> None:
        """Close everything; what was heard is written down first."""
        for server in self._servers:
            server.close()
        if self._flush is not None:
            await self._flush
        for transport in self._transports:
            transport.close()
        for server in self._servers:
            await server.wait_closed()

    def heard(self, wire: bytes, sender: str, answer: Callable[[bytes], None]) -> None:
        """Take one message; `answer` sends the acknowledgement."""
        try:
            told = hear(wire)
        except NoNotification:
            self.tally.counts["discarded"] += 1
            return
        if told.child is None:
            self.tally.counts["refused"] += 1
            answer(told.answer)
            return
        self.tally.counts["heard"] += 1
        if told.child not in self._waiting and len(self._waiting) >= PENDING:
            self.tally.counts["overflow"] += 1
            answer(told.answer)  # P-6.15: acknowledged, no job
            return
        self._waiting.setdefault(told.child, {})[sender] = None
        self._answers.append(lambda: answer(told.answer))
        if self._flush is None:
            self._flush = asyncio.get_running_loop().create_task(self._after_a_moment())

    async def _after_a_moment(self) -> None:
        while self._waiting:
            await asyncio.sleep(MOMENT)
            waiting, self._waiting = self._waiting, {}
            answers, self._answers = self._answers, []
            try:
                await self._write_down(
                    {name: tuple(by) for name, by in waiting.items()}
                )
            except Exception:  # noqa: BLE001 - counted; the sender comes again
                self.tally.counts["failed"] += len(answers)
                continue
            for answer in answers:
                answer()
        self._flush = None

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._open >= CONNECTIONS:
            self.tally.counts["overflow"] += 1
            writer.close()
            return
        self._open += 1
        sender = str(writer.get_extra_info("peername")[0])
        try:
            async with asyncio.timeout(IDLE) as patience:
                while True:
                    (size,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
                    wire = await reader.readexactly(size)
                    self.heard(wire, sender, _framed(writer))
                    patience.reschedule(asyncio.get_running_loop().time() + IDLE)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            pass  # whoever leaves may leave
        finally:
            self._open -= 1
            await self._end(writer)

    async def _end(self, writer: asyncio.StreamWriter) -> None:
        """Close a connection behind the answers that are still due on it."""
        if self._flush is not None:
            await asyncio.wait([self._flush], timeout=IDLE)
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # It is one, although the library's own class does not say so.
        self._transport = cast("asyncio.DatagramTransport", transport)
        made = transport.get_extra_info("socket")
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._listener.heard(
            data, addr[0], lambda answer: self._transport.sendto(answer, addr)
        )


def _framed(writer: asyncio.StreamWriter) -> Callable[[bytes], None]:
    def answer(message: bytes) -> None:
        if not writer.is_closing():
            writer.write(_LENGTH.pack(len(message)) + message)

    return answer
