"""What an operator sees of a cause, by a link that staff sent: no account needed."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from bootstrap.models import OperatorFinding
from bootstrap.services import powers
from portal import causes, sheets, words
from portal.visitors import measured


@login_not_required
@require_safe
@measured
@cache_control(private=True, max_age=60)
def finding(request: HttpRequest, token: str) -> HttpResponse:
    """Show one cause and the domains behind it."""
    found, zones = _behind(token)
    rows = causes.listed(found, request, zones)
    context = {
        "finding": found,
        "reason": words.reason(found.reason),
        "rows": rows[: causes.SHOWN],
        "total": len(rows),
        "token": token,
    }
    return render(request, "status/cause.html", context)


@login_not_required
@require_safe
@measured
@cache_control(private=True, max_age=60)
def members(request: HttpRequest, token: str, ending: str) -> HttpResponse:
    """Give the whole list, for machines."""
    found, zones = _behind(token)
    rows = causes.listed(found, request, zones)
    return sheets.sheet(ending, f"domains-{found.pk}", causes.COLUMNS, rows)


def _behind(token: str) -> tuple[OperatorFinding, powers.Zones]:
    found, zones = causes.behind(token)
    if found is None:
        raise Http404
    return found, zones
