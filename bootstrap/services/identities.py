"""People whom an identity provider vouches for: known, made, given their roles (S-102).

The provider's subject is the person; a name only helps to find an account that was
made for somebody who has not come yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction

from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Identity, Zone, ZoneRole

from . import audit, roles
from .actors import Actor, ActorKind

DOOR: Final = Actor(ActorKind.SYSTEM, "identity provider", "accounts")
NAME: Final = re.compile(r"[\w.@+-]{1,150}\Z", re.ASCII)
Place = tuple[str, str]
"""A role, and the zone that it holds in; "" for all."""


class NotWelcome(Exception):
    """The provider vouches for a person who has no account here, or not any more."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who comes: the provider's word for them, and the name they would have here."""

    issuer: str
    subject: str
    name: str
    mail: str = ""


@transaction.atomic
def arrive(who: Arrival, *, create: bool, now: datetime) -> User:
    """Return the account of a person; link or make it at the first coming.

    Linked is only an account without a password that nobody has come for yet, so
    that no provider's name opens what a password guards. A new account is staff
    without any role: it sees nothing until somebody grants something.

    Raises:
        NotWelcome: no such account, or it is switched off.
    """
    known = Identity.objects.filter(issuer=who.issuer, subject=who.subject)
    row = known.select_related("user").first()
    user = row.user if row else _first_coming(who, create=create, now=now)
    if not user.is_active:
        raise NotWelcome("the account is switched off")
    return user


def _first_coming(who: Arrival, *, create: bool, now: datetime) -> User:
    if not NAME.match(who.name):
        raise NotWelcome("the provider gives no usable name")
    user = User.objects.select_for_update().filter(username=who.name).first()
    if user is None:
        if not create:
            raise NotWelcome("nobody has an account of this name")
        user = User(username=who.name, email=who.mail, is_staff=True)
        user.set_unusable_password()
        user.save()
    elif user.has_usable_password() or Identity.objects.filter(user=user).exists():
        raise NotWelcome("the account of this name is somebody else's")
    Identity.objects.create(
        user=user, issuer=who.issuer, subject=who.subject, since=now
    )
    audit.record(
        EntryType.USER_CHANGED,
        stream="people",
        actor=DOOR,
        now=now,
        private={"person": who.name},
        subject=audit.pseudonym(who.name),
        columns=["identity"],
    )
    return user


@transaction.atomic
def assign(user: User, places: Iterable[Place], *, now: datetime) -> None:
    """Give a person exactly the roles that the provider's groups stand for.

    First what is no longer theirs goes, then what is new comes. The mapping is set
    by whoever runs the site, and who is in which group is the provider's care: here
    no second person is asked (S-64).

    Raises:
        GrantRefused: the roles do not go together (S-67).
    """
    wanted = {place for place in places if _exists(place)}
    held = {(name, "") for name in user.groups.values_list("name", flat=True)}
    rows = ZoneRole.objects.filter(user=user)
    held |= set(rows.values_list("role__name", "zone__name"))
    for place in sorted(held - wanted):
        roles.revoke(_wish(user, place), actor=DOOR, now=now)
    for place in sorted(wanted - held):
        roles.grant(_wish(user, place), actor=DOOR, now=now)


def _exists(place: Place) -> bool:
    """Leave out a zone that is not ours, or not yet."""
    return not place[1] or Zone.objects.filter(name=place[1]).exists()


def _wish(user: User, place: Place) -> roles.Wish:
    role, name = place
    zone = Zone.objects.get(name=name) if name else None
    return roles.Wish(user, role, zone)
