"""Second factors in the trail: added, taken away, shown again, not shown (S-87).

Around the library's own pages: what its rows say before and after one tells what it
did, so that the entry is written in the transaction of the change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, Final

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.stagekit import unstash_login
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver

from bootstrap import clock
from bootstrap.services import sessions
from portal.access import actor_of

View = Callable[..., HttpResponseBase]
FACTOR: Final = "second factor"


def changing(view: View) -> View:
    """Record which factors a page has added to the account, or taken from it."""

    @wraps(view)
    def recording(
        request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        with transaction.atomic():
            before = _held(request)
            answer = view(request, *args, **kwargs)
            after = _held(request)
            if before != after:
                _changed(request, added=after - before, removed=before - after)
        return answer

    return recording


def showing(view: View) -> View:
    """Record that a person has shown a factor once more, or a wrong one."""

    @wraps(view)
    def recording(
        request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        with transaction.atomic():
            was_in, before, who = _is_in(request), _shown(request), _who(request)
            answer = view(request, *args, **kwargs)
            if was_in and _shown(request) > before:
                stepped_up(request)
            elif _is_in(request) == was_in and (who or "credential" in request.POST):
                known, now = bool(who), clock.now()
                sessions.sign_in_failed(who, known=known, now=now, factor=FACTOR)
        return answer

    return recording


def stepped_up(request: HttpRequest) -> None:
    """Record a factor that was shown again, with the session that remembers it."""
    request.session.save()
    sessions.stepped_up(actor_of(request, "accounts"), now=clock.now())


AROUND: Final[Mapping[str, Callable[[View], View]]] = {
    "mfa_activate_totp": changing,
    "mfa_deactivate_totp": changing,
    "mfa_generate_recovery_codes": changing,
    "mfa_add_webauthn": changing,
    "mfa_remove_webauthn": changing,
    "mfa_authenticate": showing,
    "mfa_reauthenticate": showing,
    "mfa_reauthenticate_webauthn": showing,
    "mfa_login_webauthn": showing,
}
"""The library's pages that change factors, or ask for one."""

Patterns = Iterable[URLPattern | URLResolver]


def recorded(patterns: Patterns) -> list[URLPattern | URLResolver]:
    """Return the same addresses, with the trail around those that matter to it."""
    return [_recorded(each) for each in patterns]


def _recorded(each: URLPattern | URLResolver) -> URLPattern | URLResolver:
    if isinstance(each, URLResolver):
        inner: Any = recorded(each.url_patterns)
        return URLResolver(each.pattern, inner, each.default_kwargs)
    around = AROUND.get(each.name or "")
    view = around(each.callback) if around else each.callback
    return URLPattern(each.pattern, view, each.default_args, each.name)


def _held(request: HttpRequest) -> Counter[tuple[int, str]]:
    rows = Authenticator.objects.filter(user_id=request.user.pk)
    return Counter(rows.values_list("pk", "type"))


def _changed(
    request: HttpRequest,
    *,
    added: Iterable[tuple[int, str]],
    removed: Iterable[tuple[int, str]],
) -> None:
    sessions.factors_changed(
        request.user.get_username(),
        added=[kind for _, kind in added],
        removed=[kind for _, kind in removed],
        actor=actor_of(request, "accounts"),
        now=clock.now(),
    )


def _is_in(request: HttpRequest) -> bool:
    return request.user.is_authenticated


def _shown(request: HttpRequest) -> float:
    """Return when a second factor was shown last in this session."""
    if not _is_in(request):
        return 0.0
    records = get_authentication_records(request, request.user)
    return max((r["at"] for r in records if r.get("method") == "mfa"), default=0.0)


def _who(request: HttpRequest) -> str:
    """Return whose factor is asked for: who is in, or has shown a password."""
    if request.user.is_authenticated:
        return request.user.get_username()
    login = unstash_login(request, peek=True)
    return login.user.get_username() if login and login.user else ""
