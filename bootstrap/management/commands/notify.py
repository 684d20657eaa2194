"""`manage.py notify`: the endpoint for NOTIFY(CDS), a process of its own (P-6.20)."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bootstrap.services import notifications


class Command(BaseCommand):
    """Hears operators say that a child has news, until told to end."""

    help = (
        "Listen for NOTIFY(CDS) over UDP and TCP (RFC 9859). Announce the endpoint in"
        " the parent zone: *._dsync.ZONE DSYNC CDS NOTIFY PORT HOST. A notification"
        " only advances the moment at which a child is evaluated."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "listen",
            nargs="+",
            metavar="ADDRESS[#PORT]",
            help="where to listen; the port is 53 when none is named",
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Listen until SIGTERM or SIGINT; what was heard is kept."""
        try:
            places = notifications.endpoints(options["listen"])
        except ValueError as exc:
            raise CommandError(str(exc), returncode=2) from exc
        try:
            counted = asyncio.run(self._serve(places))
        except OSError as exc:
            raise CommandError(f"cannot listen: {exc.strerror or exc}") from exc
        told = ", ".join(f"{n} {what}" for what, n in sorted(counted.items()))
        self.stdout.write(told or "nothing was heard")

    async def _serve(self, places: list[Any]) -> dict[str, int]:
        told_to_end = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, told_to_end.set)
        told = ", ".join(map(str, places))
        self.stdout.write(f"listening for NOTIFY(CDS) at {told}")
        self.stdout.flush()
        return await notifications.serve(places, told_to_end=told_to_end)
