"""Routine evaluations that changed nothing shrink to code, time and hash (P-8.36).

What anything rests on stays whole: evidence of proposals, of accepted and held
verdicts, of class A findings, of evaluations that somebody asked for by name, of
each change of a verdict, and the newest of each child. An evidence row that has
been compacted keeps its address and its size, and holds no manifest any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery

from bootstrap import bell, config
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evaluation.reasons import Kind
from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.models import Evidence, Packet, ScanAttempt, ScanFinding

from .evidence import COMPACTED

SLICE: Final = 200
"""Evaluations in one transaction."""
UNEVENTFUL: Final = frozenset({Outcome.NOTHING, Outcome.REJECT, Outcome.RETRY})
ROUTINE: Final = frozenset(
    {Trigger.SCHEDULE, Trigger.NOTIFY, Trigger.NS_CHANGE, Trigger.DISCOVERY}
)
"""Triggers behind which no person stands; a scan by name keeps everything (P-8.3)."""


def compact(*, now: datetime, ticks: Callable[[], float]) -> int:
    """Compact what has become old; return how many evaluations.

    Each slice is one transaction, so that a crash loses at most its work. What is
    left when the time of a task is over is for the next one, which is rung for.
    """
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
            evidence__isnull=False,
            proposals=None,
            evidence__proposals=None,
        )
        .exclude(evidence__manifest=COMPACTED)
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
    """Take manifest, packets and views from these; the rows and their hashes stay."""
    links = Evidence.packets.through.objects.filter(evidence__in=found.values())
    touched = sorted(set(links.values_list("packet_id", flat=True)))
    links.delete()
    Evidence.objects.filter(pk__in=found.values()).update(manifest=COMPACTED)
    ScanFinding.objects.filter(scan__in=found).delete()
    ScanAttempt.objects.filter(pk__in=found).update(
        checks=[], nameservers=[], signals=[]
    )
    _remove_orphans(touched)
    return len(found)


def _remove_orphans(digests: Iterable[str]) -> None:
    """Delete those packets to which no bundle refers any more.

    Writers link before they look which packets are there (`evidence.store`), and
    wait here for the table of links: none of them counts on a packet that goes.
    SQLite has one writer at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            table = connection.ops.quote_name(Evidence.packets.through._meta.db_table)  # noqa: SLF001 - Django's documented way
            cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
    ordered = list(digests)
    for start in range(0, len(ordered), SLICE):
        part = Packet.objects.filter(pk__in=ordered[start : start + SLICE])
        part.filter(bundles=None).delete()
