"""Asks for evaluations: the row says what is due, the bell only wakes somebody."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import transaction

from bootstrap import bell
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.models import WorkItem

URGENT: Final = 10
"""Priority of what somebody waits for, above the routine's 0."""
BATCH: Final = 500


@transaction.atomic
def rescan(
    domain_ids: Collection[int],
    *,
    trigger: Trigger,
    now: datetime,
    priority: int = URGENT,
) -> None:
    """Let these domains be evaluated as soon as a worker is free.

    One that is being evaluated at this moment gets another turn after it
    (P-1.46); a parked one is given a new chance.
    """
    ids = list(domain_ids)
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH]
        _renew(part, trigger, now, priority)
        WorkItem.objects.bulk_create(
            [
                WorkItem(
                    domain_id=pk, due_at=now, trigger=trigger.value, priority=priority
                )
                for pk in part
            ],
            ignore_conflicts=True,
        )
    if ids:
        bell.ring(bell.Work.SCANS)


def _renew(ids: list[int], trigger: Trigger, now: datetime, priority: int) -> None:
    rows = WorkItem.objects.filter(domain__in=ids)
    rows.filter(lease_until__gte=now).update(again=True, trigger=trigger.value)
    rows.exclude(lease_until__gte=now).update(
        due_at=now,
        trigger=trigger.value,
        priority=priority,
        retries=0,
        attempts=0,
        parked_at=None,
    )
