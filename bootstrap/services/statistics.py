"""Figures of the day, counted by a task: pages read rows, not a million delegations.

Meets P-5.18.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Min, Sum

from bootstrap.models import DailyFigures, Domain, DomainState, Proposal, Zone

from . import powers
from .operators import STUCK
from .powers import Zones

REASONS: Final = 50
"""Reasons kept for a zone and day, the most frequent."""
FRESH: Final = timedelta(minutes=15)
"""Older figures mean that nobody counts."""
SMALL: Final = 20_000
"""So many delegations are counted on the spot when nobody else has lately."""


@transaction.atomic
def count(*, now: datetime) -> int:
    """Count every zone's day so far; return how many zones there are."""
    zones = list(Zone.objects.all())
    sent = _sent(now)
    for zone in zones:
        DailyFigures.objects.update_or_create(
            zone=zone, day=now.date(), defaults=_figures(zone, sent, now)
        )
    return len(zones)


def _figures(
    zone: Zone, sent: Counter[tuple[int, str]], now: datetime
) -> dict[str, object]:
    states: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    here = Domain.objects.delegated().in_zone(zone).order_by()
    groups = here.values_list("state", "last_reason").annotate(number=Count("pk"))
    for state, reason, number in groups:
        states[state] += number
        if state in STUCK and reason:
            reasons[reason] += number
    looks = here.aggregate(oldest=Min("last_scan_at"), seen=Count("last_scan_at"))
    total = states.total()
    return {
        "counted_at": now,
        "states": dict(states),
        "reasons": dict(reasons.most_common(REASONS)),
        "total": total,
        "secured": states[DomainState.SECURED],
        "bootstraps": sent[zone.pk, "bootstrap"],
        "updates": sent[zone.pk, "update"],
        "removals": sent[zone.pk, "removal"],
        "stalest": looks["oldest"],
        "unseen": total - looks["seen"],
    }


def _sent(now: datetime) -> Counter[tuple[int, str]]:
    midnight = datetime.combine(now.date(), time(), UTC)
    rows = Proposal.objects.filter(
        sent_at__gte=midnight, sent_at__lt=midnight + timedelta(days=1)
    )
    groups = rows.order_by().values_list("domain__zone", "path")
    found = groups.annotate(number=Count("pk"))
    return Counter({(zone, path): number for zone, path, number in found})


@dataclass(slots=True)
class Standing:
    """How the delegations of a zone stood when they were last counted.

    Without `counted_at` they were counted just now, and nobody knows `stalest`
    and `unseen` (see `DailyFigures`).
    """

    states: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    counted_at: datetime | None = None
    stalest: datetime | None = None
    unseen: int = 0
    kept: bool = False
    """There are figures of the past, too."""

    @property
    def total(self) -> int:
        """How many there were."""
        return self.states.total()

    @property
    def secured(self) -> int:
        """How many of them were secured."""
        return self.states[DomainState.SECURED]


def standing(
    *, now: datetime, zones: Collection[int] | None = None
) -> dict[int, Standing]:
    """Return by zone how delegations stand; of all zones when none is named.

    What the task has counted is taken as it is. A small zone is counted here when
    the task has not done so lately; a large one is shown with the age of its figures.
    """
    kept = {row.zone_id: row for row in newest(zones)}
    old = now - FRESH
    good = {
        zone: _kept(row)
        for zone, row in kept.items()
        if row.counted_at >= old or row.total > SMALL
    }
    lacking = set(kept if zones is None else zones) - good.keys()
    if lacking or not kept:
        good |= _live(lacking if kept or zones is not None else None)
    for zone in kept:
        good[zone].kept = True
    return good


def _kept(row: DailyFigures) -> Standing:
    return Standing(
        Counter(row.states),
        Counter(row.reasons),
        row.counted_at,
        row.stalest,
        row.unseen,
    )


def _live(zones: Collection[int] | None) -> dict[int, Standing]:
    """Count now, in one look at the table."""
    rows = Domain.objects.delegated().order_by()
    rows = rows if zones is None else rows.filter(zone__in=zones)
    found = {zone: Standing() for zone in zones or ()}
    groups = rows.values_list("zone", "state", "last_reason")
    for zone, state, reason, number in groups.annotate(number=Count("pk")):
        told = found.setdefault(zone, Standing())
        told.states[state] += number
        if state in STUCK and reason:
            told.reasons[reason] += number
    return found


def newest(zones: Collection[int] | None = None) -> list[DailyFigures]:
    """Return the newest figures of each of these zones, none before the first count."""
    last = DailyFigures.objects.order_by("-day").values("day")[:1]
    rows = DailyFigures.objects.filter(day=last).select_related("zone")
    return list(rows if zones is None else rows.filter(zone__in=zones))


def days(since: datetime, zones: Zones = None) -> list[dict[str, Any]]:
    """Return the figures of each day over these zones, oldest first."""
    all_rows = DailyFigures.objects.filter(day__gte=since.date()).order_by("day")
    rows = powers.within(all_rows, zones, "zone")
    columns = ("total", "secured", "bootstraps", "updates", "removals")
    sums = rows.values("day").annotate(**{c: Sum(c) for c in columns})
    return [{**row} for row in sums]
