"""What people ask for: another look at a child."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Domain

from . import audit, leasing
from .actors import Actor

REQUEST_SCAN: Final = "bootstrap.request_scan"


class RequestRefused(Exception):
    """This actor may not ask for it."""


@transaction.atomic
def request_scan(domain: Domain, *, actor: Actor, now: datetime) -> None:
    """Let a child be evaluated as soon as a worker is free, and record who asked.

    Raises:
        RequestRefused: the actor lacks the permission at this moment (S-64).
    """
    if REQUEST_SCAN not in actor.permissions:
        raise RequestRefused(f"{actor.name} lacks the permission {REQUEST_SCAN}")
    audit.record(
        EntryType.SCAN_REQUESTED,
        stream=domain.stream,
        actor=actor,
        now=now,
        trigger=Trigger.STAFF.value,
    )
    leasing.request([domain.pk], trigger=Trigger.STAFF, now=now)
