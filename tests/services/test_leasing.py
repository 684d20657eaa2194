"""Work: claimed by one, refused to the late, parked when it kills, never lost."""

from __future__ import annotations

from datetime import timedelta
from operator import itemgetter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ
from hypothesis import given, strategies as st

from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome, Verdict
from bootstrap.models import Alarm, WorkItem
from bootstrap.services import leasing
from bootstrap.services.leasing import RETRIES, LateWriter

from .builders import NOW, a_domain

TERM = timedelta(minutes=4)
DAY = timedelta(days=1)


def some_work(count: int = 1, **changes):
    items = []
    for number in range(count):
        domain = a_domain(name=f"child{number}.test", ns_key=changes.pop("ns_key", ""))
        defaults = {"domain": domain, "due_at": NOW, "trigger": "schedule"}
        items.append(WorkItem.objects.create(**{**defaults, **changes}))
    return items


def claim(limit=10, now=NOW, holder="a"):
    return leasing.claim(limit, holder=holder, now=now, term=TERM)


def finish(lease, now=NOW):
    leasing.finish(lease, due_at=now + DAY, retries=0, now=now)


@pytest.mark.django_db
def test_an_item_is_given_to_one_claimer_only():
    some_work(3)

    first, second = claim(2, holder="a"), claim(10, holder="b")

    assert len(first) == 2
    assert len(second) == 1
    assert not {a.domain_id for a in first} & {b.domain_id for b in second}
    assert claim() == []


@pytest.mark.django_db
def test_what_is_not_due_yet_is_left_alone():
    some_work(due_at=NOW + timedelta(seconds=1))

    assert claim() == []


@pytest.mark.django_db
def test_a_child_that_is_gone_is_left_alone():
    (item,) = some_work()
    item.domain.removed_at = NOW
    item.domain.save()

    assert claim() == []


@pytest.mark.django_db
def test_after_the_lease_another_one_takes_over_and_the_late_writer_is_refused():
    some_work()
    (late,) = claim(holder="a")
    (heir,) = claim(now=NOW + TERM + timedelta(seconds=1), holder="b")

    with pytest.raises(LateWriter):
        finish(late)
    finish(heir)

    assert heir.fence > late.fence
    assert WorkItem.objects.get().due_at == NOW + DAY


@pytest.mark.django_db
def test_a_result_is_written_once():
    some_work()
    (lease,) = claim()
    finish(lease)

    with pytest.raises(LateWriter):
        finish(lease)


@pytest.mark.django_db
def test_a_renewed_lease_is_not_given_away():
    some_work()
    leases = claim()

    assert leasing.renew(leases, now=NOW + TERM, term=TERM) == leases
    assert claim(now=NOW + TERM + timedelta(seconds=1)) == []


@pytest.mark.django_db
def test_a_lost_lease_cannot_be_renewed():
    some_work()
    lost = claim()
    claim(now=NOW + 2 * TERM, holder="b")

    assert leasing.renew(lost, now=NOW + 2 * TERM, term=TERM) == []


@pytest.mark.django_db
def test_the_third_death_parks_the_item_with_an_alarm_and_others_go_on():
    """S-82: the worker that dies cannot count; the claim does."""
    poison, _good = some_work(2)
    for death in range(3):
        leases = claim(now=NOW + 2 * death * TERM)
        for lease in leases:
            if lease.domain_id != poison.pk:
                finish(lease, now=NOW + 2 * death * TERM)

    assert claim(now=NOW + 6 * TERM) == []
    poison.refresh_from_db()
    assert poison.parked_at == NOW + 6 * TERM
    assert Alarm.objects.get().code == Reason.VAL_LIMIT


@pytest.mark.django_db
def test_a_killer_is_parked_and_the_neighbours_in_its_batch_are_not():
    items = some_work(60)
    killer, now = items[30].pk, NOW
    for _claims in range(200):
        leases = claim(50, now=now)
        if not leases:
            break
        if killer in {lease.domain_id for lease in leases}:
            now += 2 * TERM  # the worker died with all that it held
            continue
        for lease in leases:
            finish(lease, now=now)

    parked = WorkItem.objects.exclude(parked_at=None)
    assert [item.pk for item in parked] == [killer]
    assert WorkItem.objects.filter(attempts=0).count() == 59


@pytest.mark.django_db
def test_a_finished_evaluation_forgives_earlier_deaths():
    some_work()
    claim()
    (lease,) = claim(now=NOW + 2 * TERM)
    finish(lease)

    assert WorkItem.objects.get().attempts == 0


@pytest.mark.django_db
def test_only_a_person_takes_up_a_parked_item():
    (item,) = some_work(parked_at=NOW, attempts=3)

    leasing.request([item.pk], trigger=Trigger.NOTIFY, now=NOW)
    assert claim() == []
    leasing.request([item.pk], trigger=Trigger.STAFF, now=NOW)
    assert [lease.trigger for lease in claim()] == [Trigger.STAFF]


@pytest.mark.django_db
def test_work_given_back_is_due_and_counts_no_death():
    some_work()
    (lease,) = claim()

    leasing.give_back(lease)

    assert len(claim(holder="b")) == 1
    assert WorkItem.objects.get().attempts == 1


@pytest.mark.django_db
def test_a_request_during_an_evaluation_means_again_afterwards():
    """P-1.46: at most one evaluation in flight, later triggers are kept."""
    (item,) = some_work()
    (lease,) = claim()

    leasing.request([item.pk], trigger=Trigger.NS_CHANGE, now=NOW)
    assert claim(holder="b") == []
    finish(lease)

    assert [again.trigger for again in claim(holder="b")] == [Trigger.NS_CHANGE]


@pytest.mark.sqlite_only
@pytest.mark.django_db
def test_claims_go_along_an_index_and_look_for_the_dead_among_the_leased():
    """A million may be due at once, and each claim takes some hundreds of them."""
    some_work(3)

    with CaptureQueriesContext(connection) as asked:
        assert len(claim(5)) == 3

    plans = {sql: plan_of(sql) for sql in map(itemgetter("sql"), asked) if reads(sql)}
    in_turn = [plan for sql, plan in plans.items() if '"attempts" = 0' in sql]
    assert len(in_turn) == len(leasing.URGENCIES) + 2
    for plan in in_turn:
        assert "INDEX work_due (priority=? AND due_at<?)" in plan
        assert "TEMP B-TREE FOR ORDER BY" not in plan
    assert any("work_leased" in plan for plan in plans.values())


def reads(sql: str) -> bool:
    return sql.startswith("SELECT") and "bootstrap_workitem" in sql


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return "; ".join(row[-1] for row in cursor.fetchall())


@pytest.mark.django_db
def test_a_request_makes_the_row_and_rings_once():
    domains = [a_domain(name=f"child{number}.test") for number in range(3)]

    leasing.request([d.pk for d in domains], trigger=Trigger.NS_CHANGE, now=NOW)

    assert len(claim()) == 3
    assert OrmQ.objects.count() == 1


@pytest.mark.django_db
def test_a_claim_stays_with_one_set_of_nameservers():
    for number in range(6):
        domain = a_domain(name=f"child{number}.test", ns_key="ab"[number % 2])
        WorkItem.objects.create(domain=domain, due_at=NOW, trigger="schedule")

    taken = claim(3)

    keys = {item.domain.ns_key for item in WorkItem.objects.exclude(holder="")}
    assert len(taken) == 3
    assert len(keys) == 1
    assert len(claim(4)) == 3


@pytest.mark.django_db
def test_urgent_work_comes_before_near_work():
    _near, urgent = some_work(2)
    WorkItem.objects.filter(pk=urgent.pk).update(priority=2)

    assert [lease.domain_id for lease in claim(1)] == [urgent.pk]


@pytest.mark.django_db
def test_items_taken_out_of_turn_are_refused_to_their_former_holder():
    items = some_work(3)
    WorkItem.objects.filter(pk=items[2].pk).delete()  # made anew where it is missing
    former = claim()

    leases = leasing.take_all(
        [item.domain_id for item in items], holder="b", now=NOW, term=TERM
    )

    assert [lease.domain_id for lease in leases] == [i.domain_id for i in items]
    assert len(former) == 2
    for late in former:
        with pytest.raises(LateWriter):
            finish(late)
    for lease in leases:
        finish(lease)


def a_verdict(outcome: Outcome, *reasons: Reason) -> Verdict:
    findings = tuple(Finding(reason) for reason in reasons)
    return Verdict(None, outcome, reasons[0], findings, ())


TURNS = {
    "nothing to do": (a_verdict(Outcome.NOTHING, Reason.APEX_NO_CDS), 2, DAY, 0),
    "first trouble": (
        a_verdict(Outcome.RETRY, Reason.NS_TIMEOUT),
        0,
        timedelta(minutes=5),
        1,
    ),
    "fifth trouble": (
        a_verdict(Outcome.RETRY, Reason.NS_TIMEOUT),
        4,
        timedelta(minutes=80),
        5,
    ),
    "sixth trouble": (a_verdict(Outcome.RETRY, Reason.NS_TIMEOUT), 5, DAY, 5),
    "trouble that has become the child's": (
        a_verdict(Outcome.REJECT, Reason.NS_TIMEOUT),
        5,
        DAY,
        5,
    ),
    "the child's fault": (a_verdict(Outcome.REJECT, Reason.CDS_TOO_MANY), 5, DAY, 0),
    "our own fault": (
        a_verdict(Outcome.ERROR, Reason.X_EGRESS),
        3,
        timedelta(minutes=5),
        3,
    ),
}


@pytest.mark.parametrize(
    ("verdict", "retries", "wait", "steps"), TURNS.values(), ids=TURNS
)
def test_the_next_turn_follows_the_schedule(verdict, retries, wait, steps):
    assert leasing.next_turn(verdict, retries, cadence=DAY, jitter=0) == (wait, steps)


@given(
    st.sampled_from(Outcome),
    st.sampled_from(Reason),
    st.integers(0, len(RETRIES)),
    st.floats(0, 1, exclude_max=True),
    st.integers(1, 10_000),
)
def test_no_turn_is_more_than_a_tenth_after_the_cadence(
    outcome, reason, retries, jitter, minutes
):
    cadence = timedelta(minutes=minutes)

    wait, steps = leasing.next_turn(
        a_verdict(outcome, reason), retries, cadence=cadence, jitter=jitter
    )

    assert timedelta(0) < wait <= cadence * 1.1
    assert 0 <= steps <= len(RETRIES)
