"""Say, do, say: what the publisher does with one approved change."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bootstrap.core.dns.names import parse_name
from bootstrap.models import Alarm, Domain, Proposal, ScanAttempt, WorkItem
from bootstrap.registry.absent import AbsentRegistry
from bootstrap.registry.ports import (
    OutcomeUnknown,
    RegistryRefused,
    RegistryUnreachable,
)
from bootstrap.services.actors import PUBLISHER
from bootstrap.services.outcomes import DELAYS, JITTER, MAX_ATTEMPTS, pause
from bootstrap.services.publication import Ending, publish, publish_due

from .builders import DS, NOW, OTHER_DS, a_domain, a_scan, a_zone
from .parent import CHILD, Clock, a_parent, an_approved, held, told

pytestmark = pytest.mark.django_db


def publish_once(proposal, parent, clock=None) -> Ending:
    return publish(proposal, registry=parent, actor=PUBLISHER, clock=clock or Clock())


def raising(error: Exception):
    def hook(_subject):
        raise error

    return hook


def test_an_approved_change_is_in_the_parent_the_row_and_the_trail():  # P-5.41, P-8.10, S-73
    proposal, parent = an_approved(), a_parent()

    assert publish_once(proposal, parent) is Ending.SENT

    assert held(parent) == [DS]
    assert parent.ttl[CHILD] == 600  # P-5.20
    stored = Proposal.objects.get()
    assert (stored.state, stored.sent_at, stored.lease_until) == ("sent", NOW, None)
    domain = Domain.objects.get()
    assert (domain.ds, domain.version) == ([DS], 2)
    assert (domain.auth_method, domain.state) == ("RFC9615", "published")
    assert told(domain) == ["publication.begun", "publication.sent"]
    attempt = stored.publications.get()
    assert (attempt.outcome, attempt.rcode, attempt.number) == ("applied", "NOERROR", 1)
    assert bytes(attempt.request or b"") == b"request"


def test_a_removal_leaves_no_ds_and_no_method():
    domain = a_domain(ds=[DS], auth_method="RFC9615")
    proposal = an_approved(domain, path="removal", old_ds=[DS], new_ds=[])
    ScanAttempt.objects.update(path="removal", ds=[])
    parent = a_parent(DS)

    assert publish_once(proposal, parent) is Ending.SENT

    assert held(parent) == []
    domain.refresh_from_db()
    assert (domain.ds, domain.auth_method) == ([], "")
    # asked for in band, it leaves automation on, and is no other channel's (P-4.23)
    assert (domain.suspension, domain.oob_change_at) == ("", None)


SPOILED = {
    "the NS set changed": ({"nameservers": ["ns1.other.example"]}, "PUB_CONFLICT"),
    "the DS set changed": ({"ds": [OTHER_DS]}, "PUB_CONFLICT"),
    "automation was suspended": ({"suspension": "HOLDER_OPT_OUT"}, "PUB_CONFLICT"),
    "the registry object changed": ({"version": 2}, "PUB_CONFLICT"),
    "the delegation is gone": ({"removed_at": NOW}, "PUB_CONFLICT"),
}


@pytest.mark.parametrize(("change", "reason"), SPOILED.values(), ids=SPOILED)
def test_a_changed_snapshot_lapses_the_approval_and_sends_nothing(
    change, reason
):  # S-61, P-4.44
    proposal, parent = an_approved(), a_parent()
    Domain.objects.update(**change)

    assert publish_once(proposal, parent) is Ending.STALE

    assert parent.applied == []
    stored = Proposal.objects.get()
    assert (stored.state, stored.reason) == ("stale", reason)
    assert told(stored.domain) == ["proposal.stale"]
    assert WorkItem.objects.get().trigger == "publication"  # looked at again


def test_an_approval_lives_until_it_expires_and_no_longer():  # P-1.62
    proposal, parent = an_approved(expires_at=NOW), a_parent()

    assert publish_once(proposal, parent) is Ending.STALE
    assert Proposal.objects.get().reason == "PUB_EVIDENCE_STALE"


def test_evidence_older_than_an_hour_is_fetched_again_before_anything_is_sent():  # S-60
    proposal, parent, clock = an_approved(), a_parent(), Clock()
    clock.pass_by(minutes=61)

    assert publish_once(proposal, parent, clock) is Ending.RESCAN
    assert parent.applied == []
    assert Proposal.objects.get().next_try_at == clock() + timedelta(minutes=1)

    proposal.scan = a_scan(proposal.domain, started_at=clock())  # it confirms
    proposal.save()
    assert publish_once(proposal, parent, clock) is Ending.SENT


@pytest.mark.parametrize(
    "newer",
    [{"outcome": "reject"}, {"outcome": "nothing", "ds": []}, {"ds": [OTHER_DS]}],
)
def test_a_newer_contradicting_scan_ends_the_approval(newer):
    proposal, parent = an_approved(), a_parent()
    a_scan(proposal.domain, started_at=NOW + timedelta(minutes=1), **newer)

    assert publish_once(proposal, parent) is Ending.STALE
    assert Proposal.objects.get().reason == "PUB_EVIDENCE_STALE"


def test_a_scan_that_could_not_tell_contradicts_nothing():
    proposal, parent = an_approved(), a_parent()
    a_scan(proposal.domain, started_at=NOW + timedelta(minutes=1), outcome="retry")

    assert publish_once(proposal, parent) is Ending.SENT


def test_nameservers_that_changed_at_the_parent_only_are_a_conflict():
    proposal, parent = an_approved(), a_parent()
    parent.nameservers[CHILD] = (parse_name("ns1.other.example"),)

    assert publish_once(proposal, parent) is Ending.CONFLICT

    assert held(parent) == []
    stored = Proposal.objects.get()
    assert (stored.state, stored.reason) == ("conflict", "PUB_CONFLICT")
    attempt = stored.publications.get()
    assert attempt.rcode == "NXRRSET"
    assert attempt.detail == "the parent's NS set: ns1.other.example"
    assert Alarm.objects.open().get().code == "PUB_CONFLICT"


def test_a_parent_that_has_the_new_set_already_needs_no_second_change():
    proposal, parent = an_approved(), a_parent(DS)

    assert publish_once(proposal, parent) is Ending.SENT

    assert parent.applied == []
    assert proposal.publications.get().outcome == "read-back"


def test_a_third_set_at_the_parent_is_never_overwritten():
    proposal, parent = an_approved(), a_parent(OTHER_DS)

    assert publish_once(proposal, parent) is Ending.CONFLICT
    assert held(parent) == [OTHER_DS]


def test_a_yes_without_effect_is_tried_again():
    proposal, parent = an_approved(), a_parent()
    parent.after = lambda change: parent.ds.update({change.child: ()})

    assert publish_once(proposal, parent) is Ending.DEFERRED
    assert Proposal.objects.get().state == "approved"


def test_an_unreachable_primary_waits_longer_each_time_and_loses_nothing():
    proposal, parent, clock = an_approved(), a_parent(), Clock()
    ScanAttempt.objects.update(started_at=NOW + timedelta(hours=12))
    parent.before = raising(RegistryUnreachable("no route"))
    for attempt in range(MAX_ATTEMPTS - 1):
        assert publish_due_of(parent, clock)[Ending.DEFERRED] == 1
        proposal.refresh_from_db()
        assert proposal.next_try_at is not None
        waits = proposal.next_try_at - clock()
        step = DELAYS[min(attempt, len(DELAYS) - 1)]
        assert step <= waits <= step * (1 + JITTER)
        assert publish_due_of(parent, clock) == {}  # not due yet
        clock.at = proposal.next_try_at
    assert not Alarm.objects.exists()

    assert publish_due_of(parent, clock)[Ending.FAILED] == 1

    proposal.refresh_from_db()
    assert (proposal.state, proposal.reason) == ("failed", "PUB_ZONE_REJECTED")
    assert Alarm.objects.open().get().code == "PUB_ZONE_REJECTED"
    assert proposal.publications.filter(outcome="unreachable").count() == MAX_ATTEMPTS


def publish_due_of(parent, clock, **options):
    return publish_due(registry_for=lambda _zone: parent, clock=clock, **options)


def test_a_primary_that_comes_back_gets_the_change():
    proposal, parent, clock = an_approved(), a_parent(), Clock()
    parent.before = raising(RegistryUnreachable("no route"))
    publish_due_of(parent, clock)
    parent.before = lambda _change: None
    clock.pass_by(minutes=7)

    assert publish_due_of(parent, clock)[Ending.SENT] == 1
    assert told(proposal.domain) == [
        "publication.begun",
        "publication.deferred",
        "publication.begun",
        "publication.sent",
    ]


@pytest.mark.parametrize(
    ("sent_before", "means"), [(True, "policy refuses"), (False, "does not know")]
)
def test_badkey_means_policy_only_after_a_good_history(sent_before, means):
    zone = a_zone()
    if sent_before:
        publish_once(an_approved(a_domain(zone)), a_parent())
    other = an_approved(a_domain(zone, "other.test"))
    parent = a_parent()
    parent.before = raising(RegistryRefused("BADKEY"))

    assert publish_once(other, parent) is Ending.FAILED

    alarm = Alarm.objects.open().get(code="PUB_ZONE_REJECTED")
    assert means in alarm.detail
    assert "BADKEY" in alarm.detail


def test_a_refusal_is_not_retried():
    proposal, parent, clock = an_approved(), a_parent(), Clock()
    parent.before = raising(RegistryRefused("REFUSED"))

    assert publish_due_of(parent, clock)[Ending.FAILED] == 1
    clock.pass_by(days=1)
    assert publish_due_of(parent, clock) == {}
    assert told(proposal.domain)[-2:] == ["publication.failed", "alarm.opened"]


def test_a_lost_answer_is_settled_by_reading_the_parent():
    proposal, parent = an_approved(), a_parent()
    parent.after = raising(OutcomeUnknown("timeout", b"request"))

    assert publish_once(proposal, parent) is Ending.SENT

    assert len(parent.applied) == 1
    assert proposal.publications.get().outcome == "read-back"
    assert told(proposal.domain).count("publication.sent") == 1


def test_while_the_parent_cannot_be_read_the_change_stays_half_sent():
    proposal, parent, clock = an_approved(), a_parent(), Clock()
    parent.after = raising(OutcomeUnknown("timeout", b"request"))
    parent.reading = raising(RegistryUnreachable("no route"))

    assert publish_once(proposal, parent, clock) is Ending.UNKNOWN
    assert Proposal.objects.get().state == "sending"
    assert publish_due_of(parent, clock) == {}  # a pause first

    parent.reading = lambda _child: None
    clock.pass_by(minutes=7)
    assert publish_due_of(parent, clock)[Ending.SENT] == 1
    attempt = proposal.publications.get()
    assert bytes(attempt.request or b"") == b"request"
    assert len(parent.applied) == 1


def test_a_zone_without_a_usable_key_defers_and_says_why():
    proposal = an_approved()

    assert publish_once(proposal, AbsentRegistry("no key")) is Ending.DEFERRED
    assert "no key" in proposal.publications.get().detail


def test_only_what_is_due_is_sent_and_at_most_the_limit():
    zone = a_zone(quiet_seconds=300)
    early = [an_approved(a_domain(zone, f"c{n}.test")) for n in range(3)]
    later = an_approved(
        a_domain(zone, "later.test"), not_before=NOW + timedelta(minutes=5)
    )
    parent, clock = a_parent(), Clock()
    for proposal in [*early, later]:
        child = parse_name(proposal.domain.name)
        parent.delegate(child, *parent.nameservers[CHILD])

    assert publish_due_of(parent, clock, limit=2)[Ending.SENT] == 2
    assert publish_due_of(parent, clock)[Ending.SENT] == 1
    assert publish_due_of(parent, clock) == {}
    clock.pass_by(minutes=5)
    assert publish_due_of(parent, clock)[Ending.SENT] == 1


def test_a_zone_that_is_switched_off_sends_nothing():
    zone = a_zone(automated=False)
    proposal = an_approved(a_domain(zone))

    assert publish_due_of(a_parent(), Clock()) == {}
    assert publish_once(proposal, a_parent()) is Ending.TAKEN


def test_a_publisher_that_is_told_to_end_finishes_the_one_in_hand():
    zone = a_zone()
    for n in range(2):
        an_approved(a_domain(zone, f"c{n}.test"))
    parent = a_parent()
    for n in range(2):
        parent.delegate(parse_name(f"c{n}.test"), *parent.nameservers[CHILD])
    answers = iter([True, False])

    counts = publish_due_of(parent, Clock(), wanted=lambda: next(answers))

    assert counts == {Ending.SENT: 1}


@pytest.mark.parametrize("attempts", range(12))
def test_the_pause_grows_to_eighty_minutes_and_no_further(attempts):
    assert (
        timedelta(minutes=5) <= pause(attempts) <= timedelta(minutes=80) * (1 + JITTER)
    )
