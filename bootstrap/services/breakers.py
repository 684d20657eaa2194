"""Breakers: automation holds when one hour changes too much (S-68, S-69).

Asked inside the transactions that approve by rule and that give leave to send,
by counts that never look at more rows than the limit. Opening is automatic;
release takes two persons (S-64), and then what was held goes on by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from bootstrap import bell, config
from bootstrap.core.evaluation.paths import Path
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow import breakers as rules
from bootstrap.core.workflow.breakers import Counts, Limits, Trip
from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import (
    Alarm,
    Breaker,
    BreakerScope,
    Domain,
    Proposal,
)

from . import alarms, audit
from .alarms import MONITOR

HOUR: Final = timedelta(hours=1)
ALARM: Final = "BREAKER_OPEN"
STREAM: Final = "guards"
CODES: Final = (Reason.POST_CHILD_BOGUS.value, Reason.POST_DS_ORPHAN.value)
"""Alarms that count as a failure after publication."""
UNDONE: Final = (State.CANDIDATE, State.HELD, State.STALE, State.REJECTED)
"""Approved once, perhaps, but nothing came of it."""


def watch_approval(proposal: Proposal, *, now: datetime) -> Breaker | None:
    """Return what stops an approval by rule at this moment; open it if need be."""
    return _watch(proposal, _approved, now)


def watch_sending(proposal: Proposal, *, now: datetime) -> Breaker | None:
    """Return what stops an approved change from being sent; open it if need be.

    What persons approved while the breaker was open is theirs to answer for, and
    so is what an earlier breaker held until they released it: a wave that they
    let through goes on by one limit at each release, unless children fail.
    """
    breaker = _watch(proposal, _sent, now)
    if breaker is None or proposal.approved_at is None:
        return breaker
    if proposal.approved_at > breaker.opened_at or _is_let_through(proposal, breaker):
        return None
    return breaker


def _is_let_through(proposal: Proposal, breaker: Breaker) -> bool:
    """Say whether persons released what held it, and no child has failed since."""
    if breaker.reason == rules.Trip.FAILURES:
        return False
    released = Breaker.objects.filter(
        scope=breaker.scope,
        subject=breaker.subject,
        released_at__gte=proposal.created_at,
        released_at__lt=proposal.approved_at,
    )
    return released.exists()


Window = Callable[[datetime], QuerySet[Proposal]]


def _approved(since: datetime) -> QuerySet[Proposal]:
    recent = Proposal.objects.filter(approved_at__gt=since)
    return recent.exclude(state__in=[state.value for state in UNDONE])


def _sent(since: datetime) -> QuerySet[Proposal]:
    return Proposal.objects.filter(Q(sent_at__gt=since) | Q(state=State.SENDING.value))


def _watch(proposal: Proposal, window: Window, now: datetime) -> Breaker | None:
    found = Breaker.objects.open().covering(proposal.operator).first()
    if found is not None:
        return found
    limits = config.breaker_limits()
    for scope, subject, measure in (
        (BreakerScope.OPERATOR, proposal.operator, _operator_trips),
        (BreakerScope.GLOBAL, "", _global_trips),
    ):
        since = _since(scope, subject, now)
        recent = window(since).exclude(pk=proposal.pk)
        counts, trips = measure(proposal, recent, limits, since)
        if trips:
            return _open(scope, subject, min(trips), counts, now)
    return None


def _since(scope: BreakerScope, subject: str, now: datetime) -> datetime:
    """Return where the hour begins: what was before a release is answered for."""
    last = (
        Breaker.objects.filter(scope=scope, subject=subject)
        .exclude(released_at=None)
        .order_by("-released_at")
        .first()
    )
    hour = now - HOUR
    return (
        hour
        if last is None or last.released_at is None
        else max(hour, last.released_at)
    )


def _operator_trips(
    proposal: Proposal, recent: QuerySet[Proposal], limits: Limits, since: datetime
) -> tuple[Counts, frozenset[Trip]]:
    del since
    theirs = recent.filter(operator=proposal.operator)
    counts = _counted(proposal, theirs, children=0)
    if not rules.operator_trips(counts, limits):
        return counts, frozenset()
    # over the fixed number: only now is it worth counting children
    keys = theirs.values("domain__ns_key").distinct()
    children = Domain.objects.delegated().filter(ns_key__in=keys).count()
    counts = _counted(proposal, theirs, children=children)
    return counts, rules.operator_trips(counts, limits)


def _global_trips(
    proposal: Proposal, recent: QuerySet[Proposal], limits: Limits, since: datetime
) -> tuple[Counts, frozenset[Trip]]:
    failures = _failures(since)
    counts = _counted(proposal, recent, children=0, failures=failures)
    if not rules.trips(counts, limits):
        return counts, frozenset()
    children = Domain.objects.delegated().count()
    counts = _counted(proposal, recent, children=children, failures=failures)
    return counts, rules.trips(counts, limits)


def _counted(
    proposal: Proposal,
    recent: QuerySet[Proposal],
    *,
    children: int,
    failures: int = 0,
) -> Counts:
    """Count what the hour brought, with `proposal` as one more of its kind."""
    removals, bootstraps = (
        recent.filter(path=path.value).count() + (proposal.path == path)
        for path in (Path.REMOVAL, Path.BOOTSTRAP)
    )
    return Counts(
        children=children, bootstraps=bootstraps, removals=removals, failures=failures
    )


def _failures(since: datetime) -> int:
    published = Domain.objects.filter(
        proposals__state__in=[State.SENT.value, State.VISIBLE.value]
    )
    failed = Alarm.objects.open().filter(code__in=CODES, opened_at__gt=since)
    return failed.filter(domain__in=published).values("domain").distinct().count()


def _open(
    scope: BreakerScope, subject: str, trip: Trip, counts: Counts, now: datetime
) -> Breaker:
    counters = {
        "bootstraps": counts.bootstraps,
        "removals": counts.removals,
        "failures": counts.failures,
        "children": counts.children,
    }
    try:
        with transaction.atomic():
            breaker = Breaker.objects.create(
                scope=scope,
                subject=subject,
                reason=trip.value,
                counters=counters,
                opened_at=now,
            )
    except IntegrityError:  # another worker opened it at this moment
        return Breaker.objects.open().get(scope=scope, subject=subject)
    audit.record(
        EntryType.BREAKER_OPENED,
        stream=STREAM,
        actor=MONITOR,
        now=now,
        breaker=breaker.pk,
        scope=scope.value,
        subject=subject,
        reason=trip.value,
        counters=counters,
    )
    told = ", ".join(f"{name} {number}" for name, number in counters.items())
    alarms.open_alarm(
        ALARM,
        subject=f"{scope.value} {subject}".strip(),
        detail=f"{trip.value}: {told} within an hour",
        now=now,
    )
    bell.ring(bell.Work.PUBLICATIONS)
    return breaker
