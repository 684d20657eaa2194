"""Packets of servers that we did not write, judged again long after (P-7.97)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bootstrap.core.evaluation.verdict import Outcome, judge
from bootstrap.core.evidence.verify import verify
from bootstrap.lab.situations import catalogue

FOLDER = Path(__file__).parents[2] / "captures"
CAPTURES = sorted(path.stem for path in FOLDER.glob("*.evidence"))
SERVERS = {"knot", "bind", "nsd", "powerdns"}


@pytest.mark.parametrize("name", CAPTURES)
def test_p_7_97_a_capture_of_real_servers_leads_to_its_verdict_again(name):
    octets = (FOLDER / f"{name}.evidence").read_bytes()

    found = verify(octets)

    assert found.reproduced, (found.damage, found.differences)
    assert found.evidence is not None
    assert dict(found.evidence.made_by).keys() >= SERVERS
    expected = catalogue()[name]
    assert found.evidence.verdict.outcome.value == expected.outcome
    assert {r.value for r in found.evidence.verdict.reasons} >= set(expected.codes)


def test_p_7_97_a_capture_counts_at_the_moment_of_its_capture_and_no_other():
    found = verify((FOLDER / "F1.evidence").read_bytes())
    assert found.evidence is not None
    case = found.evidence.case

    later = judge(replace(case, now=case.now + timedelta(days=365)))

    assert found.evidence.verdict.outcome is Outcome.ACCEPT
    assert later.outcome is not Outcome.ACCEPT


def test_captures_of_each_kind_of_outcome_are_kept():
    kept = {catalogue()[name].outcome for name in CAPTURES}
    paths = {catalogue()[name].path for name in CAPTURES}

    assert kept >= {"accept", "reject", "retry"}
    assert paths >= {"bootstrap", "update", "removal"}
