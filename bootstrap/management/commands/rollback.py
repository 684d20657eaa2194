"""`manage.py rollback`: propose the DS set that was there before a change."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bootstrap import clock
from bootstrap.management.output import as_json, proposal_with
from bootstrap.services import people, rollback
from bootstrap.services.proposals import DecisionRefused, TransitionRefused


class Command(BaseCommand):
    """Ask for the way back; another person approves it."""

    help = (
        "Propose to give a child the DS set back that it had before a published"
        " change. Nothing is sent until another person approves; the way back to no"
        " DS turns automation off for the child."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("id", help="of the published proposal, or how it begins")
        parser.add_argument("--as", dest="user", required=True, metavar="USER")
        parser.add_argument("--comment", required=True, metavar="TEXT", help="why")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Ask, and print the new proposal."""
        try:
            found = rollback.request_rollback(
                proposal_with(options["id"]),
                actor=people.person(options["user"], via="command"),
                reason=options["comment"],
                now=clock.now(),
            )
        except (people.UnknownPerson, DecisionRefused, TransitionRefused) as refusal:
            raise CommandError(str(refusal)) from refusal
        told = {
            "id": str(found.pk),
            "domain": found.domain.name,
            "state": found.state,
            "ds": found.new_ds,
        }
        words = f"{told['domain']}: proposal {found.pk} waits for another person"
        self.stdout.write(as_json(told) if options["json"] else words)
