"""Who may do what: roles' permissions, one decorator a rule, and `actor_of` (S-105).

Every page is closed by default (`LoginRequiredMiddleware`); pages for staff ask
for more here. Services check permissions again inside their transaction (S-64).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from bootstrap import clock
from bootstrap.services import powers
from bootstrap.services.actors import Actor, ActorKind

Row = TypeVar("Row", bound=Model)
View = Callable[..., HttpResponseBase]

DECIDE: Final = "bootstrap.decide_proposal"
HOLD: Final = "bootstrap.hold_proposal"
COMMENT: Final = "bootstrap.comment_proposal"
SCAN: Final = "bootstrap.request_scan"
ZONES: Final = "bootstrap.manage_zones"
AUDIT: Final = "bootstrap.view_audit"
PEOPLE: Final = "auth.change_user"

VERBS: Final = {
    "approve": DECIDE,
    "reject": DECIDE,
    "hold": HOLD,
    "release": DECIDE,
}
"""Which permission a decision needs."""

TRANSLATED: Final = ("/accounts/", "/status/", "/r/", "/o/")
"""Pages that speak the visitor's language; the others speak English as a whole."""

SECOND_FACTOR_SHOWN: Final = "second_factor"
"""The mark of a session whose person has a second factor, here or at the provider."""

CAME_BY_OIDC: Final = "came_by_oidc"
"""The mark of a session that began at the identity provider."""

FRESH_FOR: Final = 600
"""Seconds for which a second factor counts as fresh (S-66)."""


APART: Final = frozenset({DECIDE, HOLD})
"""What a superuser does not hold: who administers people never decides (S-67)."""


def holds(user: User | AnonymousUser, permission: str, zone: int | None = None) -> bool:
    """Say whether this person may do it now: in a zone, or without one everywhere."""
    if user.is_superuser and permission in APART:
        return False
    return powers.may(user, permission, zone)


def holds_somewhere(user: User | AnonymousUser, permission: str) -> bool:
    """Say whether this person may do it now in any zone at all."""
    if user.is_superuser and permission in APART:
        return False
    return powers.where(user, permission) != frozenset()


def zones_of(request: HttpRequest) -> powers.Zones:
    """Return the zones that this person sees; None for all (S-105)."""
    return powers.where(request.user, powers.SEE)


def within(
    request: HttpRequest, rows: QuerySet[Row], column: str = "domain__zone"
) -> QuerySet[Row]:
    """Return the rows of the zones that this person sees."""
    return powers.within(rows, zones_of(request), column)


def need(request: HttpRequest, permission: str, zone: int | None) -> None:
    """Go on only if this person may do it in this zone.

    Raises:
        PermissionDenied: answered with 403.
    """
    if not holds(request.user, permission, zone):
        raise PermissionDenied


def is_staff(user: User | AnonymousUser) -> bool:
    """Say whether this account may see the pages of staff at all."""
    return user.is_authenticated and user.is_active and user.is_staff


def person_of(request: HttpRequest) -> User:
    """Return the account behind a request of somebody who signed in.

    Raises:
        PermissionDenied: nobody did.
    """
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def everywhere(view: View) -> View:
    """Let in staff who see all zones: what the page shows belongs to none."""

    @wraps(view)
    def guarded(
        request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        if not is_staff(request.user) or zones_of(request) is not None:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def staff_only(view: View) -> View:
    """Let in accounts of staff, whatever their role; others see 403."""

    @wraps(view)
    def guarded(
        request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        if not is_staff(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def may(permission: str, *, here: bool = True) -> Callable[[View], View]:
    """Let in staff who hold `permission` somewhere; others see 403.

    What is acted on is then sought `within` and `need`s the permission there.
    With `here` false it belongs to no zone, and the permission must hold everywhere.
    """
    enough = holds_somewhere if here else holds

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(
            request: HttpRequest, *args: object, **kwargs: object
        ) -> HttpResponseBase:
            if not is_staff(request.user) or not enough(request.user, permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def is_fresh(request: HttpRequest) -> bool:
    """Say whether the second factor was shown in the last ten minutes (S-66)."""
    if settings.PORTAL_DEMO:
        return True
    records = get_authentication_records(request, request.user)
    shown = [r["at"] for r in records if r.get("method") == "mfa"]
    return bool(shown) and clock.now().timestamp() - max(shown) < FRESH_FOR


def came_lately(request: HttpRequest) -> bool:
    """Say whether the person showed themselves, in whatever way, in the last minutes."""
    records = get_authentication_records(request, request.user)
    return any(clock.now().timestamp() - record["at"] < FRESH_FOR for record in records)


def step_up_url(request: HttpRequest, back_to: str) -> str:
    """Return the page that asks for the second factor and then goes `back_to`.

    Who has none here, but came from the identity provider, shows it there.
    """
    here = is_mfa_enabled(request.user) or not settings.OIDC["issuer"]
    page = reverse("mfa_reauthenticate" if here else "oidc_begin")
    return f"{page}?{urlencode({'next': back_to})}"


def fresh_second_factor(view: View) -> View:
    """Ask for the second factor before a decision; nothing is done meanwhile."""

    @wraps(view)
    def guarded(
        request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        if is_fresh(request):
            return view(request, *args, **kwargs)
        messages.warning(
            request,
            "Nothing was decided yet. Show your second factor, then decide again.",
        )
        return redirect(step_up_url(request, request.POST.get("back") or "/"))

    return guarded


def actor_of(request: HttpRequest, via: str = "dashboard") -> Actor:
    """Return the person behind a request, with the permissions held right now."""
    held = request.user.get_all_permissions()
    return Actor(
        ActorKind.STAFF,
        request.user.get_username(),
        via,
        frozenset(name for name in held if holds(request.user, name)),
        powers.grants_of(request.user),
    )


def _is_limited(request: HttpRequest) -> bool:
    known = hasattr(request, "user") and is_staff(request.user)
    return known and zones_of(request) is not None


def page_facts(request: HttpRequest) -> dict[str, Any]:
    """Give every template what its frame needs (a context processor)."""
    return {
        "site_name": settings.PORTAL_NAME,
        "demo": settings.PORTAL_DEMO,
        "theme": request.COOKIES.get("theme", ""),
        "keys": request.COOKIES.get("keys", ""),
        "limited": _is_limited(request),
        "oidc_name": settings.OIDC["issuer"] and settings.OIDC["name"],
        "staff": is_staff(request.user) if hasattr(request, "user") else False,
        "speaks": request.path_info.startswith(TRANSLATED),
    }
