"""How a person reads pages: the time zone, and the layout of long lists.

The registry knows nothing of it and no entry tells of it: what is decided, sealed
and exported stays in UTC.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from datetime import UTC, tzinfo
from functools import cache
from typing import Final

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from bootstrap.models import Preferences

Person = User | AnonymousUser
AREAS: Final = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia"),
    *("Europe", "Indian", "Pacific"),
)
"""Where people are; other names of the database are old ones and offsets."""


class UnknownZone(Exception):
    """The time zone database of this machine has no such place."""


@cache
def places() -> tuple[str, ...]:
    """Return the time zones that can be chosen, by their IANA names."""
    known = zoneinfo.available_timezones()
    return tuple(sorted(name for name in known if name.partition("/")[0] in AREAS))


def zone_of(person: Person) -> tzinfo:
    """Return the zone in which a person reads times: UTC unless chosen otherwise.

    A place that the database of this machine has no more is read as UTC.
    """
    kept = _of(person)
    if kept is None or kept.time_zone not in places():
        return UTC
    return zoneinfo.ZoneInfo(kept.time_zone)


def place_of(person: Person) -> str:
    """Return the chosen place; empty for UTC."""
    kept = _of(person)
    return kept.time_zone if kept else ""


def choose_zone(person: User, place: str) -> None:
    """Show times in the zone of a place from now on; empty for UTC.

    Raises:
        UnknownZone: no place that can be chosen.
    """
    if place and place not in places():
        raise UnknownZone(place)
    Preferences.objects.update_or_create(user=person, defaults={"time_zone": place})


def layouts_of(person: Person) -> Mapping[str, Mapping[str, str]]:
    """Return what a person's lists look like, by list."""
    kept = _of(person)
    found: Mapping[str, Mapping[str, str]] = kept.lists if kept else {}
    return found


def keep_layout(person: User, what: str, said: Mapping[str, str]) -> None:
    """Remember the layout of a list."""
    with transaction.atomic():
        row = _locked(person)
        row.lists = {**row.lists, what: dict(said)}
        row.save(update_fields=["lists"])


def forget_layouts(person: User, what: str = "") -> None:
    """Show a list, or every list, as everybody sees it who chose nothing."""
    with transaction.atomic():
        row = _locked(person)
        rest = {k: v for k, v in row.lists.items() if what and k != what}
        if rest != row.lists:
            row.lists = rest
            row.save(update_fields=["lists"])


def _locked(person: User) -> Preferences:
    Preferences.objects.get_or_create(user=person)
    return Preferences.objects.select_for_update().get(user=person)


def _of(person: Person) -> Preferences | None:
    """Return a person's row; it came with the account, so nothing is asked."""
    found: Preferences | None = getattr(person, "preferences", None)
    return found
