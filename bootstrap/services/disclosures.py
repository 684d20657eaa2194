"""Personal values beside the trail: whoever is shown some is on the record (S-87)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from bootstrap.core.tlog.types import EntryType
from bootstrap.models import AuditDisclosure, AuditEntry

from . import audit
from .actors import Actor

STREAM: Final = "people"


@transaction.atomic
def show(entry: AuditEntry, *, actor: Actor, now: datetime) -> list[AuditDisclosure]:
    """Return an entry's personal values, and record who was shown which of them."""
    found = list(AuditDisclosure.objects.filter(entry_uid=entry.uid).order_by("pk"))
    if found:
        audit.record(
            EntryType.DATA_VIEWED,
            stream=STREAM,
            actor=actor,
            now=now,
            entry=entry.uid,
            names=sorted(each.name for each in found),
        )
    return found
