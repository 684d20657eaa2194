"""Automation off and on again for one child (BCP 246, section 7.1; P-5.43, P-5.46).

Meets P-1.61.

A broken child is no reason to suspend: that blocks only the single request.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from bootstrap.core.evaluation.delegation import Suspension
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Domain

from . import audit, states
from .actors import Actor, ActorKind
from .binding import HOLD
from .people import lacks


class SuspensionRefused(Exception):
    """This person may not turn automation off or on."""


@transaction.atomic
def suspend(
    domain: Domain, reason: Suspension, *, actor: Actor, now: datetime, note: str = ""
) -> bool:
    """Turn automation off; say whether it was on. The first reason stays.

    Raises:
        SuspensionRefused: a person without the permission (S-64).
    """
    _check(actor, domain)
    rows = Domain.objects.filter(pk=domain.pk, suspension="")
    if not rows.update(suspension=reason.value, suspended_at=now, suspension_note=note):
        return False
    domain.suspension, domain.suspended_at = reason.value, now
    domain.suspension_note = note
    _record(EntryType.SUSPENSION_BEGAN, domain, actor, now, note)
    states.refresh([domain], now=now)
    return True


@transaction.atomic
def resume(domain: Domain, *, actor: Actor, now: datetime, note: str = "") -> bool:
    """Turn automation on again; say whether it was off.

    Any channel that provisions a non-empty DS set does this (P-5.43, P-5.44).

    Raises:
        SuspensionRefused: a person without the permission (S-64).
    """
    _check(actor, domain)
    rows = Domain.objects.filter(pk=domain.pk).exclude(suspension="")
    if not rows.update(suspension="", suspended_at=None, suspension_note=""):
        return False
    _record(EntryType.SUSPENSION_ENDED, domain, actor, now, note)
    domain.suspension, domain.suspended_at, domain.suspension_note = "", None, ""
    states.refresh([domain], now=now)
    return True


def _check(actor: Actor, domain: Domain) -> None:
    if actor.kind is ActorKind.STAFF and not actor.may(HOLD, domain.zone_id):
        raise SuspensionRefused(lacks(actor, HOLD))


def _record(
    entry_type: EntryType, domain: Domain, actor: Actor, now: datetime, note: str
) -> None:
    audit.record(
        entry_type,
        stream=domain.stream,
        actor=actor,
        now=now,
        private={"note": note},
        reason=domain.suspension,
    )
