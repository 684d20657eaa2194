"""Many evaluations side by side in one event loop: observe, then judge.

No row is read or written here. What goes wrong on our own side becomes an own
fault of the case, never a word about the child (S-46).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import (
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Protocol

from bootstrap.core.dns.names import ROOT, unrooted
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.anchors import Anchor, NoTrustAnchor
from bootstrap.core.evaluation import glance as stage_one
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.glance import Glance, Routine
from bootstrap.core.evaluation.observations import Observation, Trouble
from bootstrap.core.evaluation.queries import Lookup, Query
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome, Verdict, judge
from bootstrap.core.evidence.bundle import Clock

from . import confining

log = logging.getLogger("bootstrap.scanning")

MAX_JUMP: Final = timedelta(seconds=2)
"""Of the wall clock against a clock that nobody can set (S-43)."""
PROBE_EVERY: Final = 5.0
GROUP: Final = 64
"""Evaluations that are handed over together: writing many at once is cheaper."""
PATIENCE: Final = 0.5
"""Seconds that one which is done waits for others."""
ALLOCATIONS: Final = 100_000
"""Objects made between two looks of the cyclic garbage collector."""
CHUNK: Final = 64
"""Children of one set of nameservers that are looked at together in stage one."""
SILENCE: Final = frozenset({Trouble.TIMEOUT, Trouble.UNREACHABLE})


class Observer(Protocol):
    """As much of the scanner as an evaluation needs."""

    async def observe(self, case: Case) -> tuple[Observation, ...]:
        """Return all that the plan of `case` asks for."""
        ...

    async def glance(self, routines: Sequence[Routine]) -> list[Glance | None]:
        """Return what is kept of scans that may end early; None on doubt.

        All of them have the same nameservers and the same policy.
        """
        ...

    async def ask(self, queries: Iterable[Query]) -> tuple[Observation, ...]:
        """Return one observation for each query, in order."""
        ...

    async def lookup(self, lookups: Iterable[Lookup]) -> tuple[Observation, ...]:
        """Return every packet on the way from the root to the answers."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where evaluations run: eyes to open, anchors, root servers, clocks.

    `control` are addresses of root servers: when none of them answers either,
    silence is ours and not the child's (S-46).
    """

    eyes: Callable[[], AbstractAsyncContextManager[Observer]]
    anchors: tuple[Anchor, ...]
    control: tuple[str, ...]
    clock: Callable[[], datetime]
    ticks: Callable[[], float]
    clock_state: Callable[[], Clock | None] = lambda: None
    """How the clock stands to NTP's (P-8.7)."""
    at_once: int = 100
    skip_families: tuple[int, ...] = ()
    """Address families that this site lacks (P-2.23)."""
    cpu_seconds: float = 0.0
    """After so much computing without a pause the process ends (S-20); 0: never."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One evaluation from its case to its verdict."""

    key: int
    case: Case
    verdict: Verdict
    duration: timedelta
    glance: Glance | None = None
    """What stage one kept, where it was all that was needed."""
    clock: Clock | None = None


def evaluate_all(
    cases: Sequence[tuple[int, Case]],
    site: Site,
    *,
    routine: Mapping[int, Routine] = MappingProxyType({}),
) -> Generator[list[Judged], None, None]:
    """Evaluate cases, each under a key; yield them in groups as they complete.

    Those of the keys in `routine` may end after stage one; the others are whole.
    Closing the iterator early gives up what is still under way.
    """
    if not cases:
        return
    with _collecting_rarely(), asyncio.Runner() as runner:
        run = _Run(site, len(cases))
        with confining.watched(site.cpu_seconds):
            runner.run(run.start(cases, routine))
        try:
            while group := run.group_by(runner):
                yield group
        finally:
            with confining.watched(site.cpu_seconds):
                runner.run(run.end())


@contextlib.contextmanager
def _collecting_rarely() -> Iterator[None]:
    """Let the cyclic collector look less often: what evaluations make are trees.

    At its usual threshold it costs a sixth of a scan (performance.md 2).
    """
    usual = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


class _Run:
    """The evaluations of one call, between two turns of the loop."""

    def __init__(self, site: Site, missing: int) -> None:
        self.site = site
        self.missing = missing
        self.done: asyncio.Queue[Judged | BaseException] = asyncio.Queue()
        self.tasks: list[asyncio.Task[None]] = []
        self.places = asyncio.Semaphore(site.at_once)
        self.probing = asyncio.Lock()
        self.probed_at = float("-inf")
        self.reachable = True

    async def start(
        self, cases: Sequence[tuple[int, Case]], routine: Mapping[int, Routine]
    ) -> None:
        self.opened = self.site.eyes()
        self.eyes = await self.opened.__aenter__()
        self._spawn(confining.signs_of_life(self.site.cpu_seconds))
        alike: dict[object, list[tuple[int, Routine]]] = {}
        for key, case in cases:
            if key not in routine:
                self._spawn(self._one(key, case))
                continue
            kind = (case.delegation.nameservers, case.policy)
            alike.setdefault(kind, []).append((key, routine[key]))
        for group in alike.values():
            self._spawn(self._early(group))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        self.tasks.append(asyncio.create_task(work))

    def group_by(self, runner: asyncio.Runner) -> list[Judged]:
        """Let the loop go on until there is a group, and not while it is written."""
        with confining.watched(self.site.cpu_seconds):
            return runner.run(self.next_group())

    async def next_group(self) -> list[Judged]:
        """Wait for one, and a moment for others; nothing at the end."""
        group: list[Judged] = []
        if self.missing:
            group.append(await self._next())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                room = GROUP - sum(map(_weight, group))
                while self.missing and room > 0:
                    group.append(await self._next())
                    room -= _weight(group[-1])
        return group

    async def _next(self) -> Judged:
        found = await self.done.get()
        if isinstance(found, BaseException):
            raise found
        self.missing -= 1
        return found

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.opened.__aexit__(None, None, None)

    async def _early(self, group: Sequence[tuple[int, Routine]]) -> None:
        """Run stage one for children of the same nameservers; doubts go to the whole."""
        for start in range(0, len(group), CHUNK):
            chunk = group[start : start + CHUNK]
            began, ticked = self.site.clock(), self.site.ticks()
            async with self.places:
                looks = await self._looks(chunk)
            passed = timedelta(seconds=self.site.ticks() - ticked)
            for (key, routine), look in zip(chunk, looks, strict=True):
                if look is None:
                    self._spawn(self._one(key, routine.case))
                    continue
                case = replace(routine.case, now=began)
                found = stage_one.verdict(case)
                self.done.put_nowait(Judged(key, case, found, passed, look))
            if not any(looks):
                for key, routine in group[start + CHUNK :]:
                    self._spawn(self._one(key, routine.case))
                return

    async def _looks(
        self, chunk: Sequence[tuple[int, Routine]]
    ) -> Sequence[Glance | None]:
        try:
            return await self.eyes.glance([routine for _key, routine in chunk])
        except NoTrustAnchor:
            return [None] * len(chunk)  # the whole evaluation says so
        except asyncio.CancelledError:
            raise
        except BaseException as exc:  # noqa: BLE001 - raised again by whoever takes it
            self.done.put_nowait(exc)
            return [None] * len(chunk)

    async def _one(self, key: int, case: Case) -> None:
        async with self.places:
            try:
                self.done.put_nowait(await self._judged(key, case))
            except asyncio.CancelledError:
                raise
            except BaseException as exc:  # noqa: BLE001 - raised again by whoever takes it
                self.done.put_nowait(exc)

    async def _judged(self, key: int, case: Case) -> Judged:
        began, ticked = self.site.clock(), self.site.ticks()
        case = replace(case, now=began)
        faults: list[Finding] = []
        try:
            case = replace(case, observations=await self.eyes.observe(case))
        except NoTrustAnchor as exc:
            faults.append(Finding(Reason.X_TRUST_ANCHOR, "", str(exc)))
        passed = timedelta(seconds=self.site.ticks() - ticked)
        jump = (self.site.clock() - began) - passed
        if abs(jump) > MAX_JUMP:
            detail = f"the clock jumped by {jump.total_seconds():.1f} s"
            faults.append(Finding(Reason.X_CLOCK, "", detail))
        if await self._is_blind(case):
            detail = "the root's servers are as silent as the child's"
            faults.append(Finding(Reason.X_EGRESS, "", detail))
        case = replace(case, own_faults=(*case.own_faults, *faults))
        confining.breathe(self.site.cpu_seconds)
        verdict, stands = judged(case), self.site.clock_state()
        return Judged(key, case, verdict, passed, clock=stands)

    async def _is_blind(self, case: Case) -> bool:
        """Say whether silence is our own: then the root does not answer either."""
        if not any(seen.trouble in SILENCE for seen in case.observations):
            return False
        async with self.probing:
            now = self.site.ticks()
            if now - self.probed_at > PROBE_EVERY:
                self.reachable = await self._probe()
                self.probed_at = self.site.ticks()
            return not self.reachable

    async def _probe(self) -> bool:
        if not self.site.control:
            return True
        found = await self.eyes.ask(
            [Query(server, ROOT, ROOT, RdataType.SOA) for server in self.site.control]
        )
        return any(seen.received is not None for seen in found)


def _weight(judged: Judged) -> float:
    """Return how much of a group one takes: what stage one keeps is small."""
    return 1 if judged.glance is None else 1 / 8


def judged(case: Case) -> Verdict:
    """Return the verdict, or that our own code failed on this case.

    One child's evidence must not end the evaluation of all the others.
    """
    try:
        return judge(case)
    except MemoryError:
        raise  # more than one worker may have (S-20): no verdict, it is tried again
    except Exception as exc:  # the outermost loop of one evaluation
        child = unrooted(case.delegation.child)
        log.exception("scan.unclassified", extra={"child": child})
        fault = Finding(Reason.X_UNCLASSIFIED, child, f"{type(exc).__name__}: {exc}")
        return Verdict(None, Outcome.ERROR, fault.reason, (fault,), ())
