"""The trial of the sealer's crash points (S-90): one SIGKILL before each durable step.

Run as a process of its own: `python -m tests.system.crashes FOLDER TIMES`. Durable
steps are found, not listed: each commit, each sync of a file, each rename. Prints
how many there were.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.system.writers import forked, seal_once

from django.db import connection  # isort: skip  # after Django's setup

from bootstrap.services import audit  # isort: skip
from bootstrap.services.actors import SCANNER  # isort: skip
from tests.services.builders import NOW  # isort: skip

MOST = 200


class Countdown:
    """Ends the process before its n-th durable step."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def before(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """Return the step with the countdown before it."""

        def counted(*arguments: Any, **words: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(*arguments, **words)

        return counted


def seal_and_die(folder: Path, step: int) -> None:
    """Seal, and be killed before this step, if there are so many."""
    countdown = Countdown(step)
    os.fsync = countdown.before(os.fsync)
    Path.rename = countdown.before(Path.rename)  # type: ignore[method-assign]
    connection._commit = countdown.before(connection._commit)  # type: ignore[attr-defined]
    seal_once(folder)


def status_of(pid: int) -> int:
    """Return how the process ended."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def write(count: int) -> None:
    """Let entries wait."""
    for number in range(count):
        stream = f"child:n{number % 7}.test."
        audit.record("scan.verdict", stream=stream, actor=SCANNER, now=NOW, n=number)


def once(folder: Path) -> int:
    """Crash before each step in turn, each time recovering; return how many."""
    for step in range(1, MOST):
        if status_of(forked(lambda: write(90))):  # some tiles become full on the way
            sys.exit("entries could not be written")
        ended = status_of(forked(lambda n=step: seal_and_die(folder, n)))  # type: ignore[misc]
        state = folder / "state"
        if state.exists():
            (folder / "states").open("a").write(state.read_text() + "\n")
        if ended == 0:
            return step - 1
        if ended != -signal.SIGKILL:
            sys.exit(f"sealing ended with {ended} at step {step}")
        if step % 3 and status_of(forked(lambda: seal_once(folder))):
            sys.exit(f"sealing did not recover from a crash at step {step}")
    return MOST


if __name__ == "__main__":
    place, times = Path(sys.argv[1]), int(sys.argv[2])
    print(min(once(place) for _ in range(times)))
