"""The front page: what needs a person, then how it goes."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Aggregate,
    Count,
    Min,
    Q,
    QuerySet,
    Subquery,
    Value,
    Window,
)
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bootstrap import clock
from bootstrap.core.evaluation.reasons import MEANINGS, Kind
from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import Alarm, DomainState, OperatorFinding, Proposal
from bootstrap.services import operators, powers, statistics
from portal.access import staff_only, within, zones_of

from . import svg

TOP = 8
DAY = timedelta(days=1)
SEEN = timedelta(days=60)
"""What the charts show."""
OURS = [reason.value for reason, m in MEANINGS.items() if m.kind is Kind.OURS]


@require_safe
@staff_only
def overview(request: HttpRequest) -> HttpResponse:
    """Show the front page, or only its live part when htmx asks."""
    live = request.headers.get("HX-Request") == "true"
    page = "dashboard/_overview.html" if live else "dashboard/overview.html"
    return render(request, page, {**_needs_a_person(request), **_how_it_goes(request)})


def _needs_a_person(request: HttpRequest) -> dict[str, Any]:
    everything = Window(Count("pk"))
    unseen = Window(Count("pk", filter=Q(acknowledged_at=None)))
    ours = Window(Count("pk", filter=Q(code__in=OURS)))
    mine = within(request, Proposal.objects.all())
    waiting = within(request, Proposal.objects.awaiting_staff())
    failed = mine.filter(state=State.FAILED.value)
    ordered = waiting.order_by("created_at", "pk").select_related("domain__zone")
    marked = ordered.annotate(
        total=_over(waiting, Count("pk")),
        failed=Coalesce(_over(failed, Count("pk")), 0),
        ends=_over(waiting, Min("expires_at")),
    )
    oldest: list[Any] = list(marked[:TOP])
    raised = within(request, Alarm.objects.open()).annotate(
        total=everything, unseen=unseen, ours=ours
    )
    alarms: list[Any] = list(raised[:TOP])
    first, alarm = next(iter(oldest), None), next(iter(alarms), None)
    return {
        "oldest": oldest,
        "waiting_total": first.total if first else 0,
        "failed_total": first.failed if first else 0,
        "deadline": first.ends if first else None,
        "alarms": alarms,
        "alarms_total": alarm.total if alarm else 0,
        "unseen_total": alarm.unseen if alarm else 0,
        "own_faults": alarm.ours if alarm else 0,
    }


def _over(rows: QuerySet[Any], figure: Aggregate) -> Subquery:
    """Return one figure over all rows, to stand beside each: counted once."""
    whole = rows.order_by().values(all=Value(1))
    return Subquery(whole.annotate(figure=figure).values("figure"))


def _how_it_goes(request: HttpRequest) -> dict[str, Any]:
    now, zones = clock.now(), zones_of(request)
    figures = _figures(now, zones)
    states, total = figures["states"], figures["states"].total()
    secured = states[DomainState.SECURED]
    recent = _recent(request, now)
    findings = operators.seen(OperatorFinding.objects.open(), zones)[:TOP]
    days = statistics.days(now - SEEN, zones) if figures["kept"] else []
    return {
        **figures,
        "state_bars": svg.bars({s: states[s] for s in DomainState.values if states[s]}),
        "total": total,
        "secured": secured,
        "share": share(secured, total),
        "reasons": svg.bars(dict(figures["reasons"].most_common(TOP))),
        "recent": recent,
        "sent_today": recent[0].today if recent else 0,
        "findings": list(findings),
        "secured_chart": svg.chart(
            {d["day"]: share(d["secured"], d["total"]) for d in days}, top=100
        ),
        "new_chart": svg.chart({d["day"]: d["bootstraps"] for d in days}),
    }


def _recent(request: HttpRequest, now: datetime) -> list[Any]:
    """Return the newest publications, each with how many a day has brought."""
    mine = within(request, Proposal.objects.all())
    day = mine.filter(sent_at__gte=now - DAY)
    rows = mine.select_related("domain__zone").exclude(sent_at=None)
    marked = rows.annotate(today=Coalesce(_over(day, Count("pk")), 0))
    return list(marked.order_by("-sent_at")[:TOP])


def share(part: int, whole: int) -> float:
    """Return a part in percent, to one digit."""
    return round(100 * part / whole, 1) if whole else 0


def _figures(now: datetime, zones: powers.Zones) -> dict[str, Any]:
    """Return counts as the task left them; before its first turn, count here."""
    told = statistics.standing(now=now, zones=zones).values()
    states, reasons = Counter[str](), Counter[str]()
    for zone in told:
        states.update(zone.states)
        reasons.update(zone.reasons)
    counted = [zone.counted_at for zone in told if zone.counted_at]
    looks = [zone.stalest for zone in told if zone.stalest]
    return {
        "states": states,
        "reasons": reasons,
        "kept": any(zone.kept for zone in told),
        "counted_at": min(counted, default=None),
        "late": bool(counted) and min(counted) < now - statistics.FRESH,
        "stalest": min(looks, default=None),
        "unseen": sum(zone.unseen for zone in told),
    }
