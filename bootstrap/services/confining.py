"""What a worker may spend on what strangers send: memory, and time without a pause.

Guards and budgets bound the work of an evaluation (S-15, S-33). This is for what
they overlook: then one worker ends, and not the machine or the service (S-20). Who
was in its hands is evaluated again, in ever smaller groups, until the one child
that kills is alone, set aside, and told of as `VAL_LIMIT` (`leasing`).
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
from collections.abc import Iterator
from typing import Final

MIB: Final = 1 << 20
LOOK_EVERY: Final = 0.25
"""Seconds between two signs of life of the event loop."""


def limit_memory(mebibytes: int) -> None:
    """Let this process have no more data than that, for ever; 0 changes nothing.

    More is refused by the system: a `MemoryError` in Python, the end in other code.
    A lower limit that is there already stays.
    """
    if mebibytes:
        _soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = mebibytes * MIB
        if hard == resource.RLIM_INFINITY or wanted < hard:
            resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


@contextlib.contextmanager
def watched(seconds: float) -> Iterator[None]:
    """End this process if it computes for so long within, without a `breathe`.

    Measured in time of the processor, so that a busy machine kills nobody. The
    system ends it, since Python itself may be in the middle of other code: no
    handler would be called. 0 watches nothing.
    """
    breathe(seconds)
    try:
        yield
    finally:
        if seconds:
            signal.setitimer(signal.ITIMER_PROF, 0)


def breathe(seconds: float) -> None:
    """Begin the count anew: what comes next is another piece of work."""
    if seconds:
        signal.setitimer(signal.ITIMER_PROF, seconds)


async def signs_of_life(seconds: float) -> None:
    """Breathe for as long as the event loop has a turn for everybody."""
    while seconds:
        await asyncio.sleep(LOOK_EVERY)
        breathe(seconds)
