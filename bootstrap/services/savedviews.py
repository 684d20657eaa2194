"""Saved views of the queue: those that come with the portal, and people's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from django.db.models import Q
from django.utils.text import slugify

from bootstrap.models import SavedView

from .actors import Actor

MOST: Final = 50
"""Views that one person may keep."""


class ViewRefused(Exception):
    """The view cannot be kept so; the message says why."""


@dataclass(frozen=True, slots=True)
class View:
    """A name for filters; `own` when the reader may delete it."""

    slug: str
    name: str
    params: Mapping[str, str]
    own: bool = False


SHIPPED: Final = (
    View("needs-review", "Needs review", MappingProxyType({"state": "candidate"})),
    View("on-hold", "On hold", MappingProxyType({"state": "held"})),
    View("failed", "Failed to publish", MappingProxyType({"state": "failed"})),
    View("expiring", "Expiring today", MappingProxyType({"age": "expiring"})),
    View("removals", "Removals", MappingProxyType({"path": "removal"})),
    View(
        "vantage",
        "Disagreeing vantage points",
        MappingProxyType({"reason": "APEX_VANTAGE_DIFFER"}),
    ),
    View("my-decisions", "My decisions", MappingProxyType({"decided": "me"})),
)
"""What everybody finds there from the start."""


def known_to(person: str) -> tuple[View, ...]:
    """Return the shipped ones, then what is shared or this person's own."""
    rows = SavedView.objects.filter(Q(owner=person) | Q(shared=True))
    kept = (View(r.slug, r.name, r.params, r.owner == person) for r in rows[: 2 * MOST])
    return (*SHIPPED, *kept)


def save(
    name: str, params: Mapping[str, str], *, shared: bool, actor: Actor, now: datetime
) -> SavedView:
    """Keep filters under a name; the same name of the same person is replaced.

    Raises:
        ViewRefused: the name gives no slug, is taken, or there are too many.
    """
    slug = slugify(name)
    if not slug or slug in {view.slug for view in SHIPPED}:
        raise ViewRefused("choose another name")
    taken = SavedView.objects.filter(slug=slug).exclude(owner=actor.name)
    if taken.exists():
        raise ViewRefused("somebody else has a view of this name")
    mine = SavedView.objects.filter(owner=actor.name).exclude(slug=slug)
    if mine.count() >= MOST:
        raise ViewRefused(f"{MOST} views are enough; delete one first")
    row, _ = SavedView.objects.update_or_create(
        slug=slug,
        owner=actor.name,
        defaults={
            "name": name,
            "params": dict(params),
            "shared": shared,
            "created_at": now,
        },
    )
    return row


def delete(slug: str, *, actor: Actor) -> bool:
    """Remove one's own view; say whether there was one."""
    found, _ = SavedView.objects.filter(slug=slug, owner=actor.name).delete()
    return bool(found)
