"""`manage.py breaker`: what holds automation, and its release by two persons."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bootstrap import clock
from bootstrap.management.output import one_line
from bootstrap.models import Breaker
from bootstrap.services import holds, people


class Command(BaseCommand):
    """List or release breakers."""

    help = (
        "Breakers open by themselves when an hour brings too many changes, and hold"
        " automation until two persons have released them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        listing = verbs.add_parser("list", help="show the open ones")
        listing.add_argument("--json", action="store_true", help="one object a line")
        release = verbs.add_parser("release", help="say that it may be released")
        release.add_argument("number", type=int)
        release.add_argument("--as", dest="user", required=True, metavar="USER")
        release.add_argument("--comment", required=True, metavar="TEXT")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Do what the verb says."""
        if options["verb"] == "list":
            self.list(as_lines=options["json"])
        else:
            self.release(options)

    def list(self, *, as_lines: bool) -> None:
        """Print one line for each open breaker."""
        for breaker in holds.open_breakers():
            told = {
                "number": breaker.pk,
                "scope": str(breaker.scope),
                "subject": breaker.subject,
                "reason": breaker.reason,
                "opened": f"{breaker.opened_at:%Y-%m-%dT%H:%M:%SZ}",
                "counters": breaker.counters,
                "released_by": [voice.actor for voice in breaker.voices.all()],
            }
            self.stdout.write(one_line(told, as_json_line=as_lines))

    def release(self, options: dict[str, Any]) -> None:
        """Count one person's word."""
        breaker = Breaker.objects.filter(pk=options["number"]).first()
        if breaker is None:
            raise CommandError(f"there is no breaker {options['number']}")
        try:
            released = holds.release(
                breaker,
                actor=people.person(options["user"], via="command"),
                comment=options["comment"],
                now=clock.now(),
            )
        except (people.UnknownPerson, holds.ReleaseRefused) as refusal:
            raise CommandError(str(refusal)) from refusal
        waits = "counted; a second person must say so too"
        self.stdout.write("released" if released else waits)
