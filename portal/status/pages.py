"""The public page: where a name stands and what must change, without an account.

Only facts that anybody can see in the DNS, and our own codes (S-108). A name that
we do not know and a name of somebody else get the same answer.
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_POST, require_safe

from bootstrap import clock
from bootstrap.core.dns.names import InvalidName, parse_name, unrooted
from bootstrap.models import Domain
from bootstrap.services import requests
from portal.visitors import measured, network_of, too_many

from . import presenters

SVG = "image/svg+xml"


@login_not_required
@require_safe
@measured
@cache_control(private=True, max_age=60)
def index(request: HttpRequest) -> HttpResponse:
    """Ask for a name; a name in the query string leads to its permanent page."""
    typed = request.GET.get("name", "")
    if not typed:
        return render(request, "status/index.html")
    try:
        name = unrooted(parse_name(typed))
    except InvalidName:
        context = {"typed": typed, "wrong": True}
        return render(request, "status/index.html", context, status=400)
    return redirect("status:name", name)


@login_not_required
@require_safe
@measured
@cache_control(private=True, max_age=60)
def name(request: HttpRequest, name: str) -> HttpResponse:
    """Show where a name stands."""
    return _page(request, name)


@login_not_required
@require_safe
@measured
@never_cache
def look(request: HttpRequest, name: str) -> HttpResponse:
    """Show the same page while it is being looked at, and keep it fresh."""
    return _page(request, name)


@login_not_required
@require_POST
@measured
def check(request: HttpRequest, name: str) -> HttpResponse:
    """Have a name looked at now, as often as is fair (S-28)."""
    row = _row(name)
    if row is None:
        return render(request, "status/unknown.html", status=404)
    try:
        requests.request_look(row, network=network_of(request), now=clock.now())
    except requests.TooSoon as refused:
        return too_many(request, refused.wait)
    return redirect("status:look", row.name)


@login_not_required
@require_safe
@measured
@cache_control(public=True, max_age=60)
def name_json(request: HttpRequest, name: str) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Say the same as JSON."""
    row = _row(name)
    if row is None:
        return JsonResponse({"error": "not a delegation that we act for"}, status=404)
    return JsonResponse(presenters.as_json(presenters.told(row, now=clock.now())))


@login_not_required
@require_safe
@measured
@cache_control(public=True, max_age=60)
def badge(request: HttpRequest, name: str) -> HttpResponse:
    """Draw one word about a name, to be shown elsewhere."""
    row = _row(name)
    shown = presenters.UNKNOWN if row is None else presenters.short_badge_of(row)
    context = {"picture": presenters.picture(shown)}
    status = 404 if row is None else 200
    response = render(request, "status/badge.svg", context, SVG, status)
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _page(request: HttpRequest, name: str) -> HttpResponse:
    row = _row(name)
    if row is None:
        return render(request, "status/unknown.html", status=404)
    told = presenters.told(row, now=clock.now())
    here = request.build_absolute_uri(f"/status/{row.name}")
    return render(request, "status/name.html", {**told, "here": here})


def _row(text: str) -> Domain | None:
    try:
        wanted = unrooted(parse_name(text))
    except InvalidName:
        return None
    rows = Domain.objects.delegated().select_related("zone")
    return rows.filter(name=wanted).first()
