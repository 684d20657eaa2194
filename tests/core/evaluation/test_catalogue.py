"""Every named situation of the laboratory, judged on the packets it serves.

The same catalogue is served over real sockets elsewhere; here nothing but the
core stands between the packets and the verdict.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from bootstrap.core.evaluation.delegation import History
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.verdict import Outcome, judge
from bootstrap.lab.situations import catalogue
from tests.support.rehearsal import IPV4_ONLY, NOW, delegation_of, rehearse

SITUATIONS = catalogue()
MEMORIES = {
    "": History(),
    "newer-inception": History(newest_inception=NOW + timedelta(days=1)),
    "newer-change": History(oob_change_at=NOW + timedelta(days=1)),
}


@pytest.fixture(scope="module")
def world():
    return rehearse(SITUATIONS)


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
def test_a_situation_ends_as_the_catalogue_says(world, situation):
    placers = world.built.children.values()
    placer = next(p for p in placers if p.child.situation == situation.id)
    history = MEMORIES[situation.remembers]

    policy = AcceptancePolicy() if situation.ipv6 else IPV4_ONLY

    case = world.evaluate(delegation_of(world, placer), history=history, policy=policy)
    verdict = judge(case)

    found = {reason.value for reason in verdict.reasons}
    assert verdict.outcome is Outcome(situation.outcome), (verdict.primary, found)
    assert verdict.path == situation.path
    assert set(situation.codes) <= found
