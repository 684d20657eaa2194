"""The alarm of the trail, and what it stops (P-8.33, S-94).

While a fault of the log stands, nobody approves anything: what would be done
could not be proven. A database that was rolled back takes no decision at all.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bootstrap.core.evaluation.reasons import Reason
from bootstrap.models import Alarm, AuditPending

from . import alarms, heartbeats
from .binding import DecisionRefused

CODE: Final = Reason.X_AUDIT_CHAIN.value
BROKEN: Final = "audit log"
ROLLED_BACK: Final = "audit log, rolled back"
FORKED: Final = "audit log, forked"
WITNESSES: Final = "audit log, witnesses"
SEALER: Final = "audit log, sealer"

UNWITNESSED: Final = timedelta(hours=23)
"""The alarm comes after an hour; decisions stop a day after the last quorum (S-92)."""
UNSEALED: Final = timedelta(hours=1)
"""An entry that waits for longer means that nobody seals (security.md 5.6)."""
TOO_MANY: Final = 100_000
"""Entries that may wait for the sealer (rule L-3)."""


class LedgerBroken(DecisionRefused):
    """The audit log failed its check; nothing is approved until it holds again."""


def check_approvals(now: datetime) -> None:
    """Refuse to let a change pass while the log is in doubt.

    Raises:
        LedgerBroken: with the alarm's own words.
    """
    if found := open_alarm(now):
        raise LedgerBroken(
            f"{CODE}: nothing can be approved while the audit log is in doubt:"
            f" {found.detail or found.subject}"
        )


def check_decisions() -> None:
    """Refuse any decision on a database that was rolled back.

    Raises:
        LedgerBroken: with the alarm's own words.
    """
    found = Alarm.objects.open().filter(code=CODE, subject=ROLLED_BACK).first()
    if found is not None:
        raise LedgerBroken(f"{CODE}: no decisions: {found.detail}")


def open_alarm(now: datetime) -> Alarm | None:
    """Return an open alarm of the log that stops approvals."""
    for alarm in Alarm.objects.open().filter(code=CODE):
        if alarm.subject != WITNESSES or alarm.opened_at <= now - UNWITNESSED:
            return alarm
    return None


def is_read_only() -> bool:
    """Say whether nothing may leave: the database is not the newest (S-96)."""
    return Alarm.objects.open().filter(code=CODE, subject=ROLLED_BACK).exists()


def watch(*, now: datetime) -> bool:
    """Raise the alarm when nobody seals; close it when somebody does again.

    Called by workers: the sealer cannot report its own death. Says whether all
    is well.
    """
    oldest = AuditPending.objects.order_by("entry_id").select_related("entry").first()
    many = AuditPending.objects.order_by("entry_id")[TOO_MANY : TOO_MANY + 1].exists()
    late = oldest is not None and oldest.entry.at < now - UNSEALED
    if not (late or many):
        alarms.close_alarm(CODE, subject=SEALER, now=now)
        return True
    last = heartbeats.last("sealer")
    seen = f"last seen {last:%Y-%m-%dT%H:%M:%SZ}" if last else "never seen"
    detail = (
        f"entries wait for the sealer since {oldest.entry.at:%H:%M}Z" if oldest else ""
    )
    alarms.open_alarm(CODE, subject=SEALER, detail=f"{detail}; it was {seen}", now=now)
    return False
