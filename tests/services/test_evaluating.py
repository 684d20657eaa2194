"""The loop of evaluations: in order of completion, and our faults are ours."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bootstrap.core.dns.names import ROOT
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.anchors import NoTrustAnchor
from bootstrap.core.evaluation.observations import Observation, Trouble
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evidence.bundle import Clock as BundleClock
from bootstrap.services.evaluating import Site, evaluate_all
from tests.support.cases import NOW, a_case, an_observation

DEAF = an_observation("192.0.2.1", RdataType.SOA, Trouble.TIMEOUT)


@dataclass
class Eyes:
    """A world of one sight for all children; `root` says whether the root answers."""

    sight: tuple[Observation, ...] = ()
    root: bool = True
    delays: list[float] = field(default_factory=list)
    asked: int = 0
    watching: int = 0
    most: int = 0

    async def observe(self, case):
        self.watching += 1
        self.most = max(self.most, self.watching)
        await asyncio.sleep(self.delays.pop(0) if self.delays else 0)
        self.watching -= 1
        return self.sight

    async def ask(self, queries):
        self.asked += 1
        return tuple(
            Observation(q, NOW, b"", b"x" if self.root else None) for q in queries
        )

    async def lookup(self, lookups):
        raise AssertionError("not needed here")


class Clock:
    """Wall and span, each as a test sets it."""

    def __init__(self, jump=timedelta(0)):
        self.times = iter([NOW, NOW + jump])
        self.last = NOW + jump

    def now(self):
        return next(self.times, self.last)

    def ticks(self):
        return 100.0


def a_site(shown: Eyes, clock: Clock | None = None, **changes) -> Site:
    clock = clock or Clock()

    @asynccontextmanager
    async def opened():
        yield shown

    settings = {
        "eyes": opened,
        "anchors": a_case().anchors,
        "control": ("198.41.0.4",),
        "clock": clock.now,
        "ticks": clock.ticks,
    }
    return Site(**{**settings, **changes})


def run(eyes, count=1, **changes):
    cases = [(number, a_case()) for number in range(count)]
    return [j for group in evaluate_all(cases, a_site(eyes, **changes)) for j in group]


def faults(judged):
    return [fault.reason for fault in judged.case.own_faults]


def test_results_come_in_the_order_of_completion():
    eyes = Eyes(delays=[0.06, 0.03, 0.0])

    assert [judged.key for judged in run(eyes, 3)] == [2, 1, 0]


def test_no_more_than_allowed_are_under_way():
    eyes = Eyes(delays=[0.01] * 6)

    assert len(run(eyes, 6, at_once=2)) == 6
    assert eyes.most == 2


def test_nothing_to_do_opens_no_eyes():
    assert list(evaluate_all([], a_site(Eyes(), eyes=None))) == []


def test_a_clock_that_jumps_is_our_own_fault():  # P-7.22, S-43
    """S-43: the wall clock went on for an hour while no time passed."""
    (judged,) = run(Eyes(), clock=Clock(timedelta(hours=1)))
    assert faults(judged) == [Reason.X_CLOCK]

    (judged,) = run(Eyes(), clock=Clock(timedelta(seconds=-3)))
    assert faults(judged) == [Reason.X_CLOCK]

    (judged,) = run(Eyes(), clock=Clock(timedelta(seconds=1)))
    assert faults(judged) == []


def test_p_8_7_how_the_clock_stood_to_ntp_goes_with_the_evaluation():
    stood = BundleClock("kernel", synchronised=True, error=timedelta(milliseconds=3))

    (judged,) = run(Eyes(), clock_state=lambda: stood)
    (unsaid,) = run(Eyes())

    assert judged.clock == stood
    assert unsaid.clock is None


def test_silence_of_the_child_and_of_the_root_is_our_own():
    (judged,) = run(Eyes(sight=(DEAF,), root=False))

    assert faults(judged) == [Reason.X_EGRESS]


def test_silence_of_the_child_alone_is_the_child_s():
    (judged,) = run(Eyes(sight=(DEAF,), root=True))

    assert faults(judged) == []


def test_the_root_is_asked_once_for_many_silent_children():
    eyes = Eyes(sight=(DEAF,))

    run(eyes, 20)

    assert eyes.asked == 1


def test_the_probe_asks_for_the_root_s_own_soa():
    seen = []

    class Watching(Eyes):
        async def ask(self, queries):
            seen.extend(queries)
            return await super().ask(queries)

    run(Watching(sight=(DEAF,)))

    assert [(q.server, q.name, q.rdtype) for q in seen] == [
        ("198.41.0.4", ROOT, RdataType.SOA)
    ]


def test_a_lack_of_anchors_is_our_own_fault():
    class Lost(Eyes):
        async def observe(self, case):
            raise NoTrustAnchor(ROOT, NOW)

    (judged,) = run(Lost())

    assert faults(judged) == [Reason.X_TRUST_ANCHOR]


def test_a_failure_of_the_eyes_ends_the_run_and_is_not_swallowed():
    class Broken(Eyes):
        async def observe(self, case):
            raise RuntimeError("no sockets")

    with pytest.raises(RuntimeError, match="no sockets"):
        run(Broken(), 3)


def test_leaving_early_gives_up_what_is_under_way():
    eyes = Eyes(delays=[0.0, 60.0, 60.0])
    groups = evaluate_all([(n, a_case()) for n in range(3)], a_site(eyes))

    first = next(groups)
    groups.close()

    assert [judged.key for judged in first] == [0]
