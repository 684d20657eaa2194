"""Buckets: a burst, then a drop at a time, for one network (S-28, S-109)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from bootstrap.models import AuditEntry, RateBucket, WorkItem
from bootstrap.services import rates, requests

from .builders import NOW, a_domain

SECOND = timedelta(seconds=1)
RATE = rates.Rate(2 * SECOND, 10)


def test_a_burst_is_let_through_and_then_one_at_a_time(db):
    waits = [rates.take("a", RATE, now=NOW) for _ in range(12)]

    assert waits[:10] == [timedelta(0)] * 10
    assert waits[10:] == [2 * SECOND] * 2
    assert rates.take("a", RATE, now=NOW + 2 * SECOND) == timedelta(0)
    assert rates.take("a", RATE, now=NOW + 3 * SECOND) == SECOND
    assert rates.take("b", RATE, now=NOW) == timedelta(0)


def test_in_any_minute_no_more_than_thirty_and_the_burst_pass(db):
    passed = sum(
        not rates.take("a", RATE, now=NOW + SECOND * step / 10) for step in range(600)
    )

    assert passed == 39


def test_asking_for_the_wait_takes_nothing(db):
    for _ in range(20):
        assert rates.wait("a", RATE, now=NOW) == timedelta(0)
    for _ in range(10):
        rates.take("a", RATE, now=NOW)
    assert rates.wait("a", RATE, now=NOW) == 2 * SECOND


def test_full_buckets_are_forgotten(db):
    rates.take("a", RATE, now=NOW)
    rates.take("b", RATE, now=NOW + 10 * SECOND)

    assert rates.forget(now=NOW + 5 * SECOND) == 1
    assert RateBucket.objects.get().key == "b"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2ff::7", "2001:db8:1:200::/56"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_a_network_is_a_24_or_a_56(address, network):
    assert rates.network_of(address) == network


@given(st.text(max_size=60))
def test_no_text_breaks_the_network(text):
    assert isinstance(rates.network_of(text), str)


def test_anybody_may_ask_for_a_look_once_in_five_minutes(db):
    child = a_domain()
    requests.request_look(child, network="192.0.2.0/24", now=NOW)

    with pytest.raises(requests.TooSoon) as refused:
        requests.request_look(child, network="198.51.100.0/24", now=NOW + SECOND)

    assert refused.value.wait == timedelta(minutes=5) - SECOND
    assert WorkItem.objects.get().trigger == "owner"
    entry = AuditEntry.objects.filter(type="scan.requested").values().get()
    assert "192.0.2" not in str(entry)
    assert requests.next_look(child, now=NOW) == NOW + timedelta(minutes=5)
    assert requests.is_awaited(child, now=NOW)


def test_one_network_asks_for_ten_looks_a_minute(db):
    children = [a_domain(name=f"child{n}.test") for n in range(11)]
    for child in children[:10]:
        requests.request_look(child, network="192.0.2.0/24", now=NOW)

    with pytest.raises(requests.TooSoon):
        requests.request_look(children[10], network="192.0.2.0/24", now=NOW)

    assert requests.next_look(children[10], now=NOW) == NOW


def test_what_is_due_tomorrow_is_not_awaited(db):
    child = a_domain()
    WorkItem.objects.create(
        domain=child, due_at=NOW + timedelta(days=1), trigger="schedule"
    )

    assert not requests.is_awaited(child, now=NOW)
