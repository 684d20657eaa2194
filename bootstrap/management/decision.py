"""Decisions from a local shell: the same services as the pages, the same rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bootstrap import clock
from bootstrap.services import people
from bootstrap.services.proposals import (
    DecisionRefused,
    StaleDecision,
    TransitionRefused,
)

from .output import as_json, proposal_with


class DecisionCommand(BaseCommand):
    """One verb on one proposal, done as a user and recorded as done by command."""

    verb: ClassVar[Callable[..., None]]

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("id", help="of the proposal, or how it begins")
        parser.add_argument(
            "--as", dest="user", required=True, metavar="USER", help="who decides"
        )
        parser.add_argument(
            "--comment",
            required=True,
            metavar="TEXT",
            help="why; kept with the decision",
        )
        parser.add_argument(
            "--digest",
            metavar="HEX",
            help="of the proposal as it was seen; refuse if it changed since",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Decide, and print what became of the proposal."""
        proposal = proposal_with(options["id"])
        try:
            type(self).verb(
                proposal,
                actor=people.person(options["user"], via="command"),
                digest=options["digest"] or proposal.digest,
                comment=options["comment"],
                now=clock.now(),
            )
        except (people.UnknownPerson, DecisionRefused, TransitionRefused) as refusal:
            raise CommandError(str(refusal)) from refusal
        except StaleDecision as stale:
            raise CommandError(f"not decided: {stale}") from stale
        told = {
            "id": str(proposal.pk),
            "domain": proposal.domain.name,
            "state": proposal.state,
        }
        words = f"{told['domain']}: the proposal is {told['state']}"
        self.stdout.write(as_json(told) if options["json"] else words)
