from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bootstrap.core.workflow.breakers import (
    Counts,
    Limits,
    Trip,
    operator_of,
    operator_trips,
    trips,
)

LIMITS = Limits()
SMALL = 1_000
LARGE = 1_000_000

counts = st.builds(
    Counts,
    children=st.integers(0, 10**8),
    bootstraps=st.integers(0, 10**6),
    removals=st.integers(0, 10**6),
    failures=st.integers(0, 10),
)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Counts(children=SMALL, bootstraps=50), set()),
        (Counts(children=SMALL, bootstraps=51), {Trip.BOOTSTRAPS}),
        (Counts(children=LARGE, bootstraps=1000), set()),
        (Counts(children=LARGE, bootstraps=1001), {Trip.BOOTSTRAPS}),
        (Counts(children=SMALL, removals=10), set()),
        (Counts(children=SMALL, removals=11), {Trip.REMOVALS}),
        (Counts(children=LARGE, removals=200), set()),
        (Counts(children=LARGE, removals=201), {Trip.REMOVALS}),
        (Counts(children=LARGE, failures=2), set()),
        (Counts(children=LARGE, failures=3), {Trip.FAILURES}),
    ],
)
def test_the_registry_breaker_opens_beyond_its_limits(found, expected):  # S-68
    assert trips(found, LIMITS) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Counts(children=100, removals=20), set()),
        (Counts(children=100, removals=21), {Trip.OPERATOR_REMOVALS}),
        (Counts(children=1000, removals=50), set()),
        (Counts(children=1000, removals=51), {Trip.OPERATOR_REMOVALS}),
        (Counts(children=1000, bootstraps=500), set()),
        (Counts(children=1000, bootstraps=501), {Trip.OPERATOR_BOOTSTRAPS}),
    ],
)
def test_the_operator_breaker_opens_beyond_its_limits(found, expected):  # S-69
    assert operator_trips(found, LIMITS) == expected


@given(counts, st.integers(0, 1000))
def test_more_of_the_same_never_closes_a_breaker(found, more):
    worse = Counts(
        children=found.children,
        bootstraps=found.bootstraps + more,
        removals=found.removals + more,
        failures=found.failures + more,
    )
    assert trips(found, LIMITS) <= trips(worse, LIMITS)
    assert operator_trips(found, LIMITS) <= operator_trips(worse, LIMITS)


@pytest.mark.parametrize(
    ("hosts", "operator"),
    [
        (["ns1.op.example", "ns2.op.example."], "op.example"),
        (["ns1.b.example", "ns1.a.example"], "a.example b.example"),
        (["a.ns.op.co.uk.", "B.NS.op.co.uk"], "op.co.uk"),
        (["ns1.operator.uk"], "operator.uk"),
        (["op.net"], "op.net"),
        ([], ""),
    ],
)
def test_s_69_an_operator_is_the_set_of_domains_of_its_servers(hosts, operator):
    assert operator_of(hosts) == operator


def test_the_name_of_an_operator_has_an_end():
    hosts = [f"ns.{letter * 60}.example" for letter in "abcdef"]

    assert len(operator_of(hosts)) == 255
