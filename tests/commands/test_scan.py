"""`manage.py scan` in the laboratory: the contract of its output, to the letter."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django_q.models import OrmQ

from bootstrap import bell, tasks
from bootstrap.core.evidence import verify as verifier
from bootstrap.models import (
    AuditEntry,
    Domain,
    Evidence,
    Proposal,
    Publication,
    ScanAttempt,
    WorkItem,
)
from bootstrap.services import evidence, heartbeats

FIELDS = {
    "domain",
    "path",
    "outcome",
    "primary_reason",
    "reasons",
    "kind",
    "ds",
    "checks",
    "nameservers",
    "signals",
    "evidence",
    "started",
    "duration_ms",
}


def scan(*arguments, expect=0):
    out = StringIO()
    try:
        call_command("scan", *arguments, "--json", stdout=out)
        status: object = 0
    except SystemExit as ended:
        status = ended.code
    assert status == expect
    return {
        line["domain"]: line for line in map(json.loads, out.getvalue().splitlines())
    }


def test_a_zone_is_scanned_and_every_child_told_in_full(world):
    told = scan("--zone", "alpha.test")

    children = set(
        Domain.objects.filter(zone__name="alpha.test").values_list("name", flat=True)
    )
    assert told.keys() == children
    assert all(line.keys() == FIELDS for line in told.values())
    assert ScanAttempt.objects.count() == len(children)
    assert {line["outcome"] for line in told.values()} >= {"accept", "nothing"}
    for line in told.values():
        scan_row = ScanAttempt.objects.get(domain__name=line["domain"])
        assert scan_row.evidence_id == line["evidence"]
        assert scan_row.outcome == line["outcome"]


def test_what_is_accepted_is_proposed_and_its_evidence_verifies(world):
    told = scan("--zone", "alpha.test")

    accepted = [line for line in told.values() if line["outcome"] == "accept"]
    assert accepted
    for line in accepted:
        proposal = Proposal.objects.get(domain__name=line["domain"])
        assert proposal.new_ds == line["ds"] == sorted(line["ds"])
        found = verifier.verify(evidence.octets_of(line["evidence"]))
        assert found.reproduced
        assert found.proofs
        assert AuditEntry.objects.filter(
            stream=f"child:{line['domain']}.", type="scan.verdict"
        ).exists()


def test_without_saving_no_row_changes(world):
    before = list(WorkItem.objects.values())

    told = scan("--zone", "alpha.test", "--no-save")

    assert told
    assert not ScanAttempt.objects.exists()
    assert not Evidence.objects.exists()
    assert list(WorkItem.objects.values()) == before


def test_what_is_due_is_worked_off_once(world):
    told = scan("--due")

    assert told.keys() == set(Domain.objects.values_list("name", flat=True))
    assert scan("--due") == {}


def test_a_name_that_no_row_knows_is_looked_up_at_its_parent(world):
    name = Domain.objects.filter(zone__name="alpha.test")[0].name
    known = scan(name, "--no-save")[name]
    Domain.objects.filter(name=name).delete()

    told = scan(name)[name]

    assert told["outcome"] == known["outcome"]
    assert told["reasons"] == known["reasons"]
    assert not ScanAttempt.objects.exists()


def test_a_name_that_its_parent_does_not_delegate_is_said_to_be_so(world):
    told = scan("nobody.alpha.test")["nobody.alpha.test"]

    assert told["primary_reason"] == "PRE_NOT_DELEGATED"


WRONG = {
    "nothing to scan": [],
    "names and a zone": ["child.alpha.test", "--zone", "alpha.test"],
    "a zone that is not ours": ["--zone", "gamma.test"],
    "a name without a parent of ours": ["child.example.org"],
    "no name at all": ["..", "--json"],
    "enqueue without saving": ["child.alpha.test", "--enqueue", "--no-save"],
    "enqueue what nobody knows": ["child.alpha.test", "--enqueue"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_wrong_usage_ends_with_2_and_says_why(world, arguments):
    with pytest.raises(CommandError) as refusal:
        call_command("scan", *arguments)

    assert refusal.value.returncode == 2
    assert str(refusal.value)


def test_a_site_without_egress_ends_with_1_and_blames_no_child(world, settings):
    """S-46: nothing answers, the root included."""
    settings.BOOTSTRAP = {**settings.BOOTSTRAP, "DNS_PORT": "9"}
    name = Domain.objects.all()[0].name

    told = scan(name, expect=1)[name]

    assert (told["outcome"], told["kind"]) == ("error", "X")


def test_enqueued_names_are_due_for_the_workers(world):
    WorkItem.objects.all().delete()
    name = Domain.objects.all()[0].name

    call_command("scan", name, "--enqueue", stdout=StringIO())

    assert WorkItem.objects.get().trigger == "command"


def test_what_is_due_is_rung_for_at_once(db):
    """The schedule would come to it within a minute and a half."""
    call_command("scan", "--due", "--enqueue", stdout=StringIO())

    assert [row.func() for row in OrmQ.objects.all()] == [bell.Work.SCANS.value]


def test_people_get_sentences(world):
    out = StringIO()

    call_command("scan", "--zone", "beta.test", "--explain", stdout=out)

    told = out.getvalue()
    assert "Who must act: nobody." in told
    assert "All servers ask for the same [APEX_CONSISTENT]" in told
    assert "secure, signed by _signal." in told
    assert "Evidence " in told


def test_the_workers_task_works_off_what_is_due(world):
    counts = tasks.drain_scans()

    assert sum(counts.values()) == Domain.objects.count()
    assert tasks.drain_scans() == {}


def test_workers_publish_nothing_unless_told_so(world):
    tasks.drain_scans()

    assert tasks.drain_publications() == {}
    assert not Publication.objects.exists()


def test_the_canary_leaves_a_sign_of_life(db):
    tasks.canary()

    assert heartbeats.last("worker") is not None
