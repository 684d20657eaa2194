from __future__ import annotations

import pytest

from bootstrap.models import PolicyVersion, Zone
from bootstrap.services import zones

from .builders import NOW, a_person, a_zone

pytestmark = pytest.mark.django_db

MANAGER = a_person("mia", zones.MANAGE)
APPROVER = a_person("ada")


def test_a_zone_manager_adds_and_changes_zones():
    zone = zones.add_zone("test", actor=MANAGER, now=NOW, primary="::1")
    assert zones.change_zone(zone, actor=MANAGER, now=NOW, routing="auto") == [
        "routing"
    ]
    assert Zone.objects.get().routing == "auto"


def test_who_decides_under_the_rules_does_not_make_them():
    zone = a_zone()
    with pytest.raises(zones.ZoneRefused, match="manage_zones"):
        zones.add_zone("other", actor=APPROVER, now=NOW)
    with pytest.raises(zones.ZoneRefused, match="manage_zones"):
        zones.change_zone(zone, actor=APPROVER, now=NOW, routing="auto")
    with pytest.raises(zones.ZoneRefused, match="manage_zones"):
        zones.write_policy(
            zone, zones.policy_of(zone), zones.Rationale(APPROVER), now=NOW
        )
    assert Zone.objects.get().routing == "review"
    assert PolicyVersion.objects.count() == 1


def test_a_setting_that_a_zone_does_not_have_is_refused():
    with pytest.raises(zones.ZoneRefused, match="colour"):
        zones.add_zone("test", actor=MANAGER, now=NOW, colour="blue")


def test_policies_are_numbered_and_the_newest_is_in_force():
    zone = zones.add_zone("test", actor=MANAGER, now=NOW)
    strict = zones.policy_from({"min_rsa_bits": 2048})
    zones.write_policy(zone, strict, zones.Rationale(MANAGER, "weak keys"), now=NOW)

    assert zones.policy_of(zone) == strict
    numbers = PolicyVersion.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [1, 2]
