"""The low TTL of a new DS set goes back to normal, once, and on the record."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bootstrap.models import Domain
from bootstrap.registry.ports import RegistryUnreachable
from bootstrap.services.sending import change_of
from bootstrap.services.ttls import LOW_FOR, restore_due

from .builders import DS, NOW, OTHER_DS, a_domain, a_zone
from .parent import CHILD, Clock, a_parent, an_approved, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def settled():
    zone = a_zone(ds_ttl_initial=600, ds_ttl=86_400)
    domain = a_domain(zone, ds=[DS])
    return an_approved(domain, state="settled", sent_at=NOW)


def restore(parent, clock) -> int:
    return restore_due(registry_for=lambda _zone: parent, clock=clock)


def test_the_ttl_is_restored_after_two_days_and_only_once(settled):  # P-5.22
    parent, clock = a_parent(DS), Clock()
    parent.ttl[CHILD] = 600
    clock.pass_by(hours=47)
    assert restore(parent, clock) == 0

    clock.pass_by(hours=1)
    assert restore(parent, clock) == 1
    assert restore(parent, clock) == 0

    assert parent.ttl[CHILD] == 86_400
    assert told(settled.domain) == ["ttl.restored"]


@pytest.mark.parametrize(
    ("initial", "normal", "sent"), [(600, 86_400, 600), (7_200, 3_600, 3_600)]
)
def test_a_new_set_never_has_more_than_the_normal_ttl(initial, normal, sent):  # P-5.21
    zone = a_zone(ds_ttl_initial=initial, ds_ttl=normal)
    proposal = an_approved(a_domain(zone))

    assert change_of(proposal, zone).ttl == sent


def test_the_ttl_stays_low_until_the_old_sets_ttl_ran_out(settled):
    settled.domain.zone.__class__.objects.update(ds_ttl=3 * 86_400)
    parent, clock = a_parent(DS), Clock(NOW + LOW_FOR)

    assert restore(parent, clock) == 0
    clock.pass_by(days=1)
    assert restore(parent, clock) == 1


def test_a_set_that_was_replaced_meanwhile_is_left_alone(settled):
    Domain.objects.update(ds=[OTHER_DS])
    parent = a_parent(OTHER_DS)

    assert restore(parent, Clock(NOW + LOW_FOR)) == 0
    assert parent.applied == []
    assert settled.publications.get().outcome == "ttl-moot"


def test_a_set_that_only_the_parent_changed_is_not_overwritten(settled):
    parent = a_parent(OTHER_DS)

    assert restore(parent, Clock(NOW + LOW_FOR)) == 0
    assert parent.applied == []


def test_an_unreachable_primary_is_asked_again_after_a_pause(settled):
    parent, clock = a_parent(DS), Clock(NOW + LOW_FOR)

    def away(_subject):
        raise RegistryUnreachable("no route")

    parent.before = away
    assert restore(parent, clock) == 0
    parent.before = lambda _change: None
    assert restore(parent, clock) == 0
    clock.at += timedelta(minutes=7)
    assert restore(parent, clock) == 1
    outcomes = settled.publications.values_list("outcome", flat=True)
    assert list(outcomes) == ["ttl-not-restored", "ttl-restored"]
