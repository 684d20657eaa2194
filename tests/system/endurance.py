"""A worker of the endurance trial: the queue's own task, over and over in one process.

Run as a process of its own: `python -m tests.system.endurance EVALUATIONS`. After
each round prints how many evaluations were done and its resident memory in KiB.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django

django.setup()

from django.db import close_old_connections  # noqa: E402

from bootstrap import clock, tasks  # noqa: E402
from bootstrap.models import WorkItem  # noqa: E402

PAGE = os.sysconf("SC_PAGESIZE") // 1024


def resident() -> int:
    """Return the memory of this process that is not swapped out, in KiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def work(evaluations: int) -> None:
    """Make all due and work it off, until so many are done."""
    done = 0
    while done < evaluations:
        close_old_connections()  # as the queue does before each task
        WorkItem.objects.update(due_at=clock.now())
        counts = tasks.drain_scans()
        done += sum(counts.values())
        print(done, resident(), flush=True)


if __name__ == "__main__":
    work(int(sys.argv[1]))
