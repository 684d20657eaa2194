"""Who comes in with which token, and how often (S-111)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, TypeVar, cast

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from ninja.security import HttpBearer

from bootstrap import clock
from bootstrap.services import powers, rates, tokens
from portal.visitors import network_of, public_rate

from .problems import Problem

Row = TypeVar("Row", bound=Model)
PER_TOKEN: Final = rates.Rate(timedelta(milliseconds=100), 100)
"""Ten requests a second, a hundred at once."""


class Token(HttpBearer):
    """A token with a scope: 401 without a token, 403 without the scope."""

    def __init__(self, scope: str, *, everywhere: bool = False) -> None:
        super().__init__()
        self.scope = scope
        self.everywhere = everywhere
        """What it is about has no zone: not for tokens that are confined to some."""

    def __call__(self, request: HttpRequest) -> Any | None:  # noqa: ANN401 - the library's own
        """Return the bearer; count those who come without, by their network."""
        bearer = super().__call__(request)
        if bearer is None:
            measure(request)
        return bearer

    def authenticate(self, request: HttpRequest, token: str) -> tokens.Bearer | None:  # noqa: ARG002 - the library's signature
        """Return who comes; None if nobody may."""
        now = clock.now()
        bearer = tokens.find(token, now=now)
        if bearer is None:
            return None
        key = f"token:{bearer.token.prefix}"
        if wait := rates.take(key, PER_TOKEN, now=now):
            raise Problem(429, "This token asks too often.", wait=wait)
        if self.scope not in bearer.scopes:
            raise Problem(403, f"This token lacks the scope {self.scope}.")
        bearer = bearer.with_scope(self.scope)
        if self.everywhere and bearer.zones is not None:
            raise Problem(403, "This token is confined to zones.")
        return bearer


def measure(request: HttpRequest) -> None:
    """Count one more request of a network without a token (S-109).

    Raises:
        Problem: it asks too often.
    """
    key = f"page:{network_of(request)}"
    if wait := rates.take(key, public_rate(), now=clock.now()):
        raise Problem(429, "Your network asks too often.", wait=wait)


def bearer_of(request: HttpRequest) -> tokens.Bearer:
    """Return who was let in."""
    return cast("tokens.Bearer", request.auth)  # type: ignore[attr-defined]  # set by ninja


def within(
    request: HttpRequest, rows: QuerySet[Row], column: str = "domain__zone"
) -> QuerySet[Row]:
    """Return the rows of the zones that the token is confined to (S-105)."""
    return powers.within(rows, bearer_of(request).zones, column)
