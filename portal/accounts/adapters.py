"""How sign-in differs from the library's defaults."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

from bootstrap import clock
from bootstrap.services import sessions
from bootstrap.services.actors import Actor, ActorKind
from portal import visits
from portal.access import actor_of


class StaffAccounts(DefaultAccountAdapter):  # type: ignore[misc]  # the library has no types
    """Accounts are made by the registry's administrators; comings are recorded."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the library's signature
        """Refuse: nobody makes an account for themselves."""
        return False

    def login(self, request: HttpRequest, user: User) -> None:
        """Let a person in who has shown everything that was asked for."""
        with transaction.atomic():
            super().login(request, user)
            sessions.signed_in(actor_of(request, "accounts"), now=clock.now())

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
