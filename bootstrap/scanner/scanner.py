"""The eyes: runs the plan of a case and returns everything that was seen.

One `Scanner` serves one shard in one event loop: many evaluations at once share
its connections and what its resolver remembers. It is free of decisions: what to
ask is the plan's, what it means is the verdict's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Self

from bootstrap.core.dns.hints import Hints
from bootstrap.core.dns.names import Name
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.glance import Glance, Routine
from bootstrap.core.evaluation.observations import Observation, Trouble
from bootstrap.core.evaluation.plan import next_questions
from bootstrap.core.evaluation.proofs import Sights
from bootstrap.core.evaluation.queries import Lookup, Plan, Query

from .discovery import Bounds, Explorer, Signals
from .egress import Egress
from .errands import Errand
from .pacing import UNLIMITED, Allowance, Limits, Pace
from .resolver import Resolver
from .runner import Transport, ask_all
from .stage import StageOne
from .transport import Site, SocketTransport


class Scanner:
    """Observes children; use it as an asynchronous context manager.

    `clock` gives the moments of observations; a case is validated at its own
    time, other look-ups at that of the clock.
    `transport` replaces the sockets, for a replay.
    """

    def __init__(  # noqa: PLR0913 - the settings of a site, each with its own name
        self,
        *,
        hints: Hints,
        anchors: tuple[Anchor, ...],
        clock: Callable[[], datetime],
        egress: Egress | None = None,
        pace: Pace | None = None,
        lab_pace: Pace = UNLIMITED,
        limits: Limits | None = None,
        port: int = 53,
        sources: tuple[str, ...] = (),
        transport: Transport | None = None,
    ) -> None:
        self._hints = hints
        self._anchors = anchors
        self._clock = clock
        self._site = Site(
            egress=egress or Egress(),
            pace=pace or Pace(),
            lab_pace=lab_pace,
            limits=limits or Limits(),
            port=port,
            sources=sources,
        )
        self._sockets: SocketTransport | None = None
        self._given = transport

    async def __aenter__(self) -> Self:
        self._time = asyncio.get_running_loop().time
        transport = self._given
        if transport is None:
            transport = self._sockets = SocketTransport(self._site, clock=self._clock)
        self._transport = transport
        self._resolver = Resolver(
            transport,
            hints=self._hints,
            anchors=self._anchors,
            clock=self._clock,
            time=self._time,
        )
        if self._sockets is not None:
            self._stage = StageOne(self._resolver, self._sockets)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._sockets is not None:
            await self._sockets.aclose()

    async def observe(self, case: Case) -> tuple[Observation, ...]:
        """Return the observations of `case` and all that its plan still lacked.

        Never more than the budget of one evaluation (S-10); what it did not
        allow is there as `Trouble.LIMIT`.

        Raises:
            NoTrustAnchor: there is none in force to start from; our own fault.
        """
        allowance = self._allowance()
        errand = self._resolver.errand(allowance, case)
        seen = {id(o): o for o in case.observations}
        sights = Sights(case)
        step = next_questions(case, sights.prove)
        for _ in range(self._site.limits.rounds):
            if not step:
                break
            found = await self._run(step, errand, allowance)
            fresh = {id(o): o for o in found if id(o) not in seen}
            if not fresh:
                break  # asking again would bring the same
            seen |= fresh
            sights.add(fresh.values())
            case = replace(case, observations=tuple(seen.values()))
            step = next_questions(case, sights.prove)
        return (*seen.values(), *self._refused(step))

    async def glance(self, routines: Sequence[Routine]) -> list[Glance | None]:
        """Return what is kept of scans that may end early, in order; None on doubt.

        All of them have the same nameservers and the same policy.

        Raises:
            NoTrustAnchor: there is none in force to start from; our own fault.
            TypeError: this scanner has no sockets: it replays.
        """
        if self._sockets is None:
            raise TypeError("a replay has nobody to glance at")
        return await self._stage.look(routines, self._allowance())

    async def ask(self, queries: Iterable[Query]) -> tuple[Observation, ...]:
        """Put queries to servers; the order out is the order in."""
        return await ask_all(self._transport, queries)

    async def lookup(self, lookups: Iterable[Lookup]) -> tuple[Observation, ...]:
        """Look names up from the root; each packet of the chains comes once.

        Raises:
            NoTrustAnchor: there is none in force to start from; our own fault.
        """
        errand = self._resolver.errand(self._allowance())
        await asyncio.gather(*(self._resolver.lookup(one, errand) for one in lookups))
        return errand.observations

    async def signals(
        self, host: Name, parents: Sequence[Name], bounds: Bounds
    ) -> Signals:
        """Return which children of `parents` have a signal under `host`: hints.

        Raises:
            NoTrustAnchor: there is none in force to start from; our own fault.
            TypeError: this scanner has no sockets: it replays.
        """
        if self._sockets is None:
            raise TypeError("a replay has nobody to list signals")
        return await Explorer(self._resolver, self._sockets, bounds, parents).explore(
            host
        )

    def _allowance(self) -> Allowance:
        return Allowance(self._site.limits, self._time)

    async def _run(
        self, step: Plan, errand: Errand, allowance: Allowance
    ) -> tuple[Observation, ...]:
        allowed = [q for q in step.queries if allowance.take_address(q.server)]
        refused = [q for q in step.queries if q.server not in allowance.taken]
        answers, *_chains = await asyncio.gather(
            ask_all(self._transport, allowed, allowance=allowance),
            *(self._resolver.lookup(one, errand) for one in step.lookups),
        )
        limits = self._refused(Plan(queries=tuple(refused)))
        return (*errand.observations, *answers, *limits)

    def _refused(self, step: Plan) -> tuple[Observation, ...]:
        """Return the record of what the budget did not allow to be asked."""
        lookups = (Query("", x.name, x.name, x.rdtype) for x in step.lookups)
        return tuple(
            Observation(query, self._clock(), b"", None, Trouble.LIMIT, attempts=0)
            for query in (*step.queries, *lookups)
        )
