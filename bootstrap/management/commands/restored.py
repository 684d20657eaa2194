"""`manage.py restored`: this database comes from a backup."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bootstrap import clock
from bootstrap.services import restoring
from bootstrap.services.actors import OPERATOR


class Command(BaseCommand):
    """Begin the quarantine of open changes."""

    help = (
        "Say that this database was restored, before the publisher is started: it"
        " then reads every open change back from the parent before it sends any."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--reason", default="", metavar="TEXT")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Mark it."""
        began = restoring.mark(
            actor=OPERATOR, reason=options["reason"], now=clock.now()
        )
        self.stdout.write(
            "open changes are in quarantine" if began else "they are already"
        )
