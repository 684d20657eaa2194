"""`manage.py switch`: stop all publication at once, and let it go on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bootstrap import clock, config
from bootstrap.services import people, switches
from bootstrap.services.actors import OPERATOR


class Command(BaseCommand):
    """Engage, release or show the kill switch."""

    help = (
        "Stop every change of every parent zone, within seconds and without restart."
        " Where the database is away, make the file PUBLISH_STOP_FILE instead."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        for verb, words in {
            "engage": "send nothing more",
            "release": "go on",
        }.items():
            turn = verbs.add_parser(verb, help=words)
            turn.add_argument("--reason", required=True, metavar="TEXT")
            turn.add_argument("--as", dest="user", metavar="USER", help="who does it")
        verbs.add_parser("show", help="say whether publication is stopped")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Turn it, and say what holds now."""
        turn = {"engage": switches.engage, "release": switches.release}.get(
            options["verb"]
        )
        try:
            if turn is not None:
                user = options["user"]
                actor = people.person(user, via="command") if user else OPERATOR
                turn(actor=actor, reason=options["reason"], now=clock.now())
        except (people.UnknownPerson, switches.SwitchRefused) as refusal:
            raise CommandError(str(refusal)) from refusal
        why = switches.stopped()
        words = f"publication is stopped: {why}" if why else "publication is free"
        self.stdout.write(f"{words} (the file: {config.publish_stop_file()})")
