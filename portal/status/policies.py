"""What a parent zone demands, for whoever wants to be accepted there (P-5.4).

Public are zones whose delegations were imported, of which anybody can learn by the
name of a child; a zone that is being prepared and one that we never heard of say
the same.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from bootstrap.core.dns.names import InvalidName, parse_name, unrooted
from bootstrap.models import Zone
from portal.visitors import measured

from . import criteria, rules

MOST = 500
"""Zones on one page; registries have a handful."""


@login_not_required
@require_safe
@measured
@cache_control(private=True, max_age=60)
def policies(request: HttpRequest) -> HttpResponse:
    """List the zones whose rules can be read."""
    return render(request, "status/policies.html", {"zones": _public()[:MOST]})


@login_not_required
@require_safe
@measured
@cache_control(private=True, max_age=60)
def policy(request: HttpRequest, zone: str) -> HttpResponse:
    """Show the rules in force, and what is asked of every change."""
    row = _zone(zone)
    if row is None:
        return render(request, "status/unknown.html", status=404)
    found = rules.rules_of(row)
    context = {
        "zone": row,
        "version": found.version,
        "sections": rules.told(found),
        "criteria": criteria.demanded(found.limits()),
        "contact": settings.POLICY_CONTACT,
    }
    return render(request, "status/policy.html", context)


@login_not_required
@require_safe
@measured
@cache_control(public=True, max_age=60)
def policy_json(request: HttpRequest, zone: str) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Say the same as JSON."""
    row = _zone(zone)
    if row is None:
        return JsonResponse({"error": "not a zone that we act for"}, status=404)
    found = rules.rules_of(row)
    items = [
        {"check": item.check, "scope": item.scope, "text": item.text}
        for _title, group in criteria.demanded(found.limits())
        for item in group
    ]
    return JsonResponse({**rules.as_json(found), "criteria": items})


def _public() -> QuerySet[Zone]:
    return Zone.objects.exclude(imported_at=None)


def _zone(text: str) -> Zone | None:
    try:
        wanted = unrooted(parse_name(text))
    except InvalidName:
        return None
    return _public().filter(name=wanted).first()
