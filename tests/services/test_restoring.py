"""A restored database sends nothing before the parent was read (S-96, P12)."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command

from bootstrap.core.dns.records import Ds
from bootstrap.models import Alarm, AuditEntry, Proposal, Publication, Switch
from bootstrap.registry.ports import RegistryUnreachable
from bootstrap.services import restoring, switches
from bootstrap.services.actors import OPERATOR
from bootstrap.services.publication import Ending, publish_due, settle_all

from .builders import DS, NOW, OTHER_DS
from .parent import CHILD, Clock, a_parent, an_approved, held

pytestmark = pytest.mark.django_db


def restored():
    restoring.mark(actor=OPERATOR, reason="a drill", now=NOW)


def read_back(parent, clock=None):
    return restoring.read_back_all(
        registry_for=lambda _zone: parent, clock=clock or Clock()
    )


def publish_all(parent):
    return publish_due(registry_for=lambda _zone: parent, clock=Clock())


def test_nothing_is_sent_in_quarantine():
    an_approved()
    restored()
    parent = a_parent()
    assert publish_all(parent) == {}
    assert "a drill" in switches.stopped()
    assert parent.applied == []


def test_what_was_published_before_the_restore_is_not_sent_again():
    proposal = an_approved()
    parent = a_parent(DS)
    restored()

    assert read_back(parent)

    proposal.refresh_from_db()
    assert proposal.state == "sent"
    assert proposal.publications.get().outcome == "read-back"
    assert parent.applied == []
    assert switches.stopped() == ""
    assert not Alarm.objects.open().exists()


def test_what_was_not_published_goes_its_way_afterwards():
    an_approved()
    parent = a_parent()
    restored()
    assert read_back(parent)
    assert publish_all(parent) == {Ending.SENT: 1}
    assert held(parent) == [DS]


def test_what_the_parent_holds_otherwise_is_a_conflict_and_stays():
    an_approved()
    parent = a_parent()
    parent.ds[CHILD] = (Ds.from_text(OTHER_DS),)
    restored()
    assert read_back(parent)
    assert Proposal.objects.get().state == "conflict"
    assert held(parent) == [OTHER_DS]


def test_a_parent_that_cannot_be_read_keeps_the_quarantine():
    an_approved()
    parent, clock = a_parent(), Clock()

    def away(_child):
        raise RegistryUnreachable("no answer")

    parent.reading = away
    restored()
    assert not read_back(parent, clock)
    assert restoring.quarantined()

    parent.reading = lambda _child: None
    settle_all(registry_for=lambda _zone: parent, clock=clock)
    assert read_back(parent, clock)
    assert parent.applied == []


def test_a_database_that_knows_less_than_the_publisher_is_noticed(tmp_path):
    path = tmp_path / "state"
    change = an_approved()
    Publication.objects.create(proposal=change, number=1, fence=1, began_at=NOW)
    restoring.remember(path)
    assert not restoring.notice(path, now=NOW)

    Publication.objects.all().delete()

    assert restoring.notice(path, now=NOW)
    assert restoring.quarantined()
    assert not restoring.notice(path, now=NOW)
    assert AuditEntry.objects.filter(type="system.restored").count() == 1
    assert json.loads(path.read_text())["publications"] > 0


def test_without_a_file_nothing_is_noticed(tmp_path):
    assert not restoring.notice(None, now=NOW)
    assert not restoring.notice(tmp_path / "none", now=NOW)


def test_an_operator_says_so_once(capsys):
    for words in ("in quarantine", "already"):
        call_command("restored", "--reason", "from tape")
        assert words in capsys.readouterr().out
    assert Switch.objects.get().reason == "from tape"
