"""How far the trail is proven: what pages say of the log, an entry, a change.

Nothing is verified here; the sealer does that all the time (P-8.33), and what it
found stands in the alarm of the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Any, Final

from django.db.models import Exists, F, IntegerField, OuterRef, QuerySet, Subquery

from bootstrap.models import (
    Alarm,
    AuditEntry,
    AuditPending,
    Checkpoint,
    Heartbeat,
    Proposal,
)

from . import chain
from .log_verifying import BEAT

MANY: Final = 1000
"""Counting of what waits stops here."""
BROKEN: Final = frozenset({chain.BROKEN, chain.ROLLED_BACK})
"""Alarms of the log that put what is sealed in doubt, not only what is to come."""


@unique
class Proof(StrEnum):
    """What there is to say for an entry."""

    SEALED = "sealed"  # under a signed checkpoint: anybody can check it
    WAITING = "waiting"  # for the sealer
    FAILING = "failing"  # the log does not hold; nothing in it counts as proven


@dataclass(frozen=True, slots=True)
class LogState:
    """The newest checkpoint, what waits for the next, and what is wrong."""

    newest: Checkpoint | None
    waiting: int
    """Entries for the sealer, counted to 1000; 0 before the first checkpoint."""
    faults: Sequence[Alarm]
    verified_at: datetime | None
    """When the sealer last looked at a slice of the log."""

    @property
    def failing(self) -> bool:
        """Verification found something that does not hold."""
        return any(alarm.subject in BROKEN for alarm in self.faults)

    @property
    def proof(self) -> Proof:
        """The state of the log as a whole; the newest entries always wait a moment."""
        return self.of(self.newest.size if self.newest else None)

    @property
    def root(self) -> str:
        """The newest root in hex."""
        return bytes(self.newest.root).hex() if self.newest else ""

    def of(self, sealed_under: int | None) -> Proof:
        """Return the state of an entry that this checkpoint was the first above."""
        if self.failing:
            return Proof.FAILING
        return Proof.WAITING if sealed_under is None else Proof.SEALED


@dataclass(frozen=True, slots=True)
class LifeState:
    """How many steps of a proposal the trail tells, and how many are sealed."""

    log: LogState
    steps: int
    sealed: int

    @property
    def proof(self) -> Proof:
        """The state of the whole life."""
        if self.log.failing:
            return Proof.FAILING
        return Proof.SEALED if self.sealed == self.steps else Proof.WAITING


def log_state() -> LogState:
    """Return the state of the log as it is now; one query while all is well."""
    alarms = Alarm.objects.open().filter(code=chain.CODE)
    waiting = AuditPending.objects.order_by()[:MANY].values("pk")
    newest = (
        Checkpoint.objects.order_by("-size")
        .annotate(
            waiting=_counted(waiting),
            verified_at=Subquery(Heartbeat.objects.filter(name=BEAT).values("at")[:1]),
            in_doubt=Exists(alarms),
        )
        .first()
    )
    if newest is None:
        return LogState(None, 0, list(alarms), None)
    faults = list(alarms) if newest.in_doubt else []
    return LogState(newest, newest.waiting, faults, newest.verified_at)


def _counted(rows: QuerySet[Any, Any]) -> Subquery:
    """Count rows within another query, no further than their limit."""
    template = "(SELECT COUNT(*) FROM (%(subquery)s) _counted)"
    return Subquery(rows, output_field=IntegerField(), template=template)


def placed(rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    """Add to entries `leaf_index`, `sealed_under` and `sealed_at`, or None.

    The checkpoint is the first one that covers the entry; any later one proves it
    as well.
    """
    above = Checkpoint.objects.filter(size__gt=OuterRef("leaf__index"))
    first = above.order_by("size")
    return rows.annotate(
        leaf_index=F("leaf__index"),
        sealed_under=Subquery(first.values("size")[:1]),
        sealed_at=Subquery(first.values("at")[:1]),
    )


def of_proposal(proposal: Proposal) -> LifeState:
    """Return how much of a proposal's life can be proven now."""
    log = log_state()
    steps = AuditEntry.objects.filter(about=proposal.pk)
    size = log.newest.size if log.newest else 0
    sealed = steps.filter(leaf__index__lt=size)
    return LifeState(log, steps.count(), sealed.count())
