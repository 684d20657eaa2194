"""Visitors without an account: where they come from, and how much they may ask."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bootstrap import clock
from bootstrap.services import rates

View = Callable[..., HttpResponse]


def address_of(request: HttpRequest) -> str:
    """Return the visitor's address; a header counts only behind proxies of ours.

    Each proxy appends whom it heard, so the visitor stands as many places from the
    right as there are proxies; what is further left is anybody's word (S-109).
    """
    direct = str(request.META.get("REMOTE_ADDR", ""))
    hops: int = settings.TRUSTED_PROXIES
    told = [
        part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")
    ]
    return told[-hops] if hops and len(told) >= hops and told[-hops] else direct


def network_of(request: HttpRequest) -> str:
    """Return the network that shares one bucket with this visitor."""
    return rates.network_of(address_of(request))


def public_rate() -> rates.Rate:
    """Return how often one network may look at public pages (S-109)."""
    every = timedelta(minutes=1) / settings.PUBLIC_PER_MINUTE
    return rates.Rate(every, settings.PUBLIC_BURST)


def measured(view: View) -> View:
    """Answer 429 with Retry-After to networks that ask too much (S-109)."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        key = f"page:{network_of(request)}"
        if wait := rates.take(key, public_rate(), now=clock.now()):
            return too_many(request, wait)
        return view(request, *args, **kwargs)

    return guarded


def too_many(request: HttpRequest, wait: timedelta) -> HttpResponse:
    """Say when to come again."""
    seconds = max(1, math.ceil(wait.total_seconds()))
    response = render(request, "status/busy.html", {"seconds": seconds}, status=429)
    response["Retry-After"] = str(seconds)
    response["Cache-Control"] = "no-store"
    return response
