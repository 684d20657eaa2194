"""Preferences of a person's display; they live in a cookie and hold nothing else."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

THEMES = frozenset({"light", "dark", "contrast"})
COOKIE: Final[dict[str, Any]] = {
    "max_age": 31_536_000,
    "secure": settings.SESSION_COOKIE_SECURE,
    "httponly": True,
    "samesite": "Lax",
}


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or high contrast; anything else means the system's."""
    response = _back(request)
    wanted = request.POST.get("theme", "")
    if wanted in THEMES:
        response.set_cookie("theme", wanted, **COOKIE)
    else:
        response.delete_cookie("theme")
    return response


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remember a language; one that we do not speak is not remembered."""
    return set_language(request)


@require_POST
def keys(request: HttpRequest) -> HttpResponse:
    """Remember whether single keys act on pages (WCAG 2.2, 2.1.4)."""
    response = _back(request)
    if request.POST.get("keys") == "off":
        response.set_cookie("keys", "off", **COOKIE)
    else:
        response.delete_cookie("keys")
    return response


def _back(request: HttpRequest) -> HttpResponse:
    back = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if safe else "/")
