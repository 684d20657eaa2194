"""The front page: what needs a person, then how it goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Count
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
    waiting = Proposal.objects.awaiting_staff().with_domain()
    alarms = list(Alarm.objects.open().select_related("domain")[:TOP])
    counts = dict(
        Proposal.objects.awaiting_staff()
        .order_by()
        .values_list("state")
        .annotate(count=Count("pk"))
    )
    return {
        "oldest": list(waiting.order_by("created_at")[:TOP]),
        "waiting": counts,
        "waiting_total": sum(counts.values()),
        "alarms": alarms,
        "own_faults": [alarm for alarm in alarms if alarm.code in OURS],
    }


def _how_it_goes() -> dict[str, Any]:
    states = _by_state()
    total = sum(states.values())
    secured = states.get(DomainState.SECURED, 0)
    day = clock.now() - timedelta(days=1)
    recent = Proposal.objects.with_domain().exclude(sent_at=None)
    return {
        "state_bars": svg.bars(states),
        "total": total,
        "secured": secured,
        "share": round(100 * secured / total, 1) if total else 0,
        "reasons": svg.bars(_top_reasons()),
        "recent": list(recent.order_by("-sent_at")[:TOP]),
        "sent_today": Proposal.objects.filter(sent_at__gte=day).count(),
    }


def _by_state() -> dict[str, int]:
    found = dict(
        Domain.objects.delegated()
        .order_by()
        .values_list("state")
        .annotate(count=Count("pk"))
    )
    return {state: found[state] for state in DomainState.values if state in found}


def _top_reasons() -> dict[str, int]:
    rows = (
        Domain.objects.delegated()
        .filter(state__in=STUCK)
        .order_by()
        .values_list("last_reason")
        .annotate(count=Count("pk"))
    )
    return dict(rows.order_by("-count")[:TOP])
