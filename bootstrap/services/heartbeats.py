"""Signs of life: one row a part, with the time of its last beat."""

from __future__ import annotations

from datetime import datetime

from bootstrap.models import Heartbeat


def beat(name: str, *, now: datetime, **detail: object) -> None:
    """Say that the part `name` works at this moment."""
    Heartbeat.objects.update_or_create(
        name=name, defaults={"at": now, "detail": detail}
    )


def last(name: str) -> datetime | None:
    """Return when the part last said so; None if never."""
    row = Heartbeat.objects.filter(name=name).first()
    return None if row is None else row.at
