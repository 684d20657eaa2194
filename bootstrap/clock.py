"""The only place that asks what time it is; everything else takes `now` (S-44)."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def ticks() -> float:
    """Return seconds of a clock that nobody can set, for measuring spans (S-43)."""
    return time.monotonic()
