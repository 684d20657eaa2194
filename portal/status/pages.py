"""The public page: where a name stands and what must change, without an account.

Only facts that anybody can see in the DNS, and our own codes (S-108). A name that
we do not know and a name of somebody else get the same answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from bootstrap.core.dns.names import InvalidName, parse_name, unrooted
from bootstrap.models import Domain, DomainState
from portal import words

from . import presenters

TELLING = {
    DomainState.ANNOUNCED,
    DomainState.BLOCKED,
    DomainState.BROKEN,
    DomainState.SIGNED,
    DomainState.UNSIGNED,
    DomainState.WAITING,
}
"""States in which something is still to be done, and so to be explained."""


@login_not_required
@require_safe
@cache_control(private=True, max_age=60)
def index(request: HttpRequest) -> HttpResponse:
    """Ask for a name; a name in the query string leads to its permanent page."""
    typed = request.GET.get("name", "")
    if not typed:
        return render(request, "status/index.html")
    try:
        name = unrooted(parse_name(typed))
    except InvalidName as wrong:
        context = {"typed": typed, "wrong": str(wrong)}
        return render(request, "status/index.html", context, status=400)
    return redirect("status:name", name)


@login_not_required
@require_safe
@cache_control(private=True, max_age=60)
def name(request: HttpRequest, name: str) -> HttpResponse:
    """Show where a name stands."""
    told = _told(name)
    if told is None:
        return render(request, "status/unknown.html", status=404)
    return render(request, "status/name.html", told)


@login_not_required
@require_safe
@cache_control(private=True, max_age=60)
def name_json(request: HttpRequest, name: str) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Say the same as JSON."""
    told = _told(name)
    if told is None:
        return JsonResponse({"error": "not a delegation that we act for"}, status=404)
    return JsonResponse(_plain(told))


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    looked, reason = told["looked_at"], told["reason"]
    return {
        "domain": told["name"],
        "state": told["state"],
        "sentence": told["standing"].sentence,
        "steps": [{"step": s.word, "mark": s.mark} for s in told["road"]],
        "reason": reason.code if reason else None,
        "last_look": looked.isoformat() if looked else None,
        "publish": told["records"],
    }


def _told(text: str) -> dict[str, Any] | None:
    try:
        row = Domain.objects.delegated().get(name=unrooted(parse_name(text)))
    except (InvalidName, Domain.DoesNotExist):
        return None
    state = presenters.public_state(row)
    standing = presenters.STANDINGS[state]
    scan = row.scans.first()
    reason = (
        words.reason(row.last_reason) if row.last_reason and state in TELLING else None
    )
    views = scan.nameservers if scan is not None else ()
    return {
        "name": row.name,
        "state": str(state),
        "standing": standing,
        "badge": replace(words.badge("domain", state), word=standing.word, meaning=""),
        "road": presenters.road(standing),
        "reason": reason,
        "looked_at": row.last_scan_at,
        "scan": scan,
        "records": presenters.to_publish(
            reason.recipe if reason else "", row.name, row.nameservers, views
        ),
    }
