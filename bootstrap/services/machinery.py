"""How our own parts are: workers, queue, clock, anchors, egress, publisher, ledger.

Read for one page, in a fixed number of small questions; nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import Count, F, Max, Q, QuerySet, Subquery, Window

from bootstrap import bell, clock as clocks, config
from bootstrap.core.dns.names import unrooted
from bootstrap.core.dns.signaling import Ending
from bootstrap.core.evidence.bundle import Clock
from bootstrap.models import (
    AuditPending,
    Breaker,
    Checkpoint,
    Heartbeat,
    ScanAttempt,
    SignalSource,
    Switch,
    WorkItem,
)

from . import leasing, powers, switches, trusting
from .powers import Zones

MANY: Final = 10_000
"""Counting stops here."""
RECENT: Final = timedelta(minutes=10)
HOUR: Final = timedelta(hours=1)
REASONS: Final = 10


@dataclass(frozen=True, slots=True)
class Work:
    """What the scanner has before it, in hand and behind it.

    `holders` are workers with how many items each has; `done` counts what ended
    in the last ten minutes, `rate` is per minute; `failing` are reasons of the
    last hour's own faults and retries, the most frequent first.
    """

    due: int
    oldest: datetime | None
    holders: Sequence[tuple[str, int, datetime]]
    held: int
    parked: int
    done: int
    rate: float
    failing: Sequence[tuple[str, int]]


def work(now: datetime, zones: Zones = None) -> Work:
    """Return how scanning goes in these zones at this moment."""
    items = powers.within(WorkItem.objects.all(), zones, "domain__zone")
    claimable = WorkItem.objects.claimable(now)
    due = powers.within(claimable, zones, "domain__zone")
    # what is leased was due: this finds it in the index of what is due
    leased = items.filter(lease_until__gte=now, due_at__lte=now)
    holders = (
        leased.filter(parked_at=None)
        .order_by()
        .values_list("holder")
        .annotate(items=Count("pk"), until=Max("lease_until"))
        .order_by("-items")
    )
    scans = powers.within(ScanAttempt.objects.all(), zones, "domain__zone")
    recent = scans.filter(started_at__gte=now - RECENT)
    done = recent.order_by()[:MANY].count()
    held = list(holders)
    return Work(
        due=due.order_by()[:MANY].count(),
        oldest=_oldest(due),
        holders=[(name, n, until or now) for name, n, until in held[:REASONS]],
        held=sum(number for _, number, _ in held),
        parked=items.exclude(parked_at=None).order_by()[:MANY].count(),
        done=done,
        rate=round(done / (RECENT.total_seconds() / 60), 1),
        failing=_failing(scans, now),
    )


def _oldest(due: QuerySet[WorkItem]) -> datetime | None:
    """Return since when the first waits: one look into the index a priority."""
    firsts = [
        Subquery(due.filter(priority=priority).order_by("due_at").values("due_at")[:1])
        for priority in sorted(set(leasing.PRIORITIES.values()))
    ]
    row = WorkItem.objects.order_by().values_list(*firsts)[:1]
    return min((first for each in row for first in each if first), default=None)


def _failing(scans: QuerySet[ScanAttempt], now: datetime) -> list[tuple[str, int]]:
    rows = scans.filter(outcome__in=("error", "retry"), started_at__gte=now - HOUR)
    groups = rows.order_by().values_list("primary_reason").annotate(number=Count("pk"))
    return list(groups.order_by("-number")[:REASONS])


@dataclass(frozen=True, slots=True)
class Ledger:
    """The newest checkpoint, its witnesses, and what waits for the sealer."""

    newest: Checkpoint | None
    witnesses: int
    pending: int


@dataclass(frozen=True, slots=True)
class Sources:
    """Where signals may be listed: how many, how many are due, the newest results."""

    known: int
    listed: int
    due: int
    newest: Sequence[SignalSource]


@dataclass(frozen=True, slots=True)
class Machinery:
    """One look at all of it."""

    parts: Sequence[Heartbeat]
    queued: int
    skew: timedelta | None
    """The database's clock minus ours."""
    clock: Clock | None
    """How ours stands to NTP's, where the system says it (P-8.7)."""
    stopped: str
    switch: Switch | None
    breakers: Sequence[Breaker]
    ledger: Ledger
    sources: Sources
    resolver: Sequence[tuple[str, str]]
    anchors: Sequence[tuple[str, bool]]
    trouble: str
    """What is wrong with the scanner's settings; empty when nothing is."""


def look(now: datetime) -> Machinery:
    """Return the state of our own parts."""
    resolver, anchors, trouble = _scanner(now)
    stopped, switch = switches.standing()
    return Machinery(
        parts=list(Heartbeat.objects.order_by("name")),
        queued=bell.depth(MANY),
        skew=_skew(now),
        clock=clock_state(),
        stopped=stopped,
        switch=switch,
        breakers=list(Breaker.objects.open().prefetch_related("voices")),
        ledger=_ledger(),
        sources=_sources(now),
        resolver=resolver,
        anchors=anchors,
        trouble=trouble,
    )


def _ledger() -> Ledger:
    newest = Checkpoint.objects.order_by("-size").first()
    witnesses = newest.cosignatures.count() if newest else 0
    return Ledger(newest, witnesses, AuditPending.objects.order_by()[:MANY].count())


def _sources(now: datetime) -> Sources:
    """Return how discovery goes, in one question; its lists are hints (P-1.41)."""
    whole = Q(ending=Ending.COMPLETE.value)
    marked = SignalSource.objects.annotate(
        known=Window(Count("pk")),
        whole=Window(Count("pk", filter=whole)),
        due=Window(Count("pk", filter=Q(due_at__lte=now))),
    )
    newest_first = F("looked_at").desc(nulls_last=True)
    rows: list[Any] = list(marked.order_by(newest_first, "pk")[:REASONS])
    first = next(iter(rows), None)
    return Sources(
        known=first.known if first else 0,
        listed=first.whole if first else 0,
        due=first.due if first else 0,
        newest=[row for row in rows if row.looked_at],
    )


def _skew(now: datetime) -> timedelta | None:
    """Ask the database for its time; SQLite's is our own."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row: tuple[Any, ...] | None = cursor.fetchone()
    return None if row is None else row[0] - now


def clock_state() -> Clock | None:
    """Return how this machine's clock stands to NTP's (P-8.7)."""
    told = clocks.discipline()
    if told is None:
        return None
    return Clock(told.source, told.synchronised, told.offset, told.error)


Lines = list[tuple[str, str]]


def _scanner(now: datetime) -> tuple[Lines, list[tuple[str, bool]], str]:
    try:
        world = config.world()
    except config.Unusable as trouble:
        return [], [], str(trouble)
    dns = world.dns
    lines = [
        ("Root hints", f"{dns.root_hints.name}, {len(world.hints)} servers"),
        ("Port", str(dns.port)),
        ("Sent from", ", ".join(dns.sources) or "any of our addresses"),
        ("Also allowed", ", ".join(str(each) for each in dns.allowed) or "none"),
        ("Denied", ", ".join(str(each) for each in dns.denied) or "none beyond usual"),
        ("Families left out", ", ".join(map(str, dns.skip_families)) or "none"),
    ]
    anchors = [
        (f"{unrooted(each.zone) or '.'} DS {each.ds.to_text()}", each.holds_at(now))
        for each in trusting.shown(world)
    ]
    return lines, anchors, ""
