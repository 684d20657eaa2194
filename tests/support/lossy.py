"""A network that loses packets: a proxy in front of servers, with a seed (F-10, R-15).

It listens at the servers' own addresses, at another port, and passes on what comes
to the port behind. A datagram that is lost is gone, either way. A segment of TCP
that is lost is sent again, so it comes late. The draws are seeded; which packet
meets which draw depends on the order of arrival.
"""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

LARGEST: Final = 65_535
CHUNK: Final = 16_384
FORGOTTEN: Final = 12.0
"""Seconds after which nobody waits for the answer to a datagram any more."""
AGAIN: Final = 0.25
"""Seconds until a lost segment is sent once more."""
FIRST_AGAIN: Final = 1.0
"""The same for the first one of a connection (RFC 6298, section 2)."""


@dataclass(frozen=True, slots=True)
class Losses:
    """How many packets passed and how many were lost."""

    passed: int
    lost: int


class LossyNetwork:
    """The way to `addresses`: from `port` to `behind`; a context manager."""

    def __init__(
        self,
        addresses: Iterable[str],
        port: int,
        behind: int,
        *,
        loss: float,
        seed: int,
    ) -> None:
        self.addresses = sorted(addresses)
        self.port = port
        self.behind = behind
        self._loss = loss
        self._chance = random.Random(seed)  # noqa: S311 - a trial, repeated by its seed
        self._passed = self._lost = 0

    @property
    def losses(self) -> Losses:
        """Return what happened so far."""
        return Losses(self._passed, self._lost)

    def __enter__(self) -> Self:
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._main, args=(ready,), daemon=True)
        self._thread.start()
        ready.result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _main(self, ready: Future[None]) -> None:
        try:
            asyncio.run(self._serve(ready))
        except OSError as trouble:
            if ready.done():
                raise
            ready.set_exception(trouble)

    async def _serve(self, ready: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        doors = [self._open(address) for address in self.addresses]
        servers = [
            await asyncio.start_server(
                lambda r, w, a=address: self._connected(a, r, w),  # type: ignore[misc]
                address,
                self.port,
                backlog=1024,
            )
            for address in self.addresses
        ]
        ready.set_result(None)
        await self._ended.wait()
        for server in servers:
            server.close()
        for door in doors:
            self._loop.remove_reader(door.fileno())
            door.close()
        pumps = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    def _is_lost(self) -> bool:
        lost = self._chance.random() < self._loss
        self._lost += lost
        self._passed += not lost
        return lost

    # -- UDP ------------------------------------------------------------------

    def _open(self, address: str) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        door = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        door.bind((address, self.port))
        self._loop.add_reader(door.fileno(), self._arrived, address, door)
        return door

    def _arrived(self, address: str, door: socket.socket) -> None:
        with suppress(BlockingIOError):
            while True:
                packet, client = door.recvfrom(LARGEST)
                if not self._is_lost():
                    self._pass_on(address, door, packet, client)

    def _pass_on(
        self, address: str, door: socket.socket, packet: bytes, client: tuple[str, int]
    ) -> None:
        way = socket.socket(door.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        way.connect((address, self.behind))

        def end() -> None:
            timer.cancel()
            if way.fileno() >= 0:
                self._loop.remove_reader(way.fileno())
                way.close()

        def answered() -> None:
            with suppress(OSError):  # nobody behind, or nobody before us any more
                answer = way.recv(LARGEST)
                if not self._is_lost():
                    door.sendto(answer, client)
            end()

        timer = self._loop.call_later(FORGOTTEN, end)
        self._loop.add_reader(way.fileno(), answered)
        with suppress(OSError):
            way.send(packet)

    # -- TCP ------------------------------------------------------------------

    async def _connected(
        self, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._is_lost():
            await asyncio.sleep(FIRST_AGAIN)
        try:
            far_reader, far_writer = await asyncio.open_connection(address, self.behind)
        except OSError:
            writer.transport.abort()
            return
        there = asyncio.create_task(self._pump(reader, far_writer))
        back = asyncio.create_task(self._pump(far_reader, writer))
        await asyncio.gather(there, back)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while chunk := await reader.read(CHUNK):
                if self._is_lost():
                    await asyncio.sleep(AGAIN)
                writer.write(chunk)
                await writer.drain()
        except OSError:
            writer.transport.abort()
        finally:
            writer.close()
