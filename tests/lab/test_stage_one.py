"""Stage one on every child of the kit: where it ends a scan, nothing was to be done."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.glance import Routine, may_end_early
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.kit import cases_of
from bootstrap.lab.network import has_ipv6
from bootstrap.lab.situations import catalogue, world_for
from bootstrap.services import conformance

from .conftest import SEED, real_time

pytestmark = [pytest.mark.slow, pytest.mark.system]
SITUATIONS = {i: s for i, s in catalogue().items() if has_ipv6() or not s.ipv6}
EMPTY = ("APEX_NO_CDS", "SIG_", "CMP_APEX_EMPTY_SIGNAL_NOT")
"""What an empty apex may come to: signals beside it are for whole scans to tell
(protocol.md 2.6, row A0)."""


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """The cases that stage one ends, each looked at alone."""
    folder = tmp_path_factory.mktemp("stage-one")
    world = world_for(SITUATIONS)
    with Lab(world, clock=real_time, folder=folder, seed=SEED, prefix="127.66") as lab:
        lab.warm()
        return asyncio.run(_ended(lab))


async def _ended(lab):
    places = asyncio.Semaphore(16)
    ended = []
    async with conformance.scanner_of(lab) as eyes:

        async def one(kit):
            now, situation = lab.now(), kit.situation
            case = Case(
                kit.delegation(now),
                (),
                conformance.anchors_of(lab),
                situation.policy.policy(),
                now,
                trigger=Trigger.SCHEDULE,
                history=replace(situation.remembers.history(now), troubled_since=()),
            )
            routine = Routine(case)
            if not may_end_early(routine, full_every=10_000, today=date(2026, 11, 24)):
                return
            async with places:
                (look,) = await eyes.glance([routine])
            if look is not None:
                ended.append(kit)

        await asyncio.gather(*map(one, cases_of(lab, SITUATIONS)))
    return ended


def test_stage_one_ends_no_scan_that_could_have_come_to_something(ended):
    assert len(ended) >= 5
    for kit in ended:
        assert kit.situation.outcome != Outcome.ACCEPT.value, kit.id
        assert all(code.startswith(EMPTY) for code in kit.situation.codes), kit.id
