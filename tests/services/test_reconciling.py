"""Foreign changes at the parent are found, told and taken in, never overwritten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import Ds
from bootstrap.core.evaluation.delegation import Delegation
from bootstrap.models import Alarm, AuditEntry, Domain, Proposal, Zone
from bootstrap.registry.memory import MemoryRegistry
from bootstrap.registry.ports import RegistryUnreachable
from bootstrap.registry.rows import Row, SourceRefused
from bootstrap.services import alarms, reconciling

from .builders import DS, NOW, OTHER_DS, a_domain, a_person, a_zone
from .parent import Clock, an_approved, told

pytestmark = pytest.mark.django_db


class Parent(MemoryRegistry):
    """The parent's content, by transfer or question by question."""

    def __init__(self, **held):
        super().__init__(parse_name("test"))
        for label, texts in held.items():
            child = parse_name(f"{label}.test")
            self.delegate(child, ds=tuple(map(Ds.from_text, texts)))
        self.asked = 0
        self.open = True

    def transfer(self, _zone):
        if not self.open:
            raise SourceRefused("REFUSED")
        return [
            Row(n, Delegation(child, self.parent, (), ds=ds))
            for n, (child, ds) in enumerate(self.ds.items())
        ]

    def read_back(self, child):
        self.asked += 1
        return super().read_back(child)


@pytest.fixture
def zone():
    return a_zone(primary="192.0.2.1")


def compare(parent, at=NOW):
    return reconciling.reconcile_due(
        registry_for=lambda _zone: parent,
        transfer_of=parent.transfer,
        clock=Clock(at),
    )


def drifted():
    return AuditEntry.objects.filter(type="ds.drifted").count()


def test_what_is_as_expected_is_no_event(zone):
    a_domain(zone, "a.test", ds=[DS])
    a_domain(zone, "b.test")
    assert compare(Parent(a=[DS], b=[], unknown=[DS])) == 0
    assert drifted() == 0
    assert Zone.objects.get().reconciled_at == NOW


@pytest.mark.parametrize("by", ["transfer", "questions"])
def test_a_set_that_somebody_changed_is_an_alarm_and_taken_in(zone, by):  # S-76
    a_domain(zone, "a.test", ds=[DS])
    parent = Parent(a=[OTHER_DS])
    parent.open = by == "transfer"

    assert compare(parent) == 1

    child = Domain.objects.get()
    assert (child.ds, child.version, child.suspension) == ([OTHER_DS], 2, "")
    assert child.oob_change_at == NOW
    assert Alarm.objects.open().get().code == "DS_DRIFTED"
    assert told(child) == ["ds.drifted", "alarm.opened"]
    assert parent.applied == []
    assert compare(parent, NOW + timedelta(hours=2)) == 0


def test_a_removal_by_others_suspends_and_a_new_set_ends_that(zone):
    a_domain(zone, "a.test", ds=[DS])
    assert compare(Parent(a=[])) == 1
    assert Domain.objects.get().suspension == "OOB_REMOVAL"
    assert compare(Parent(a=[OTHER_DS]), NOW + timedelta(hours=2)) == 1
    assert Domain.objects.get().suspension == ""


@pytest.mark.parametrize(
    ("state", "after"),
    [("approved", "stale"), ("sent", "conflict"), ("visible", "conflict")],
)
def test_the_open_proposal_of_a_changed_child_ends(zone, state, after):
    before = NOW - timedelta(hours=1)
    child = a_domain(zone, "a.test", ds=[] if state == "approved" else [DS])
    sent_at = None if state == "approved" else before
    an_approved(child, state=state, sent_at=sent_at)
    assert compare(Parent(a=[OTHER_DS])) == 1
    assert Proposal.objects.get().state == after


@pytest.mark.parametrize(
    "changes", [{"state": "sending"}, {"state": "sent", "sent_at": NOW}]
)
def test_our_own_change_under_way_is_not_foreign(zone, changes):
    an_approved(a_domain(zone, "a.test"), **changes)
    assert compare(Parent(a=[DS])) == 0
    assert drifted() == 0


def test_a_view_in_which_most_sets_vanished_is_told_and_not_believed(zone):
    labels = [f"c{n}" for n in range(30)]
    for label in labels:
        a_domain(zone, f"{label}.test", ds=[DS])
    assert compare(Parent(**{label: [] for label in labels})) == 30
    assert Domain.objects.filter(ds=[]).count() == 0
    assert Alarm.objects.open().get().subject == "test"


def test_it_is_done_hourly_and_soon_after_a_batch(zone):  # S-76
    parent = Parent()
    parent.open = False
    child = a_domain(zone, "a.test")

    def asked_after(**interval):
        before = parent.asked
        compare(parent, NOW + timedelta(**interval))
        return parent.asked > before

    assert asked_after(minutes=0)
    assert not asked_after(minutes=50)
    assert asked_after(minutes=60)
    sent = NOW + timedelta(minutes=61)
    an_approved(child, state="settled", old_ds=[DS], new_ds=[], sent_at=sent)
    assert not asked_after(minutes=65)
    assert asked_after(minutes=71)


def test_without_transfer_the_zone_is_asked_in_slices(zone, monkeypatch):
    monkeypatch.setattr(reconciling, "SLICE", 2)
    for n in range(5):
        a_domain(zone, f"c{n}.test", ds=[DS])
    parent = Parent(**{f"c{n}": [DS] for n in range(5)})
    parent.open = False
    for turn, asked in enumerate((2, 4, 5)):
        assert Zone.objects.get().reconciled_at is None
        compare(parent, NOW + timedelta(seconds=turn))
        assert parent.asked == asked
    assert Zone.objects.get().reconciled_at is not None


def test_a_parent_that_is_away_is_asked_again_after_a_pause(zone):
    a_domain(zone, "a.test", ds=[DS])
    parent = Parent(a=[OTHER_DS])
    parent.open = False

    def away(_child):
        raise RegistryUnreachable("no answer")

    parent.reading = away
    assert compare(parent) == 0
    parent.reading = lambda _child: None
    assert compare(parent, NOW + timedelta(minutes=4)) == 0
    assert compare(parent, NOW + timedelta(minutes=6)) == 1


def test_an_alarm_that_somebody_acknowledged_ends_with_the_next_comparison(zone):
    a_domain(zone, "a.test", ds=[DS])
    compare(Parent(a=[OTHER_DS]))
    compare(Parent(a=[OTHER_DS]), NOW + timedelta(hours=1))
    assert Alarm.objects.open().count() == 1
    alarms.acknowledge(
        Alarm.objects.get(), actor=a_person(), comment="the registrar", now=NOW
    )
    compare(Parent(a=[OTHER_DS]), NOW + timedelta(hours=2))
    assert Alarm.objects.open().count() == 0
