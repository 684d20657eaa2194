"""`manage.py sealer`: gives entries their place in the tree, and signs it."""

from __future__ import annotations

import argparse
import signal
import threading
import time
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections

from bootstrap import clock, config
from bootstrap.core.tlog import policy
from bootstrap.services import signing
from bootstrap.services.keeping import Keeper
from bootstrap.services.logfiles import HistoryDiffers
from bootstrap.services.sealing import RolledBack

LONGEST: Final = 60.0


class Command(BaseCommand):
    """Seals until told to end."""

    help = (
        "Seal the audit trail: every second while entries wait. Run exactly one, as"
        " the user who may read the log's key; nobody else needs it. Ends with an"
        " error when history was changed, and signs nothing."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--once", action="store_true", help="one round, then end")
        parser.add_argument(
            "--poll",
            type=_seconds,
            default=1.0,
            metavar="SECONDS",
            help="between rounds (default 1)",
        )
        parser.add_argument(
            "--make-key",
            action="store_true",
            help="make the key when AUDIT_KEY_FILE does not exist yet",
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Run until SIGTERM or SIGINT; the round in hand is finished."""
        told_to_end = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: told_to_end.set())
        keeper = self.keeper(make_key=options["make_key"])
        try:
            keeper.start()
            while not told_to_end.is_set():
                close_old_connections()
                self.round(keeper)
                if options["once"]:
                    break
                told_to_end.wait(options["poll"])
        except (
            RolledBack,
            HistoryDiffers,
            signing.WillNotSign,
            signing.KeyUnusable,
        ) as exc:
            raise CommandError(f"nothing was signed: {exc}") from exc

    def round(self, keeper: Keeper) -> None:
        """Do one round, and print a line when it sealed something."""
        if keeper.round():
            size, _root = keeper.signer.last()
            self.stdout.write(f"{clock.now():%Y-%m-%dT%H:%M:%SZ} sealed up to {size}")
            self.stdout.flush()

    def keeper(self, *, make_key: bool) -> Keeper:
        """Return the sealer's hands; the key is made only where that was asked for.

        Raises:
            CommandError: a setting is wrong, or there is no key.
        """
        try:
            ledger = config.ledger()
            text = ledger.witnesses.read_text() if ledger.witnesses else "quorum none"
            trusted = policy.read(text)
        except (config.Unusable, policy.PolicyWrong, OSError) as exc:
            raise CommandError(str(exc)) from exc
        if not ledger.key_file.exists():
            if not make_key:
                raise CommandError(
                    f"AUDIT_KEY_FILE: there is no key {ledger.key_file}. For a new log,"
                    " start once with --make-key. For an old one restore the key: with"
                    " another one nobody can verify what was signed."
                )
            signing.make_key(ledger.key_file)
        signer = signing.Signer(ledger.origin, ledger.key_file, ledger.state_file)
        self.stdout.write(f"the log's public key is {signer.public.to_text()}")
        return Keeper(ledger, signer, trusted, clock.now, time.monotonic)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= LONGEST:
        raise argparse.ArgumentTypeError("must be above 0 and at most 60")
    return seconds
