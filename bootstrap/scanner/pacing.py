"""How hard we may knock: sockets, queries a second, dead servers, one child's share.

Everything here waits or refuses; nothing sends. A server that is slow or dead
costs its own places only, so that it never holds back the others (S-12, S-13).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bootstrap.core.evaluation.observations import Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What one address and one network have to bear (S-13, P-1.71); None is unlimited.

    `sockets_per_network` stands for "per operator": addresses of one /24 or
    /48 share it, since a packet's destination shows its network and not whose
    name led there.
    """

    sockets_per_address: int | None = 2
    sockets_per_network: int | None = 8
    queries_a_second: float | None = 20.0


UNLIMITED: Final = Pace(
    sockets_per_address=64, sockets_per_network=None, queries_a_second=None
)
"""For laboratories; 64 keeps one dead server from taking all sockets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of an exchange and of an evaluation (S-10, S-12; protocol.md 10).

    Times are in seconds.
    """

    connect: float = 5.0
    exchange: float = 5.0
    attempts: int = 3
    """Of one query to one address over one transport (P-1.74)."""
    failures_kept: float = 60.0
    """How long a dead address is left alone (RFC 9520, section 3.2)."""
    dead_after: int = 6
    """Unanswered attempts in a row after which an address counts as dead."""
    pipeline: int = 32
    """Queries under way on one TCP connection (RFC 7766)."""
    idle: float = 10.0
    """How long an unused TCP connection is kept."""
    sockets: int = 1000
    """Of the whole process; lowered to what the system allows (S-14)."""
    junk: int = 200
    """Wrong packets after which an exchange is given up."""

    queries: int = 400
    addresses: int = 40
    wall: float = 120.0
    octets: int = 8 * 2**20
    rounds: int = 16
    """How often the plan of one evaluation may ask for more."""


class Allowance:
    """What is left of one evaluation's budget (S-10).

    Time counts while the evaluation waits for others, not while our own pace
    makes it wait: children queued at a busy server are not to blame.
    """

    def __init__(self, limits: Limits, time: Callable[[], float]) -> None:
        self._limits = limits
        self._time = time
        self._started = time()
        self._held = 0.0
        self._waiting = 0
        self._waiting_since = 0.0
        self.queries = 0
        self.octets = 0
        self.taken: set[str] = set()
        """Servers of the child that may be asked."""

    @property
    def remaining(self) -> float:
        """Seconds of waiting for others that are left."""
        now = self._time()
        held = self._held + (now - self._waiting_since if self._waiting else 0.0)
        return self._limits.wall - (now - self._started - held)

    def take_address(self, address: str) -> bool:
        """Count a server of the child; False when there are too many."""
        if address not in self.taken and len(self.taken) >= self._limits.addresses:
            return False
        self.taken.add(address)
        return True

    def take_query(self) -> bool:
        """Count one packet to be sent; False when the budget is used up."""
        if self.is_spent:
            return False
        self.queries += 1
        return True

    @property
    def is_spent(self) -> bool:
        """Nothing more may be asked."""
        return (
            self.queries >= self._limits.queries
            or self.octets >= self._limits.octets
            or self.remaining <= 0
        )

    def hold(self) -> None:
        """Stop the clock: our own pace makes the evaluation wait."""
        if not self._waiting:
            self._waiting_since = self._time()
        self._waiting += 1

    def resume(self) -> None:
        """Let the clock run again."""
        self._waiting -= 1
        if not self._waiting:
            self._held += self._time() - self._waiting_since


class Room:
    """So many sockets and no more; connections that are idle make way."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._used = 0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._idle: dict[Callable[[], None], None] = {}
        self._shedding = False

    @property
    def is_unused(self) -> bool:
        """Nobody is inside and nobody waits."""
        return not self._used and not self._waiters

    async def enter(self) -> None:
        """Take a place, once there is one; places go in the order of asking."""
        if self._limit is None or (not self._waiters and self._make_way()):
            self._used += 1
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._admit()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Give the place back."""
        self._used -= 1
        if not self._shedding:
            self._admit()

    def offer(self, close: Callable[[], None]) -> None:
        """Say that a connection inside is idle and how to close it."""
        self._idle[close] = None
        self._admit()

    def withdraw(self, close: Callable[[], None]) -> None:
        """Say that the connection is in use again, or closed."""
        self._idle.pop(close, None)

    def shed(self) -> bool:
        """Close the connection that is idle for longest; False without one."""
        if not self._idle:
            return False
        self._shedding = True
        try:
            next(iter(self._idle))()  # which leaves, and withdraws the offer
        finally:
            self._shedding = False
        return True

    def _make_way(self) -> bool:
        if self._limit is None:
            return True
        while self._used >= self._limit:
            if not self.shed():
                return False
        return True

    def _admit(self) -> None:
        while self._waiters and self._make_way():
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._used += 1
                waiter.set_result(None)


class Bucket:
    """Evenly spaced permits: at most `rate` a second (S-13)."""

    def __init__(self, rate: float | None) -> None:
        self._gap = 1 / rate if rate else 0.0
        self._next = 0.0

    @property
    def is_free(self) -> bool:
        """Permits cost no time at all."""
        return not self._gap

    async def draw(self) -> None:
        """Wait for the next permit."""
        if not self._gap:
            return
        loop = asyncio.get_running_loop()
        due = max(self._next, loop.time())
        self._next = due + self._gap
        await asyncio.sleep(due - loop.time())


@dataclass(slots=True)
class Breaker:
    """Remembers that an address is dead over one transport (RFC 9520, 3.2).

    After `after` unanswered attempts in a row it opens for `keep` seconds. Then
    one more silence opens it again, and one answer forgets everything.
    """

    after: int
    keep: float
    _silent: int = 0
    _until: float = 0.0
    _trouble: Trouble = field(default=Trouble.TIMEOUT)

    def verdict(self, now: float) -> Trouble | None:
        """Return what asking would meet, or None when asking is worth it."""
        return self._trouble if now < self._until else None

    def worked(self) -> None:
        """Note an answer."""
        self._silent = 0
        self._until = 0.0

    def failed(self, trouble: Trouble, now: float, *, weight: int = 1) -> None:
        """Note an unanswered attempt; a dead connection weighs for all on it."""
        self._silent += weight
        self._trouble = trouble
        if self._silent >= self.after:
            self._until = now + self.keep
