"""`manage.py publisher`: the only process that holds credentials for parents."""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand
from django.db import OperationalError, close_old_connections, connection

from bootstrap import clock, config
from bootstrap.services import (
    parents,
    publication,
    reconciling,
    restoring,
    switches,
    ttls,
)

log = logging.getLogger("bootstrap.publisher")


class Command(BaseCommand):
    """Settle what is half done, then send what is due, until told to end."""

    help = (
        "Publish approved DS changes. Run it as the user who may read the TSIG keys,"
        " once for all zones; a second one does no harm."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--once", action="store_true", help="send what is due now, then end"
        )
        parser.add_argument(
            "--poll",
            type=_seconds,
            default=2.0,
            metavar="SECONDS",
            help="how often to look for work (default 2)",
        )

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Run until SIGTERM or SIGINT; the change in hand is finished."""
        with _told_to_end() as told_to_end:
            self.run(told_to_end, once=options["once"], poll=options["poll"])

    def run(self, told_to_end: threading.Event, *, once: bool, poll: float) -> None:
        """Settle, then send; the first round begins at once."""
        settled = publication.settle_all(
            registry_for=parents.registry_for, clock=clock.now
        )
        self.say(Counter({str(ending): n for ending, n in settled.items()}))
        while not told_to_end.is_set():
            happened = self.round(told_to_end, must_work=once)
            if once:
                break
            if not happened:
                told_to_end.wait(poll)

    def round(self, told_to_end: threading.Event, *, must_work: bool) -> bool:
        """Send once what is due and say whether anything was.

        A database that is away is waited for.
        """
        close_old_connections()
        try:
            self.guard()
            sent = publication.publish_due(
                registry_for=parents.registry_for,
                clock=clock.now,
                wanted=lambda: not told_to_end.is_set(),
            )
            restored = ttls.restore_due(
                registry_for=parents.registry_for, clock=clock.now
            )
            drifted = reconciling.reconcile_due(
                registry_for=parents.registry_for,
                transfer_of=parents.transfer_of,
                clock=clock.now,
            )
        except OperationalError:
            if must_work:
                raise
            log.exception("publisher.database_away")
            connection.close()
            return False
        counts = Counter({str(ending): n for ending, n in sent.items()})
        counts["ttl restored"] += restored
        if counts.total():
            restoring.remember(config.publisher_state_file())
        counts["changed by others"] += drifted
        self.say(counts)
        return counts.total() > 0

    def guard(self) -> None:
        """Note the file that stops all; read back first after a restore (S-96)."""
        now = clock.now()
        switches.notice_file(now=now)
        restoring.notice(config.publisher_state_file(), now=now)
        if restoring.quarantined():
            restoring.read_back_all(registry_for=parents.registry_for, clock=clock.now)

    def say(self, counts: Counter[str]) -> None:
        """Print one line when something happened."""
        told = ", ".join(f"{n} {what}" for what, n in sorted(counts.items()) if n)
        if told:
            self.stdout.write(f"{clock.now():%Y-%m-%dT%H:%M:%SZ} {told}")
            self.stdout.flush()


@contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """Yield what SIGTERM and SIGINT set; their former meaning returns afterwards."""
    told = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)
    former = [signal.signal(number, lambda *_: told.set()) for number in numbers]
    try:
        yield told
    finally:
        for number, meaning in zip(numbers, former, strict=True):
            signal.signal(number, meaning)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 60:  # noqa: PLR2004 - a minute is too long already
        raise argparse.ArgumentTypeError("must be above 0 and at most 60")
    return seconds
