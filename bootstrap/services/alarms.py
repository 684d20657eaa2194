"""Alarms: one open row a cause, seen again, acknowledged, closed; never deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F

from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Alarm, Domain

from . import audit
from .actors import Actor, ActorKind

HOLD: Final = "bootstrap.hold_proposal"
MONITOR = Actor(ActorKind.SYSTEM, "monitor", "worker")


class AlarmClosed(Exception):
    """The alarm's cause has ended; there is nothing to acknowledge."""


class AcknowledgementRefused(Exception):
    """This person may not speak for that alarm."""


@transaction.atomic
def open_alarm(
    code: str,
    *,
    subject: str,
    domain: Domain | None = None,
    detail: str = "",
    stream: str = "",
    now: datetime,
) -> Alarm:
    """Raise an alarm, or count one more sighting of an open one.

    `subject` is a domain's name or a part of ours. Only the first sighting is
    an entry of the trail, in the child's stream or that of alarms; `stream` is
    another, for when those cannot be written to.
    """
    alarm, created = Alarm.objects.get_or_create(
        code=code,
        subject=subject,
        closed_at=None,
        defaults={
            "domain": domain,
            "detail": detail,
            "opened_at": now,
            "last_seen_at": now,
        },
    )
    if created:
        _record(EntryType.ALARM_OPENED, alarm, actor=MONITOR, now=now, stream=stream)
        return alarm
    Alarm.objects.filter(pk=alarm.pk).update(
        times_seen=F("times_seen") + 1, last_seen_at=now, detail=detail or alarm.detail
    )
    alarm.refresh_from_db()
    return alarm


@transaction.atomic
def close_alarm(code: str, *, subject: str, now: datetime) -> bool:
    """End an alarm whose cause is gone; say whether there was one."""
    alarm = Alarm.objects.open().filter(code=code, subject=subject).first()
    if alarm is None:
        return False
    if not Alarm.objects.open().filter(pk=alarm.pk).update(closed_at=now):
        return False  # another worker closed it meanwhile, with its entry
    _record(EntryType.ALARM_CLOSED, alarm, actor=MONITOR, now=now)
    return True


@transaction.atomic
def acknowledge(alarm: Alarm, *, actor: Actor, comment: str, now: datetime) -> None:
    """Say that a person has seen it; the alarm stays open until its cause ends.

    Raises:
        AlarmClosed: its cause has ended meanwhile.
        AcknowledgementRefused: a person without the permission there (S-64).
    """
    zone = alarm.domain.zone_id if alarm.domain is not None else None
    if actor.kind is ActorKind.STAFF and not actor.may(HOLD, zone):
        raise AcknowledgementRefused(f"{actor.name} lacks the permission {HOLD}")
    changes = {
        "acknowledged_at": now,
        "acknowledged_by": actor.name,
        "comment": comment,
    }
    if not Alarm.objects.open().filter(pk=alarm.pk).update(**changes):
        raise AlarmClosed(str(alarm))
    for column, value in changes.items():
        setattr(alarm, column, value)
    _record(EntryType.ALARM_ACKNOWLEDGED, alarm, actor=actor, now=now, comment=comment)


def _record(
    entry_type: EntryType,
    alarm: Alarm,
    *,
    actor: Actor,
    now: datetime,
    comment: str = "",
    stream: str = "",
) -> None:
    usual = alarm.domain.stream if alarm.domain is not None else "alarms"
    audit.record(
        entry_type,
        stream=stream or usual,
        actor=actor,
        now=now,
        private={"comment": comment},
        code=alarm.code,
        subject=alarm.subject,
    )
