"""Sign-in at the registry's own identity provider: the way there, back, and out."""

from __future__ import annotations

import logging

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bootstrap import clock
from bootstrap.models import Identity
from bootstrap.services import identities, roles, sessions
from portal.access import CAME_BY_OIDC, SECOND_FACTOR_SHOWN

from . import factors, relying

log = logging.getLogger(__name__)


def _provider() -> relying.Provider:
    asked = relying.provider()
    if asked is None:
        raise Http404
    return asked


@login_not_required
@never_cache
@require_safe
def begin(request: HttpRequest) -> HttpResponse:
    """Send a person to the provider; who is in already shows a second factor there."""
    asked = _provider()
    back = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    again = request.user.is_authenticated
    try:
        there = relying.begin(request, asked, back=back if safe else "/", again=again)
    except relying.SignInRefused as refusal:
        return _refused(request, str(refusal))
    return redirect(there)


@login_not_required
@never_cache
@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Take a person in who comes back from the provider with its word."""
    asked = _provider()
    try:
        claims = relying.finish(request, asked)
        if claims.again:
            return _stepped_up(request, claims)
        user = _account(claims)
    except (
        relying.SignInRefused,
        identities.NotWelcome,
        roles.GrantRefused,
    ) as refusal:
        return _refused(request, str(refusal))
    request.session[CAME_BY_OIDC] = True
    _record(request, user, claims)
    answer: HttpResponse = perform_login(request, user, redirect_url=claims.back)
    return answer


def _account(claims: relying.Claims) -> User:
    who = identities.Arrival(claims.issuer, claims.subject, claims.name, claims.mail)
    now = clock.now()
    user = identities.arrive(who, create=settings.OIDC["create"], now=now)
    mapping = settings.OIDC["roles"]
    if mapping:
        places = {place for group in claims.groups for place in mapping.get(group, ())}
        identities.assign(user, places, now=now)
    return User.objects.get(pk=user.pk)


def _record(request: HttpRequest, user: User, claims: relying.Claims) -> None:
    """Note how the person showed themselves: a second factor where the provider says so."""
    record_authentication(request, user, "socialaccount", provider=claims.issuer)
    if claims.second_factor:
        record_authentication(request, user, "mfa", type="oidc", at=claims.at)
        request.session[SECOND_FACTOR_SHOWN] = True


def _stepped_up(request: HttpRequest, claims: relying.Claims) -> HttpResponse:
    """Note a fresh second factor of the person who is in (S-66).

    Raises:
        SignInRefused: somebody else showed up, or without a second factor.
    """
    user = request.user
    if not (user.is_authenticated and _is(user, claims)):
        raise relying.SignInRefused("somebody else came back from the provider")
    if not claims.second_factor:
        raise relying.SignInRefused("the provider asked for no second factor")
    record_authentication(request, user, "mfa", type="oidc", at=claims.at)
    request.session[SECOND_FACTOR_SHOWN] = True
    with transaction.atomic():
        request.session.cycle_key()
        factors.stepped_up(request)
    return redirect(claims.back)


def _is(user: User, claims: relying.Claims) -> bool:
    theirs = Identity.objects.filter(issuer=claims.issuer, subject=claims.subject)
    return theirs.filter(user=user).exists()


def _refused(request: HttpRequest, why: str) -> HttpResponse:
    """Answer alike whatever went wrong; the log says what, the trail that it did."""
    log.warning("oidc refused", extra={"why": why})
    sessions.sign_in_failed("", known=False, now=clock.now(), factor="provider")
    messages.error(request, _("Single sign-on did not work. Nothing was changed."))
    page = "account/oidc_refused.html"
    return render(request, page, {"provider": relying.provider()}, status=403)


@login_not_required
@never_cache
@require_safe
def out(request: HttpRequest) -> HttpResponse:
    """Say that one is signed out here, and where to sign out at the provider."""
    asked = _provider()
    context = {"provider": asked, "leave": relying.leave_url(request, asked)}
    return render(request, "account/oidc_out.html", context)
