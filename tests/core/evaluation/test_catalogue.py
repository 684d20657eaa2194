"""Every named situation of the laboratory, judged on the packets it serves.

The same catalogue is served over real sockets elsewhere; here nothing but the
core stands between the packets and the verdict.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from bootstrap.core.evaluation.verdict import Outcome, judge
from bootstrap.lab.situations import catalogue
from tests.support.rehearsal import NOW, rehearse

SITUATIONS = catalogue()


@pytest.fixture(scope="module")
def world():
    return rehearse(SITUATIONS)


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
def test_a_situation_ends_as_the_catalogue_says(world, situation):
    placers = world.built.children.values()
    placer = next(p for p in placers if p.child.situation == situation.id)
    policy = situation.policy.policy()
    if not situation.ipv6:
        policy = replace(policy, skip_families=(6,))

    case = world.evaluate(
        situation.registry.delegation(placer, NOW),
        history=situation.remembers.history(NOW),
        policy=policy,
    )
    verdict = judge(case)

    found = {reason.value for reason in verdict.reasons}
    noted = {f.reason.value for check in verdict.checks for f in check.findings}
    assert verdict.outcome is Outcome(situation.outcome), (verdict.primary, found)
    assert (verdict.path or "none") == situation.path
    assert set(situation.codes) <= found | noted
    assert not set(situation.without) & found
