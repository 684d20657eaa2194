"""A scan of a whole zone: asked for by a person, and called back by one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from bootstrap import bell
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Domain, WorkItem, Zone

from . import audit
from .actors import Actor
from .people import lacks
from .requests import REQUEST_SCAN, RequestRefused

PRIORITY: Final = 1
"""Before the schedule, behind what concerns one child alone."""


@transaction.atomic
def start(zone: Zone, *, actor: Actor, now: datetime) -> int:
    """Make every delegation of a zone due; return how many.

    Items in somebody's hands, parked or more urgent stay as they are.

    Raises:
        RequestRefused: the actor lacks the permission at this moment (S-64).
    """
    _check(actor, zone)
    _ensure(zone, now)
    count = (
        _free(zone, now)
        .filter(parked_at=None, priority__lte=PRIORITY)
        .update(due_at=now, trigger=Trigger.STAFF.value, priority=PRIORITY)
    )
    _record(EntryType.SCANS_STARTED, zone, actor, now, count)
    if count:
        bell.ring(bell.Work.SCANS)
    return count


@transaction.atomic
def stop(zone: Zone, *, actor: Actor, now: datetime) -> int:
    """Call back what was started and has not begun; return how many.

    They are due again at the zone's cadence from now; what runs comes to its end.

    Raises:
        RequestRefused: the actor lacks the permission at this moment (S-64).
    """
    _check(actor, zone)
    count = waiting(zone, now).update(
        due_at=now + timedelta(seconds=zone.scan_every_seconds),
        trigger=Trigger.SCHEDULE.value,
        priority=0,
    )
    _record(EntryType.SCANS_STOPPED, zone, actor, now, count)
    return count


def waiting(zone: Zone, now: datetime) -> QuerySet[WorkItem]:
    """Return what a started scan of this zone has still before it."""
    started = Q(trigger=Trigger.STAFF.value, priority=PRIORITY)
    return _free(zone, now).filter(started)


def _free(zone: Zone, now: datetime) -> QuerySet[WorkItem]:
    here = WorkItem.objects.filter(
        domain__in=Domain.objects.delegated().in_zone(zone).order_by()
    )
    return here.filter(Q(lease_until=None) | Q(lease_until__lt=now))


def _ensure(zone: Zone, now: datetime) -> None:
    missing = Domain.objects.delegated().in_zone(zone).filter(work=None)
    items = (
        WorkItem(domain_id=pk, due_at=now, trigger=Trigger.SCHEDULE.value)
        for pk in missing.order_by().values_list("pk", flat=True)
    )
    WorkItem.objects.bulk_create(items, ignore_conflicts=True, batch_size=500)


def _check(actor: Actor, zone: Zone) -> None:
    if not actor.may(REQUEST_SCAN, zone.pk):
        raise RequestRefused(lacks(actor, REQUEST_SCAN))


def _record(
    entry_type: EntryType, zone: Zone, actor: Actor, now: datetime, count: int
) -> None:
    audit.record(
        entry_type,
        stream=f"zone:{zone.name}.",
        actor=actor,
        now=now,
        zone=zone.name,
        count=count,
    )
