"""Breakers, the switch and the way back, from a shell."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command

from bootstrap import clock
from bootstrap.models import Breaker, Proposal, Switch
from tests.services.builders import DS, a_domain, a_proposal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def people(settings, tmp_path):
    stop = str(tmp_path / "stop")
    settings.BOOTSTRAP = settings.BOOTSTRAP | {"PUBLISH_STOP_FILE": stop}
    for name in ("ada", "bob"):
        User.objects.create_user(name).groups.add(Group.objects.get(name="approver"))


def test_a_breaker_is_listed_and_released_by_two(capsys):
    opened = Breaker.objects.create(
        scope="operator", subject="op.example", reason="x", opened_at=clock.now()
    )
    call_command("breaker", "list", "--json")
    assert json.loads(capsys.readouterr().out)["subject"] == "op.example"

    for user, words in (("ada", "second person"), ("bob", "released")):
        call_command("breaker", "release", opened.pk, "--as", user, "--comment", "ok")
        assert words in capsys.readouterr().out
    with pytest.raises(CommandError, match="already"):
        call_command("breaker", "release", opened.pk, "--as", "ada", "--comment", "x")
    with pytest.raises(CommandError, match="no breaker"):
        call_command("breaker", "release", 999, "--as", "ada", "--comment", "x")


def test_the_switch_says_what_holds_now(capsys, tmp_path):
    call_command("switch", "engage", "--reason", "a drill")
    assert "stopped: a drill" in capsys.readouterr().out
    assert Switch.objects.get().by == "operator"
    call_command("switch", "release", "--reason", "over", "--as", "ada")
    assert "is free" in capsys.readouterr().out
    (tmp_path / "stop").touch()
    call_command("switch", "show")
    assert "stopped: the file" in capsys.readouterr().out
    with pytest.raises(CommandError, match="not stopped"):
        call_command("switch", "release", "--reason", "again")


def test_a_published_change_can_be_rolled_back_by_two_people(capsys):
    domain = a_domain(ds=[DS])
    change = a_proposal(domain, state="sent", sent_at=clock.now())
    call_command("rollback", change.pk, "--as", "ada", "--comment", "bogus", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["ds"] == []
    with pytest.raises(CommandError, match="asked for this"):
        call_command("approve", told["id"], "--as", "ada", "--comment", "x")
    call_command("approve", told["id"], "--as", "bob", "--comment", "x")
    assert Proposal.objects.get(pk=told["id"]).state == "approved"
    with pytest.raises(CommandError, match="cannot"):
        call_command("rollback", change.pk, "--as", "ada", "--comment", "twice")
