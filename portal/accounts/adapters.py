"""How sign-in differs from the library's defaults."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from bootstrap import clock
from bootstrap.services import alarms, sessions
from bootstrap.services.actors import Actor, ActorKind
from portal import visits
from portal.access import CAME_BY_OIDC, actor_of


class StaffAccounts(DefaultAccountAdapter):  # type: ignore[misc]  # the library has no types
    """Accounts are made by the registry's administrators; comings are recorded."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the library's signature
        """Refuse: nobody makes an account for themselves."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: str) -> User | None:
        """Check a password; with a provider only those of the break-glass accounts.

        The answer is the same as to a wrong password (S-102, S-104).
        """
        typed = credentials.get("username", "")
        if settings.OIDC["issuer"] and typed not in settings.OIDC["passwords"]:
            self.authentication_failed(request, **credentials)
            return None
        user: User | None = super().authenticate(request, **credentials)
        return user

    def login(self, request: HttpRequest, user: User) -> None:
        """Let a person in who has shown everything that was asked for."""
        with transaction.atomic():
            super().login(request, user)
            sessions.signed_in(actor_of(request, "accounts"), now=clock.now())
            if settings.OIDC["issuer"] and CAME_BY_OIDC not in request.session:
                self._glass_broken(user)

    def _glass_broken(self, user: User) -> None:
        """Tell everybody that somebody came in past the provider (S-102)."""
        if user.get_username() in settings.OIDC["passwords"]:
            name, now = user.get_username(), clock.now()
            alarms.open_alarm("BREAK_GLASS", subject=f"account {name}", now=now)

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """Return where a person goes who has signed out."""
        if settings.OIDC["issuer"] and CAME_BY_OIDC in request.session:
            return reverse("oidc_out")
        url: str = super().get_logout_redirect_url(request)
        return url

    def logout(self, request: HttpRequest) -> None:
        """Let a person out."""
        with transaction.atomic():
            if request.user.is_authenticated:
                sessions.signed_out(actor_of(request, "accounts"), now=clock.now())
                visits.forget(request)
            super().logout(request)

    def set_password(self, user: User, password: str) -> None:
        """Change a password, by whoever knows the old one."""
        actor = Actor(ActorKind.STAFF, user.get_username(), "accounts")
        with transaction.atomic():
            super().set_password(user, password)
            sessions.account_changed(
                user.get_username(), ["password"], actor=actor, now=clock.now()
            )

    def authentication_failed(self, request: HttpRequest, **credentials: str) -> None:
        """Record a failed attempt; its answer is the same for unknown names."""
        super().authentication_failed(request, **credentials)
        typed = credentials.get("username", "")
        known = User.objects.filter(username=typed).exists()
        sessions.sign_in_failed(typed, known=known, now=clock.now())
