"""What an auditor reads of a period: changes, overrides, four eyes, rules, alarms.

Counts are whole; lists end at `MOST` rows and say so. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from statistics import median_low
from typing import Any, Final

from django.db import connection
from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    Max,
    Q,
)

from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.models import (
    Alarm,
    BreakerVoice,
    Checkpoint,
    Decision,
    PolicyVersion,
    Proposal,
    RulesChange,
)
from bootstrap.models.alarm import AlarmQuerySet

from .actors import ActorKind
from .summaries import moment

MOST: Final = 500
PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Sent:
    """How many changes of one kind were sent, by authentication method."""

    method: str
    path: str
    count: int


@dataclass(frozen=True, slots=True)
class Override:
    """A person let pass what the checks had put on hold."""

    at: str
    person: str
    domain: str
    proposal: str
    reason: str
    comment: str


@dataclass(frozen=True, slots=True)
class FourEyes:
    """A change that needed two persons: who asked, who approved, and if it held."""

    what: str
    subject: str
    asked: str
    approved: tuple[str, ...]
    kept: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A version of a policy that came into force."""

    at: str
    zone: str
    version: int
    author: str
    confirmed: str
    reason: str


@dataclass(frozen=True, slots=True)
class Alarms:
    """Alarms of one code: how many, and how long until somebody acknowledged."""

    code: str
    opened: int
    acknowledged: int
    open: int
    median_seconds: int | None
    longest_seconds: int | None


@dataclass(frozen=True, slots=True)
class Said:
    """How often a person decided what."""

    person: str
    verb: str
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """One period; `size` and `root` name the newest checkpoint when it was made."""

    since: str
    until: str
    made_at: str
    size: int
    root: str
    sent: Sequence[Sent]
    overrides: Sequence[Override]
    overrides_total: int
    four_eyes: Sequence[FourEyes]
    four_eyes_total: int
    rules: Sequence[Rule]
    alarms: Sequence[Alarms]
    decisions: Sequence[Said]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


def make(since: datetime, until: datetime, *, now: datetime) -> Report:
    """Return the report of [since, until)."""
    newest = Checkpoint.objects.order_by("-size").first()
    overrides = _overrides(since, until)
    pairs = _pairs(since, until)
    return Report(
        since=str(moment(since)),
        until=str(moment(until)),
        made_at=str(moment(now)),
        size=newest.size if newest else 0,
        root=bytes(newest.root).hex() if newest else "",
        sent=_sent(since, until),
        overrides=[_override(row) for row in overrides[:MOST]],
        overrides_total=overrides.count(),
        four_eyes=[*map(_pair, pairs[:MOST]), *_others(since, until)],
        four_eyes_total=pairs.count(),
        rules=_rules(since, until),
        alarms=_alarms(since, until),
        decisions=_decisions(since, until),
    )


def _sent(since: datetime, until: datetime) -> list[Sent]:
    rows = Proposal.objects.filter(sent_at__gte=since, sent_at__lt=until).order_by()
    groups = rows.values_list("auth_method", "path").annotate(number=Count("pk"))
    return [Sent(*group) for group in groups.order_by("-number", "auth_method")]


def _overrides(since: datetime, until: datetime) -> Any:  # noqa: ANN401 - a query set of decisions
    return (
        Decision.objects.filter(
            at__gte=since,
            at__lt=until,
            verb="approve",
            actor_kind=ActorKind.STAFF.value,
            proposal__scan__outcome=Outcome.HOLD.value,
        )
        .select_related("proposal__domain")
        .order_by("at")
    )


def _override(row: Decision) -> Override:
    return Override(
        at=str(moment(row.at)),
        person=row.actor,
        domain=row.proposal.domain.name,
        proposal=str(row.proposal_id),
        reason=row.proposal.reason,
        comment=row.comment,
    )


def _pairs(since: datetime, until: datetime) -> Any:  # noqa: ANN401 - a query set of proposals
    return (
        Proposal.objects.filter(
            approved_at__gte=since, approved_at__lt=until, approvals_needed__gte=PAIR
        )
        .select_related("domain")
        .prefetch_related("decisions")
        .order_by("approved_at")
    )


def _pair(row: Proposal) -> FourEyes:
    voices = tuple(
        dict.fromkeys(
            said.actor
            for said in row.decisions.all()
            if said.verb == "approve"
            and said.digest == row.digest
            and said.actor_kind == ActorKind.STAFF
        )
    )
    others = [person for person in voices if person != row.requested_by]
    kept = len(others) >= row.approvals_needed
    return FourEyes(row.path, row.domain.name, row.requested_by, voices, kept)


def _others(since: datetime, until: datetime) -> list[FourEyes]:
    """Return rules that two persons made and breakers that two released."""
    confirmed = RulesChange.objects.filter(
        stand="confirmed", decided_at__gte=since, decided_at__lt=until
    ).select_related("zone")[:MOST]
    found = [
        FourEyes(
            "rules",
            row.zone.name,
            row.author,
            (row.decided_by,),
            row.author != row.decided_by,
        )
        for row in confirmed
    ]
    return found + _releases(since, until)


def _releases(since: datetime, until: datetime) -> list[FourEyes]:
    voices = BreakerVoice.objects.filter(
        breaker__released_at__gte=since, breaker__released_at__lt=until
    ).select_related("breaker")
    by_breaker: dict[str, list[str]] = {}
    for voice in voices[: PAIR * MOST]:
        by_breaker.setdefault(str(voice.breaker), []).append(voice.actor)
    return [
        FourEyes("breaker", name, "", tuple(people), len(set(people)) >= PAIR)
        for name, people in by_breaker.items()
    ]


def _rules(since: datetime, until: datetime) -> list[Rule]:
    rows = PolicyVersion.objects.filter(created_at__gte=since, created_at__lt=until)
    confirmed = RulesChange.objects.filter(
        stand="confirmed", decided_at__gte=since, decided_at__lt=until
    )
    people = {(row.zone_id, row.decided_at): row.decided_by for row in confirmed}
    return [
        Rule(
            at=str(moment(row.created_at)),
            zone=row.zone.name,
            version=row.number,
            author=row.author,
            confirmed=people.get((row.zone_id, row.created_at), ""),
            reason=row.reason,
        )
        for row in rows.select_related("zone").order_by("created_at")[:MOST]
    ]


class _Median(Aggregate):
    """The middle one of spans of time; PostgreSQL alone counts it."""

    function = "percentile_disc"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


def _alarms(since: datetime, until: datetime) -> list[Alarms]:
    rows = Alarm.objects.filter(opened_at__gte=since, opened_at__lt=until)
    if connection.vendor == "postgresql":
        return _alarms_by_database(rows)
    columns = ("code", "opened_at", "acknowledged_at", "closed_at")
    by_code: dict[str, list[tuple[datetime, datetime | None, datetime | None]]] = {}
    for code, *times in rows.order_by("code").values_list(*columns).iterator():
        by_code.setdefault(code, []).append((times[0], times[1], times[2]))
    return [_told(code, times) for code, times in by_code.items()]


def _alarms_by_database(rows: AlarmQuerySet) -> list[Alarms]:
    """Return the same of a year with many alarms without fetching them."""
    wait = ExpressionWrapper(F("acknowledged_at") - F("opened_at"), DurationField())
    groups = (
        rows.order_by()
        .values("code")
        .annotate(
            opened=Count("pk"),
            acknowledged=Count("acknowledged_at"),
            open=Count("pk", filter=Q(closed_at=None)),
            middle=_Median(wait),
            longest=Max(wait),
        )
    )
    return [
        Alarms(
            code=group["code"],
            opened=group["opened"],
            acknowledged=group["acknowledged"],
            open=group["open"],
            median_seconds=_seconds(group["middle"]),
            longest_seconds=_seconds(group["longest"]),
        )
        for group in groups.order_by("code")
    ]


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())


def _told(
    code: str, times: list[tuple[datetime, datetime | None, datetime | None]]
) -> Alarms:
    waits = [
        int((acknowledged - opened).total_seconds())
        for opened, acknowledged, _ in times
        if acknowledged is not None
    ]
    return Alarms(
        code=code,
        opened=len(times),
        acknowledged=len(waits),
        open=sum(closed is None for _, _, closed in times),
        median_seconds=median_low(waits) if waits else None,
        longest_seconds=max(waits, default=None),
    )


def _decisions(since: datetime, until: datetime) -> list[Said]:
    rows = Decision.objects.filter(at__gte=since, at__lt=until).order_by()
    groups = rows.values_list("actor", "verb").annotate(number=Count("pk"))
    return [Said(*group) for group in groups.order_by("actor", "verb")]
