"""The only place that asks what time it is; everything else takes `now` (S-44)."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

UNSYNCHRONISED: Final = 0x0040
"""STA_UNSYNC: nothing disciplines the kernel's clock (adjtimex(2))."""
NANOSECONDS: Final = 0x2000
"""STA_NANO: the offset counts nanoseconds, and microseconds without it."""
FAILED: Final = -1
PADDING: Final = 11


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def ticks() -> float:
    """Return seconds of a clock that nobody can set, for measuring spans (S-43)."""
    return time.monotonic()


@dataclass(frozen=True, slots=True)
class Discipline:
    """How far this machine's clock is from NTP's, as the kernel was told (P-8.7).

    `offset` is what is still to be added to the clock, `error` how far it may be
    off at most. When not `synchronised` nobody corrects it, and both say little.
    """

    source: str
    synchronised: bool
    offset: timedelta
    error: timedelta


class Timex(ctypes.Structure):
    """`struct timex` of the C library; a query has no `modes`, and sets nothing."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("microseconds", ctypes.c_long),
        ("tick", ctypes.c_long),
        ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int),
        ("stabil", ctypes.c_long),
        ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long),
        ("errcnt", ctypes.c_long),
        ("stbcnt", ctypes.c_long),
        ("tai", ctypes.c_int),
        ("padding", ctypes.c_int * PADDING),
    )


Adjtimex = Callable[[Timex], int]
"""Fills the structure; -1 when the system refuses to tell."""


def _adjtimex() -> Adjtimex | None:
    found: Any = getattr(ctypes.CDLL(None), "adjtimex", None)
    if found is None:
        return None
    found.argtypes = (ctypes.POINTER(Timex),)
    found.restype = ctypes.c_int
    return cast("Adjtimex", lambda told: found(ctypes.byref(told)))


KERNEL: Final = _adjtimex()


def discipline(ask: Adjtimex | None = KERNEL) -> Discipline | None:
    """Return how the clock stands to NTP; None where the system does not say."""
    told = Timex()
    if ask is None or ask(told) == FAILED:
        return None
    unit = 1_000 if told.status & NANOSECONDS else 1
    return Discipline(
        source="kernel",
        synchronised=not told.status & UNSYNCHRONISED,
        offset=timedelta(microseconds=round(told.offset / unit)),
        error=timedelta(microseconds=told.maxerror),
    )
