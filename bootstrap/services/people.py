"""People as actors: who they are and what they may do at this moment."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from . import powers
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
    held = frozenset(user.get_all_permissions())
    grants = powers.grants_of(user)
    return Actor(ActorKind.STAFF, user.get_username(), via, held, grants)


def same_person(name: str) -> frozenset[str]:
    """Return the names of all accounts of the person behind one (S-64).

    Accounts with the same mail address are one person's.
    """
    users = get_user_model().objects
    mails = users.filter(username=name).exclude(email="").values_list("email")
    found = (m for (m,) in mails)
    twins = [users.filter(email__iexact=mail).values_list("username") for mail in found]
    return frozenset({name, *(twin for rows in twins for (twin,) in rows)})


def lacks(actor: Actor, permission: str) -> str:
    """Return the sentence that refuses this actor, and who could do it instead."""
    codename = permission.rpartition(".")[2]
    groups = Group.objects.filter(permissions__codename=codename).order_by("name")
    roles = " or ".join(groups.values_list("name", flat=True)) or "nobody"
    return f"{actor.name} lacks the permission {permission}; only these roles have it: {roles}"
