"""`manage.py check_invariants`: does all hold that must always hold?"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bootstrap import clock
from bootstrap.management.output import as_json
from bootstrap.services import invariants


class Command(BaseCommand):
    """Check the invariants and end with 1 when one is broken."""

    help = (
        "Check the invariants I-1 to I-10 on the whole database, change nothing, and"
        " end with 1 when one does not hold. It reads the whole trail."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--json", action="store_true", help="print one object a violation"
        )

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Print what does not hold."""
        found = invariants.violations(now=clock.now())
        for one in found:
            told = {"invariant": one.invariant, "detail": one.detail}
            words = f"{one.invariant}: {one.detail}"
            self.stdout.write(as_json(told) if options["json"] else words)
        if not options["json"]:
            broken = len({one.invariant for one in found})
            self.stdout.write(f"{len(invariants.CHECKS) - broken} hold, {broken} not")
        if found:
            sys.exit(1)
