"""The kill switch: nothing is sent to any parent while one of them is engaged (S-71).

One is a row, read inside the transaction that gives leave to send. The other is
a file that whoever has a shell can make, with database and web away.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from bootstrap import bell, config
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Switch

from . import alarms, audit
from .actors import PUBLISHER, Actor, ActorKind
from .binding import DECIDE, HOLD
from .people import lacks

ROW: Final = "publication"
FILE: Final = "publication-file"
QUARANTINE: Final = "quarantine"
"""Engaged by `restoring`, until open changes were read back (S-96)."""
STREAM: Final = "guards"
ALARM: Final = "PUBLICATION_STOPPED"


class SwitchRefused(Exception):
    """This actor may not do that, or there is nothing to do."""


def stopped() -> str:
    """Return why nothing may be sent now; empty if publication is free."""
    return standing()[0]


def standing() -> tuple[str, Switch | None]:
    """Return why nothing may be sent, or nothing, and the switch that people turn."""
    rows = list(Switch.objects.filter(name__in=(ROW, QUARANTINE)).order_by("name"))
    mine = next((row for row in rows if row.name == ROW), None)
    path = config.publish_stop_file()
    if path is not None and path.exists():
        return f"the file {path} is there", mine
    engaged = next((row for row in rows if row.engaged), None)
    if engaged is None:
        return "", mine
    return engaged.reason or "the switch is engaged", mine


@transaction.atomic
def engage(*, actor: Actor, reason: str, now: datetime) -> None:
    """Stop publication from the next change on; what was sent is still verified.

    Raises:
        SwitchRefused: no right to hold, no reason, or it is engaged already.
    """
    _check(actor, HOLD, reason)
    if not turn(ROW, engaged=True, actor=actor, reason=reason, now=now):
        raise SwitchRefused("publication is stopped already")
    alarms.open_alarm(ALARM, subject=ROW, detail=reason, now=now)


@transaction.atomic
def release(*, actor: Actor, reason: str, now: datetime) -> None:
    """Let publication go on; the file stops it all the same while it is there.

    Raises:
        SwitchRefused: no right to decide, no reason, or it is not engaged.
    """
    _check(actor, DECIDE, reason)
    if not turn(ROW, engaged=False, actor=actor, reason=reason, now=now):
        raise SwitchRefused("publication is not stopped")
    alarms.close_alarm(ALARM, subject=ROW, now=now)
    bell.ring(bell.Work.PUBLICATIONS)


@transaction.atomic
def notice_file(*, now: datetime) -> bool:
    """Record that the file came or went, once each; say whether it is there."""
    path = config.publish_stop_file()
    there = path is not None and path.exists()
    words = f"the file {path}"
    if turn(FILE, engaged=there, actor=PUBLISHER, reason=words, now=now):
        if there:
            alarms.open_alarm(ALARM, subject=FILE, detail=words, now=now)
        else:
            alarms.close_alarm(ALARM, subject=FILE, now=now)
    return there


def _check(actor: Actor, permission: str, reason: str) -> None:
    if actor.kind is ActorKind.STAFF and permission not in actor.permissions:
        raise SwitchRefused(lacks(actor, permission))
    if not reason.strip():
        raise SwitchRefused("a reason is needed")


def turn(name: str, *, engaged: bool, actor: Actor, reason: str, now: datetime) -> bool:
    """Turn one switch and say whether it was the other way before."""
    row = Switch.objects.select_for_update().filter(name=name).first()
    if (row is not None and row.engaged) is engaged:
        return False
    Switch.objects.update_or_create(
        name=name,
        defaults={
            "engaged": engaged,
            "since": now,
            "by": actor.name,
            "reason": reason,
        },
    )
    entry = EntryType.SWITCH_ENGAGED if engaged else EntryType.SWITCH_RELEASED
    audit.record(
        entry,
        stream=STREAM,
        actor=actor,
        now=now,
        private={"reason": reason},
        switch=name,
    )
    return True
