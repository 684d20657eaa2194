"""Is it up? For load balancers and monitors: JSON, no names, no secrets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bootstrap import clock
from bootstrap.services import heartbeats

LATE: Final = timedelta(minutes=3)
"""A canary that has been silent for longer is taken for dead."""

Part = dict[str, Any]


def database() -> Part:
    """Say whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError as trouble:
        return {"ok": False, "detail": type(trouble).__name__}
    return {"ok": True}


def workers() -> Part:
    """Say whether the queue's canary has sung lately."""
    try:
        newest = heartbeats.last("worker")
    except DatabaseError as trouble:
        return {"ok": False, "detail": type(trouble).__name__}
    if newest is None:
        return {"ok": False, "detail": "no worker has reported yet"}
    age = clock.now() - newest
    return {"ok": age < LATE, "age_seconds": int(age.total_seconds())}


def _answer(**parts: Part) -> HttpResponse:
    up = all(part["ok"] for part in parts.values())
    body = {"status": "up" if up else "down", **parts}
    return JsonResponse(body, status=200 if up else 503)


@login_not_required
@require_safe
@never_cache
def everything(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 200 when web, database and workers are up."""
    return _answer(web={"ok": True}, database=database(), workers=workers())


@login_not_required
@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 200 as long as this process answers at all."""
    return _answer(web={"ok": True})


@login_not_required
@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 200 when pages can be served."""
    return _answer(web={"ok": True}, database=database())


@login_not_required
@require_safe
@never_cache
def worker(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 200 when the workers are alive."""
    return _answer(workers=workers())


urlpatterns = [
    path("healthz", everything, name="healthz"),
    path("healthz/live", live, name="healthz-live"),
    path("healthz/ready", ready, name="healthz-ready"),
    path("healthz/worker", worker, name="healthz-worker"),
]
