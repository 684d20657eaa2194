"""`manage.py discover`: what is listed is evaluated in full, and nothing else is."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from bootstrap import clock, tasks
from bootstrap.models import ScanAttempt, SignalHint, SignalSource, WorkItem


def discover(*arguments):
    out = StringIO()
    call_command("discover", *arguments, "--json", stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def resting(world):
    """A world in which nothing is due: the schedule would not look for a day."""
    WorkItem.objects.update(due_at=clock.now() + timedelta(days=1))
    return world


def test_new_signals_are_listed_and_their_children_evaluated_by_the_worker(resting):
    told = discover()

    news = {name for line in told for name in line["new"]}
    assert news
    assert all(line["way"] == "walk" for line in told if line["new"])
    assert tasks.drain_scans()
    scanned = set(ScanAttempt.objects.values_list("domain__name", flat=True))
    assert scanned == news
    assert set(ScanAttempt.objects.values_list("trigger", flat=True)) == {"discovery"}


def test_a_second_round_finds_no_news_and_asks_nobody_before_its_time(resting):
    discover()
    hints = SignalHint.objects.count()

    assert discover() == []
    assert tasks.discover_signals() == 0
    hosts = SignalSource.objects.values_list("host", flat=True)
    again = discover(*hosts)

    assert {name for line in again for name in line["new"]} == set()
    assert SignalHint.objects.count() == hints


def test_the_schedule_does_it_and_a_setting_ends_it(resting, settings):
    settings.BOOTSTRAP = {**settings.BOOTSTRAP, "DISCOVERY_MINUTES": "0"}
    assert tasks.discover_signals() == 0
    assert not SignalSource.objects.exists()

    settings.BOOTSTRAP = {**settings.BOOTSTRAP, "DISCOVERY_MINUTES": "60"}
    assert tasks.discover_signals() > 0


def test_people_read_one_line_for_each_nameserver(resting):
    out = StringIO()
    call_command("discover", stdout=out)

    assert " complete (walk), " in out.getvalue()
    out = StringIO()
    call_command("discover", stdout=out)
    assert out.getvalue() == "no nameserver is to be looked at now\n"


def test_nonsense_is_refused(db, settings):
    with pytest.raises(CommandError, match="not a domain name"):
        discover("a..b")
    settings.BOOTSTRAP = {**settings.BOOTSTRAP, "DISCOVERY_MINUTES": "soon"}
    with pytest.raises(CommandError, match="DISCOVERY_MINUTES"):
        discover()
