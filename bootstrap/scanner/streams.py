"""The way to one address over TCP: one pipelined connection, reopened as needed.

Queries share the connection, a bounded number under way (RFC 7766, section
6.2.1.1). A server that closes early is asked one thing at a time from then on;
what it left unanswered is asked once more without counting as an attempt.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from bootstrap.core.evaluation.observations import Trouble

from . import wire
from .connections import Connection, Waiter
from .datagrams import Attempt
from .pacing import Breaker, Bucket, Limits
from .sockets import NoSocket, trouble_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What a pipe needs of its surroundings.

    `enter` waits for a place among the sockets, `leave` gives it back, `offer`
    says that an idle connection may be closed, `withdraw` that it may not.
    """

    enter: Callable[[], Awaitable[None]]
    leave: Callable[[], None]
    dial: Callable[[], Awaitable[socket.socket]]
    offer: Callable[[Callable[[], None]], None]
    withdraw: Callable[[Callable[[], None]], None]


@dataclass(slots=True, eq=False, kw_only=True)
class Single(Waiter):
    """A query whose asker wants to know all that happened to it."""

    done: asyncio.Future[Attempt]
    begun: Callable[[], None]

    @property
    def is_settled(self) -> bool:
        """Nobody waits any more."""
        return self.done.done()

    def started(self) -> None:
        """Let the asker know that waiting for others begins."""
        self.begun()

    def settle(
        self, received: bytes | None = None, trouble: Trouble | None = None
    ) -> None:
        """Give the asker what came of it, if he still waits."""
        if not self.done.done():
            self.done.set_result(Attempt(self.sent, received, trouble, junk=self.junk))


class Survey:
    """Many questions to one server: what came, in their order, and one future."""

    def __init__(self, count: int) -> None:
        self.found: list[bytes | None] = [None] * count
        self.missing = count
        self.done = asyncio.get_running_loop().create_future()

    def take(self, place: int, packet: bytes | None) -> None:
        """Note what came of one question."""
        self.found[place] = packet
        self.missing -= 1
        if not self.missing and not self.done.done():
            self.done.set_result(None)


@dataclass(slots=True, eq=False, kw_only=True)
class Item(Waiter):
    """A query of a survey: an answer or none, and no word about why."""

    survey: Survey
    place: int
    is_taken: bool = False

    @property
    def is_settled(self) -> bool:
        """It has its answer, or the survey was given up."""
        return self.is_taken or self.survey.done.done()

    def started(self) -> None:
        """Note nothing: a survey has no clock that stands still."""

    def settle(
        self,
        received: bytes | None = None,
        trouble: Trouble | None = None,  # noqa: ARG002 - as every waiter
    ) -> None:
        """Give the survey its answer, once."""
        if not self.is_taken:
            self.is_taken = True
            self.survey.take(self.place, received)


class Pipe:
    """The way to one address over TCP: at most one connection at a time."""

    def __init__(self, way: Way, limits: Limits, breaker: Breaker) -> None:
        self._way = way
        self._limits = limits
        self._breaker = breaker
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Waiter] = deque()
        self._connection: Connection | None = None
        self._opening: asyncio.Task[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._depth = limits.pipeline
        self._one_each = False
        self._is_closing = False
        self.source = ""

    @property
    def is_open(self) -> bool:
        """A connection is there."""
        return self._connection is not None

    @property
    def is_unused(self) -> bool:
        """No connection is there and nobody waits for one."""
        return self._connection is None and self._opening is None

    async def exchange(
        self, asked: wire.Question, within: float, started: Callable[[], None]
    ) -> Attempt:
        """Ask over the connection; never raises for what the server does."""
        done: asyncio.Future[Attempt] = self._loop.create_future()
        self._queue.append(Single(asked, within, done=done, begun=started))
        self._pump()
        return await done

    async def survey(
        self, asked: Sequence[wire.Question], within: float, bucket: Bucket
    ) -> list[bytes | None]:
        """Ask many things once each; return what came, in the order of asking."""
        survey = Survey(len(asked))
        items: Iterable[Item] = (
            Item(one, within, survey=survey, place=place)
            for place, one in enumerate(asked)
        )
        if bucket.is_free:
            self._queue.extend(items)
            self._pump()
        else:
            for item in items:
                await bucket.draw()
                self._queue.append(item)
                self._pump()
        if asked:
            await survey.done
        return survey.found

    async def aclose(self) -> None:
        """Close the connection; whoever waits is told that it was closed."""
        self._is_closing = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._connection is not None:
            self._connection.close()
        self._fail_queue(Trouble.TCP_CLOSED)

    def _pump(self) -> None:
        connection = self._connection
        if connection is None:
            self._reopen()
            return
        while self._queue and connection.depth < self._depth:
            if self._one_each and connection.answered:
                if not connection.depth:
                    connection.close()
                return
            waiter = self._queue.popleft()
            if not waiter.is_settled:
                connection.send(waiter)
        self._rest(connection)

    def _reopen(self) -> None:
        if not self._queue or self._opening is not None:
            return
        known = self._breaker.verdict(self._loop.time())
        if self._is_closing:
            known = Trouble.TCP_CLOSED
        if known is not None:
            self._fail_queue(known)
            return
        self._opening = self._loop.create_task(self._open())

    def _rest(self, connection: Connection) -> None:
        is_idle = not connection.depth and not self._queue
        if is_idle and self._expiry is None:
            self._expiry = self._loop.call_later(self._limits.idle, connection.close)
            self._way.offer(connection.close)
        elif not is_idle:
            self._rouse(connection)

    def _rouse(self, connection: Connection) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
            self._way.withdraw(connection.close)

    async def _open(self) -> None:
        try:
            await self._way.enter()
            made = await self._dial()
        finally:
            self._opening = None
        if made is not None:
            self._connection = Connection(
                made, self._limits, self._on_closed, self._pump
            )
            self.source = self._connection.source()
        self._pump()

    async def _dial(self) -> socket.socket | None:
        """Return a connected socket, or fail everybody who waits for it."""
        made = None
        try:
            for waiter in self._queue:
                waiter.started()
            made = await connected(await self._way.dial(), self._limits.connect)
        except NoSocket as exc:
            ours = exc.trouble in {Trouble.FORBIDDEN, Trouble.NO_EGRESS}
            self._note_failure(exc.trouble, certain=ours)
            self._fail_queue(exc.trouble)
        finally:
            if made is None:
                self._way.leave()
        return made

    def _note_failure(self, trouble: Trouble, *, certain: bool = False) -> None:
        # A connection stands for many queries: three in vain make it dead.
        weight = self._limits.dead_after
        if not certain:
            weight = -(-weight // self._limits.attempts)
        self._breaker.failed(trouble, self._loop.time(), weight=weight)

    def _fail_queue(self, trouble: Trouble) -> None:
        waiting, self._queue = self._queue, deque()
        for waiter in waiting:
            waiter.settle(None, trouble)

    def _on_closed(self, left: list[Waiter], trouble: Trouble) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._rouse(connection)
            self._learn(connection, left, trouble)
        self._way.leave()
        for waiter in reversed(left):
            if waiter.requeued or self._is_closing:
                waiter.settle(None, trouble)
            else:
                waiter.requeued = True
                self._queue.appendleft(waiter)
        self._pump()

    def _learn(
        self, connection: Connection, left: list[Waiter], trouble: Trouble
    ) -> None:
        """Draw conclusions for the next connection from the end of this one."""
        if connection.answered:
            self._breaker.worked()
        elif left or trouble is not Trouble.TCP_CLOSED:
            self._note_failure(trouble)
        if trouble is Trouble.JUNK:
            for waiter in left:
                waiter.requeued = True
        elif connection.answered >= self._limits.pipeline:
            return  # it was glad to have many at once: idle for too long, or restarted
        elif trouble is Trouble.TCP_CLOSED and left:
            self._one_each = self._depth == 1 and connection.answered > 0
            self._depth = 1
            if not connection.answered:
                left[0].requeued = True  # nothing but this query can have been it


async def connected(made: socket.socket, within: float) -> socket.socket:
    """Return `made` once it is connected.

    Raises:
        NoSocket: refused, unreachable or silent; the socket is closed.
    """
    trouble = None
    try:
        async with asyncio.timeout(within):
            await _writable(made)
    except TimeoutError:
        trouble = Trouble.TIMEOUT
    except asyncio.CancelledError:
        made.close()
        raise
    code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        trouble = trouble_of(OSError(code, os.strerror(code)), made.family)
    if trouble is not None:
        made.close()
        raise NoSocket(trouble)
    return made


async def _writable(made: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def note() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_writer(made.fileno(), note)
    try:
        await ready
    finally:
        loop.remove_writer(made.fileno())
