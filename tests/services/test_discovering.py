"""Lists of signals: hints about our own delegations, once each (P-1.41, P-1.42)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.signaling import Ending
from bootstrap.models import SignalHint, SignalSource, WorkItem
from bootstrap.scanner.discovery import Signals, Way
from bootstrap.services import discovering

from .builders import DS, NOW, a_domain, a_zone

HOUR = timedelta(hours=1)
HOST = "ns1.op.example"


def a_source(host=HOST, due_at=NOW):
    return SignalSource.objects.create(host=host, due_at=due_at)


def a_list(*children, ending=Ending.COMPLETE, way=Way.WALK):
    names = tuple(parse_name(child) for child in children)
    return Signals(parse_name(HOST), names, way, ending, 7)


def record(source, signals, now=NOW):
    return discovering.record(source, signals, every=HOUR, now=now)


@pytest.mark.django_db
def test_p_1_41_news_of_our_own_delegations_are_evaluated_at_once():
    domain = a_domain(nameservers=[HOST])

    found = record(a_source(), a_list("child.test"))

    assert (found.matched, found.news) == (1, ("child.test",))
    work = WorkItem.objects.get(domain=domain)
    assert (work.trigger, work.due_at, work.priority) == ("discovery", NOW, 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other.test"},
        {"nameservers": ["ns2.op.example"]},
        {"removed_at": NOW},
        {"ds": [DS]},
    ],
    ids=["unknown", "at another host", "no longer delegated", "secured already"],
)
def test_p_1_41_what_we_do_not_delegate_to_that_host_without_ds_is_discarded(changes):
    a_domain(**{"nameservers": [HOST], **changes})

    found = record(a_source(), a_list("child.test"))

    assert (found.matched, found.news) == (0, ())
    assert not WorkItem.objects.exists()


@pytest.mark.django_db
def test_what_was_on_the_list_before_is_no_news_and_costs_no_evaluation():
    domain = a_domain(nameservers=[HOST])
    source = a_source()
    record(source, a_list("child.test"))
    WorkItem.objects.filter(domain=domain).update(due_at=NOW + 24 * HOUR)

    found = record(source, a_list("child.test"), now=NOW + HOUR)

    assert (found.matched, found.news) == (1, ())
    assert WorkItem.objects.get().due_at == NOW + 24 * HOUR


@pytest.mark.django_db
def test_a_signal_that_went_away_and_came_back_is_news_again():
    a_domain(nameservers=[HOST])
    source = a_source()
    for children in (("child.test",), ()):
        record(source, a_list(*children))

    assert record(source, a_list("child.test")).news == ("child.test",)


@pytest.mark.django_db
@pytest.mark.parametrize("ending", [e for e in Ending if e is not Ending.COMPLETE])
def test_a_list_that_broke_off_forgets_nothing(ending):
    a_domain(nameservers=[HOST])
    source = a_source()
    record(source, a_list("child.test"))

    record(source, a_list(ending=ending))

    assert SignalHint.objects.count() == 1


@pytest.mark.django_db
def test_a_child_that_is_evaluated_at_this_moment_is_evaluated_again():
    domain = a_domain(nameservers=[HOST])
    WorkItem.objects.create(
        domain=domain, due_at=NOW, trigger="schedule", lease_until=NOW + HOUR
    )

    record(a_source(), a_list("child.test"))

    assert WorkItem.objects.get().again


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ending", "least"),
    [
        (Ending.COMPLETE, HOUR),
        (Ending.SILENT, HOUR),
        (Ending.HASHED, 7 * 24 * HOUR),
        (Ending.MADE_UP, 7 * 24 * HOUR),
    ],
)
def test_what_cannot_be_listed_is_tried_seldom(ending, least):
    source = a_source()

    record(source, a_list(ending=ending))

    source.refresh_from_db()
    assert least <= source.due_at - NOW <= 1.1 * least
    assert (source.ending, source.queries) == (ending.value, 7)


@pytest.mark.django_db
def test_nameservers_of_insecure_delegations_are_sources_and_no_others():
    zone = a_zone()
    a_domain(zone, "one.test", nameservers=["ns1.one.test", HOST], ns_key="1")
    for number in range(2):  # inside of one child, but serving others too
        name = f"shared{number}.test"
        a_domain(zone, name, nameservers=["ns1.shared0.test"], ns_key="2")
    a_domain(zone, "own.test", nameservers=["ns1.own.test"], ns_key="3")
    a_domain(zone, "done.test", nameservers=["ns1.done.example"], ns_key="4", ds=[DS])
    a_domain(
        zone, "gone.test", nameservers=["ns.gone.example"], ns_key="5", removed_at=NOW
    )
    a_source("ns1.past.example")

    assert discovering.keep_sources(now=NOW) == 2
    assert discovering.keep_sources(now=NOW) == 2

    hosts = set(SignalSource.objects.values_list("host", flat=True))
    assert hosts == {HOST, "ns1.shared0.test"}


@pytest.mark.django_db
def test_a_source_that_somebody_else_looks_at_is_left_to_him():
    mine, theirs = a_source(), a_source("ns2.op.example")
    SignalSource.objects.filter(pk=theirs.pk).update(due_at=NOW + HOUR)

    assert discovering.take(mine, now=NOW)
    assert not discovering.take(mine, now=NOW)
    assert not discovering.take(theirs, now=NOW)
