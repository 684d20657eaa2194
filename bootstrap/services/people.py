"""People as actors: who they are and what they may do at this moment."""

from __future__ import annotations

from django.contrib.auth import get_user_model

from .actors import Actor, ActorKind


class UnknownPerson(Exception):
    """There is no active user of this name."""


def person(username: str, *, via: str) -> Actor:
    """Return the actor for an active user, with the permissions held now.

    `via` is the door: dashboard, admin, command.

    Raises:
        UnknownPerson: nobody active has this name.
    """
    users = get_user_model()
    user = users.objects.filter(**{users.USERNAME_FIELD: username}).first()
    if user is None or not user.is_active:
        raise UnknownPerson(f"there is no active user {username!r}")
    permissions = frozenset(user.get_all_permissions())
    return Actor(ActorKind.STAFF, user.get_username(), via, permissions)
