from __future__ import annotations

from itertools import combinations

import pytest
from django.contrib.auth.models import Group, User

from bootstrap.models import AuditEntry
from bootstrap.services import people, roles
from bootstrap.services.actors import OPERATOR, ActorKind

from .builders import NOW

pytestmark = pytest.mark.django_db

GROUPS = ["viewer", "reviewer", "approver", "auditor", "zone manager", "administrator"]
OWN = {
    "viewer": set(),
    "reviewer": {"hold_proposal", "comment_proposal", "request_scan"},
    "approver": {
        "decide_proposal",
        "hold_proposal",
        "comment_proposal",
        "request_scan",
    },
    "auditor": {"view_audit", "view_auditentry"},
    "zone manager": {"manage_zones"},
    "administrator": set(),
}


def rights(name: str) -> set[str]:
    held = Group.objects.get(name=name).permissions
    return set(held.values_list("codename", flat=True))


@pytest.mark.parametrize("name", GROUPS)
def test_each_role_has_its_rights_and_no_others(name):
    held = rights(name)
    beyond = {code for code in held if not code.startswith("view_")}
    users = {"add_user", "change_user"} if name == "administrator" else set()
    assert beyond == {c for c in OWN[name] if not c.startswith("view_")} | users
    assert OWN[name] <= held
    assert "view_proposal" in held


def test_the_trail_is_for_auditors_alone():
    assert [name for name in GROUPS if "view_audit" in rights(name)] == ["auditor"]


def test_no_role_makes_the_rules_and_decides_under_them():
    powers = ("decide_proposal", "manage_zones", "change_user")
    for one, other in combinations(powers, 2):
        assert not [name for name in GROUPS if {one, other} <= rights(name)]


def test_a_person_acts_with_the_rights_held_now():
    user = User.objects.create_user("ada")
    user.groups.add(Group.objects.get(name="approver"))

    actor = people.person("ada", via="command")

    assert (actor.kind, actor.name, actor.via) == (ActorKind.STAFF, "ada", "command")
    assert "bootstrap.decide_proposal" in actor.permissions


@pytest.mark.parametrize("name", ["nobody", "gone"])
def test_who_is_unknown_or_gone_is_no_actor(name):
    User.objects.create_user("gone", is_active=False)
    with pytest.raises(people.UnknownPerson):
        people.person(name, via="command")


APART = {("approver", "zone manager"), ("administrator", "approver")}


@pytest.mark.parametrize("pair", list(combinations(sorted(GROUPS), 2)), ids="+".join)
def test_two_roles_go_together_unless_one_controls_the_other(pair):
    user = User.objects.create_user("ada")
    if pair in APART:
        with pytest.raises(roles.GrantRefused):
            roles.set_roles(user, pair, actor=OPERATOR, now=NOW)
        assert not user.groups.exists()
        assert not AuditEntry.objects.exists()
    else:
        assert roles.set_roles(user, pair, actor=OPERATOR, now=NOW) == pair
        assert user.groups.count() == 2


def test_a_role_does_not_go_with_a_power_held_beside_it():
    user = User.objects.create_user("ada")
    zone_power = Group.objects.get(name="zone manager").permissions.get(
        codename="manage_zones"
    )
    user.user_permissions.add(zone_power)
    with pytest.raises(roles.GrantRefused, match="manage_zones"):
        roles.set_roles(user, ["approver"], actor=OPERATOR, now=NOW)


def test_grants_and_their_end_are_recorded_without_the_name():
    user = User.objects.create_user("ada.lovelace")
    roles.set_roles(user, ["viewer", "auditor"], actor=OPERATOR, now=NOW)
    roles.set_roles(user, ["viewer"], actor=OPERATOR, now=NOW)

    entries = AuditEntry.objects.order_by("pk")
    assert [entry.type for entry in entries] == [
        "role.granted",
        "role.granted",
        "role.revoked",
    ]
    assert all(b"lovelace" not in bytes(entry.body) for entry in entries)


def test_a_role_that_does_not_exist_is_refused():
    with pytest.raises(roles.GrantRefused, match="emperor"):
        roles.set_roles(
            User.objects.create_user("ada"), ["emperor"], actor=OPERATOR, now=NOW
        )
