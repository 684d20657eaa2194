"""One cause behind many domains, and what automation would do if it were on (P-5.18).

Both are counted from the last evaluations, in one question to the database each,
whatever the number of domains.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, Max, Min, OuterRef, Q, QuerySet, Subquery

from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Domain, DomainState, OperatorFinding, Zone

from . import audit, powers
from .actors import Actor
from .powers import Zones

STUCK: Final = frozenset(
    {
        DomainState.ANNOUNCED,
        DomainState.BLOCKED,
        DomainState.BROKEN,
        DomainState.WAITING,
    }
)
"""States in which something has to change before it goes on."""
MANY: Final = 2
"""From how many domains on one cause is a finding of its own."""
SLICE: Final = 500
LARGEST: Final = 50
"""Operators whose readiness is counted before somebody asks."""
KEPT_FOR: Final = timedelta(minutes=15)
"""How long a zone's readiness is remembered; it is counted anew every five."""
Cause = tuple[str, str]
"""Nameserver set and reason."""


def stuck() -> QuerySet[Domain]:
    """Return the delegations whose owners wait for somebody to change something."""
    return Domain.objects.delegated().filter(state__in=STUCK).exclude(last_reason="")


def members(finding: OperatorFinding, zones: Zones = None) -> QuerySet[Domain]:
    """Return the domains of these zones that have this cause now, by name."""
    rows = stuck().filter(last_reason=finding.reason, ns_key=finding.ns_key)
    return powers.within(rows, zones, "zone").order_by("name")


def seen(rows: QuerySet[OperatorFinding], zones: Zones) -> QuerySet[OperatorFinding]:
    """Return the findings with members in these zones, counted there (S-105)."""
    if zones is None:
        return rows
    cause = {"ns_key": OuterRef("ns_key"), "last_reason": OuterRef("reason")}
    here = stuck().filter(zone__in=zones, **cause).order_by()
    count = here.values("ns_key").annotate(number=Count("pk")).values("number")
    counted = rows.annotate(here=Subquery(count)).filter(here__gt=0)
    return counted.order_by("-here", "opened_at", "pk")


@transaction.atomic
def gather(*, now: datetime) -> int:
    """Open, count anew and close findings; return how many are open."""
    counted = _causes()
    known = {(f.ns_key, f.reason): f for f in OperatorFinding.objects.open()}
    _open([cause for cause in counted if cause not in known], counted, now)
    grown = []
    for cause, finding in known.items():
        count = counted[cause][0] if cause in counted else 0
        if not count:
            finding.closed_at = now
        if count != finding.members or not count:
            finding.members, finding.most = count, max(count, finding.most)
            finding.counted_at = now
            grown.append(finding)
    fields = ["members", "most", "counted_at", "closed_at"]
    OperatorFinding.objects.bulk_update(grown, fields, batch_size=SLICE)
    return len(counted)


def _causes() -> dict[Cause, tuple[int, int]]:
    """Return for each cause how many have it, and one of them."""
    groups = (
        stuck()
        .exclude(ns_key="")
        .order_by()
        .values("ns_key", "last_reason")
        .annotate(count=Count("pk"), one=Min("pk"))
        .filter(count__gte=MANY)
    )
    return {
        (row["ns_key"], row["last_reason"]): (row["count"], row["one"])
        for row in groups.iterator()
    }


def _open(
    causes: list[Cause], counted: Mapping[Cause, tuple[int, int]], now: datetime
) -> None:
    for some in _slices(causes):
        ones = Domain.objects.in_bulk([counted[cause][1] for cause in some])
        OperatorFinding.objects.bulk_create(
            [
                OperatorFinding(
                    ns_key=cause[0],
                    reason=cause[1],
                    nameservers=sorted(ones[counted[cause][1]].nameservers),
                    members=counted[cause][0],
                    most=counted[cause][0],
                    opened_at=now,
                    counted_at=now,
                )
                for cause in some
            ],
            ignore_conflicts=True,  # another worker gathers at the same moment
        )


def _slices(causes: list[Cause]) -> Iterator[list[Cause]]:
    for start in range(0, len(causes), SLICE):
        yield causes[start : start + SLICE]


@dataclass(frozen=True, slots=True)
class Share:
    """Delegations of one kind: `reason` is empty where nothing is in the way."""

    kind: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Readiness:
    """What automation would find: counts of delegations without DS, by kind."""

    shares: tuple[Share, ...]
    secured: int
    looked_at: datetime | None

    @property
    def total(self) -> int:
        """How many delegations have no DS yet."""
        return sum(share.count for share in self.shares)

    def count(self, kind: str) -> int:
        """Return how many are of one kind."""
        return sum(share.count for share in self.shares if share.kind == kind)

    @property
    def ready(self) -> int:
        """How many would be accepted now."""
        return self.count("ready")

    @property
    def in_the_way(self) -> int:
        """How many have something in their way."""
        return self.count("blocked")

    @property
    def blocked(self) -> tuple[Share, ...]:
        """What is in the way, the most frequent first."""
        return tuple(share for share in self.shares if share.kind == "blocked")


def readiness(
    *, zone: Zone | None = None, ns_key: str = "", zones: Zones = None
) -> Readiness:
    """Return what the last evaluations say of a zone's or an operator's delegations.

    Of an operator's only those in `zones`.

    Raises:
        ValueError: neither is named.
    """
    if zone is None and not ns_key:
        raise ValueError("readiness of what?")
    rows = powers.within(Domain.objects.delegated(), zones, "zone")
    rows = rows.filter(zone=zone) if zone is not None else rows
    rows = rows.filter(ns_key=ns_key) if ns_key else rows
    return _readiness(_grouped(rows))


def _grouped(rows: QuerySet[Domain], *by: str) -> list[dict[str, Any]]:
    groups = rows.order_by().values(*by, "state", "last_outcome", "last_reason")
    counted = groups.annotate(
        open=Count("pk", filter=Q(ds=[])),
        closed=Count("pk", filter=~Q(ds=[])),
        looked=Max("last_scan_at"),
    )
    return list(counted)


def _readiness(groups: Iterable[Mapping[str, object]]) -> Readiness:
    shares: dict[tuple[str, str], int] = {}
    secured, looks = 0, []
    for group in groups:
        secured += int(str(group["closed"]))
        if isinstance(group["looked"], datetime):
            looks.append(group["looked"])
        kind = _kind(group)
        reason = str(group["last_reason"]) if kind == "blocked" else ""
        if group["open"]:
            key = (kind, reason)
            shares[key] = shares.get(key, 0) + int(str(group["open"]))
    ordered = sorted(shares.items(), key=lambda one: (-one[1], one[0]))
    return Readiness(
        tuple(Share(kind, reason, count) for (kind, reason), count in ordered),
        secured,
        max(looks, default=None),
    )


def _kind(group: Mapping[str, object]) -> str:
    """Return ready, blocked, suspended, signed, unsigned or unseen."""
    state, outcome = str(group["state"]), str(group["last_outcome"])
    if state == DomainState.SUSPENDED:
        return "suspended"
    if not outcome:
        return "unseen"
    if outcome == Outcome.ACCEPT:
        return "ready"
    if state in STUCK or state == DomainState.ALARM:
        return "blocked"
    return "signed" if state == DomainState.SIGNED else "unsigned"


def zone_readiness(zones: Sequence[Zone]) -> list[tuple[Zone, Readiness]]:
    """Return each zone's readiness as last counted, so that no page counts a million."""
    kept = cache.get_many([_readiness_key(zone) for zone in zones])
    return [
        (zone, kept.get(_readiness_key(zone)) or _count_zone(zone)) for zone in zones
    ]


def count_zones() -> int:
    """Count every zone's readiness anew; return how many zones there are."""
    return len([_count_zone(zone) for zone in Zone.objects.all()])


def _count_zone(zone: Zone) -> Readiness:
    found = readiness(zone=zone)
    cache.set(_readiness_key(zone), found, KEPT_FOR.total_seconds())
    return found


def _readiness_key(zone: Zone) -> str:
    return f"readiness:{zone.pk}"


def operator_readiness(ns_key: str, zones: Zones = None) -> Readiness:
    """Return what was counted for an operator at most 15 minutes ago, else count.

    The large ones, for which that takes long, are counted by `count_operators`.
    For people of some zones it is always counted: in those alone.
    """
    if zones is not None:
        return readiness(ns_key=ns_key, zones=zones)
    key = f"readiness:{ns_key}"
    kept: Readiness | None = cache.get(key)
    if kept is None:
        kept = readiness(ns_key=ns_key)
        cache.set(key, kept, KEPT_FOR.total_seconds())
    return kept


def count_operators() -> int:
    """Count anew the operators with the most names in trouble; return how many."""
    largest = OperatorFinding.objects.open().values_list("ns_key", flat=True)
    keys = sorted(set(largest[:LARGEST]))
    rows = Domain.objects.delegated().filter(ns_key__in=keys)
    groups: dict[str, list[Mapping[str, object]]] = {key: [] for key in keys}
    for group in _grouped(rows, "ns_key"):
        groups[group["ns_key"]].append(group)
    for key, found in groups.items():
        cache.set(
            f"readiness:{key}", _readiness(found), timeout=KEPT_FOR.total_seconds()
        )
    return len(keys)


def exported(
    finding: OperatorFinding, *, actor: Actor, rows: int, digest: str, now: datetime
) -> None:
    """Record that somebody took the list of members away (S-116)."""
    audit.record(
        EntryType.DATA_EXPORTED,
        stream="exports",
        actor=actor,
        now=now,
        finding=str(finding.pk),
        reason=finding.reason,
        rows=rows,
        digest=digest,
    )
