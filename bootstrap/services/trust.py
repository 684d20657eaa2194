"""The trust anchors that evaluations start from: others than before are on record.

They come from a file that whoever runs the site can change (S-43); the trail says
from when on which were believed (P-8.31).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import transaction

from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import AuditEntry

from . import audit, trailrows
from .actors import SCANNER

STREAM: Final = "anchors"


def note(anchors: Iterable[Anchor], *, now: datetime) -> bool:
    """Record which anchors hold, if they are others than the last time; say if so."""
    held = sorted({_spelled(anchor) for anchor in anchors})
    if held == _told():
        return False
    with transaction.atomic():
        trailrows.lock_heads([STREAM])
        before = _told()
        if held == before:
            return False  # another worker was here first
        audit.record(
            EntryType.ANCHORS_CHANGED,
            stream=STREAM,
            actor=SCANNER,
            now=now,
            anchors=held,
            added=[each for each in held if each not in before],
            removed=[each for each in before if each not in held],
        )
    return True


def _told() -> list[str]:
    """Return the anchors of the newest entry; none before the first."""
    newest = AuditEntry.objects.filter(stream=STREAM).order_by("-number").first()
    if newest is None:
        return []
    told: list[str] = json.loads(bytes(newest.body))["data"]["anchors"]
    return told


def _spelled(anchor: Anchor) -> str:
    since, until = (
        f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "-"
        for moment in (anchor.valid_from, anchor.valid_until)
    )
    zone, ds = anchor.zone.to_text(), anchor.ds.to_text()
    return f"{zone} DS {ds} from {since} until {until}"
