"""Crash points of security.md 6.2 and rival publishers: one effect, nothing lost."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from bootstrap.core.dns.records import Ds
from bootstrap.models import Alarm, Domain, Proposal
from bootstrap.services import claims, outcomes
from bootstrap.services.actors import PUBLISHER
from bootstrap.services.publication import (
    Ending,
    publish,
    publish_due,
    settle,
    settle_all,
)
from bootstrap.services.sending import send

from .builders import DS, OTHER_DS
from .parent import CHILD, Clock, Killed, a_parent, an_approved, held, told

pytestmark = pytest.mark.django_db


def killing(_subject):
    raise Killed


def publish_once(proposal, parent, clock=None):
    return publish(proposal, registry=parent, actor=PUBLISHER, clock=clock or Clock())


def publish_all(parent, clock):
    return publish_due(registry_for=lambda _zone: parent, clock=clock)


def restart(parent, clock):
    """Do what a publisher does at its start, then what it does all day."""
    parent.before = parent.after = lambda _change: None
    parent.reading = lambda _child: None
    counts = settle_all(registry_for=lambda _zone: parent, clock=clock)
    return counts + publish_all(parent, clock)


POINTS = {
    "P4 said, packet not sent": "before",
    "P5 packet sent, answer lost": "after",
    "P7 answer received, outcome not committed": "reading",
}


@pytest.mark.parametrize("hook", POINTS.values(), ids=POINTS)
def test_after_a_crash_the_restart_finds_out_and_there_is_one_effect(hook):
    proposal, parent, clock = an_approved(), a_parent(), Clock()
    setattr(parent, hook, killing)
    with pytest.raises(Killed):
        publish_once(proposal, parent, clock)
    assert Proposal.objects.get().state == "sending"

    restart(parent, clock)

    assert held(parent) == [DS]
    assert len(parent.applied) == 1
    assert Proposal.objects.get().state == "sent"
    assert told(proposal.domain).count("publication.sent") == 1
    assert Domain.objects.get().ds == [DS]
    assert not proposal.publications.filter(ended_at=None).exists()


def test_p4_the_lease_of_a_dead_sender_runs_out_by_itself():
    proposal, parent, clock = an_approved(), a_parent(), Clock()
    parent.before = killing
    with pytest.raises(Killed):
        publish_once(proposal, parent, clock)
    parent.before = lambda _change: None

    assert publish_all(parent, clock) == {}  # its lease is still good
    clock.pass_by(seconds=121)
    assert publish_all(parent, clock) == {Ending.DEFERRED: 1, Ending.SENT: 1}
    assert len(parent.applied) == 1


def test_p6_a_packet_that_arrives_late_has_no_second_effect():
    proposal, parent, clock = an_approved(), a_parent(), Clock()
    delayed = []

    def delay(change):
        delayed.append(change)
        raise Killed

    parent.before = delay
    with pytest.raises(Killed):
        publish_once(proposal, parent, clock)
    restart(parent, clock)

    report = send(parent, delayed[0])

    assert report.rcode == "YXRRSET"
    assert held(parent) == [DS]
    assert len(parent.applied) == 1


def test_p8_a_child_that_changed_between_send_and_read_back_is_left_alone():
    proposal, parent, clock = an_approved(), a_parent(), Clock()
    parent.after = killing
    with pytest.raises(Killed):
        publish_once(proposal, parent, clock)
    parent.ds[CHILD] = (Ds.from_text(OTHER_DS),)

    assert restart(parent, clock) == {Ending.CONFLICT: 1}

    assert held(parent) == [OTHER_DS]
    assert Alarm.objects.open().get().code == "PUB_CONFLICT"


def test_a_change_that_kills_its_publisher_each_time_ends_with_staff():
    an_approved()
    parent, clock = a_parent(), Clock()
    parent.before = killing
    for _ in range(outcomes.MAX_ATTEMPTS):
        with pytest.raises(Killed):
            publish_all(parent, clock)
        clock.pass_by(seconds=121)

    assert publish_all(parent, clock) == {Ending.FAILED: 1}
    assert Proposal.objects.get().state == "failed"


def test_a_late_result_lacks_the_fence_and_changes_nothing():
    proposal, parent, clock = an_approved(), a_parent(), Clock()
    claim = claims.begin(proposal, actor=PUBLISHER, now=clock())
    assert isinstance(claim, claims.Claim)
    report = send(parent, claim.change)
    rival = Proposal.objects.get()
    assert settle(rival, registry=parent, actor=PUBLISHER, clock=clock) is Ending.SENT
    before = told(proposal.domain)

    ending = outcomes.conclude(claim, report, actor=PUBLISHER, now=clock())

    assert ending is Ending.TAKEN
    assert told(proposal.domain) == before


def test_a_result_is_refused_as_soon_as_somebody_else_took_over():
    proposal, parent, clock = an_approved(), a_parent(), Clock()
    claim = claims.begin(proposal, actor=PUBLISHER, now=clock())
    assert isinstance(claim, claims.Claim)
    report = send(parent, claim.change)
    newer = claims.take_over(Proposal.objects.get(), now=clock())
    assert newer is not None

    late = outcomes.conclude(claim, report, actor=PUBLISHER, now=clock())
    assert late is Ending.TAKEN
    assert Proposal.objects.get().state == "sending"

    settled = outcomes.conclude(newer, report, actor=PUBLISHER, now=clock())
    assert settled is Ending.SENT


def test_a_sender_that_slept_past_its_lease_does_not_send():
    proposal, parent = an_approved(), a_parent()
    times = iter([Clock()(), Clock()() + claims.LEASE])

    ending = publish(
        proposal, registry=parent, actor=PUBLISHER, clock=lambda: next(times)
    )

    assert ending is Ending.TAKEN
    assert parent.applied == []


def test_a_change_that_is_taken_twice_is_sent_once():
    proposal, parent = an_approved(), a_parent()
    twin = Proposal.objects.get()

    assert publish_once(proposal, parent) is Ending.SENT
    assert publish_once(twin, parent) is Ending.TAKEN
    assert len(parent.applied) == 1


@pytest.mark.django_db(transaction=True)
def test_p13_publishers_that_start_at_once_have_one_effect():
    proposal, parent = an_approved(), a_parent()
    start = threading.Barrier(4)
    endings: list[Ending] = []

    def run():
        try:
            own = Proposal.objects.get(pk=proposal.pk)
            start.wait(10)
            endings.append(publish_once(own, parent))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(endings) == [Ending.SENT, *[Ending.TAKEN] * 3]
    assert len(parent.applied) == 1
    assert told(proposal.domain) == ["publication.begun", "publication.sent"]
