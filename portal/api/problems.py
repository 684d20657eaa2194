"""What went wrong, in the form of RFC 9457: for every error that leaves the API."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja.errors import AuthenticationError, HttpError, ValidationError

log = logging.getLogger("portal.api")

MEDIA = "application/problem+json"
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "request"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request": {"type": "string", "description": "names it in our logs"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}


class Problem(Exception):
    """Something that the caller must know; `wait` is when to come again."""

    def __init__(
        self, status: int, detail: str, *, wait: timedelta | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.wait = wait


def answer(
    request: HttpRequest, status: int, detail: str = "", **more: object
) -> HttpResponse:
    """Return a problem document."""
    told = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "request": request.META.get("REQUEST_ID", ""),
    }
    response = JsonResponse(told | more, status=status, content_type=MEDIA)
    response["Cache-Control"] = "no-store"
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="api"'
    return response


def on_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Answer what was refused."""
    response = answer(request, problem.status, problem.detail)
    if problem.wait is not None:
        seconds = max(1, math.ceil(problem.wait.total_seconds()))
        response["Retry-After"] = str(seconds)
    return response


def on_not_found(request: HttpRequest, _missing: Http404) -> HttpResponse:
    """Answer the same for what is not there and what is not the caller's."""
    return answer(request, HTTPStatus.NOT_FOUND, "There is no such thing here.")


def on_invalid(request: HttpRequest, wrong: ValidationError) -> HttpResponse:
    """Answer what is wrong where; values that were sent are not sent back."""
    errors = [
        {"at": ".".join(str(part) for part in error["loc"]), "problem": error["msg"]}
        for error in wrong.errors
    ]
    return answer(
        request,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The request does not fit the OpenAPI document.",
        errors=errors,
    )


def on_http_error(request: HttpRequest, wrong: HttpError) -> HttpResponse:
    """Answer what the library refused: no token, a body that is no JSON."""
    if isinstance(wrong, AuthenticationError):
        return answer(request, wrong.status_code, "Send a valid token as Bearer.")
    return answer(request, wrong.status_code, str(wrong))


def on_fault(request: HttpRequest, fault: Exception) -> HttpResponse:
    """Answer a fault of ours: nothing about the inside, all of it in the log (S-113)."""
    log.error("api.fault", exc_info=fault, extra={"request": request})
    return answer(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "This is our fault, not yours; the request id names it in our logs.",
    )
