from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.core.workflow.freshness import (
    LIMITS,
    Freshness,
    Sight,
    contradicts,
    expiry,
    freshness,
)

NOW = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
DS = ["1 13 2 AA", "2 13 2 BB"]


def test_an_approval_lives_a_day_but_no_longer_than_its_signatures():  # P-1.62, P-8.7
    assert expiry(NOW, None, LIMITS) == NOW + 24 * HOUR
    assert expiry(NOW, NOW + 48 * HOUR, LIMITS) == NOW + 24 * HOUR
    assert expiry(NOW, NOW + HOUR, LIMITS) == NOW + HOUR


@pytest.mark.parametrize(
    ("age", "left", "expected"),
    [
        (HOUR, SECOND, Freshness.FRESH),
        (HOUR + SECOND, SECOND, Freshness.RECHECK),
        (HOUR, timedelta(0), Freshness.EXPIRED),
        (24 * HOUR + SECOND, -SECOND, Freshness.EXPIRED),
    ],
)
def test_evidence_of_more_than_an_hour_is_looked_at_again(age, left, expected):  # S-60
    found = freshness(seen_at=NOW - age, expires_at=NOW + left, now=NOW, limits=LIMITS)
    assert found is expected


@pytest.mark.parametrize("outcome", [Outcome.RETRY, Outcome.ERROR])
def test_trouble_on_the_way_contradicts_nothing(outcome):
    assert not contradicts(Sight(outcome, "", []), "bootstrap", DS)


@pytest.mark.parametrize("outcome", [Outcome.NOTHING, Outcome.REJECT])
def test_a_withdrawn_or_refused_request_contradicts(outcome):
    assert contradicts(Sight(outcome, "bootstrap", DS), "bootstrap", DS)


@pytest.mark.parametrize("outcome", [Outcome.ACCEPT, Outcome.HOLD])
def test_only_the_very_same_change_is_confirmed(outcome):
    assert not contradicts(Sight(outcome, "bootstrap", DS[::-1]), "bootstrap", DS)
    assert contradicts(Sight(outcome, "bootstrap", DS[:1]), "bootstrap", DS)
    assert contradicts(Sight(outcome, "update", DS), "bootstrap", DS)
