"""Which children have a signal, learned from lists instead of from each child.

Cost follows signals, not delegations (architecture.md 3): a nameserver whose
signaling domain can be transferred or walked tells in a few questions what a
scan would ask a million children. A list decides nothing: what is new on it,
and delegated by us to that very nameserver, is evaluated in full (P-1.41).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import randbelow
from typing import Final, Protocol, TypeVar

from django.db import transaction
from django.db.models import Count, Min

from bootstrap.core.dns.names import Name, out_of_domain, parse_name, unrooted
from bootstrap.core.dns.signaling import NO_LIST, Ending
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.models import Domain, SignalHint, SignalSource, Zone
from bootstrap.scanner.discovery import Bounds, Signals
from bootstrap.scanner.scanner import Scanner

from . import leasing

T = TypeVar("T")

SLICE: Final = 500
AT_ONCE: Final = 20
"""Sources that are looked at side by side."""
HELD_FOR: Final = timedelta(minutes=15)
"""Nobody else looks at a source in this time; longer than one list may take."""
SELDOM: Final = timedelta(days=7)
"""Until a source that cannot be listed is tried again."""
GRAIN: Final = 1000


class Eyes(Protocol):
    """Makes a scanner for one round."""

    def __call__(self) -> Scanner:
        """Return it, not yet opened."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What one source's list came to: `news` are the children to be evaluated."""

    signals: Signals
    matched: int
    news: tuple[str, ...]


def keep_sources(*, now: datetime) -> int:
    """Make a row for each nameserver that may vouch for somebody; return how many.

    Nameservers inside of their only child owe no signal (P-1.12) and have no row.
    """
    wanted = _hosts()
    known = set(SignalSource.objects.values_list("host", flat=True))
    for some in _slices(sorted(wanted - known)):
        rows = [SignalSource(host=host, due_at=now) for host in some]
        SignalSource.objects.bulk_create(rows, ignore_conflicts=True)
    for some in _slices(sorted(known - wanted)):
        SignalSource.objects.filter(host__in=some).delete()
    return len(wanted)


def _hosts() -> set[str]:
    groups = (
        Domain.objects.delegated()
        .filter(ds=[])
        .exclude(ns_key="")
        .order_by()
        .values_list("ns_key")
        .annotate(members=Count("pk"), one=Min("pk"))
    )
    shared = {one: members > 1 for _key, members, one in groups.iterator()}
    found: set[str] = set()
    for some in _slices(list(shared)):
        for pk, domain in Domain.objects.in_bulk(some).items():
            found |= set(_vouching(domain, is_shared=shared[pk]))
    return found


def _vouching(domain: Domain, *, is_shared: bool) -> Iterable[str]:
    if is_shared:
        return domain.nameservers  # type: ignore[no-any-return]  # canonical names
    hosts = map(parse_name, domain.nameservers)
    return map(unrooted, out_of_domain(parse_name(domain.name), hosts))


def explore_due(
    *, eyes: Eyes, every: timedelta, limit: int, now: datetime
) -> list[Found]:
    """Look at up to `limit` sources whose turn it is; return what they listed."""
    rows = SignalSource.objects.filter(due_at__lte=now).order_by("due_at")[:limit]
    taken = [row for row in rows if take(row, now=now)]
    return list(explore(taken, eyes=eyes, every=every, now=now))


def explore_hosts(
    hosts: Sequence[Name], *, eyes: Eyes, every: timedelta, now: datetime
) -> list[Found]:
    """Look at these nameservers now, whatever their turn."""
    rows: list[SignalSource] = []
    for host in hosts:
        row, _made = SignalSource.objects.get_or_create(
            host=unrooted(host), defaults={"due_at": now}
        )
        rows.append(row)
    return list(explore(rows, eyes=eyes, every=every, now=now))


def take(row: SignalSource, *, now: datetime) -> bool:
    """Compare-and-set: two workers never list the same source."""
    mine = SignalSource.objects.filter(pk=row.pk, due_at=row.due_at)
    return bool(mine.update(due_at=now + HELD_FOR))


def explore(
    rows: Sequence[SignalSource], *, eyes: Eyes, every: timedelta, now: datetime
) -> Iterator[Found]:
    """Look at sources side by side; record each, and yield what was found."""
    names = Zone.objects.order_by("name").values_list("name", flat=True)
    parents = [parse_name(name) for name in names]
    if not parents or not rows:
        return
    hosts = [parse_name(row.host) for row in rows]
    listed = asyncio.run(_explored(hosts, parents, eyes))
    for row, signals in zip(rows, listed, strict=True):
        yield record(row, signals, every=every, now=now)


async def _explored(
    hosts: Sequence[Name], parents: Sequence[Name], eyes: Eyes
) -> list[Signals]:
    places = asyncio.Semaphore(AT_ONCE)
    async with eyes() as scanner:

        async def one(host: Name) -> Signals:
            async with places:
                return await scanner.signals(host, parents, Bounds())

        return list(await asyncio.gather(*map(one, hosts)))


@transaction.atomic
def record(
    source: SignalSource, signals: Signals, *, every: timedelta, now: datetime
) -> Found:
    """Remember a list, and let what is new on it be evaluated.

    A child counts if we delegate it, without DS so far, to this very host
    (P-1.41); the rest is discarded. A list that broke off forgets nothing.
    """
    matched = dict(_matching(source.host, signals.children))
    known = set(source.hints.values_list("domain_id", flat=True))
    fresh = [pk for pk in matched if pk not in known]
    for some in _slices(fresh):
        rows = [SignalHint(source=source, domain_id=pk, seen_at=now) for pk in some]
        SignalHint.objects.bulk_create(rows, ignore_conflicts=True)
    if signals.ending is Ending.COMPLETE:
        for some in _slices(sorted(known - set(matched))):
            source.hints.filter(domain_id__in=some).delete()
    leasing.request(fresh, trigger=Trigger.DISCOVERY, now=now)
    source.looked_at, source.due_at = now, now + _pause(signals.ending, every)
    source.way, source.ending = signals.way.value, signals.ending.value
    source.queries = signals.queries
    source.listed, source.matched = len(signals.children), len(matched)
    source.save()
    return Found(signals, len(matched), tuple(matched[pk] for pk in fresh))


def _matching(host: str, children: Collection[Name]) -> Iterator[tuple[int, str]]:
    for some in _slices([unrooted(child) for child in children]):
        rows = Domain.objects.delegated().filter(name__in=some, ds=[])
        for domain in rows.only("name", "nameservers"):
            if host in domain.nameservers:
                yield domain.pk, domain.name


def _pause(ending: Ending, every: timedelta) -> timedelta:
    pause = max(SELDOM, every) if ending in NO_LIST else every
    return pause * (1 + leasing.JITTER * randbelow(GRAIN) / GRAIN)


def _slices(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), SLICE):
        yield items[start : start + SLICE]
