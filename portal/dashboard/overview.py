"""The front page: what needs a person, then how it goes."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q, Window
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bootstrap import clock
from bootstrap.core.evaluation.reasons import MEANINGS, Kind
from bootstrap.models import Alarm, Domain, DomainState, Proposal
from portal.access import staff_only

from . import svg

TOP = 8
OURS = [reason.value for reason, m in MEANINGS.items() if m.kind is Kind.OURS]
STUCK = [DomainState.BLOCKED, DomainState.WAITING, DomainState.BROKEN]


@require_safe
@staff_only
def overview(request: HttpRequest) -> HttpResponse:
    """Show the front page, or only its live part when htmx asks."""
    live = request.headers.get("HX-Request") == "true"
    page = "dashboard/_overview.html" if live else "dashboard/overview.html"
    return render(request, page, {**_needs_a_person(), **_how_it_goes()})


def _needs_a_person() -> dict[str, Any]:
    everything = Window(Count("pk"))
    unseen = Window(Count("pk", filter=Q(acknowledged_at=None)))
    waiting = Proposal.objects.awaiting_staff().with_domain().order_by("created_at")
    oldest: list[Any] = list(waiting.annotate(total=everything)[:TOP])
    raised = Alarm.objects.open().annotate(total=everything, unseen=unseen)
    alarms: list[Any] = list(raised[:TOP])
    return {
        "oldest": oldest,
        "waiting_total": oldest[0].total if oldest else 0,
        "alarms": alarms,
        "alarms_total": alarms[0].total if alarms else 0,
        "unseen_total": alarms[0].unseen if alarms else 0,
        "own_faults": [alarm for alarm in alarms if alarm.code in OURS],
    }


def _how_it_goes() -> dict[str, Any]:
    states, reasons = _counts()
    total, secured = states.total(), states[DomainState.SECURED]
    day = clock.now() - timedelta(days=1)
    recent = Proposal.objects.with_domain().exclude(sent_at=None)
    return {
        "state_bars": svg.bars({s: states[s] for s in DomainState.values if states[s]}),
        "total": total,
        "secured": secured,
        "share": round(100 * secured / total, 1) if total else 0,
        "reasons": svg.bars(dict(reasons.most_common(TOP))),
        "recent": list(recent.order_by("-sent_at")[:TOP]),
        "sent_today": Proposal.objects.filter(sent_at__gte=day).count(),
    }


def _counts() -> tuple[Counter[str], Counter[str]]:
    """Return delegations by state, and stuck ones by reason: one look at the table."""
    states: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    rows = Domain.objects.delegated().order_by().values_list("state", "last_reason")
    for state, reason, count in rows.annotate(count=Count("pk")):
        states[state] += count
        if state in STUCK and reason:
            reasons[reason] += count
    return states, reasons
