"""Stored evidence again: the same code gives the same, another policy tells."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from bootstrap.core.evaluation.answers import USED_TYPES
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.verdict import Outcome, judge
from bootstrap.core.evidence import bundle
from bootstrap.core.evidence.bundle import Bundle
from bootstrap.core.evidence.verify import verify
from bootstrap.models import Evidence
from bootstrap.services import evidence, rejudging
from tests.core.evidence.test_verify import good
from tests.support.cases import a_case, a_delegation

from .builders import NOW, a_domain, a_scan

pytestmark = pytest.mark.django_db
CASE = a_case(delegation=a_delegation(statuses=("serverHold",)))
BUNDLE = Bundle(CASE, judge(CASE))


@pytest.fixture(autouse=True)
def scan():
    (digest,) = evidence.store([BUNDLE], now=NOW)
    return a_scan(a_domain(), Evidence.objects.get(pk=digest))


def rejudge(*arguments, expect=0):
    out = StringIO()
    try:
        call_command("rejudge", *arguments, "--json", stdout=out)
        status: object = 0
    except SystemExit as ended:
        status = ended.code
    assert status == expect
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_the_same_code_and_policy_decide_the_same():
    (line,) = rejudge("--all")

    assert not line["changed"]
    assert line["differences"] == []
    assert line["before"] == line["after"]


def test_another_policy_shows_what_it_would_change(tmp_path):
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"excluded_statuses": ["serverHold"]}))

    (line,) = rejudge("child.test", "--policy", str(policy))

    assert line["changed"]
    assert line["after"]["primary_reason"] == "PRE_STATUS_NOT_ACTIVE"


def test_what_is_older_than_the_date_is_left_out():
    after = (NOW + timedelta(days=1)).date().isoformat()

    assert rejudge("--since", after) == []
    assert len(rejudge("--since", NOW.date().isoformat())) == 1


WRONG = {
    "nothing": [],
    "two ways": ["--all", "--since", "2026-01-01"],
    "a name that is not known": ["unknown.test"],
    "a date that is none": ["--since", "yesterday"],
    "a policy that is not there": ["--all", "--policy", "/nowhere"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_wrong_usage_ends_with_2(arguments):
    with pytest.raises(CommandError) as refusal:
        call_command("rejudge", *arguments)

    assert refusal.value.returncode == 2


@pytest.mark.parametrize("way", ["name", "id", "address"])
def test_an_exported_bundle_is_verified_without_the_product(way, scan, tmp_path):
    path = tmp_path / "evidence"
    what = {"name": "child.test", "id": str(scan.pk), "address": scan.evidence_id}[way]

    call_command("evidence", "export", what, "-o", str(path), stdout=StringIO())

    assert path.read_bytes() == bundle.encode(BUNDLE)
    assert verify(path.read_bytes()).reproduced


def test_what_has_no_evidence_cannot_be_exported(tmp_path):
    for what in ("unknown.test", "0" * 64, "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(CommandError, match="no evidence"):
            call_command("evidence", "export", what, "-o", str(tmp_path / "x"))


def test_evidence_of_before_a_question_was_asked_is_not_blamed_for_it():  # P-3.13
    case = good().case
    child = case.delegation.child
    before = replace(
        case,
        policy=replace(case.policy, demand_uses=False),
        observations=tuple(
            seen
            for seen in case.observations
            if seen.query.name != child or seen.query.rdtype not in USED_TYPES
        ),
    )
    assert judge(before).outcome is Outcome.ACCEPT
    (digest,) = evidence.store([Bundle(before, judge(before))], now=NOW)
    scan = a_scan(a_domain(name="older.test"), Evidence.objects.get(pk=digest))

    (again,) = rejudging.rejudge([scan], policy=AcceptancePolicy())

    assert not again.decides_otherwise
