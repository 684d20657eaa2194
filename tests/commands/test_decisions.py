from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command

from bootstrap import clock
from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import Decision, Domain, Proposal
from bootstrap.services import alarms
from tests.services.builders import (
    DS,
    NOW,
    a_domain,
    a_proposal,
    a_scan,
    a_zone,
    proposed,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting() -> Proposal:
    domain = a_domain(a_zone(routing="review"))
    return proposed(domain, now=clock.now() - timedelta(minutes=1))


@pytest.fixture(autouse=True)
def people():
    for name, group in {"app": "approver", "rev": "reviewer"}.items():
        user = User.objects.create_user(name)
        user.groups.add(Group.objects.get(name=group))


def decide(verb: str, proposal: Proposal | str, user: str = "app", *more: str) -> None:
    words = ("--as", user, "--comment", "as agreed", *more)
    call_command(verb, str(getattr(proposal, "pk", proposal)), *words)


@pytest.mark.parametrize(
    ("verb", "state"), [("approve", State.APPROVED), ("reject", State.REJECTED)]
)
def test_an_approver_decides_from_a_shell(waiting, verb, state, capsys):
    decide(verb, waiting)

    waiting.refresh_from_db()
    assert waiting.state == state
    decision = Decision.objects.get()
    assert (decision.actor, decision.via, decision.comment) == (
        "app",
        "command",
        "as agreed",
    )
    assert f"child.test: the proposal is {state}" in capsys.readouterr().out


def test_the_beginning_of_an_id_will_do(waiting, capsys):
    decide("approve", str(waiting.pk)[:8], "app", "--json")
    assert json.loads(capsys.readouterr().out) == {
        "id": str(waiting.pk),
        "domain": "child.test",
        "state": "approved",
    }


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ("rev", "lacks the permission .*; only these roles have it: approver"),
        ("nobody", "no active user"),
    ],
)
@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_role_and_name_are_enforced(waiting, verb, user, told):
    with pytest.raises(CommandError, match=told):
        decide(verb, waiting, user)
    waiting.refresh_from_db()
    assert waiting.state == State.CANDIDATE


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_decision_without_a_word_why_is_none(waiting, verb):
    with pytest.raises(CommandError, match="say why"):
        call_command(verb, str(waiting.pk), "--as", "app", "--comment", " ")
    waiting.refresh_from_db()
    assert waiting.state == State.CANDIDATE


def test_four_eyes_hold_in_a_shell_too(waiting):
    Proposal.objects.update(requested_by="app")
    with pytest.raises(CommandError, match="asked for this"):
        decide("approve", waiting)


def test_what_changed_since_it_was_seen_is_not_decided(waiting):
    with pytest.raises(CommandError, match="changed since you looked"):
        decide("approve", waiting, "app", "--digest", "0" * 64)
    Domain.objects.update(nameservers=["ns.evil.example"])
    with pytest.raises(CommandError, match="NS set changed"):
        decide("approve", waiting)
    waiting.refresh_from_db()
    assert waiting.state == State.STALE


@pytest.mark.parametrize("wrong", ["zzzz", "abc", "00000000", "0' OR 1=1"])
def test_an_id_that_is_none_is_refused(waiting, wrong):
    with pytest.raises(CommandError, match="proposal"):
        decide("approve", wrong)


def test_an_ambiguous_id_is_refused():
    zone = a_zone()
    for number in (1, 2):
        domain = a_domain(zone, name=f"c{number}.test")
        a_proposal(domain, id=f"abcd000{number}-0000-4000-8000-000000000000")
    with pytest.raises(CommandError, match="several"):
        decide("approve", "abcd")


def test_open_proposals_are_listed_oldest_first(capsys):
    zone = a_zone()
    for number, state in enumerate(["settled", "held", "candidate"]):
        domain = a_domain(zone, name=f"c{number}.test")
        a_proposal(domain, state=state, created_at=NOW - timedelta(hours=number))

    call_command("proposals", "--json")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(p["domain"], p["state"]) for p in lines] == [
        ("c2.test", "candidate"),
        ("c1.test", "held"),
    ]
    assert lines[0]["new_ds"] == [DS]

    call_command("proposals", "--state", "settled")
    out = capsys.readouterr().out
    assert "c0.test" in out
    assert f"none -> {DS}" in out


def test_show_tells_all_that_is_known(waiting, capsys):
    domain = waiting.domain
    call_command("show", "CHILD.test.", "--json")

    told = json.loads(capsys.readouterr().out)
    assert (told["domain"], told["state"], told["ds"]) == ("child.test", "pending", [])
    assert told["last_attempt"]["outcome"] == "accept"
    assert told["proposal"]["state"] == "candidate"
    assert told["alarms"] == []

    alarms.open_alarm("SIG_BOGUS", subject=domain.name, domain=domain, now=NOW)
    call_command("show", "child.test", "--json")
    told = json.loads(capsys.readouterr().out)
    assert [alarm["code"] for alarm in told["alarms"]] == ["SIG_BOGUS"]


def test_show_speaks_to_people_too(waiting, capsys):
    alarms.open_alarm("SIG_BOGUS", subject="child.test", domain=waiting.domain, now=NOW)
    Domain.objects.update(suspension="HOLDER_OPT_OUT", removed_at=NOW)
    call_command("show", "child.test")

    out = capsys.readouterr().out
    assert out.startswith("child.test: ")
    for words in (
        "HOLDER_OPT_OUT",
        "no longer delegated",
        "ns1.op.example",
        "accept",
        f"on evidence {waiting.evidence_id}",
        "manage.py evidence export child.test -o FILE",
        str(waiting.pk),
        DS,
        "ALARM SIG_BOGUS",
    ):
        assert words in out


def test_a_first_look_that_ended_a_scan_is_told(capsys):
    domain = a_domain(last_scan_at=NOW + timedelta(hours=1))
    call_command("show", "child.test")
    look = "last looked at 2026-11-24T14:00:00Z: no server announces CDS or CDNSKEY"
    assert look in capsys.readouterr().out

    a_scan(domain, started_at=NOW + timedelta(hours=2))
    call_command("show", "child.test")
    assert "last looked at" not in capsys.readouterr().out


def test_a_domain_that_was_never_evaluated_says_so(capsys):
    a_domain()
    call_command("show", "child.test")
    assert "not evaluated yet" in capsys.readouterr().out
    call_command("show", "child.test", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["last_attempt"], told["proposal"]) == (None, None)


@pytest.mark.parametrize("name", ["unknown.test", "a..b"])
def test_a_name_that_is_not_known_is_an_error(name):
    with pytest.raises(CommandError):
        call_command("show", name)
