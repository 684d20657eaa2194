"""Does the parent hold what we expect of it? All children, hourly (S-76).

By transfer of the zone, or where that is refused by questions in slices. What
somebody else changed is an alarm and an out-of-band change (P-5.43): recorded,
never overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from bootstrap.core.dns.names import parse_name, unrooted
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Alarm, Domain, Heartbeat, Proposal, Zone
from bootstrap.registry.ports import Registry, RegistryUnreachable
from bootstrap.registry.rows import Row, SourceRefused

from . import alarms, audit, drift, heartbeats
from .actors import PUBLISHER
from .drift import ALARM, Held

FULL: Final = timedelta(hours=1)
AFTER_BATCH: Final = timedelta(minutes=10)
"""No sooner than this after the last time, however much was sent since."""
PAUSE: Final = timedelta(minutes=5)
"""Between attempts where the parent cannot be read."""
BATCH: Final = 500
SLICE: Final = 500
"""Children asked for one by one in one turn, where no transfer is allowed."""
FEW: Final = 10
"""So many DS sets may vanish at once, whatever the share."""

Entries = Iterable[object]
TransferOf = Callable[[Zone], Entries]


@dataclass(slots=True)
class Comparison:
    """What one turn found: how many were compared, and what differs."""

    as_of: datetime
    compared: int = 0
    found: list[Held] = field(default_factory=list)

    def take(self, zone: Zone, held: Iterator[Held]) -> None:
        """Compare batch after batch with the expected state."""
        while batch := {one.name: one for one in islice(held, BATCH)}:
            known = Domain.objects.delegated().in_zone(zone).filter(name__in=batch)
            for name, expected in known.values_list("name", "ds"):
                self.compared += 1
                if sorted(expected) != sorted(batch[name].ds):
                    self.found.append(batch[name])


def reconcile_due(
    *,
    registry_for: Callable[[Zone], Registry],
    transfer_of: TransferOf,
    clock: Callable[[], datetime],
) -> int:
    """Compare the zones whose time has come; return how many children differed."""
    return sum(
        reconcile(zone, registry_for=registry_for, transfer_of=transfer_of, clock=clock)
        for zone in Zone.objects.exclude(primary="")
        if _is_due(zone, clock())
    )


def reconcile(
    zone: Zone,
    *,
    registry_for: Callable[[Zone], Registry],
    transfer_of: TransferOf,
    clock: Callable[[], datetime],
) -> int:
    """Compare one zone, or the next slice of it; return how many children differed."""
    comparison = Comparison(as_of=clock())
    after = _position(zone)
    try:
        comparison.take(zone, _rows(transfer_of(zone)))
        last = 0
    except SourceRefused:
        try:
            last = _ask_slice(zone, registry_for(zone), comparison, after)
        except RegistryUnreachable as away:
            heartbeats.beat(_name(zone), now=clock(), after=after, away=away.detail)
            return 0
    heartbeats.beat(_name(zone), now=clock(), after=last)
    if not last:
        Zone.objects.filter(pk=zone.pk).update(reconciled_at=comparison.as_of)
    return _follow(zone, comparison, clock)


def _is_due(zone: Zone, now: datetime) -> bool:
    beat = Heartbeat.objects.filter(name=_name(zone)).first()
    if beat is not None and beat.detail.get("after"):
        return True  # in the middle of it
    if beat is not None and "away" in beat.detail and now - beat.at < PAUSE:
        return False
    if zone.reconciled_at is None or now - zone.reconciled_at >= FULL:
        return True
    if now - zone.reconciled_at < AFTER_BATCH:
        return False
    sent = Proposal.objects.filter(sent_at__gt=zone.reconciled_at, domain__zone=zone)
    return sent.exists()


def _name(zone: Zone) -> str:
    return f"reconcile:{zone.pk}"


def _position(zone: Zone) -> int:
    beat = Heartbeat.objects.filter(name=_name(zone)).first()
    return 0 if beat is None else int(beat.detail.get("after", 0))


def _rows(entries: Entries) -> Iterator[Held]:
    for entry in entries:
        if isinstance(entry, Row):
            found = entry.delegation
            texts = [ds.to_text() for ds in found.ds]
            yield Held(unrooted(found.child), sorted(texts))


def _ask_slice(
    zone: Zone, registry: Registry, comparison: Comparison, after: int
) -> int:
    """Ask for the next children one by one; return where to go on, 0 at the end."""
    rows = Domain.objects.delegated().in_zone(zone).filter(pk__gt=after).order_by("pk")
    domains = list(rows[:SLICE])
    held = (
        Held(
            domain.name,
            sorted(
                ds.to_text() for ds in registry.read_back(parse_name(domain.name)).ds
            ),
        )
        for domain in domains
    )
    comparison.take(zone, held)
    return domains[-1].pk if len(domains) == SLICE else 0


def _follow(zone: Zone, comparison: Comparison, clock: Callable[[], datetime]) -> int:
    now = clock()
    if _is_too_much(zone, comparison):
        told = f"{len(comparison.found)} of {comparison.compared} DS sets differ"
        alarms.open_alarm(ALARM, subject=zone.name, detail=told, now=now)
        audit.record(
            EntryType.DS_DRIFTED,
            stream=f"zone:{zone.name}.",
            actor=PUBLISHER,
            now=now,
            differ=len(comparison.found),
            compared=comparison.compared,
        )
        return len(comparison.found)
    alarms.close_alarm(ALARM, subject=zone.name, now=now)
    seen = Alarm.objects.open().filter(code=ALARM, domain__zone=zone)
    for alarm in seen.exclude(acknowledged_at=None):
        alarms.close_alarm(ALARM, subject=alarm.subject, now=now)
    return sum(
        drift.take_in(zone, held, as_of=comparison.as_of, now=now)
        for held in comparison.found
    )


def _is_too_much(zone: Zone, comparison: Comparison) -> bool:
    """Say whether so many sets vanished that our view is wrong rather than they."""
    gone = sum(not held.ds for held in comparison.found)
    secure = Domain.objects.delegated().in_zone(zone).exclude(ds=[]).count()
    return gone > max(FEW, zone.max_removed_share * secure)
