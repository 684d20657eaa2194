"""What a person may do, and where: everywhere by groups, in one zone by a role there.

The one place that knows how roles per zone work (S-105): services ask an actor,
which carries the answer of this moment; pages ask here, for rows and buttons.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar, cast

from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db.models import BigIntegerField, Model, QuerySet, Value

from bootstrap.models import ZoneRole

Row = TypeVar("Row", bound=Model)
Person = User | AnonymousUser
Grant = tuple[int, str]
"""A zone's id, and a permission that holds there."""
Held = tuple[int | None, str, str | None]
"""A zone's id or None for all, an app, and a code name; a role may have none."""
Zones = frozenset[int] | None
"""Ids of zones; None stands for all, also those to come."""
SEE: Final = "bootstrap.view_domain"
"""Whoever holds it somewhere sees what is there."""
KEPT: Final = "_zone_grants"


def grants_of(person: Person) -> frozenset[Grant]:
    """Return what a person may do in single zones; asked of the database once.

    Kept with the object that Django makes for a request, like its own permissions.
    """
    if not isinstance(person, User) or not person.is_active:
        return frozenset()
    kept: frozenset[Grant] | None = getattr(person, KEPT, None)
    if kept is None:
        _, kept = grant_all(person)
    return kept


def grant_all(person: User) -> tuple[frozenset[str], frozenset[Grant]]:
    """Return what a person may do everywhere, and in single zones.

    One question of the database for both; the second is kept with the person.
    """
    rows = Permission.objects.order_by()
    everywhere = Value(None, output_field=BigIntegerField())
    own, by_role = (
        rows.filter(**{path: person})
        .annotate(zone=everywhere)
        .values_list("zone", "content_type__app_label", "codename")
        for path in ("user", "group__user")
    )
    here = ZoneRole.objects.filter(user=person).order_by()
    in_zones = here.values_list(
        "zone_id",
        "role__permissions__content_type__app_label",
        "role__permissions__codename",
    )
    # its type of a zone is known, so it leads
    held = cast("Iterable[Held]", in_zones.union(own, by_role))
    found = [(zone, f"{app}.{code}") for zone, app, code in held if code]
    grants = frozenset((zone, what) for zone, what in found if zone is not None)
    setattr(person, KEPT, grants)
    return frozenset(what for zone, what in found if zone is None), grants


def where(person: Person, permission: str) -> Zones:
    """Return in which zones a person holds a permission; None for all."""
    if person.has_perm(permission):
        return None
    return frozenset(zone for zone, held in grants_of(person) if held == permission)


def may(person: Person, permission: str, zone: int | None = None) -> bool:
    """Say whether a person holds a permission in a zone, or without one everywhere."""
    zones = where(person, permission)
    return zones is None or zone in zones


def within(rows: QuerySet[Row], zones: Zones, column: str) -> QuerySet[Row]:
    """Return the rows of these zones; `column` leads from a row to its zone."""
    return rows if zones is None else rows.filter(**{f"{column}__in": zones})


def both(one: Zones, other: Zones) -> Zones:
    """Return the zones that are in both."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def codes(roles: Iterable[Model]) -> frozenset[str]:
    """Return the code names of what these roles may do."""
    rows = Permission.objects.filter(group__in=list(roles))
    return frozenset(rows.values_list("codename", flat=True))
