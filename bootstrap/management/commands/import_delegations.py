"""`manage.py import_delegations`: take a parent's delegations in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bootstrap import clock
from bootstrap.management.output import as_json, zone_named
from bootstrap.services import intake
from bootstrap.services.actors import IMPORTER
from bootstrap.services.sources import Source, SourceKind

SHOWN_BAD_LINES: Final = 20
STEPS: Final = {
    "transfer": "reading the source",
    "read": "reading delegations",
    "removed": "taking removals in",
    "changed": "taking changes in",
    "added": "adding",
}


class Command(BaseCommand):
    """Import from a zone file, a CSV file, or a zone transfer."""

    help = (
        "Make the stored delegations of a zone those of a source. Running it again"
        " changes nothing; a truncated source, or one that would remove too much, is"
        " refused whole."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("zone", help="one of our parent zones")
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--file", type=Path, metavar="F", help="a zone file")
        source.add_argument(
            "--csv",
            type=Path,
            metavar="F",
            help="a file with the header name,ns,glue,ds,registrar,status",
        )
        source.add_argument("--axfr", metavar="ADDRESS[#PORT]", help="a zone transfer")
        parser.add_argument(
            "--tsig-key", type=Path, metavar="FILE", help="signs the transfer"
        )
        parser.add_argument(
            "--max-removed",
            type=float,
            metavar="SHARE",
            help="share of all delegations that may go (0 to 1; default: the zone's)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Import, with progress on a terminal, and print the summary."""
        zone = zone_named(options["zone"])
        share = options["max_removed"]
        if share is not None and not 0 <= share <= 1:
            raise CommandError("--max-removed is a share between 0 and 1")
        terms = intake.Terms(actor=IMPORTER, now=clock.now(), max_removed_share=share)
        with _Bar(Console(stderr=True)) as bar:
            try:
                summary = intake.import_source(zone, _source(options), terms, bar.show)
            except intake.ImportRefused as refusal:
                raise CommandError(f"refused, nothing changed: {refusal}") from refusal
        if options["json"]:
            self.stdout.write(as_json(_told(zone.name, summary)))
        else:
            self.print(zone.name, summary)

    def print(self, name: str, summary: intake.Summary) -> None:
        """Print the summary for people; bad lines go to standard error."""
        for number, reason in summary.bad_lines[:SHOWN_BAD_LINES]:
            self.stderr.write(f"line {number}: {reason}" if number else reason)
        if (more := summary.bad - min(summary.bad, SHOWN_BAD_LINES)) > 0:
            self.stderr.write(f"and {more} more bad lines")
        self.stdout.write(
            f"{name}: {summary.added} added, {summary.changed} changed,"
            f" {summary.removed} removed, {summary.unchanged} unchanged,"
            f" {summary.bad} bad lines"
        )


class _Bar:
    """A progress bar where somebody looks: on a terminal, and nowhere else."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn())
        counts = (TextColumn("{task.completed:,}"), TimeElapsedColumn())
        self.progress = Progress(
            *columns, *counts, console=console, disable=not console.is_terminal
        )
        self.task: TaskID | None = None
        self.step = ""

    def __enter__(self) -> _Bar:
        self.progress.start()
        return self

    def __exit__(self, *_args: object) -> None:
        self.progress.stop()

    def show(self, step: str, count: int) -> None:
        """Show how far a step is; the expected number of rows is the bar's end."""
        if step == "expected":
            self.task, self.step = (
                self.progress.add_task(STEPS["read"], total=count),
                "read",
            )
            return
        if step != self.step or self.task is None:
            self.step = step
            self.task = self.progress.add_task(STEPS[step], total=None)
        self.progress.update(self.task, completed=count)


def _source(options: dict[str, Any]) -> Source:
    if options["axfr"]:
        return Source(SourceKind.AXFR, options["axfr"], options["tsig_key"])
    if options["tsig_key"]:
        raise CommandError("--tsig-key goes with --axfr")
    if options["csv"]:
        return Source(SourceKind.CSV, str(options["csv"]))
    return Source(SourceKind.ZONE_FILE, str(options["file"]))


def _told(name: str, summary: intake.Summary) -> dict[str, Any]:
    return {
        "zone": name,
        "added": summary.added,
        "changed": summary.changed,
        "removed": summary.removed,
        "unchanged": summary.unchanged,
        "bad": summary.bad,
        "bad_lines": [
            {"line": number, "reason": reason} for number, reason in summary.bad_lines
        ],
        "serial": summary.serial,
    }
