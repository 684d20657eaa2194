"""Each named situation leads where the standard says, and names each reason."""

from __future__ import annotations

import pytest

from bootstrap.core.evaluation.facts import Facts
from bootstrap.core.evaluation.reasons import Kind, Reason
from bootstrap.core.evaluation.verdict import Mark, Outcome, conclude

from .scenarios import SCENARIOS

ELSEWHERE = {
    "PRE_RATE_LIMITED": "services: the budget of a child or source",
    "PRE_RECENT_NS_CHANGE": "a note among the checks, see test_verdict",
    "POL_MANUAL_REVIEW": "workflow.policy: who may approve",
    "UPD_REGISTRAR_STALE_PUSH": "registry intake by EPP",
    "X_AUDIT_CHAIN": "services: verification of the log",
}
"""Reasons that no evaluation here yields, and who does."""
OTHER_PARTS = ("PUB_", "POST_", "NTF_")


def verdict_of(scenario):
    return conclude(Facts(scenario.case, scenario.proofs))


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_a_situation_leads_where_it_must(scenario):
    verdict = verdict_of(scenario)

    assert (verdict.outcome, verdict.primary) == (scenario.outcome, scenario.primary)
    assert scenario.also <= set(verdict.reasons)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_every_step_has_a_mark_and_failures_explain_refusals(scenario):
    verdict = verdict_of(scenario)

    marks = {check.mark for check in verdict.checks}
    assert len(verdict.checks) >= 20
    if verdict.outcome is Outcome.ACCEPT:
        assert marks <= {Mark.PASS, Mark.NOTE, Mark.SKIPPED}
        assert {finding.kind for finding in verdict.findings} == {Kind.INFO}
    if verdict.outcome in {Outcome.REJECT, Outcome.RETRY, Outcome.HOLD}:
        assert Mark.FAIL in marks


def test_every_reason_of_an_evaluation_is_produced_by_a_scenario():
    produced = {
        reason
        for scenario in SCENARIOS.values()
        for reason in verdict_of(scenario).reasons
    }
    due = {r for r in Reason if not r.startswith(OTHER_PARTS)}

    assert due - produced == {Reason(code) for code in ELSEWHERE}
