"""`manage.py worker`: the queue's cluster, in a group of its own, under watch.

The cluster can stand still without a word: a worker that is killed while idle may
take the queue's lock with it, and a monitor that of the results, so that every task
is handed out again for ever (F-9). So it is not trusted but watched: a canary goes
through queue, worker, monitor and database each minute, and when nothing came back
for too long the whole group is killed, and whoever started us starts us again.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
)

from bootstrap import bell, clock, config

PR_SET_PDEATHSIG: Final = 1
LOOK_EVERY: Final = 1.0
RING_EVERY: Final = 60.0
RINGS: Final = 30
"""Canaries in the time of our patience, at least: other clusters take some of them."""
COMMAND: Final = (sys.executable, "-m", "django", "qcluster")


class Command(BaseCommand):
    """Runs the cluster until SIGTERM, or until it no longer works."""

    help = (
        "Run the workers: scans, verifications and their schedules. Ends with an"
        " error when the cluster dies or stands still, so that it is started again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--patience",
            type=float,
            default=3.0 * settings.Q_CLUSTER["retry"],
            metavar="SECONDS",
            help="without a canary until the cluster is killed (default 3 × retry)",
        )
        parser.add_argument(
            "--grace",
            type=float,
            default=settings.Q_CLUSTER["timeout"] + 30.0,
            metavar="SECONDS",
            help="for running tasks when told to end",
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Start the cluster and watch it."""
        told_to_end = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: told_to_end.set())
        try:
            config.world()
            config.scanning()
        except config.Unusable as exc:
            raise CommandError(str(exc)) from exc
        bell.keep_schedules()
        for work in (bell.Work.CANARY, bell.Work.SCANS):
            bell.ring(work)
        with tempfile.TemporaryDirectory(prefix="worker-") as folder:
            life = Path(folder) / "life"
            life.touch()
            cluster = _start(life)
            try:
                trouble = self._watch(cluster, told_to_end, life, options["patience"])
                if not trouble:
                    _end(cluster, options["grace"])
            finally:
                _kill(cluster)
        if trouble:
            raise CommandError(trouble)

    def _watch(
        self,
        cluster: subprocess.Popen[bytes],
        told_to_end: threading.Event,
        life: Path,
        patience: float,
    ) -> str:
        """Wait until told to end; return what is wrong, or nothing.

        Any task that came all the way shows life. A database that is away is no
        sign of anything: our patience begins anew when it is back.
        """
        heard = rung = clock.ticks()
        newest = _touched(life)
        while not told_to_end.wait(LOOK_EVERY):
            code = cluster.poll()
            if code is not None:
                return f"the cluster ended by itself with {code}"
            now = clock.ticks()
            if _touched(life) != newest:
                newest, heard = _touched(life), now
            if now - heard > patience:
                return f"no canary came back for {now - heard:.0f} s"
            if now - rung >= min(RING_EVERY, patience / RINGS):
                rung = now
                heard = heard if _ring_canary() else clock.ticks()
        return ""


def _touched(life: Path) -> int:
    return life.stat().st_mtime_ns


def _ring_canary() -> bool:
    """Send one more; say whether the database was there to take it.

    A file is always there: when it is locked for so long, then by a cluster of ours
    that stands still.
    """
    close_old_connections()
    try:
        bell.ring(bell.Work.CANARY)
    except (OperationalError, InterfaceError):
        return connection.vendor == "sqlite"
    return True


def _start(life: Path) -> subprocess.Popen[bytes]:
    """Start the cluster in a session of its own; it ends when we are killed."""
    return subprocess.Popen(  # noqa: S603 - our own command
        COMMAND,
        cwd=settings.BASE_DIR,
        env={**os.environ, bell.LIFE: str(life)},
        start_new_session=True,
        preexec_fn=_end_with_parent,  # noqa: PLW1509 - one system call, no threads yet
    )


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _end(cluster: subprocess.Popen[bytes], grace: float) -> None:
    """Ask politely: the cluster finishes what its workers have in hand."""
    cluster.terminate()
    try:
        cluster.wait(grace)
    except subprocess.TimeoutExpired:
        return


def _kill(cluster: subprocess.Popen[bytes]) -> None:
    """End what is left of the group: orphans go on working otherwise."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(cluster.pid, signal.SIGKILL)
    cluster.wait()
