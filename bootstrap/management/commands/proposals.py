"""`manage.py proposals`: what waits, and for whom."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bootstrap.core.workflow.lifecycle import State
from bootstrap.management.output import as_json
from bootstrap.models import Proposal
from bootstrap.services.summaries import proposal_summary


class Command(BaseCommand):
    """List proposals, oldest first."""

    help = "List the open proposals, or those in one state, oldest first."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--state", choices=[state.value for state in State], help="only this state"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object a line"
        )

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Print one line each."""
        rows = Proposal.objects.with_domain()
        state = options["state"]
        rows = rows.filter(state=state) if state else rows.open()
        for proposal in rows.iterator(chunk_size=500):
            told = proposal_summary(proposal)
            self.stdout.write(as_json(told) if options["json"] else self.line(told))

    def line(self, told: dict[str, Any]) -> str:
        """Return the line for people: id, state, age, name, what changes."""
        before, after = (" + ".join(told[k]) or "none" for k in ("old_ds", "new_ds"))
        return (
            f"{told['id']}  {told['state']:<9}  {told['since']}  {told['domain']}"
            f"  {told['path']} ({told['reason']}): {before} -> {after}"
        )
