"""A role takes two persons, and holds where it was granted (S-64, S-67, S-105)."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from hypothesis import given, settings as trials, strategies as some

from bootstrap.models import AuditEntry, Zone, ZoneRole
from bootstrap.services import people, powers, roles
from bootstrap.services.actors import OPERATOR, Actor, ActorKind
from bootstrap.services.roles import GrantRefused, Wish

from .builders import NOW

pytestmark = pytest.mark.django_db


def an_account(name: str, *groups: str, **columns) -> User:
    user = User.objects.create_user(name, is_staff=True, **columns)
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


def an_administrator(name: str, **columns) -> Actor:
    an_account(name, "administrator", **columns)
    return people.person(name, via="dashboard")


def a_zone(name: str) -> Zone:
    return Zone.objects.create(name=name, created_at=NOW)


@pytest.fixture
def boss():
    return an_administrator("boss")


@pytest.fixture
def second():
    return an_administrator("second")


@pytest.fixture
def ada():
    return an_account("ada")


def asked(user, role, zone=None, *, by):
    wish = Wish(user, role, zone, "she reviews from now on")
    return roles.ask(wish, actor=by, now=NOW)


def confirm(row, by):
    return roles.confirm(row, actor=by, comment="yes", now=NOW)


def test_a_role_holds_once_a_second_person_confirms_it(ada, boss, second):
    row = asked(ada, "reviewer", by=boss)
    assert not ada.groups.exists()

    confirm(row, second)

    assert ada.groups.get().name == "reviewer"
    row.refresh_from_db()
    assert (row.stand, row.decided_by) == ("confirmed", "second")
    kinds = AuditEntry.objects.order_by("pk").values_list("type", flat=True)
    assert list(kinds) == ["role.asked", "role.granted"]


def test_a_role_in_a_zone_holds_there_alone(ada, boss, second):
    here, there = a_zone("here"), a_zone("there")

    confirm(asked(ada, "approver", here, by=boss), second)

    actor = people.person("ada", via="dashboard")
    decide = "bootstrap.decide_proposal"
    assert actor.may(decide, here.pk)
    assert not actor.may(decide, there.pk)
    assert not actor.may(decide)
    told = json.loads(bytes(AuditEntry.objects.get(type="role.granted").body))
    assert told["data"]["zone"] == "here"
    assert "ada" not in json.dumps(told)


def test_who_asked_does_not_confirm(ada, boss):
    row = asked(ada, "reviewer", by=boss)

    with pytest.raises(GrantRefused, match="somebody else"):
        confirm(row, boss)


def test_who_gets_the_role_does_not_confirm(boss, second):
    row = asked(User.objects.get(username="second"), "auditor", by=boss)

    with pytest.raises(GrantRefused, match="somebody else"):
        confirm(row, second)


def test_another_account_of_the_same_person_does_not_confirm(ada):
    """S-64: on the identity of the person, not of the session."""
    boss = an_administrator("boss", email="b@registry.example")
    twin = an_administrator("boss2", email="B@registry.example")
    row = asked(ada, "reviewer", by=boss)

    with pytest.raises(GrantRefused, match="somebody else"):
        confirm(row, twin)


def test_the_word_of_who_lost_the_right_meanwhile_does_not_count(ada, boss, second):
    row = asked(ada, "reviewer", by=boss)
    User.objects.get(username="boss").groups.clear()

    with pytest.raises(GrantRefused, match="lacks"):
        confirm(row, second)


@pytest.mark.parametrize("verb", ["ask", "confirm", "refuse", "revoke"])
def test_only_administrators_of_all_zones_have_a_say(verb, ada, boss):
    an_account("eve", "viewer", "auditor")
    eve = people.person("eve", via="dashboard")
    acts = {
        "ask": lambda: asked(ada, "auditor", by=eve),
        "confirm": lambda: confirm(asked(ada, "auditor", by=boss), eve),
        "refuse": lambda: roles.refuse(
            asked(ada, "auditor", by=boss), actor=eve, comment="", now=NOW
        ),
        "revoke": lambda: roles.revoke(
            Wish(User.objects.get(username="eve"), "viewer"), actor=eve, now=NOW
        ),
    }

    with pytest.raises(GrantRefused, match="lacks"):
        acts[verb]()


def test_no_person_grants_alone(ada, boss):
    with pytest.raises(GrantRefused, match="second person"):
        roles.grant(Wish(ada, "viewer"), actor=boss, now=NOW)
    with pytest.raises(GrantRefused, match="second person"):
        roles.set_roles(ada, ["viewer"], actor=boss, now=NOW)


def test_a_refused_request_grants_nothing_and_may_come_again(ada, boss, second):
    row = asked(ada, "reviewer", by=boss)
    roles.refuse(row, actor=second, comment="not yet", now=NOW)

    with pytest.raises(GrantRefused, match="refused already"):
        confirm(row, second)
    assert not ada.groups.exists()
    assert asked(ada, "reviewer", by=boss).stand == "open"


@pytest.mark.parametrize("place", [None, "here"])
def test_nothing_is_asked_for_twice(place, ada, boss):
    zone = a_zone(place) if place else None
    row = asked(ada, "reviewer", zone, by=boss)

    with pytest.raises(GrantRefused, match="asked for already"):
        asked(ada, "reviewer", zone, by=boss)
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_a_request_needs_a_reason(ada, boss):
    with pytest.raises(GrantRefused, match="say why"):
        roles.ask(Wish(ada, "viewer", None, " "), actor=boss, now=NOW)


@pytest.mark.parametrize("role", ["auditor", "administrator"])
def test_who_looks_at_everything_does_so_in_no_single_zone(role, ada, boss):
    with pytest.raises(GrantRefused, match="not for one zone"):
        asked(ada, role, a_zone("here"), by=boss)


def test_rules_and_decisions_stay_apart_in_a_zone_but_not_across_zones(ada, boss):
    """S-67: nobody writes the policy under which they approve."""
    here, there = a_zone("here"), a_zone("there")
    roles.grant(Wish(ada, "approver", here), actor=OPERATOR, now=NOW)

    asked(ada, "zone manager", there, by=boss)
    for zone in (here, None):
        with pytest.raises(GrantRefused, match="together"):
            asked(ada, "zone manager", zone, by=boss)


def test_who_decides_anywhere_does_not_administer_people(ada, boss):
    roles.grant(Wish(ada, "approver", a_zone("here")), actor=OPERATOR, now=NOW)

    with pytest.raises(GrantRefused, match="together"):
        asked(ada, "administrator", by=boss)


def test_what_would_not_go_together_any_more_is_refused_at_the_second_word(
    ada, boss, second
):
    row = asked(ada, "approver", by=boss)
    roles.grant(Wish(ada, "zone manager", a_zone("here")), actor=OPERATOR, now=NOW)

    with pytest.raises(GrantRefused, match="together"):
        confirm(row, second)
    assert not ada.groups.exists()


def test_one_person_takes_a_role_away(ada, boss):
    here = a_zone("here")
    for wish in (Wish(ada, "viewer"), Wish(ada, "reviewer", here)):
        roles.grant(wish, actor=OPERATOR, now=NOW)
        roles.revoke(wish, actor=boss, now=NOW)
        with pytest.raises(GrantRefused, match="does not have"):
            roles.revoke(wish, actor=boss, now=NOW)

    assert not ada.groups.exists()
    assert not ZoneRole.objects.exists()
    assert AuditEntry.objects.filter(type="role.revoked").count() == 2


def test_a_person_is_asked_of_the_database_once(ada, django_assert_num_queries):
    roles.grant(Wish(ada, "viewer", a_zone("here")), actor=OPERATOR, now=NOW)
    again = User.objects.get(pk=ada.pk)

    with django_assert_num_queries(1):  # own permissions, groups' and zones' together
        for _ in range(3):
            assert powers.where(again, powers.SEE) is not None


def test_an_account_that_is_switched_off_sees_nothing(ada):
    roles.grant(Wish(ada, "viewer", a_zone("here")), actor=OPERATOR, now=NOW)
    ada.is_active = False

    assert powers.where(ada, powers.SEE) == frozenset()


ZONES = some.one_of(some.none(), some.frozensets(some.integers(1, 6)))


@given(ZONES, ZONES, some.integers(1, 6))
@trials(max_examples=100, deadline=None)
def test_both_is_what_is_in_each(one, other, zone):
    def has(zones):
        return zones is None or zone in zones

    assert has(powers.both(one, other)) == (has(one) and has(other))


def test_an_actor_without_a_zone_must_hold_it_everywhere():
    actor = Actor(
        ActorKind.STAFF, "ada", "dashboard", frozenset({"a"}), frozenset({(1, "b")})
    )

    assert actor.may("a")
    assert actor.may("a", 7)
    assert actor.may("b", 1)
    assert not actor.may("b", 2)
    assert not actor.may("b")
