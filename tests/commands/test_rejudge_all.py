"""All evidence of the laboratory's catalogue, judged again (S-45, S-72, P-8.37)."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.db.models.functions import Length

from bootstrap.core.dns.names import unrooted
from bootstrap.core.evaluation.verdict import judge
from bootstrap.core.evidence.bundle import Bundle
from bootstrap.lab.assembly import assemble
from bootstrap.lab.keys import Keyring
from bootstrap.lab.network import Network
from bootstrap.lab.scenes import many
from bootstrap.lab.situations import catalogue
from bootstrap.models import (
    Evidence,
    EvidenceBody,
    EvidencePiece,
    Proposal,
    ScanAttempt,
)
from bootstrap.services import evidence
from tests.services.builders import NOW, a_domain, a_scan, a_zone
from tests.support.rehearsal import NOW as REHEARSED, Rehearsal, delegation_of, rehearse

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def bundles(long_trials):
    """Evidence of every situation of the catalogue; of every eighth in short form."""
    every = list(catalogue().items())
    rehearsal = rehearse(dict(every if long_trials else every[::8]))
    cases = [
        rehearsal.evaluate(delegation_of(rehearsal, placer))
        for placer in rehearsal.built.children.values()
    ]
    return [Bundle(case, judge(case)) for case in cases]


@pytest.fixture
def stored(bundles):
    """Keep it as a scan would."""
    zone = a_zone("alpha.test")
    digests = evidence.store(bundles, now=NOW)
    for bundle, digest in zip(bundles, digests, strict=True):
        domain = a_domain(zone, unrooted(bundle.case.delegation.child)[:200])
        kept = Evidence.objects.get(pk=digest)
        a_scan(domain, kept, outcome=bundle.verdict.outcome.value)
    return bundles


def rejudge(*arguments: str) -> list[dict[str, object]]:
    out = StringIO()
    call_command("rejudge", *arguments, "--json", stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_s_45_every_verdict_comes_out_the_same_again(stored):
    lines = rejudge("--all")

    assert len(lines) == len(stored) > 10
    assert [line for line in lines if line["differences"]] == []


def test_s_72_a_stricter_policy_tells_what_it_would_stop_and_changes_no_row(
    stored, tmp_path
):
    before = list(ScanAttempt.objects.order_by("pk").values())
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"forbidden_algorithms": [13]}))

    lines = rejudge("--all", "--policy", str(policy))

    accepted = [line for line in lines if line["before"]["outcome"] == "accept"]  # type: ignore[index]
    using_13 = [
        line
        for line in accepted
        if any(" 13 " in ds for ds in line["before"]["ds"])  # type: ignore[index]
    ]
    assert using_13
    assert all(line["changed"] for line in using_13)
    assert all(line["after"]["outcome"] != "accept" for line in using_13)  # type: ignore[index]
    assert list(ScanAttempt.objects.order_by("pk").values()) == before
    assert not Proposal.objects.exists()


def test_people_read_what_another_policy_would_change(stored, tmp_path):
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"forbidden_algorithms": [13]}))
    out = StringIO()

    call_command("rejudge", "--all", "--policy", str(policy), stdout=out)

    told = out.getvalue().splitlines()
    assert told[-1].startswith(f"{len(stored)} judged again, ")
    assert any(": accept ACC_OK → " in line for line in told)


def test_p_8_37_an_accepted_bootstrap_takes_few_octets_of_its_own():
    """Children of shared operators, without the chains that they share (12 KB, goal 6)."""
    network = Network(Keyring(b"sizes"), REHEARSED)
    rehearsal = Rehearsal(assemble(many(10), network, clock=lambda: REHEARSED))
    cases = [
        rehearsal.evaluate(delegation_of(rehearsal, placer))
        for placer in rehearsal.built.children.values()
    ]
    found = [Bundle(case, judge(case)) for case in cases]
    assert {each.verdict.outcome.value for each in found} == {"accept"}
    evidence.store(found, now=NOW)

    own = EvidenceBody.objects.aggregate(n=Sum(Length("packed")))["n"]
    shared = EvidencePiece.objects.aggregate(n=Sum(Length("packed")))["n"]
    everything = own + shared
    plain = Evidence.objects.aggregate(n=Sum("size"))["n"]
    print(f"stored octets for an accepted bootstrap: {own / 10:,.0f} of its own,")
    print(f"{everything / 10:,.0f} with chains, {plain / 10:,.0f} as a file")

    assert own / 10 < 6_000
    assert everything < plain / 2
