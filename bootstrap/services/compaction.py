"""Routine evaluations that changed nothing shrink to code, time and hash (P-8.36).

What anything rests on stays whole: evidence of proposals, of accepted and held
verdicts, of class A findings, of evaluations that somebody asked for by name, of
each change of a verdict, and the newest of each child. An evidence row that has
been compacted keeps its address and its size, and has no body any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, F, Max, Min, OuterRef, QuerySet, Subquery

from bootstrap import bell, config
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evaluation.reasons import Kind
from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.models import (
    Evidence,
    EvidenceBody,
    EvidencePiece,
    ScanAttempt,
    ScanFinding,
)

from . import evidence, packing
from .evidence import PIECES, day_of

SLICE: Final = 200
"""Evaluations in one transaction."""
UNEVENTFUL: Final = frozenset({Outcome.NOTHING, Outcome.REJECT, Outcome.RETRY})
ROUTINE: Final = frozenset(
    {Trigger.SCHEDULE, Trigger.NOTIFY, Trigger.NS_CHANGE, Trigger.DISCOVERY}
)
"""Triggers behind which no person stands; a scan by name keeps everything (P-8.3)."""


def compact(*, now: datetime, ticks: Callable[[], float]) -> int:
    """Compact what has become old; return how many evaluations.

    The months to come get their place first.

    Each slice is one transaction, so that a crash loses at most its work. What is
    left when the time of a task is over is for the next one, which is rung for.
    """
    evidence.keep_months(now=now)
    until = ticks() + config.scanning().burst.total_seconds()
    total = 0
    while found := _next_slice(now - config.scan_details()):
        total += _compact(found)
        if ticks() > until:
            bell.ring(bell.Work.COMPACTION)
            break
    return total


def uneventful(before: datetime) -> QuerySet[ScanAttempt]:
    """Return evaluations older than `before` that may lose their details."""
    mine = ScanAttempt.objects.filter(domain=OuterRef("domain"))
    earlier = mine.filter(started_at__lt=OuterRef("started_at")).order_by("-started_at")
    others = ScanAttempt.objects.filter(evidence=OuterRef("evidence"))
    alarming = ScanFinding.objects.filter(scan=OuterRef("pk"), kind=Kind.ALARM.value)
    return (
        ScanAttempt.objects.filter(
            outcome__in=sorted(UNEVENTFUL),
            trigger__in=sorted(ROUTINE),
            started_at__lt=before,
            evidence__compacted=False,
            proposals=None,
            evidence__proposals=None,
        )
        .exclude(kind=Kind.ALARM.value)
        .alias(
            earlier_outcome=Subquery(earlier.values("outcome")[:1]),
            earlier_reason=Subquery(earlier.values("primary_reason")[:1]),
        )
        .filter(
            Exists(mine.filter(started_at__gt=OuterRef("started_at"))),
            ~Exists(others.exclude(pk=OuterRef("pk"))),
            ~Exists(alarming),
            earlier_outcome=F("outcome"),
            earlier_reason=F("primary_reason"),
        )
    )


def _next_slice(before: datetime) -> dict[UUID, str]:
    rows = uneventful(before).order_by("started_at")
    return {
        pk: str(digest) for pk, digest in rows.values_list("pk", "evidence")[:SLICE]
    }


@transaction.atomic
def _compact(found: dict[UUID, str]) -> int:
    """Take bodies, findings and views from these; the rows and their hashes stay."""
    kept = Evidence.objects.filter(pk__in=found.values())
    span = kept.aggregate(first=Min("created_at"), last=Max("created_at"))
    bodies = EvidenceBody.objects.filter(
        evidence__in=found.values(), created_at__range=(span["first"], span["last"])
    )
    days = _gone(bodies)
    bodies.delete()
    kept.update(compacted=True)
    ScanFinding.objects.filter(scan__in=found).delete()
    ScanAttempt.objects.filter(pk__in=found).update(
        checks=[], nameservers=[], signals=[], findings=[]
    )
    for day, keys in days.items():
        _remove_orphans(day, keys)
    return len(found)


def _gone(bodies: QuerySet[EvidenceBody]) -> dict[date, set[int]]:
    """Return the pieces that these bodies need, by their day."""
    days: dict[date, set[int]] = defaultdict(set)
    for created_at, pieces in bodies.values_list("created_at", "pieces"):
        days[day_of(created_at)].update(packing.numbers(bytes(pieces)))
    return days


def _remove_orphans(day: date, keys: set[int]) -> None:
    """Delete those pieces of a day to which no bundle of it refers any more.

    Writers hold the table of pieces before they look which are there
    (`evidence.store`), and wait here: none of them counts on a piece that goes.
    SQLite has one writer at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {PIECES} IN SHARE ROW EXCLUSIVE MODE")
    begin = datetime.combine(day, time(), UTC)
    bodies = EvidenceBody.objects.filter(
        created_at__gte=begin, created_at__lt=begin + timedelta(days=1)
    )
    for pieces in bodies.values_list("pieces", flat=True).iterator(2_000):
        keys.difference_update(packing.numbers(bytes(pieces)))
        if not keys:
            return
    ordered = sorted(keys)
    for start in range(0, len(ordered), SLICE):
        part = ordered[start : start + SLICE]
        EvidencePiece.objects.filter(pk__in=part).delete()
