"""What people ask for: another look at a child, and nothing else (S-27, P-5.64)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Domain, WorkItem

from . import audit, leasing, rates
from .actors import Actor, ActorKind
from .people import lacks

REQUEST_SCAN: Final = "bootstrap.request_scan"
ANYBODY: Final = Actor(ActorKind.SYSTEM, "public", "status page")
"""Whoever presses the button of the public page; nothing about them is kept."""
PER_CHILD: Final = rates.Rate(timedelta(minutes=5), 1)
PER_NETWORK: Final = rates.Rate(timedelta(seconds=6), 10)
"""S-28."""


class RequestRefused(Exception):
    """This actor may not ask for it."""


class TooSoon(Exception):
    """It was asked for a moment ago; `wait` is how long until it may be again."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"to be asked for again in {wait}")
        self.wait = wait


@transaction.atomic
def request_scan(domain: Domain, *, actor: Actor, now: datetime) -> None:
    """Let a child be evaluated as soon as a worker is free, and record who asked.

    Raises:
        RequestRefused: the actor lacks the permission at this moment (S-64).
    """
    if not actor.may(REQUEST_SCAN, domain.zone_id):
        raise RequestRefused(lacks(actor, REQUEST_SCAN))
    _request(domain, actor, Trigger.STAFF, now)


def request_look(domain: Domain, *, network: str, now: datetime) -> None:
    """Let a child be evaluated because its owner, or anybody, asked (S-28).

    Raises:
        TooSoon: of this child, or from this network, too much was asked for.
    """
    if wait := rates.take(f"look:{network}", PER_NETWORK, now=now):
        raise TooSoon(wait)
    with transaction.atomic():
        if wait := rates.take(f"look:{domain.pk}", PER_CHILD, now=now):
            raise TooSoon(wait)
        _request(domain, ANYBODY, Trigger.OWNER, now)


def next_look(domain: Domain, *, now: datetime) -> datetime:
    """Return when anybody may ask for the next look: now, or later."""
    return now + rates.wait(f"look:{domain.pk}", PER_CHILD, now=now)


def is_awaited(domain: Domain, *, now: datetime) -> bool:
    """Say whether a look is queued or under way at this moment."""
    item = WorkItem.objects.filter(domain=domain, parked_at=None).first()
    if item is None:
        return False
    return item.due_at <= now or bool(item.lease_until and item.lease_until > now)


def _request(domain: Domain, actor: Actor, trigger: Trigger, now: datetime) -> None:
    audit.record(
        EntryType.SCAN_REQUESTED,
        stream=domain.stream,
        actor=actor,
        now=now,
        trigger=trigger.value,
    )
    leasing.request([domain.pk], trigger=trigger, now=now)
