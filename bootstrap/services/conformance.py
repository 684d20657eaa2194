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
from bootstrap.core.evaluation.verdict import Mark, Outcome, Verdict, judge
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.kit import ACCEPT, REFUSE, KitCase, Seen
from bootstrap.scanner.egress import Egress, networks
from bootstrap.scanner.pacing import Limits
from bootstrap.scanner.scanner import Scanner

AT_ONCE: Final = 48
FEW: Final = 4
PATIENCE: Final = Limits(connect=4.0, exchange=4.0, attempts=2, failures_kept=1.0)
"""Servers of the kit are silent on purpose: waiting longer teaches nothing. And
all share one process with us, so that a pause of ours is no failure of theirs."""


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
    """Scan and judge each case.

    What ends in `retry` or `error` where something else is due is tried once more at the
    end, with less beside it: transient trouble is retried before it is reported
    (RFC 9975, section 3; P-2.52).
    """
    lab.warm()  # signing on demand would look like servers that are slow
    again = []
    for case, verdict in _once(lab, cases, at_once):
        transient = verdict.outcome in {Outcome.RETRY, Outcome.ERROR}
        if transient and case.faults(seen(verdict)):
            again.append(case)
        else:
            yield case, verdict
    if again:
        yield from _once(lab, again, FEW)


def observed(lab: Lab, cases: Sequence[KitCase]) -> list[tuple[KitCase, Case]]:
    """Scan each case; what is then not judged right is scanned once more (P-2.52)."""
    lab.warm()
    found = asyncio.run(_observe(lab, cases, AT_ONCE))
    again = [kit for kit, case in found if kit.faults(seen(judge(case)))]
    once_more = asyncio.run(_observe(lab, again, FEW)) if again else []
    better = {kit.id: case for kit, case in once_more}
    return [(kit, better.get(kit.id, case)) for kit, case in found]


def _once(
    lab: Lab, cases: Sequence[KitCase], at_once: int
) -> Iterator[tuple[KitCase, Verdict]]:
    # Judging waits until all is seen: else it would hold up answers on their way.
    for case, observed in asyncio.run(_observe(lab, cases, at_once)):
        yield case, judge(observed)


async def _observe(
    lab: Lab, cases: Sequence[KitCase], at_once: int
) -> list[tuple[KitCase, Case]]:
    places = asyncio.Semaphore(at_once)
    async with scanner_of(lab) as eyes:

        async def one(wanted: KitCase) -> tuple[KitCase, Case]:
            async with places:
                case = _unseen(lab, wanted)
                seen = await eyes.observe(case)
                whole = replace(case, observations=seen)
                return wanted, wanted.situation.site.applied(whole, wanted.placer)

        return await asyncio.gather(*map(one, cases))


def _unseen(lab: Lab, wanted: KitCase) -> Case:
    """Return the case with all that must be told, before anything is asked."""
    now, situation = lab.now(), wanted.situation
    return Case(
        wanted.delegation(now),
        (),
        anchors_of(lab),
        situation.policy.policy(),
        now,
        history=situation.remembers.history(now),
    )


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
        primary=verdict.primary.value,
        skipped=_marked(verdict, Mark.SKIPPED),
        failed=_marked(verdict, Mark.FAIL),
    )


def _marked(verdict: Verdict, mark: Mark) -> frozenset[str]:
    return frozenset(check.id for check in verdict.checks if check.mark is mark)
