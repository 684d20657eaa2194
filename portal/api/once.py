"""Writes that are done once, however often they are sent.

The answer is stored in the transaction of the act, so that either both are there
or none. A refused write stores nothing and may be sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from bootstrap import clock
from bootstrap.models import StoredAnswer
from bootstrap.services.tokens import Bearer

from .bearers import bearer_of
from .problems import Problem

KEPT: Final = timedelta(hours=24)
MOST: Final = 255
Act = Callable[[], dict[str, Any]]


def once(request: HttpRequest, act: Act, *, status: int = 200) -> HttpResponse:
    """Do it and answer; with a key that was used before, answer the same again.

    Raises:
        Problem: the key is no key, was used for another request, or is in use.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        with transaction.atomic():
            return JsonResponse(act(), status=status)
    if len(key) > MOST or not key.isascii() or not key.isprintable():
        raise Problem(422, "Idempotency-Key is up to 255 printable characters.")
    bearer, print_ = bearer_of(request), _fingerprint(request)
    before = _known(bearer, key)
    return (
        _again(before, print_) if before else _first(bearer, key, print_, act, status)
    )


def _known(bearer: Bearer, key: str) -> StoredAnswer | None:
    rows = StoredAnswer.objects.filter(token=bearer.token)
    rows.filter(at__lt=clock.now() - KEPT).delete()
    return rows.filter(key=key).first()


def _again(before: StoredAnswer, fingerprint: str) -> HttpResponse:
    if before.fingerprint != fingerprint:
        raise Problem(422, "This Idempotency-Key was used for another request.")
    response = JsonResponse(before.body, status=before.status)
    response["Idempotency-Replayed"] = "true"
    return response


def _first(
    bearer: Bearer, key: str, fingerprint: str, act: Act, status: int
) -> HttpResponse:
    row = StoredAnswer(
        token=bearer.token,
        key=key,
        fingerprint=fingerprint,
        status=status,
        at=clock.now(),
    )
    with transaction.atomic():
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError as race:
            raise Problem(409, "The same request is being done now.") from race
        row.body = act()
        row.save()
    return JsonResponse(row.body, status=status)


def _fingerprint(request: HttpRequest) -> str:
    asked = f"{request.method} {request.get_full_path()}\n".encode() + request.body
    return hashlib.sha256(asked).hexdigest()
