"""Puts queries to servers over UDP and TCP and records what comes back.

An observation is a fact: nothing is judged here, nothing is raised for what a
server does, and whatever happens ends within the limits (S-6 to S-14).
"""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_interface
from typing import Final, Literal

from bootstrap.core.evaluation.observations import Observation, Trouble
from bootstrap.core.evaluation.queries import Carrier, Query

from . import wire
from .datagrams import Attempt, Datagram
from .egress import Egress
from .pacing import UNLIMITED, Allowance, Breaker, Bucket, Limits, Pace, Room
from .sockets import Exhausted, NoSocket, Sockets, room_for_sockets
from .streams import Pipe, Way, connected

Over = Literal["udp", "tcp"]

_SHORTAGE: Final = 0.05
"""Seconds between tries while the system has no descriptor left."""
_LANES: Final = 20_000
"""Addresses remembered before unused ones are forgotten."""


@dataclass(slots=True)
class Lane:
    """All that is known about one address, and its share of everything."""

    rooms: tuple[Room, ...]
    bucket: Bucket
    breakers: dict[Over, Breaker]
    pipe: Pipe

    async def enter(self) -> None:
        """Take a socket's place at the address, in its network and in all."""
        await _enter(self.rooms)

    def leave(self) -> None:
        """Give it back."""
        _leave(self.rooms)


class Trip:
    """One query on its way to becoming an observation."""

    def __init__(self, query: Query, at: datetime, time: Callable[[], float]) -> None:
        self.query = query
        self._at = at
        self._time = time
        self._since = time()
        self._sent = b""
        self._junk = 0
        self.attempts = 0
        self.source = ""
        self.over: Over = "udp" if query.carrier is Carrier.ANY else "tcp"

    def depart(self, at: datetime) -> None:
        """Note that a packet is about to be sent."""
        self._at = at
        self._since = self._time()
        self.attempts += 1

    def note(self, attempt: Attempt) -> None:
        """Add what one attempt came to."""
        self._sent = attempt.sent or self._sent
        self._junk += attempt.junk

    def end(
        self, received: bytes | None = None, trouble: Trouble | None = None
    ) -> Observation:
        """Return the record."""
        return Observation(
            self.query,
            self._at,
            self._sent,
            received,
            trouble,
            transport=self.over,
            elapsed_us=round((self._time() - self._since) * 1_000_000),
            attempts=self.attempts,
            source=self.source,
            junk=self._junk,
        )


class Start:
    """The moment at which a query stops waiting for us and waits for others.

    Until `now` is called the evaluation's clock stands still (S-13).
    """

    def __init__(
        self, trip: Trip, clock: Callable[[], datetime], allowance: Allowance | None
    ) -> None:
        self._trip: Trip | None = trip
        self._clock = clock
        self._allowance = allowance
        if allowance is not None:
            allowance.hold()

    def now(self) -> None:
        """Note that the first packet is about to leave; repeats do no harm."""
        trip, self._trip = self._trip, None
        if trip is not None:
            trip.depart(self._clock())
            self.abandon()

    def abandon(self) -> None:
        """Let the clock run, whether anything left or not."""
        allowance, self._allowance = self._allowance, None
        if allowance is not None:
            allowance.resume()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where we stand: what we may reach, from which addresses, and how hard.

    `pace` is what the Internet has to bear, `lab_pace` what the networks opened
    in `egress.allowed` have (S-13). `port` is the port of all servers.
    """

    egress: Egress = field(default_factory=Egress)
    pace: Pace = field(default_factory=Pace)
    lab_pace: Pace = UNLIMITED
    limits: Limits = field(default_factory=Limits)
    port: int = 53
    sources: tuple[str, ...] = ()


class SocketTransport:
    """A `Transport` over real sockets; belongs to one event loop.

    `clock` gives the moments of observations.
    """

    def __init__(self, site: Site, *, clock: Callable[[], datetime]) -> None:
        self._site = site
        self._limits = site.limits
        self._clock = clock
        self._sockets = Sockets(site.egress, site.port, site.sources)
        self._total = Room(room_for_sockets(site.limits.sockets))
        self._networks: dict[str, Room] = {}
        self._lanes: dict[str, Lane] = {}
        self._is_closed = False

    async def ask(
        self,
        query: Query,
        *,
        allowance: Allowance | None = None,
        attempts: int | None = None,
    ) -> Observation:
        """Return what came back; never raises for what happens on the way."""
        trip = Trip(query, self._clock(), asyncio.get_running_loop().time)
        if self._site.egress.objection(query.server) is not None:
            return trip.end(None, Trouble.FORBIDDEN)
        if self._is_closed:
            return trip.end(None, Trouble.TCP_CLOSED)
        tries = min(attempts or self._limits.attempts, self._limits.attempts)
        lane = self._lane(query.server)
        met: Trouble | None = None
        for over in _ways(query.carrier, is_open=lane.pipe.is_open):
            trip.over = over
            received, trouble = await self._try(lane, trip, tries, allowance)
            met = trouble or met
            if received is not None or trouble is Trouble.LIMIT:
                return trip.end(received, trouble)
            if over == "udp" and trouble is not None:
                break
        return trip.end(None, met or Trouble.TCP_CLOSED)

    async def survey(
        self, address: str, asked: Sequence[wire.Question]
    ) -> list[bytes | None]:
        """Ask one server many things over TCP, once each; return what came, in order.

        It keeps to the pace of the address. Why there is no answer is not told:
        whoever needs to know asks again, one by one.
        """
        if self._is_closed or self._site.egress.objection(address) is not None:
            return [None] * len(asked)
        lane = self._lane(address)
        return await lane.pipe.survey(asked, self._limits.exchange, lane.bucket)

    def shuns(self, address: str) -> bool:
        """Say whether asking `address` now is known to be in vain."""
        if self._site.egress.objection(address) is not None:
            return True
        lane = self._lanes.get(address)
        now = asyncio.get_running_loop().time()
        return lane is not None and any(
            breaker.verdict(now) for breaker in lane.breakers.values()
        )

    @asynccontextmanager
    async def connection(self, address: str) -> AsyncIterator[socket.socket]:
        """Give a connected stream socket for a conversation of its own: a transfer.

        It keeps to the pace of the address like any other.

        Raises:
            NoSocket: forbidden, refused, unreachable or silent.
        """
        lane = self._lane(address)
        await lane.enter()
        try:
            await lane.bucket.draw()
            made = await self._made(self._sockets.tcp, address)
            with await connected(made, self._limits.connect) as ready:
                yield ready
        finally:
            lane.leave()

    async def aclose(self) -> None:
        """Close all connections; queries under way end as TCP_CLOSED."""
        self._is_closed = True
        for lane in self._lanes.values():
            await lane.pipe.aclose()
        self._lanes.clear()

    async def _try(
        self, lane: Lane, trip: Trip, tries: int, allowance: Allowance | None
    ) -> tuple[bytes | None, Trouble | None]:
        """Return an answer, a trouble, or two None when only TCP can tell."""
        breaker = lane.breakers[trip.over]
        loop = asyncio.get_running_loop()
        trouble: Trouble | None = None
        for _ in range(tries):
            known = breaker.verdict(loop.time())
            if known is not None:
                return None, trouble or known
            if allowance is not None and not allowance.take_query():
                return None, Trouble.LIMIT
            attempt = await self._attempt(lane, trip, allowance)
            trip.note(attempt)
            if attempt.received is not None:
                breaker.worked()
                if allowance is not None:
                    allowance.octets += len(attempt.received)
                return attempt.received, None
            if attempt.over_tcp:
                return None, None
            trouble = attempt.trouble
            if trip.over == "udp" and trouble is not None:
                breaker.failed(trouble, loop.time(), weight=self._weight(trouble))
        return None, trouble

    def _weight(self, trouble: Trouble) -> int:
        return self._limits.dead_after if trouble is Trouble.NO_EGRESS else 1

    async def _attempt(
        self, lane: Lane, trip: Trip, allowance: Allowance | None
    ) -> Attempt:
        within = self._limits.exchange
        if allowance is not None:
            within = max(0.001, min(within, allowance.remaining))
        start = Start(trip, self._clock, allowance)
        try:
            await lane.bucket.draw()
            asked = wire.question(trip.query.name, trip.query.rdtype)
            if trip.over == "udp":
                return await self._datagram(lane, trip, asked, within, start)
            attempt = await lane.pipe.exchange(asked, within, start.now)
            trip.source = lane.pipe.source
            return attempt
        finally:
            start.abandon()

    async def _datagram(
        self, lane: Lane, trip: Trip, asked: wire.Question, within: float, start: Start
    ) -> Attempt:
        await lane.enter()
        try:
            known = lane.breakers["udp"].verdict(asyncio.get_running_loop().time())
            if known is not None:  # found out while we waited for a place
                return Attempt(b"", trouble=known)
            made = await self._made(self._sockets.udp, trip.query.server)
            trip.source = str(made.getsockname()[0])
            with Datagram(made, asked, max_junk=self._limits.junk) as datagram:
                start.now()
                return await datagram.answer(within)
        except NoSocket as exc:
            start.now()
            return Attempt(b"", trouble=exc.trouble)
        finally:
            lane.leave()

    async def _made(
        self, make: Callable[[str], socket.socket], address: str
    ) -> socket.socket:
        """Return a socket, waiting while the system has none left (S-14)."""
        while True:
            try:
                return make(address)
            except Exhausted:
                if not self._total.shed():
                    await asyncio.sleep(_SHORTAGE)

    def _lane(self, address: str) -> Lane:
        lane = self._lanes.get(address)
        if lane is None:
            if len(self._lanes) >= _LANES:
                self._forget_unused()
            lane = self._lanes[address] = self._new_lane(address)
        return lane

    def _new_lane(self, address: str) -> Lane:
        is_lab = self._site.egress.is_laboratory(address)
        pace = self._site.lab_pace if is_lab else self._site.pace
        rooms = (
            Room(pace.sockets_per_address),
            self._network(address, pace),
            self._total,
        )
        limits = self._limits
        breakers: dict[Over, Breaker] = {
            over: Breaker(limits.dead_after, limits.failures_kept)
            for over in ("udp", "tcp")
        }
        way = Way(
            enter=functools.partial(_enter, rooms),
            leave=functools.partial(_leave, rooms),
            dial=functools.partial(self._made, self._sockets.tcp, address),
            offer=functools.partial(_offer, rooms),
            withdraw=functools.partial(_withdraw, rooms),
        )
        pipe = Pipe(way, limits, breakers["tcp"])
        return Lane(rooms, Bucket(pace.queries_a_second), breakers, pipe)

    def _network(self, address: str, pace: Pace) -> Room:
        prefix = 48 if ":" in address else 24
        key = str(ip_interface(f"{address}/{prefix}").network)
        room = self._networks.get(key)
        if room is None:
            room = self._networks[key] = Room(pace.sockets_per_network)
        return room

    def _forget_unused(self) -> None:
        for address, lane in tuple(self._lanes.items()):
            if lane.rooms[0].is_unused and lane.pipe.is_unused:
                del self._lanes[address]
        for key, room in tuple(self._networks.items()):
            if room.is_unused:
                del self._networks[key]


def _ways(carrier: Carrier, *, is_open: bool) -> tuple[Over, ...]:
    """Return the transports to try, in order.

    An open connection is cheaper and safer than a datagram; where there is
    none, UDP asks first and TCP settles what UDP cannot.
    """
    if carrier is Carrier.TCP:
        return ("tcp",)
    return ("tcp", "udp") if is_open else ("udp", "tcp")


async def _enter(rooms: tuple[Room, ...]) -> None:
    taken: list[Room] = []
    try:
        for room in rooms:
            await room.enter()
            taken.append(room)
    except BaseException:
        _leave(taken)
        raise


def _leave(rooms: Sequence[Room]) -> None:
    for room in reversed(rooms):
        room.leave()


def _offer(rooms: tuple[Room, ...], close: Callable[[], None]) -> None:
    for room in rooms:
        room.offer(close)


def _withdraw(rooms: tuple[Room, ...], close: Callable[[], None]) -> None:
    for room in rooms:
        room.withdraw(close)
