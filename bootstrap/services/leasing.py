"""Work: who may evaluate which child until when, and when it is due again.

The row is the truth, the queue only rings (architecture.md 3). A claim gives a
fence number; whoever holds an older one is refused, however late he wakes up
(S-74). Claims are counted, so that an item which kills its workers is parked
although nobody lived to say so (S-82).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from bootstrap import bell
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evaluation.reasons import MEANINGS, Kind, Reason
from bootstrap.core.evaluation.verdict import Outcome, Verdict
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import WorkItem

from . import alarms, audit, bulk
from .actors import SCANNER

RETRIES: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 20, 40, 80))
"""Then the scan cadence (protocol.md, section 10; RFC 9975, section 3)."""
OWN_FAULT_PAUSE: Final = timedelta(minutes=5)
JITTER: Final = 0.1
"""Largest part of an interval that is added, so that work spreads out."""
SLICE: Final = 500
"""Rows in one statement: SQLite takes a limited number of parameters."""
PRIORITIES: Final = {
    Trigger.SCHEDULE: 0,
    Trigger.DISCOVERY: 1,
    Trigger.NS_CHANGE: 2,
    Trigger.NOTIFY: 2,
    Trigger.OWNER: 2,
    Trigger.PUBLICATION: 2,
    Trigger.STAFF: 3,
    Trigger.COMMAND: 3,
}
URGENCIES: Final = tuple(sorted(set(PRIORITIES.values()), reverse=True))
ORDER: Final = ("attempts", "due_at", "pk")
"""Of items that are equally urgent."""
BY_HAND: Final = frozenset({Trigger.STAFF, Trigger.COMMAND})
"""Triggers that take a parked item up again."""


class LateWriter(Exception):
    """The lease ended and somebody else holds the item, or did its work."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(
            f"domain {lease.domain_id}: fence {lease.fence} is not current"
        )
        self.lease = lease


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write the result of one evaluation."""

    domain_id: int
    fence: int
    trigger: Trigger
    retries: int = 0


@transaction.atomic
def claim(
    limit: int, *, holder: str, now: datetime, term: timedelta, deaths: int = 3
) -> list[Lease]:
    """Take up to `limit` due items for `term`, most urgent first.

    Prefers items of one nameserver set: what is learned of an operator serves
    the next child, and pacing stays in one process. Items that were claimed
    `deaths` times without an end are parked instead, with an alarm. What was in a
    dead worker's hands comes in small groups, then alone, so that the one item
    that kills is parked and its neighbours are not.
    """
    _park(deaths, now)
    found: list[WorkItem] = []
    if first := _first(now):
        suspects = first.attempts
        wanted = limit if not suspects else max(1, limit // 25**suspects)
        alike = _due(now).filter(attempts=suspects)
        shard = Q(priority=first.priority, domain__ns_key=first.domain.ns_key)
        found = _locked(alike.filter(shard), wanted)
        for urgency in URGENCIES[URGENCIES.index(first.priority) :]:
            if len(found) < wanted:
                others = alike.filter(priority=urgency)
                others = others.exclude(pk__in=[item.pk for item in found])
                found += _locked(others, wanted - len(found))
    return _taken(found, holder, now + term)


def _first(now: datetime) -> WorkItem | None:
    """Return what is most urgent, and of that the least suspect and longest due.

    Each question is about one urgency, so that the index ends it with its first
    row: a million may be due, and each claim asks this.
    """
    for urgency in URGENCIES:
        due = _due(now).filter(priority=urgency).select_related("domain")
        fresh = due.filter(attempts=0).order_by(*ORDER)
        if first := fresh.first() or due.order_by(*ORDER).first():
            return first
    return None


def _due(now: datetime) -> QuerySet[WorkItem]:
    return WorkItem.objects.claimable(now).filter(domain__removed_at=None)


def _locked(items: QuerySet[WorkItem], limit: int) -> list[WorkItem]:
    ordered = items.order_by(*ORDER)
    if connection.features.has_select_for_update_skip_locked:
        ordered = ordered.select_for_update(skip_locked=True, of=("self",))
    return list(ordered[:limit])


def _taken(held: Sequence[WorkItem], holder: str, until: datetime) -> list[Lease]:
    """Raise the fences of rows that are locked, or while nobody else may write."""
    for start in range(0, len(held), SLICE):
        ids = [item.pk for item in held[start : start + SLICE]]
        WorkItem.objects.filter(pk__in=ids).update(
            fence=F("fence") + 1,
            holder=holder,
            lease_until=until,
            attempts=F("attempts") + 1,
        )
    return [
        Lease(item.pk, item.fence + 1, Trigger(item.trigger), item.retries)
        for item in held
    ]


def _park(deaths: int, now: datetime) -> None:
    # Whoever dies leaves a lease behind: few have one, and an index of their own.
    left = _due(now).filter(lease_until__lt=now)
    for item in left.filter(attempts__gte=deaths).select_related("domain"):
        parked = WorkItem.objects.filter(pk=item.pk, fence=item.fence, parked_at=None)
        if parked.update(parked_at=now, lease_until=None, holder=""):
            audit.record(
                EntryType.SCAN_FAILED,
                stream=item.domain.stream,
                actor=SCANNER,
                now=now,
                attempts=item.attempts,
                reason=Reason.VAL_LIMIT.value,
            )
            alarms.open_alarm(
                Reason.VAL_LIMIT.value,
                subject=item.domain.name,
                domain=item.domain,
                detail=f"its evaluation ended the worker {item.attempts} times",
                now=now,
            )


@transaction.atomic
def take_all(
    domain_ids: Collection[int], *, holder: str, now: datetime, term: timedelta
) -> list[Lease]:
    """Take children out of turn, out of another's hands if need be.

    Whoever held one is refused when he comes to write: the newest fence counts.
    The rows are locked between reading a fence and raising it: one by one where
    the database can, all together where it cannot.
    """
    ids = sorted(domain_ids)
    _ensure(ids, now)
    taken: list[Lease] = []
    for start in range(0, len(ids), SLICE):
        rows = WorkItem.objects.filter(pk__in=ids[start : start + SLICE])
        held = rows.select_for_update(of=("self",)).order_by("pk")
        taken += _taken(list(held), holder, now + term)
    return taken


def renew(leases: Iterable[Lease], *, now: datetime, term: timedelta) -> list[Lease]:
    """Extend what is still ours; the others belong to somebody else now."""
    return [
        lease
        for lease in leases
        if WorkItem.objects.filter(pk=lease.domain_id, fence=lease.fence)
        .exclude(lease_until=None)
        .update(lease_until=now + term)
    ]


@dataclass(frozen=True, slots=True)
class Ending:
    """What comes after a lease: when the child is due again, after which retries."""

    lease: Lease
    due_at: datetime
    retries: int


def finish(lease: Lease, *, due_at: datetime, retries: int, now: datetime) -> None:
    """End the work of one lease, as `finish_all` does.

    Raises:
        LateWriter: the lease is no longer the current one.
    """
    if not finish_all([Ending(lease, due_at, retries)], now=now):
        raise LateWriter(lease)


@transaction.atomic
def finish_all(endings: Sequence[Ending], *, now: datetime) -> frozenset[int]:
    """End the work of leases; return the ids of the children that were still ours.

    A child is due again at once if somebody asked meanwhile (P-1.46). Call it in
    the transaction that stores the results: both are there or none. The rows are
    locked between reading a fence and ending its lease, or all writers are.
    """
    by_id = {ending.lease.domain_id: ending for ending in endings}
    rows = WorkItem.objects.filter(pk__in=by_id, lease_until__isnull=False)
    locked = rows.select_for_update(of=("self",)).order_by("pk")
    held = [item for item in locked if item.fence == by_id[item.pk].lease.fence]
    bulk.update(
        WorkItem,
        "domain",
        (*TURN, "again", "attempts", "holder", "lease_until"),
        [(item.pk, *_turn(item, by_id[item.pk], now), *FREE) for item in held],
    )
    return frozenset(item.pk for item in held)


TURN: Final = ("due_at", "trigger", "priority", "retries")
FREE: Final = (False, 0, "", None)
"""Not asked for again, no claims, no holder, no lease."""


def _turn(
    item: WorkItem, ending: Ending, now: datetime
) -> tuple[datetime, str, int, int]:
    if item.again:
        return now, item.trigger, item.priority, ending.retries
    return ending.due_at, Trigger.SCHEDULE.value, 0, ending.retries


def give_back(lease: Lease) -> None:
    """Let go of an item that was not evaluated; it stays due."""
    WorkItem.objects.filter(pk=lease.domain_id, fence=lease.fence).update(
        holder="", lease_until=None, attempts=F("attempts") - 1
    )


@transaction.atomic
def request(domain_ids: Collection[int], *, trigger: Trigger, now: datetime) -> None:
    """Make children due now and wake a worker.

    An item in somebody's hands is marked to be evaluated again afterwards
    (P-1.46). A parked one stays parked unless a person asks.
    """
    ids = list(domain_ids)
    _ensure(ids, now)
    urgency = PRIORITIES[trigger]
    for start in range(0, len(ids), SLICE):
        items = WorkItem.objects.filter(pk__in=ids[start : start + SLICE])
        items.filter(lease_until__gte=now).update(
            again=True, trigger=trigger.value, priority=urgency
        )
        free = items.filter(Q(lease_until=None) | Q(lease_until__lt=now))
        free.update(due_at=now, trigger=trigger.value, priority=urgency)
        if trigger in BY_HAND:
            free.update(parked_at=None, attempts=0)
    if ids:
        bell.ring(bell.Work.SCANS)


def _ensure(domain_ids: Collection[int], now: datetime) -> None:
    WorkItem.objects.bulk_create(
        [
            WorkItem(domain_id=pk, due_at=now, trigger=Trigger.SCHEDULE.value)
            for pk in domain_ids
        ],
        ignore_conflicts=True,
        batch_size=SLICE,
    )


def next_turn(
    verdict: Verdict, retries: int, *, cadence: timedelta, jitter: float
) -> tuple[timedelta, int]:
    """Return how long to wait, and the steps of the retry schedule then taken.

    `jitter` is in [0, 1). Trouble of class R takes one step, and when all are
    taken the cadence, with the steps kept until the trouble is over: then the
    next verdict knows that it lasted. Own faults touch no timer (S-46).
    """
    wait, steps = cadence, 0
    if verdict.outcome is Outcome.ERROR:
        wait, steps = min(OWN_FAULT_PAUSE, cadence), retries
    elif verdict.outcome is Outcome.RETRY and retries < len(RETRIES):
        wait, steps = min(RETRIES[retries], cadence), retries + 1
    elif troubles(verdict):
        steps = retries
    return wait * (1 + JITTER * jitter), steps


def troubles(verdict: Verdict) -> frozenset[Reason]:
    """Return the codes that begin as class R, whatever they count as by now."""
    return frozenset(
        finding.reason
        for finding in verdict.findings
        if MEANINGS[finding.reason].kind is Kind.RETRY
    )
