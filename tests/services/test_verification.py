"""After publication: what each look makes of a proposal."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import Ds
from bootstrap.core.dnssec.security import Security
from bootstrap.models import Alarm, AuditEntry, Domain, Proposal, Sighting
from bootstrap.services import verification
from bootstrap.services.looking import Look, Shown, Target
from bootstrap.services.sightings import messages_of, record_look

from .builders import DS, NOW, OTHER_DS, a_domain, a_zone
from .parent import Clock, an_approved, told

pytestmark = pytest.mark.django_db

NEW, THIRD = Ds.from_text(DS), Ds.from_text(OTHER_DS)
SECURE = Security.SECURE


def a_sent(path: str = "bootstrap", **changes: object) -> Proposal:
    old, new = ([DS], []) if path == "removal" else ([], [DS])
    zone = a_zone(observe_seconds=86_400, ds_ttl_initial=600)
    domain = a_domain(zone, ds=new, version=2)
    defaults = {"path": path, "old_ds": old, "new_ds": new, "state": "sent"}
    return an_approved(
        domain, **{**defaults, "sent_at": NOW, "next_try_at": NOW, **changes}
    )


def a_look(*sets: tuple[Ds, ...] | None, child=SECURE, wanted=(NEW,)) -> Look:
    target = Target(parse_name("child.test"), parse_name("test"), wanted)
    shown = tuple(Shown(f"127.0.0.{n}", ds) for n, ds in enumerate(sets, 1))
    return Look(target, shown, child)


def after(proposal: Proposal, look: Look, now=NOW) -> Proposal:
    record_look(Proposal.objects.get(), look, now=now)
    proposal.refresh_from_db()
    return proposal


def open_codes() -> set[str]:
    return set(Alarm.objects.open().values_list("code", flat=True))


def test_visible_means_every_server_shows_exactly_the_published_set():  # P-2.14
    proposal = after(a_sent(), a_look((NEW,), (NEW,)))

    assert (proposal.state, proposal.reason) == ("visible", "PUB_OK")
    assert proposal.visible_at == NOW
    assert proposal.settle_at == NOW + timedelta(days=1)
    assert Domain.objects.get().secured_at == NOW
    assert told(proposal.domain) == ["publication.visible"]
    seen = Sighting.objects.values_list("server", "matches")
    assert list(seen) == [
        ("127.0.0.1", True),
        ("127.0.0.2", True),
        ("validator", True),
    ]


def answered(**ttls: int) -> tuple[Shown, ...]:
    """Return what servers answer, by the last octet of their addresses and a TTL."""
    return tuple(
        Shown(f"127.0.0.{server[1:]}", (NEW,), ttl, 7, message=b"%d" % ttl * 40)
        for server, ttl in ttls.items()
    )


def named(proposal: Proposal) -> dict[str, str]:
    """Return the messages that the newest entry names, by server."""
    rows = AuditEntry.objects.filter(stream=proposal.domain.stream)
    row = rows.filter(type__startswith="publication.").latest("number")
    found: dict[str, str] = json.loads(bytes(row.body))["data"]["messages"]
    return found


def test_p_8_10_messages_of_the_parents_servers_are_kept_and_named_in_the_trail():
    look = replace(a_look((NEW,)), shown=answered(_1=600, _2=600))

    proposal = after(a_sent(), look)

    message = b"600" * 40
    digest = hashlib.sha256(message).hexdigest()
    assert named(proposal) == {"127.0.0.1": digest, "127.0.0.2": digest}
    assert messages_of(proposal) == {digest: message}
    assert Sighting.objects.get(server="127.0.0.1").ds == [DS]


def test_p_8_10_an_answer_that_says_the_same_is_kept_once_and_still_named():
    first = replace(a_look((NEW,), (NEW,)), shown=answered(_1=600, _2=600))
    silent = replace(first, shown=(*answered(_1=600), Shown("127.0.0.2", None)))
    last = replace(first, shown=answered(_1=600, _2=3600))
    proposal = after(a_sent(), first)

    after(proposal, silent, now=NOW + timedelta(hours=1))
    proposal = after(proposal, last, now=NOW + timedelta(days=1))

    assert proposal.state == "settled"
    kept = Sighting.objects.exclude(message=None).order_by("pk")
    assert [row.server[-1] for row in kept] == ["1", "2", "2"]
    old, new = (hashlib.sha256(ttl * 40).hexdigest() for ttl in (b"600", b"3600"))
    assert named(proposal) == {"127.0.0.1": old, "127.0.0.2": new}


def test_p_8_10_a_server_that_does_not_answer_has_no_message():
    both = replace(a_look((NEW,)), shown=answered(_1=600))
    proposal = after(a_sent(), both)
    assert named(proposal)

    other = replace(a_look((THIRD,)), shown=(Shown("127.0.0.1", (THIRD,)),))
    proposal = after(proposal, other, now=NOW + timedelta(hours=1))

    assert proposal.state == "conflict"
    assert named(proposal) == {}


NOT_YET = {
    "one server still shows none": [(NEW,), ()],
    "one server does not answer": [(NEW,), None],
    "one server shows one record more": [(NEW,), (THIRD, NEW)],
    "all servers still show none": [(), ()],
    "no server is known": [],
}


@pytest.mark.parametrize("sets", NOT_YET.values(), ids=NOT_YET)
def test_a_change_that_is_not_everywhere_is_looked_at_again(sets):
    proposal = after(a_sent(), a_look(*sets), NOW + timedelta(seconds=10))

    assert proposal.state == "sent"
    assert proposal.next_try_at == NOW + timedelta(seconds=15)
    assert not Alarm.objects.exists()


def test_a_change_that_is_not_everywhere_after_an_hour_is_an_alarm_until_it_is():
    proposal = a_sent()
    after(proposal, a_look((NEW,), ()), NOW + timedelta(hours=1))
    assert open_codes() == {"PUB_NOT_VISIBLE"}
    assert "127.0.0.2" in Alarm.objects.get().detail

    after(proposal, a_look((NEW,), (NEW,)), NOW + timedelta(hours=2))
    assert open_codes() == set()
    assert proposal.state == "visible"


def test_a_change_that_is_not_everywhere_after_a_day_waits_for_staff():
    proposal = after(a_sent(), a_look((NEW,), ()), NOW + timedelta(days=1))

    assert (proposal.state, proposal.reason) == ("failed", "PUB_NOT_VISIBLE")


def test_a_third_set_on_all_servers_is_a_conflict():
    proposal = after(a_sent(), a_look((THIRD,), (THIRD,)))

    assert proposal.state == "conflict"
    assert open_codes() == {"PUB_CONFLICT"}


def test_observation_follows_ttl_hour_and_day_and_then_settles():
    proposal, clock = a_sent(), Clock()
    times = []
    while proposal.state != "settled":
        after(proposal, a_look((NEW,)), clock())
        if proposal.next_try_at:
            times.append(proposal.next_try_at - NOW)
            clock.at = proposal.next_try_at

    assert times == [
        timedelta(seconds=600),  # +TTL
        timedelta(hours=1),
        timedelta(hours=24),
    ]
    assert (proposal.reason, proposal.settled_at) == ("POST_OK", clock())
    assert told(proposal.domain) == ["publication.visible", "publication.settled"]


def test_a_short_observation_bounds_all_looks():
    proposal = a_sent()
    proposal.domain.zone.__class__.objects.update(observe_seconds=3)
    after(proposal, a_look((NEW,)))

    assert proposal.next_try_at == NOW + timedelta(seconds=3)
    after(proposal, a_look((NEW,)), NOW + timedelta(seconds=3))
    assert proposal.state == "settled"


def test_a_server_that_fell_behind_delays_the_end():
    proposal = a_sent()
    after(proposal, a_look((NEW,), (NEW,)))
    end = NOW + timedelta(days=1)

    after(proposal, a_look((NEW,), ()), end)
    assert proposal.state == "visible"
    after(proposal, a_look((NEW,), (NEW,)), end + timedelta(minutes=1))
    assert proposal.state == "settled"


def test_a_bogus_child_is_an_alarm_and_its_ds_stays():  # P-3.42
    proposal = after(a_sent(), a_look((NEW,), child=Security.BOGUS))

    assert proposal.state == "visible"
    assert open_codes() == {"POST_CHILD_BOGUS"}
    domain = Domain.objects.get()
    assert (domain.ds, domain.secured_at, domain.state) == ([DS], None, "alarm")
    late = NOW + timedelta(days=2)
    after(proposal, a_look((NEW,), child=Security.BOGUS), late)
    assert proposal.state == "visible"  # P-3.41: never undone, never settled

    after(proposal, a_look((NEW,)), late + timedelta(minutes=5))
    assert proposal.state == "settled"
    assert open_codes() == set()


@pytest.mark.parametrize("child", [Security.INSECURE, Security.INDETERMINATE])
def test_a_child_that_is_not_proven_secure_does_not_settle(child):
    proposal = a_sent()
    after(proposal, a_look((NEW,), child=child))
    after(proposal, a_look((NEW,), child=child), NOW + timedelta(days=1))
    assert proposal.state == "visible"
    assert open_codes() == set()

    after(proposal, a_look((NEW,), child=child), NOW + timedelta(days=1, hours=1))
    assert open_codes() == {"POST_DS_ORPHAN"}


def test_a_set_that_disappears_during_observation_is_a_conflict():
    proposal = a_sent()
    after(proposal, a_look((NEW,)))
    after(proposal, a_look((), child=Security.INSECURE), NOW + timedelta(minutes=10))

    assert proposal.state == "conflict"
    assert open_codes() == {"PUB_CONFLICT"}


def test_a_removal_settles_when_the_ds_is_gone_and_the_child_insecure():
    proposal = a_sent("removal")
    Domain.objects.update(secured_at=NOW)
    gone = a_look((), (), child=Security.INSECURE, wanted=())
    after(proposal, gone)
    assert proposal.state == "visible"
    assert Domain.objects.get().secured_at is None

    after(proposal, gone, NOW + timedelta(days=1))
    assert proposal.state == "settled"


def test_a_look_whose_lease_was_lost_changes_nothing():
    proposal = a_sent()
    mine = Proposal.objects.get()
    Proposal.objects.update(fence=mine.fence + 1)

    assert record_look(mine, a_look((NEW,)), now=NOW) == "taken"
    proposal.refresh_from_db()
    assert proposal.state == "sent"
    assert not Sighting.objects.exists()


def test_what_is_being_looked_at_is_not_taken_twice():
    a_sent()

    assert len(verification._take(NOW, 10)) == 1
    assert len(verification._take(NOW, 10)) == 0
    assert len(verification._take(NOW + verification.LEASE, 10)) == 1
