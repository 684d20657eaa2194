"""After a restore nothing is sent before the parent was read (S-96, P12).

A database from a backup has forgotten what was published since. The publisher
notices by a number that it keeps in a file of its own, or is told; then every
open change is read back, and only after that does publication go on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import transaction
from django.db.models import Max

from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import Proposal, Publication, Switch, Zone
from bootstrap.registry.ports import Registry

from . import alarms, audit, switches
from .actors import PUBLISHER, Actor
from .claims import begin_reading
from .outcomes import conclude
from .sending import look
from .switches import QUARANTINE, STREAM

ALARM: Final = "SYSTEM_RESTORED"


@transaction.atomic
def mark(*, actor: Actor, reason: str, now: datetime) -> bool:
    """Begin the quarantine of all open changes; say whether it had not begun."""
    words = reason or "the database was restored"
    if not switches.turn(QUARANTINE, engaged=True, actor=actor, reason=words, now=now):
        return False
    audit.record(
        EntryType.SYSTEM_RESTORED,
        stream=STREAM,
        actor=actor,
        now=now,
        private={"reason": words},
    )
    alarms.open_alarm(ALARM, subject=QUARANTINE, detail=words, now=now)
    return True


def quarantined() -> bool:
    """Say whether open changes wait to be read back."""
    return Switch.objects.filter(name=QUARANTINE, engaged=True).exists()


def notice(path: Path | None, *, now: datetime) -> bool:
    """Begin a quarantine if the database knows less than `path`; say if it did."""
    if path is None or not path.exists():
        return False
    known = int(json.loads(path.read_text())["publications"])
    held = _newest()
    if held >= known:
        return False
    words = f"attempts up to {known} were made, the database knows {held}"
    return mark(actor=PUBLISHER, reason=words, now=now)


def remember(path: Path | None) -> None:
    """Keep durably, outside the database, how far publication has come."""
    if path is None:
        return
    beside = path.with_name(path.name + ".new")
    with beside.open("w") as file:
        json.dump({"publications": _newest()}, file)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)


def read_back_all(
    *, registry_for: Callable[[Zone], Registry], clock: Callable[[], datetime]
) -> bool:
    """Read back what was approved or half sent; end the quarantine if all was read.

    Nothing is sent: what the parent holds already is taken note of, what it does
    not hold goes its usual way afterwards.
    """
    waiting = Proposal.objects.filter(state=State.APPROVED.value)
    for proposal in waiting.select_related("domain__zone"):
        claim = begin_reading(proposal, actor=PUBLISHER, now=clock())
        if claim is None:
            continue
        report = look(registry_for(claim.zone), claim.change)
        conclude(claim, report, actor=PUBLISHER, now=clock())
    if Proposal.objects.half_sent().exists():
        return False  # a parent that cannot be read; settled later, as always
    _end(clock())
    return True


@transaction.atomic
def _end(now: datetime) -> None:
    words = "every open change was read back"
    if switches.turn(QUARANTINE, engaged=False, actor=PUBLISHER, reason=words, now=now):
        alarms.close_alarm(ALARM, subject=QUARANTINE, now=now)
    Zone.objects.update(reconciled_at=None)  # what it forgot is a difference now


def _newest() -> int:
    return int(Publication.objects.aggregate(newest=Max("pk"))["newest"] or 0)
