"""In which time zone the person of this request reads times.

For pages alone: Django's own current zone stays UTC, so that no query, form,
report or export depends on who asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from typing import Final

_ZONE: Final[ContextVar[tzinfo]] = ContextVar("zone", default=UTC)


@contextmanager
def read_in(zone: tzinfo) -> Iterator[None]:
    """Show times in this zone meanwhile."""
    token = _ZONE.set(zone)
    try:
        yield
    finally:
        _ZONE.reset(token)


def told(moment: datetime) -> str:
    """Return a moment with its offset: "2026-11-24 15:30:00+01:00", "Z" in UTC."""
    zone = _ZONE.get()
    if zone is UTC:
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
    return moment.astimezone(zone).isoformat(" ", "seconds")
