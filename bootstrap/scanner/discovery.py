"""Which children have a signal under a nameserver, as its operator's zone lists them.

A transfer, where it is allowed, or a walk along the NSEC chain. What comes out
are hints (P-1.41): they save questions and prove nothing. Both have an end
whatever the other side does (P-1.42).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, unique

from bootstrap.core.dns.messages import Malformed, Rcode, Response, read
from bootstrap.core.dns.names import Name, canonical, is_within, signaling_domain
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dns.signaling import Ending, child_at, step
from bootstrap.core.evaluation.observations import Observation
from bootstrap.core.evaluation.queries import Lookup, Query

from .resolver import Resolver
from .sockets import NoSocket
from .transfers import NoTransfer, owners
from .transport import SocketTransport


@unique
class Way(StrEnum):
    """How a list came about."""

    TRANSFER = "transfer"
    WALK = "walk"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Where one list ends: names, seconds, octets of a transfer (P-1.42)."""

    names: int = 50_000
    wall: float = 120.0
    octets: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Signals:
    """The children that one nameserver's signaling domain lists, and how we know.

    `queries` counts the questions after the look-up of the zone.
    """

    host: Name
    children: tuple[Name, ...]
    way: Way
    ending: Ending
    queries: int


@dataclass(frozen=True, slots=True)
class Start:
    """Who serves the signaling domain, and what was said at the first name."""

    server: str
    zone: Name
    response: Response


class Explorer:
    """Lists the signals of one nameserver for children of `parents`."""

    def __init__(
        self,
        resolver: Resolver,
        transport: SocketTransport,
        bounds: Bounds,
        parents: Sequence[Name],
    ) -> None:
        self._resolver = resolver
        self._transport = transport
        self._bounds = bounds
        self._parents = tuple(parents)
        self._children: dict[Name, None] = {}
        self._queries = 0

    async def explore(self, host: Name) -> Signals:
        """Return what can be listed; a failure is an ending, never an exception.

        Raises:
            NoTrustAnchor: there is none in force to start from; our own fault.
        """
        way, ending = Way.NONE, Ending.SILENT
        try:
            async with asyncio.timeout(self._bounds.wall):
                found = await self._start(host)
                if isinstance(found, Ending):
                    ending = found
                elif await self._transfer(host, found):
                    way, ending = Way.TRANSFER, Ending.COMPLETE
                else:
                    way = Way.WALK
                    self._children.clear()
                    ending = await self._walk(host, found)
        except TimeoutError:
            ending = Ending.LIMIT
        return Signals(host, tuple(self._children), way, ending, self._queries)

    async def _start(self, host: Name) -> Start | Ending:
        """Find who serves the signaling domain, from the root."""
        first = below(self._parents[0], host)
        observations = await self._resolver.lookup(Lookup(first, RdataType.NSEC))
        ending = Ending.SILENT
        for observation in reversed(observations):
            response = _read(observation)
            if response is None or not response.aa:
                continue
            query = observation.query
            if query.name == first and query.rdtype == RdataType.NSEC:
                return Start(query.server, query.zone, response)
            if response.rcode == Rcode.NXDOMAIN and is_within(first, query.name):
                ending = Ending.COMPLETE  # nothing is there, so no signal either
        return ending

    # -- along the chain -------------------------------------------------------

    async def _walk(self, host: Name, start: Start) -> Ending:
        ending = Ending.COMPLETE
        for parent in self._parents:
            within = below(parent, host)
            is_first = parent == self._parents[0]
            response = start.response if is_first else await self._put(start, within)
            ending = await self._along(host, start, within, response)
            if ending is not Ending.COMPLETE:
                break
        return ending

    async def _along(
        self, host: Name, start: Start, within: Name, response: Response | None
    ) -> Ending:
        at = within
        while len(self._children) < self._bounds.names:
            if response is None:
                return Ending.SILENT
            one = step(response, at, within)
            if one.next is None:
                return one.ending or Ending.SILENT
            at = one.next
            self._note(at, host)
            if self._queries >= self._bounds.names:
                break
            response = await self._put(start, at)
        return Ending.LIMIT

    async def _put(self, start: Start, name: Name) -> Response | None:
        self._queries += 1
        query = Query(start.server, start.zone, name, RdataType.NSEC)
        return _read(await self._transport.ask(query))

    def _note(self, name: Name, host: Name) -> None:
        child = child_at(name, host, self._parents)
        if child is not None:
            self._children[child] = None

    # -- by transfer -----------------------------------------------------------

    async def _transfer(self, host: Name, start: Start) -> bool:
        """Take the whole zone; False when it is not given, or not to its end."""
        self._queries += 1
        try:
            async for owner in owners(
                self._transport, start.server, start.zone, octets=self._bounds.octets
            ):
                self._note(owner, host)
        except (NoSocket, OSError, NoTransfer):
            return False  # nearly everybody refuses; the walk is next
        return True


def below(parent: Name, host: Name) -> Name:
    """Return the name above all signals of `parent`'s children under `host`."""
    return canonical(Name((*parent.labels[:-1], *signaling_domain(host).labels)))


def _read(observation: Observation) -> Response | None:
    query = observation.query
    if observation.received is None:
        return None
    try:
        return read(observation.received, query.name, query.rdtype)
    except Malformed:
        return None
