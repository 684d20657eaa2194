"""What the parent holds for a name, and how long an old set lives on in caches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bootstrap.core.evaluation.paths import Path
from bootstrap.models import Domain

TOLD_FOR: Final = timedelta(days=14)
"""So long after its removal a DS set is still spoken of."""


@dataclass(frozen=True, slots=True)
class Gone:
    """When the last DS set was removed, and when the last cache has let go of it."""

    removed_at: datetime
    clear_at: datetime


def gone(row: Domain, *, now: datetime) -> Gone | None:
    """Return what became of the DS set of a name that has none any more (P-4.26).

    The old set may have been fetched a moment before its removal, with its whole
    TTL to live.
    """
    if row.ds:
        return None
    removals = row.proposals.filter(path=Path.REMOVAL.value, sent_at__isnull=False)
    ours = removals.order_by("-sent_at").values_list("sent_at", flat=True).first()
    known = [moment for moment in (ours, row.oob_change_at) if moment is not None]
    if not known or now - max(known) > TOLD_FOR:
        return None
    return Gone(max(known), max(known) + timedelta(seconds=row.zone.ds_ttl))
