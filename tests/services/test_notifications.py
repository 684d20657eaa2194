"""Notifications make a job for a child of ours, at a pace, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bootstrap.core.dns.names import parse_name
from bootstrap.models import RateBucket, WorkItem
from bootstrap.services import leasing, notifications

from .builders import NOW, a_domain

HERE = "192.0.2.7"
WEEK = timedelta(days=7)


def take(*names, sender=HERE, now=NOW):
    senders = {parse_name(name): (sender,) for name in names}
    return notifications.take(senders, now=now)


@pytest.mark.django_db
def test_s_27_a_child_of_ours_is_evaluated_at_once_and_that_is_all():
    domain = a_domain()

    assert take("child.test", "unknown.test") == ("child.test",)

    work = WorkItem.objects.get()
    assert (work.domain, work.trigger, work.due_at) == (domain, "notify", NOW)


@pytest.mark.django_db
def test_p_6_14_what_is_unknown_or_gone_makes_no_job_and_no_bucket():
    a_domain(removed_at=NOW)

    assert take("child.test", "unknown.test") == ()

    assert not WorkItem.objects.exists()
    assert not RateBucket.objects.exists()


@pytest.mark.django_db
def test_p_6_15_a_child_is_named_once_in_five_minutes_whoever_names_it():
    a_domain()
    take("child.test")

    assert take("child.test", sender="198.51.100.1") == ()
    assert take("child.test", now=NOW + timedelta(minutes=5)) == ("child.test",)


@pytest.mark.django_db
def test_p_6_15_a_network_has_ten_and_others_are_not_held_back_by_it():
    for number in range(12):
        a_domain(name=f"c{number}.test")

    named = [take(f"c{n}.test", sender=f"192.0.2.{n}") for n in range(11)]

    assert sum(map(len, named)) == 10
    assert take("c10.test", sender="198.51.100.1") == ("c10.test",)


@pytest.mark.django_db
def test_p_6_16_a_child_that_is_evaluated_at_this_moment_is_evaluated_again():
    domain = a_domain()
    WorkItem.objects.create(
        domain=domain, due_at=NOW, trigger="schedule", lease_until=NOW + timedelta(1)
    )

    take("child.test")

    assert WorkItem.objects.get().again


@pytest.mark.django_db
def test_s_28_a_flood_is_one_job_a_child():
    a_domain()
    flood = {parse_name("child.test"): tuple(f"198.51.{n}.1" for n in range(250))}

    for second in range(10):
        notifications.take(flood, now=NOW + timedelta(seconds=second))

    assert WorkItem.objects.count() == 1


@pytest.mark.django_db
def test_p_1_45_p_6_17_a_child_that_is_named_comes_before_all_that_is_due_by_the_clock():
    waiting = a_domain(name="waiting.test")
    named = a_domain(waiting.zone, name="named.test")
    for domain, due in ((waiting, NOW - timedelta(days=1)), (named, NOW + WEEK)):
        WorkItem.objects.create(domain=domain, due_at=due, trigger="schedule")

    take("named.test")

    first, second = (
        lease
        for _ in range(2)
        for lease in leasing.claim(1, holder="a", now=NOW, term=timedelta(minutes=4))
    )
    assert (first.domain_id, second.domain_id) == (named.pk, waiting.pk)
