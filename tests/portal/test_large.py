"""The registry that pages are measured with, in small: every address opens, in few queries."""

from __future__ import annotations

import pytest

from benchmarks import addresses, history, visits
from bootstrap import clock
from bootstrap.models import AuditPending, Domain, Proposal, ScanAttempt, Zone
from bootstrap.services import statistics

COUNT = 800


@pytest.fixture(scope="module")
def large(django_db_setup, django_db_blocker):
    """A filled database, kept for the tests of this file and rolled back then."""
    from django.db import transaction  # noqa: PLC0415 - after Django's setup

    with django_db_blocker.unblock(), transaction.atomic():
        list(history.fill(COUNT, clock.now()))
        yield
        transaction.set_rollback(True)


def test_every_delegation_has_its_past(large, db):
    assert Domain.objects.count() == COUNT
    assert ScanAttempt.objects.count() == COUNT * 3
    assert Proposal.objects.awaiting_staff().count() >= 1
    assert AuditPending.objects.count() == 50


def test_every_page_is_visited_and_keeps_its_limit(large, db, settings):
    settings.PORTAL_DEMO = True  # password alone
    settings.MIDDLEWARE = ["benchmarks.visits.stopwatch", *settings.MIDDLEWARE]

    told = visits.visit(1)

    over = {p["page"]: p["queries"] for p in told["pages"] if p["queries"] > p["most"]}
    assert over == {}
    assert {p["page"] for p in told["pages"]} == addresses.pages().keys()
    assert "operator" in addresses.pages()


def test_large_zones_show_figures_with_their_age_rather_than_be_counted(
    large, db, monkeypatch
):
    """No page counts a million delegations because a worker is late."""
    monkeypatch.setattr(statistics, "SMALL", 10)
    later = clock.now() + 2 * statistics.FRESH
    zone = Zone.objects.get(name="example")
    Domain.objects.filter(zone=zone)[:1].get().delete()

    told = statistics.standing(now=later, zones=[zone.pk])[zone.pk]

    assert told.total == Domain.objects.filter(zone=zone).count() + 1
    assert told.counted_at is not None
    assert told.counted_at < later - statistics.FRESH
