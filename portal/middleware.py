"""What every request passes: its id, the session's limits, the second factor."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Final

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode

from bootstrap import clock
from bootstrap.services import preferences

from . import moments, visits
from .access import (
    CAME_BY_OIDC,
    SECOND_FACTOR_SHOWN,
    TRANSLATED,
    came_lately,
    is_staff,
)

Respond = Callable[[HttpRequest], HttpResponse]

IDLE: Final = 30 * 60
ABSOLUTE: Final = 8 * 60 * 60
NOTE_EVERY: Final = 60
"""Seconds between writes of "last seen", so that reading pages stays cheap."""

OPEN_PREFIXES: Final = (
    "/accounts/",
    "/status/",
    "/r/",
    "/o/",
    "/healthz",
    "/theme/",
    "/language/",
)
"""Paths that an account without second factor must reach to get one."""

IN_UTC: Final = (*TRANSLATED, "/admin/", "/api/")
"""Pages whose times are in UTC, whoever reads them."""

FACTORS: Final = "/accounts/2fa/"
FAULT: Final = 500


def request_id(respond: Respond) -> Respond:
    """Give each request an id that log lines, entries and error pages share (S-113)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.META["REQUEST_ID"] = uuid.uuid4().hex
        response = respond(request)
        response["X-Request-ID"] = request.META["REQUEST_ID"]
        return response

    return middleware


def security_headers(respond: Respond) -> Respond:
    """Add what Django and django-csp do not, on every response (S-101, S-114)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        response.setdefault(
            "Permissions-Policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        )
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return middleware


def session_limits(respond: Respond) -> Respond:
    """End a session after 30 minutes idle or 8 hours in all (S-103).

    A page that refreshes itself does not count as being used.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        noting = False
        if request.user.is_authenticated:
            now = int(clock.now().timestamp())
            fresh = "began" not in request.session
            began = request.session.setdefault("began", now)
            seen = request.session.setdefault("seen", now)
            if now - began > ABSOLUTE or now - seen > IDLE:
                visits.forget(request)
                logout(request)
                return redirect(settings.LOGIN_URL)
            used = now - seen > NOTE_EVERY and "HX-Request" not in request.headers
            noting = used or fresh
            if noting:
                request.session["seen"] = now
        response = respond(request)
        if noting and response.status_code < FAULT and request.user.is_authenticated:
            visits.note(request)
        return response

    return middleware


def second_factor(respond: Respond) -> Respond:
    """Send staff without a second factor to set one up, outside the demo (S-102)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(FACTORS) and _must_return(request):
            there = urlencode({"next": request.path})
            return redirect(f"{reverse('oidc_begin')}?{there}")
        if (
            settings.PORTAL_DEMO
            or request.path.startswith(OPEN_PREFIXES)
            or not is_staff(request.user)
            or request.session.get(SECOND_FACTOR_SHOWN)
        ):
            return respond(request)
        if is_mfa_enabled(request.user):
            request.session[SECOND_FACTOR_SHOWN] = True
            return respond(request)
        return redirect("mfa_index")

    return middleware


def _must_return(request: HttpRequest) -> bool:
    """Say whether a person has nothing here to show before a factor is added.

    Who came from the identity provider shows themselves there, or a stolen session
    would make itself a second factor (S-66).
    """
    return (
        request.user.is_authenticated
        and bool(settings.OIDC["issuer"])
        and CAME_BY_OIDC in request.session
        and not is_mfa_enabled(request.user)
        and not came_lately(request)
    )


def own_zone(respond: Respond) -> Respond:
    """Show times on the dashboard in the zone that its reader chose."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(IN_UTC) or not is_staff(request.user):
            return respond(request)
        with moments.read_in(preferences.zone_of(request.user)):
            return respond(request)

    return middleware


def languages(respond: Respond) -> Respond:
    """Answer in the language of the visitor's choice, or of the visitor's browser."""

    def middleware(request: HttpRequest) -> HttpResponse:
        translated = request.path_info.startswith(TRANSLATED)
        wanted = translation.get_language_from_request(request)
        with translation.override(wanted if translated else settings.LANGUAGE_CODE):
            response = respond(request)
            response.setdefault("Content-Language", translation.get_language() or "en")
        if translated:
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response

    return middleware


def no_store(respond: Respond) -> Respond:
    """Keep what a signed-in person sees out of every cache."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        if request.user.is_authenticated:
            response["Cache-Control"] = "no-store, private"
        return response

    return middleware
