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
PATIENT = {"B-octet", "H-wrong-id"}
"""Where it takes a clock to see that nothing better comes (`NS_TIMEOUT`)."""


@pytest.fixture(scope="module")
def world():
    return rehearse(SITUATIONS)


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
def test_a_situation_ends_as_the_catalogue_says(world, situation):
    placers = world.built.children.values()
    placer = next(p for p in placers if p.child.situation == situation.id)
    policy = situation.policy.policy()
    if not situation.ipv6:
        policy = replace(policy, skip_families=policy.skip_families or (6,))

    case = world.evaluate(
        situation.registry.delegation(placer, NOW),
        history=situation.remembers.history(NOW),
        policy=policy,
    )
    verdict = judge(situation.site.applied(case, placer))

    found = {reason.value for reason in verdict.reasons}
    noted = {f.reason.value for check in verdict.checks for f in check.findings}
    assert verdict.outcome is Outcome(situation.outcome), (verdict.primary, found)
    codes = set(situation.codes)
    if situation.id in PATIENT:
        codes.discard("NS_TIMEOUT")
    else:
        assert verdict.primary == situation.primary
    assert (verdict.path or "none") == situation.path
    assert codes <= found | noted
    assert not set(situation.without) & found
