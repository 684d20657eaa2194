"""Our own engine, tried on every case of the conformance kit.

Scanner and `judge` alone: no row is read or written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from bootstrap.core.dns.hints import read_hints
from bootstrap.core.dns.records import Ds
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.verdict import Outcome, Verdict, judge
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.kit import ACCEPT, REFUSE, KitCase, Seen
from bootstrap.scanner.egress import Egress, networks
from bootstrap.scanner.pacing import Limits
from bootstrap.scanner.scanner import Scanner

AT_ONCE: Final = 96
FEW: Final = 4
PATIENCE: Final = Limits(connect=2.0, exchange=2.0, attempts=2)
"""Servers of the kit are silent on purpose: waiting longer teaches nothing."""


def anchors_of(lab: Lab) -> tuple[Anchor, ...]:
    """Return the trust anchors of a laboratory."""
    return tuple(
        Anchor(Ds.from_text(line.partition(" DS ")[2]))
        for line in lab.anchors.read_text().splitlines()
    )


def scanner_of(lab: Lab) -> Scanner:
    """Return eyes that see a laboratory and nothing else."""
    return Scanner(
        hints=read_hints(lab.root_hints.read_text()),
        anchors=anchors_of(lab),
        clock=lab.now,
        egress=Egress(allowed=networks(lab.allowed_networks)),
        limits=PATIENCE,
        port=lab.port,
    )


def verdicts(
    lab: Lab, cases: Sequence[KitCase], *, at_once: int = AT_ONCE
) -> Iterator[tuple[KitCase, Verdict]]:
    """Scan and judge each case; yield them as they complete.

    What ends in `retry` where something else is due is tried once more at the
    end, with less beside it: transient trouble is retried before it is reported
    (RFC 9975, section 3; P-2.52).
    """
    lab.warm()  # signing on demand would look like servers that are slow
    again = []
    for case, verdict in _once(lab, cases, at_once):
        transient = verdict.outcome is Outcome.RETRY
        if transient and case.faults(seen(verdict)):
            again.append(case)
        else:
            yield case, verdict
    if again:
        yield from _once(lab, again, FEW)


def _once(
    lab: Lab, cases: Sequence[KitCase], at_once: int
) -> Iterator[tuple[KitCase, Verdict]]:
    with asyncio.Runner() as runner:
        run = _Run(lab, at_once)
        tasks = runner.run(run.start(cases))
        try:
            while tasks:
                done, tasks = runner.run(_first(tasks))
                yield from (task.result() for task in done)
        finally:
            runner.run(run.end(tasks))


Judging = asyncio.Task[tuple[KitCase, Verdict]]


async def _first(tasks: set[Judging]) -> tuple[set[Judging], set[Judging]]:
    return await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)


class _Run:
    def __init__(self, lab: Lab, at_once: int) -> None:
        self.lab = lab
        self.anchors = anchors_of(lab)
        self.at_once = at_once

    async def start(self, cases: Sequence[KitCase]) -> set[Judging]:
        self.places = asyncio.Semaphore(self.at_once)
        self.eyes = await scanner_of(self.lab).__aenter__()
        return {asyncio.create_task(self._one(case)) for case in cases}

    async def end(self, tasks: set[Judging]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.eyes.__aexit__(None, None, None)

    async def _one(self, wanted: KitCase) -> tuple[KitCase, Verdict]:
        async with self.places:
            now = self.lab.now()
            situation = wanted.situation
            case = Case(
                wanted.delegation(now),
                (),
                self.anchors,
                situation.policy.policy(),
                now,
                history=situation.remembers.history(now),
            )
            observations = await self.eyes.observe(case)
            return wanted, judge(replace(case, observations=observations))


def seen(verdict: Verdict) -> Seen:
    """Return a verdict in the words of the kit."""
    accepted = verdict.outcome is Outcome.ACCEPT
    noted = {f.reason.value for check in verdict.checks for f in check.findings}
    return Seen(
        ACCEPT if accepted else REFUSE,
        tuple(ds.to_text().upper() for ds in verdict.candidate) if accepted else (),
        outcome=verdict.outcome.value,
        path=verdict.path.value if verdict.path else "none",
        codes=frozenset(reason.value for reason in verdict.reasons) | noted,
    )
