"""Says "there is work": the only module that knows django-q2.

With the ORM broker a ring is a row of the caller's transaction: it rolls back
with it (architecture.md 2.9, lesson 5). With Redis it waits for the commit. The
tables of work are the truth; a lost ring costs at most one turn of the schedule.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django_q.brokers.orm import ORM
from django_q.models import OrmQ, Schedule
from django_q.signals import post_execute
from django_q.signing import BadSignature, SignedPackage
from django_q.tasks import async_task

log = logging.getLogger("bootstrap.queue")

LIFE: Final = "WORKER_LIFE_FILE"
"""Variable in which `manage.py worker` tells its cluster where to show that it lives."""


@unique
class Work(StrEnum):
    """The task that looks at a table of work, by dotted path."""

    SCANS = "bootstrap.tasks.drain_scans"
    PUBLICATIONS = "bootstrap.tasks.drain_publications"
    VERIFICATIONS = "bootstrap.tasks.drain_verifications"
    EXPIRIES = "bootstrap.tasks.lapse_expired"
    OPERATORS = "bootstrap.tasks.gather_findings"
    GUARDS = "bootstrap.tasks.keep_guards"
    FIGURES = "bootstrap.tasks.count_figures"
    DELIVERIES = "bootstrap.tasks.deliver_webhooks"
    INVARIANTS = "bootstrap.tasks.check_invariants"
    COMPACTION = "bootstrap.tasks.compact_scans"
    LEDGER = "bootstrap.tasks.watch_ledger"
    SIGNALS = "bootstrap.tasks.discover_signals"
    CANARY = "bootstrap.tasks.canary"


@dataclass(frozen=True, slots=True)
class Turn:
    """A schedule: this work every so many minutes, whoever rings in between."""

    work: Work
    minutes: int


TURNS: Final[Mapping[str, Turn]] = {
    "scans": Turn(Work.SCANS, 1),
    "publications": Turn(Work.PUBLICATIONS, 1),
    "verifications": Turn(Work.VERIFICATIONS, 1),
    "expiries": Turn(Work.EXPIRIES, 5),
    "operators": Turn(Work.OPERATORS, 5),
    "guards": Turn(Work.GUARDS, 1),
    "figures": Turn(Work.FIGURES, 1),
    "deliveries": Turn(Work.DELIVERIES, 1),
    "invariants": Turn(Work.INVARIANTS, 1440),
    "compaction": Turn(Work.COMPACTION, 24 * 60),
    "ledger": Turn(Work.LEDGER, 5),
    "signals": Turn(Work.SIGNALS, 5),
    "canary": Turn(Work.CANARY, 1),
}


def ring(work: Work) -> None:
    """Wake a worker; arguments are never passed (S-78)."""
    if "orm" in settings.Q_CLUSTER:
        async_task(work.value)
    else:
        transaction.on_commit(lambda: async_task(work.value))


class OnlyOurs(ORM):  # type: ignore[misc]  # the library has no types
    """The queue in the database, for the work above and for nothing else (S-79).

    A worker runs whatever dotted path a task names. So what is not in `Work`, or
    brings arguments, is taken off the queue and told, and never reaches a worker.
    """

    def dequeue(self) -> list[tuple[int, str]] | None:
        """Return the next tasks, without those that nobody of ours has put there."""
        tasks: list[tuple[int, str]] | None = super().dequeue()
        return [task for task in tasks or () if self._is_ours(*task)] or None

    def _is_ours(self, key: int, payload: str) -> bool:
        try:
            task = SignedPackage.loads(payload)
        except BadSignature:
            problem = "another signature"
        else:
            func = task.get("func")
            if func in set(Work) and not task.get("args") and not task.get("kwargs"):
                return True
            problem = f"a task that is not ours: {func!r}"
        log.critical("queue.refused", extra={"problem": problem})
        self.delete(key)
        return False


def show_life() -> None:
    """Touch the file of our watcher, if there is one, whenever a task is settled.

    The library tells of it in the cluster's monitor, once the task is acknowledged:
    so the way through queue, worker, results and back is open (F-9). A heartbeat in
    the database would not say so: any other cluster on the same queue keeps it young.
    """
    if path := os.environ.get(LIFE):
        life = Path(path)
        post_execute.connect(
            lambda **_: life.touch(), weak=False, dispatch_uid="bootstrap.life"
        )


@transaction.atomic
def keep_schedules() -> None:
    """Make every schedule what `TURNS` says, and remove all others (S-79)."""
    for name, turn in TURNS.items():
        wanted = {
            "func": turn.work.value,
            "schedule_type": Schedule.MINUTES,
            "minutes": turn.minutes,
            "repeats": -1,
            "args": None,
            "kwargs": None,
            "hook": None,
        }
        rows = Schedule.objects.select_for_update().filter(name=name)
        if not rows.update(**wanted):
            Schedule.objects.create(name=name, **wanted)
    Schedule.objects.exclude(name__in=TURNS).delete()


def depth(limit: int) -> int:
    """Return how many rings wait for a worker, at most `limit`.

    Counts what is in the database; a queue elsewhere answers for itself.
    """
    return int(OrmQ.objects.order_by()[:limit].count())
