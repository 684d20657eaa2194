"""An open TCP connection to a server: frames out, frames in, deadlines between.

Deadlines belong to the query and are absolute: octets that trickle in extend
nothing (S-12). What belongs to no query is counted and ignored (S-7).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bootstrap.core.evaluation.observations import Trouble

from . import wire
from .pacing import Limits

_LENGTH: Final = struct.Struct("!H")
_READ: Final = 65_536
_QUICKACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)
"""Linux has it."""


@dataclass(slots=True, eq=False)
class Waiter(ABC):
    """A query that waits for its turn or for its answer."""

    asked: wire.Question
    within: float
    sent: bytes = b""
    sent_at: float = 0.0
    due: float = 0.0
    junk: int = 0
    requeued: bool = False

    @property
    @abstractmethod
    def is_settled(self) -> bool:
        """Nobody waits any more."""

    @abstractmethod
    def started(self) -> None:
        """Note that waiting for others begins; called once or more (S-10)."""

    @abstractmethod
    def settle(
        self, received: bytes | None = None, trouble: Trouble | None = None
    ) -> None:
        """Give the asker what came of it, if he still waits."""


class Connection:
    """An open connection: frames out, frames in, ids and deadlines between."""

    def __init__(
        self,
        made: socket.socket,
        limits: Limits,
        closed: Callable[[list[Waiter], Trouble], None],
        freed: Callable[[], None],
    ) -> None:
        self._socket = made
        self._limits = limits
        self._closed = closed
        self._freed = freed
        self._loop = asyncio.get_running_loop()
        self._pending: dict[int, Waiter] = {}
        self._late: set[int] = set()
        self._out = bytearray()
        self._in = bytearray()
        self._junk = 0
        self._flushing = False
        self._writing = False
        self._timer: asyncio.TimerHandle | None = None
        self._heard_at = 0.0
        self.answered = 0
        self.is_open = True
        self._loop.add_reader(made.fileno(), self._readable)

    @property
    def depth(self) -> int:
        """How many queries are under way."""
        return len(self._pending)

    def source(self) -> str:
        """Return our address on this connection."""
        return str(self._socket.getsockname()[0])

    def send(self, waiter: Waiter) -> None:
        """Put a query on the connection."""
        ident = wire.new_id()
        while ident in self._pending or ident in self._late:
            ident = wire.new_id()
        waiter.sent = waiter.asked.message(ident)
        waiter.sent_at = self._loop.time()
        waiter.due = waiter.sent_at + waiter.within
        waiter.started()
        self._pending[ident] = waiter
        self._out += _LENGTH.pack(len(waiter.sent)) + waiter.sent
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)
        self._watch(waiter.due)

    def close(self, trouble: Trouble = Trouble.TCP_CLOSED) -> None:
        """Close, and hand back what is unanswered."""
        if not self.is_open:
            return
        self.is_open = False
        self._loop.remove_reader(self._socket.fileno())
        if self._writing:
            self._loop.remove_writer(self._socket.fileno())
        if self._timer is not None:
            self._timer.cancel()
        self._socket.close()
        left = [w for w in self._pending.values() if not w.is_settled]
        self._pending.clear()
        self._closed(left, trouble)

    def _flush(self) -> None:
        self._flushing = False
        if not self.is_open or self._writing:
            return
        self._write()

    def _write(self) -> None:
        try:
            count = self._socket.send(self._out)
        except BlockingIOError:
            count = 0
        except OSError:
            self.close()
            return
        del self._out[:count]
        if self._out and not self._writing:
            self._writing = True
            self._loop.add_writer(self._socket.fileno(), self._write)
        elif not self._out and self._writing:
            self._writing = False
            self._loop.remove_writer(self._socket.fileno())

    def _readable(self) -> None:
        try:
            octets = self._socket.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            self.close()
            return
        self._in += octets
        self._acknowledge()
        self._frames()

    def _acknowledge(self) -> None:
        """Tell the server at once that its answers have come.

        A server that waits for that before it sends more small answers (RFC 896)
        would wait for 40 ms: our kernel has nothing to send along. The option does
        not last, so it is set anew.
        """
        if _QUICKACK is not None:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _frames(self) -> None:
        start, have = 0, len(self._in)
        while have - start >= _LENGTH.size and self.is_open:
            (length,) = _LENGTH.unpack_from(self._in, start)
            end = start + _LENGTH.size + length
            if end > have:
                break
            self._take(bytes(self._in[start + _LENGTH.size : end]))
            start = end
        del self._in[:start]
        if start and self.is_open:
            self._freed()

    def _take(self, packet: bytes) -> None:
        ident = int.from_bytes(packet[:2], "big") if len(packet) > 1 else -1
        waiter = self._pending.get(ident)
        if waiter is None:
            if ident in self._late:
                self._late.discard(ident)
            else:
                self._wrong(next(iter(self._pending.values()), None))
        elif wire.match(packet, ident, waiter.asked, exact=False) is wire.Match.FOREIGN:
            self._wrong(waiter)
        else:
            del self._pending[ident]
            self.answered += 1
            self._heard_at = self._loop.time()
            waiter.settle(packet)

    def _wrong(self, victim: Waiter | None) -> None:
        self._junk += 1
        if victim is not None:
            victim.junk += 1
        if self._junk >= self._limits.junk:
            self.close(Trouble.JUNK)

    def _watch(self, due: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time()
        silent = False
        for ident, waiter in tuple(self._pending.items()):
            if waiter.due <= now:
                del self._pending[ident]
                self._late.add(ident)
                silent = silent or self._heard_at < waiter.sent_at
                waiter.settle(None, Trouble.JUNK if waiter.junk else Trouble.TIMEOUT)
        if silent:
            self.close(Trouble.TIMEOUT)
        elif self._pending:
            self._watch(min(waiter.due for waiter in self._pending.values()))
        if self.is_open:
            self._freed()
