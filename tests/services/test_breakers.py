"""Breakers: too much at once holds, one operator's flood holds only his own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bootstrap.core.dns.names import parse_name
from bootstrap.core.evaluation.paths import AuthMethod, Path
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.workflow.breakers import operator_of
from bootstrap.models import Alarm, AuditEntry, Breaker, Domain, Proposal, ScanAttempt
from bootstrap.registry.memory import MemoryRegistry
from bootstrap.services import breakers, holds, proposals, switches
from bootstrap.services.actors import OPERATOR, PUBLISHER
from bootstrap.services.publication import Ending, publish, publish_due

from .builders import (
    DS,
    NAMESERVERS,
    NOW,
    a_domain,
    a_person,
    a_verdict,
    a_zone,
    offered,
    proposed,
)
from .parent import Clock, told

pytestmark = pytest.mark.django_db

FLOOD = 14
LIMIT = 10


class Parent(MemoryRegistry):
    """Holds whatever is expected of it, and says yes."""

    def __init__(self):
        super().__init__(parse_name("test"))

    def publish(self, change):
        self.nameservers[change.child] = change.nameservers
        self.ds.setdefault(change.child, change.old)
        return super().publish(change)


def a_removal():
    return a_verdict(
        path=Path.REMOVAL,
        primary=Reason.DEL_OK,
        candidate=(),
        auth_method=AuthMethod.RFC7344_CHAIN,
    )


def a_secure(zone, name, operator="op"):
    hosts = [f"ns1.{operator}.example", f"ns2.{operator}.example"]
    return a_domain(zone, name, ds=[DS], nameservers=hosts, ns_key=operator)


@pytest.fixture
def zone():
    return a_zone(routing="auto")


@pytest.fixture
def flooded(zone):
    """One operator asks to remove more DS sets than an hour may bring."""
    return [proposed(a_secure(zone, f"c{n}.test"), a_removal()) for n in range(FLOOD)]


def send_all(clock=None):
    parent = Parent()
    return publish_due(registry_for=lambda _zone: parent, clock=clock or Clock())


def states(proposals_):
    return [Proposal.objects.get(pk=p.pk).state for p in proposals_]


def test_a_flood_of_removals_stops_at_the_limit_and_the_rest_is_held(flooded):  # S-68
    found = Breaker.objects.get()
    assert (found.scope, found.reason) == ("global", "removals")
    assert states(flooded) == ["approved"] * LIMIT + ["held"] * (FLOOD - LIMIT)
    assert Alarm.objects.open().get(code="BREAKER_OPEN").subject == "global"
    assert AuditEntry.objects.filter(type="breaker.opened").count() == 1
    assert Proposal.objects.get(pk=flooded[-1].pk).reason.startswith("BREAKER_")


def test_what_was_approved_before_it_opened_is_not_sent_either(flooded):
    assert send_all() == {Ending.HELD: LIMIT}
    assert states(flooded) == ["held"] * FLOOD
    assert Domain.objects.filter(ds=[]).count() == 0


def test_changes_sent_after_a_long_queue_are_counted_when_they_leave(zone):
    """Approved over many hours while the primary was away, then all at once."""
    for n in range(FLOOD):
        now = NOW + timedelta(hours=n)
        proposed(a_secure(zone, f"c{n}.test"), a_removal(), now=now)
    assert not Breaker.objects.exists()

    clock = Clock(NOW + timedelta(hours=FLOOD))
    ScanAttempt.objects.update(started_at=clock())
    Proposal.objects.update(expires_at=clock() + timedelta(hours=1))

    assert send_all(clock) == {Ending.SENT: LIMIT, Ending.HELD: FLOOD - LIMIT}


def test_one_operators_flood_leaves_another_alone(zone, settings):  # S-69
    settings.BOOTSTRAP = settings.BOOTSTRAP | {
        "BREAKER_LIMITS": "removals=1000 operator_removals=5"
    }
    flood = [proposed(a_secure(zone, f"c{n}.test"), a_removal()) for n in range(9)]
    normal = proposed(a_domain(zone, "calm.test", nameservers=["ns.calm.example"]))

    found = Breaker.objects.get()
    assert (found.scope, found.subject) == ("operator", "op.example")
    assert states(flood) == ["approved"] * 5 + ["held"] * 4
    assert states([normal]) == ["approved"]
    assert send_all() == {Ending.HELD: 5, Ending.SENT: 1}


def test_three_children_that_fail_after_publication_stop_all(zone):
    for n in range(3):
        child = proposed(a_domain(zone, f"bad{n}.test")).domain
        send_all()
        Alarm.objects.create(
            code="POST_CHILD_BOGUS",
            subject=child.name,
            domain=child,
            opened_at=NOW,
            last_seen_at=NOW,
        )

    last = proposed(a_domain(zone, "next.test"))

    assert Breaker.objects.get().reason == "failures"
    assert states([last]) == ["held"]


def test_release_takes_two_persons_with_the_right(flooded):
    breaker = Breaker.objects.get()
    ada = a_person("ada")

    assert not holds.release(breaker, actor=ada, comment="checked", now=NOW)
    for actor in (ada, a_person("eve", "nothing"), OPERATOR):
        with pytest.raises(holds.ReleaseRefused):
            holds.release(breaker, actor=actor, comment="again", now=NOW)
    with pytest.raises(holds.ReleaseRefused, match="comment"):
        holds.release(breaker, actor=a_person("bob"), comment=" ", now=NOW)
    assert Breaker.objects.open().exists()

    assert holds.release(breaker, actor=a_person("bob"), comment="yes", now=NOW)
    assert not Breaker.objects.open().exists()
    assert not Alarm.objects.open().filter(code="BREAKER_OPEN").exists()
    assert AuditEntry.objects.filter(type="breaker.released").count() == 1


def test_what_was_held_goes_on_by_itself_up_to_the_next_limit(flooded):
    send_all()  # all are held now
    breaker = Breaker.objects.get()
    for name in ("ada", "bob"):
        holds.release(breaker, actor=a_person(name), comment="fine", now=NOW)
    assert send_all() == {}

    assert holds.resume(now=NOW + timedelta(seconds=1)) == LIMIT

    assert states(flooded).count("approved") == LIMIT
    assert Breaker.objects.open().count() == 1
    # They were let through by two persons, the rest waits for the next word.
    assert send_all(Clock(NOW + timedelta(seconds=2))) == {Ending.SENT: LIMIT}
    assert states(flooded).count("held") == FLOOD - LIMIT


def test_what_was_let_through_stops_when_children_fail(flooded):
    send_all()
    breaker = Breaker.objects.get()
    for name in ("ada", "bob"):
        holds.release(breaker, actor=a_person(name), comment="fine", now=NOW)
    holds.resume(now=NOW + timedelta(seconds=1))
    Breaker.objects.open().update(reason="failures")

    assert send_all(Clock(NOW + timedelta(seconds=2))) == {Ending.HELD: LIMIT}


def test_two_persons_may_let_one_held_child_pass(flooded):
    last = Proposal.objects.get(pk=flooded[-1].pk)
    later = NOW + timedelta(minutes=1)
    for name in ("ada", "bob"):
        proposals.approve(
            last, actor=a_person(name), digest=last.digest, comment="ok", now=later
        )

    ending = publish(
        last,
        registry=Parent(),
        actor=PUBLISHER,
        clock=Clock(NOW + timedelta(hours=0.5)),
    )

    assert ending is Ending.SENT
    assert told(last.domain).count("approval.counted") == 1


def test_s_64_a_rules_own_yes_is_not_one_of_the_two_persons(flooded):
    send_all()  # what the rule had approved is held, too
    first = Proposal.objects.get(pk=flooded[0].pk)
    later = NOW + timedelta(minutes=1)
    seen = []
    for name in ("ada", "bob"):
        person = a_person(name)
        proposals.approve(
            first, actor=person, digest=first.digest, comment="ok", now=later
        )
        seen += states([first])

    assert seen == ["held", "approved"]


def test_a_held_child_whose_registry_data_changed_lapses_on_resumption(flooded):
    breaker = Breaker.objects.get()
    Domain.objects.update(version=9)
    for name in ("ada", "bob"):
        holds.release(breaker, actor=a_person(name), comment="fine", now=NOW)

    holds.resume(now=NOW)

    assert states(flooded)[-1] == "stale"


@pytest.mark.parametrize(
    ("hosts", "operator"),
    [
        (NAMESERVERS, "op.example"),
        (["ns1.a.example", "ns1.b.example"], "a.example b.example"),
        (["a.ns.op.co.uk.", "B.NS.op.co.uk"], "op.co.uk"),
        (["op.net"], "op.net"),
        ([], ""),
    ],
)
def test_an_operator_is_the_set_of_names_that_his_servers_live_below(hosts, operator):
    assert operator_of(hosts) == operator


def test_asking_a_breaker_takes_few_queries_while_nothing_is_wrong(
    zone, django_assert_max_num_queries
):
    proposed(a_secure(zone, "one.test"), a_removal())
    one = Proposal.objects.get()
    with django_assert_max_num_queries(8):
        assert breakers.watch_sending(one, now=NOW) is None


# ── the kill switch (S-71) ──────────────────────────────────────────────────


@pytest.fixture
def stop_file(settings, tmp_path):
    path = tmp_path / "stop"
    settings.BOOTSTRAP = settings.BOOTSTRAP | {"PUBLISH_STOP_FILE": str(path)}
    return path


def test_while_the_switch_is_engaged_nothing_is_sent_and_then_all_once(zone, stop_file):
    changes = [proposed(a_domain(zone, f"c{n}.test")) for n in range(5)]
    switches.engage(actor=a_person(), reason="a drill", now=NOW)

    parent = Parent()
    assert publish_due(registry_for=lambda _z: parent, clock=Clock()) == {}
    assert states(changes) == ["approved"] * 5
    assert parent.applied == []
    assert Alarm.objects.open().get().code == "PUBLICATION_STOPPED"

    switches.release(actor=a_person(), reason="over", now=NOW)
    sent = publish_due(registry_for=lambda _z: parent, clock=Clock())
    assert sent == {Ending.SENT: 5}
    assert len(parent.applied) == 5
    trail = AuditEntry.objects.filter(stream="guards").order_by("number")
    assert [entry.type for entry in trail] == ["switch.engaged", "switch.released"]


def test_a_switch_engaged_after_a_publisher_looked_still_stops_the_change(zone):
    change = proposed(a_domain(zone))
    switches.engage(actor=a_person(), reason="now", now=NOW)

    ending = publish(change, registry=Parent(), actor=PUBLISHER, clock=Clock())

    assert ending is Ending.STOPPED
    assert states([change]) == ["approved"]


def test_a_file_stops_publication_and_both_ways_are_recorded_once(zone, stop_file):
    proposed(a_domain(zone))
    stop_file.touch()
    assert switches.notice_file(now=NOW)
    assert switches.notice_file(now=NOW)
    assert send_all() == {}

    stop_file.unlink()
    assert not switches.notice_file(now=NOW)
    assert send_all() == {Ending.SENT: 1}
    trail = AuditEntry.objects.filter(stream="guards").order_by("number")
    assert [entry.type for entry in trail] == ["switch.engaged", "switch.released"]


def test_the_switch_asks_for_a_right_a_reason_and_a_change(stop_file):
    with pytest.raises(switches.SwitchRefused, match="permission"):
        switches.engage(actor=a_person("eve", "none"), reason="x", now=NOW)
    with pytest.raises(switches.SwitchRefused, match="reason"):
        switches.engage(actor=OPERATOR, reason=" ", now=NOW)
    with pytest.raises(switches.SwitchRefused, match="not stopped"):
        switches.release(actor=OPERATOR, reason="x", now=NOW)
    switches.engage(actor=OPERATOR, reason="x", now=NOW)
    with pytest.raises(switches.SwitchRefused, match="already"):
        switches.engage(actor=OPERATOR, reason="x", now=NOW)


def test_offering_a_child_again_while_it_is_held_keeps_the_one_proposal(flooded):
    child = flooded[-1].domain
    child.refresh_from_db()
    again = offered(child, a_removal(), now=NOW + timedelta(minutes=5))
    assert again is not None
    assert again.pk == flooded[-1].pk
    assert again.state == "held"
