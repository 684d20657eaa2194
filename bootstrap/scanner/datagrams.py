"""One UDP exchange: a fresh socket, one query, packets until the right one."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Final, Self

from bootstrap.core.dns import guard
from bootstrap.core.evaluation.observations import Trouble

from . import wire
from .sockets import trouble_of

_READ: Final = 65_535
_LINGER: Final = 0.02
"""Seconds in which the rest of a spray is counted after its first packet."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one try over one transport came to.

    Of `received` and `trouble` one is set, or neither when `over_tcp` says that
    UDP cannot settle this query: truncated, too long, or a near miss (S-8, S-9).
    """

    sent: bytes
    received: bytes | None = None
    trouble: Trouble | None = None
    over_tcp: bool = False
    junk: int = 0


class Datagram:
    """A query under way over UDP; a context manager that closes the socket.

    Packets that do not belong to the query never end it, they are counted; the
    first of them is reason enough to ask over TCP instead (S-7, S-9).
    """

    def __init__(
        self, made: socket.socket, asked: wire.Question, *, max_junk: int
    ) -> None:
        self._socket = made
        self._asked = asked.mixed()
        self._ident = wire.new_id()
        self._max_junk = max_junk
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[tuple[bytes | None, Trouble | None]]
        self._done = self._loop.create_future()
        self.sent = self._asked.message(self._ident)
        self.junk = 0

    def __enter__(self) -> Self:
        self._loop.add_reader(self._socket.fileno(), self._drain)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    async def answer(self, within: float) -> Attempt:
        """Send the query and return what came of it after at most `within` s."""
        timer = self._loop.call_later(within, self._settle, None, Trouble.TIMEOUT)
        try:
            self._socket.send(self.sent)
        except OSError as exc:
            self._settle(None, trouble_of(exc, self._socket.family))
        try:
            received, trouble = await self._done
            if self.junk and received is None:
                await asyncio.sleep(_LINGER)
        finally:
            timer.cancel()
        return Attempt(
            self.sent,
            received,
            trouble,
            over_tcp=received is None and trouble is None,
            junk=self.junk,
        )

    def _settle(self, received: bytes | None, trouble: Trouble | None) -> None:
        if not self._done.done():
            self._done.set_result((received, trouble))

    def _drain(self) -> None:
        while self.junk < self._max_junk:
            try:
                packet = self._socket.recv(_READ)
            except BlockingIOError:
                return
            except OSError as exc:
                self._settle(None, trouble_of(exc, self._socket.family))
                return
            self._take(packet)
        self._loop.remove_reader(self._socket.fileno())
        self._settle(None, None)

    def _take(self, packet: bytes) -> None:
        kind = wire.match(packet, self._ident, self._asked, exact=True)
        if kind is wire.Match.ANSWER and len(packet) > wire.UDP_PAYLOAD:
            kind = wire.Match.TRUNCATED  # no fragment is evidence (RFC 9715)
        if kind is wire.Match.ANSWER and _is_dear(packet):
            kind = wire.Match.FOREIGN
        if kind is wire.Match.FOREIGN:
            self.junk += 1  # one near miss sends the query over TCP (S-9)
        self._settle(packet if kind is wire.Match.ANSWER else None, None)


def _is_dear(packet: bytes) -> bool:
    try:
        guard.inspect(packet)
    except guard.Refused:
        return True
    return False
