"""`manage.py scan`: evaluate children on the spot, or ask workers to do so."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from rich.console import Console
from rich.progress import Progress

from bootstrap import bell, clock, config
from bootstrap.core.dns.names import InvalidName, Name, parse_name, unrooted
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.management.explaining import explanation
from bootstrap.models import Domain, WorkItem, Zone
from bootstrap.services import leasing, scanning
from bootstrap.services.evaluating import Site
from bootstrap.services.parentside import ParentSilent
from bootstrap.services.recording import Recorded

USAGE = 2


class Command(BaseCommand):
    """Evaluates delegations; the contract of its output is in the README."""

    help = (
        "Evaluate children by name, by zone, or what is due. Ends with 0 when all"
        " were evaluated, 1 when any ended in an error of our own, 2 for wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        what = parser.add_argument_group("what to evaluate")
        what.add_argument("names", nargs="*", metavar="NAME")
        what.add_argument("--zone", help="all children of this parent")
        what.add_argument(
            "--due", action="store_true", help="what the schedule says, as workers do"
        )
        parser.add_argument(
            "--enqueue", action="store_true", help="let the workers do it, and end"
        )
        parser.add_argument(
            "--json", action="store_true", help="one object a line, as they complete"
        )
        parser.add_argument(
            "--explain", action="store_true", help="every check and what it found"
        )
        parser.add_argument(
            "--no-save", action="store_true", help="change no row of the database"
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Evaluate, and print each result when it is there."""
        _check_usage(options)
        try:
            if options["enqueue"]:
                self._enqueue(options)
                return
            total, results = self._results(options)
        except (InvalidName, scanning.UnknownParent, config.Unusable) as exc:
            raise CommandError(str(exc), returncode=USAGE) from exc
        outcomes: Counter[str] = Counter()
        try:
            with _progress(total, self.stderr.isatty() and not options["json"]) as step:
                for recorded in results:
                    outcomes[recorded.judged.verdict.outcome.value] += 1
                    self._tell(recorded, options)
                    step()
        except (ParentSilent, config.Unusable) as exc:
            raise CommandError(str(exc)) from exc
        if not options["json"]:
            told = ", ".join(f"{n} {what}" for what, n in sorted(outcomes.items()))
            self.stdout.write(told or "nothing to evaluate")
        if outcomes[Outcome.ERROR.value]:
            sys.exit(1)

    def _results(self, options: dict[str, Any]) -> tuple[int, Iterator[Recorded]]:
        at = scanning.site()
        if options["due"] and not options["no_save"]:
            total = WorkItem.objects.claimable(clock.now()).count()
            return total, scanning.drain(holder="command", at=at)
        known, unknown = _chosen(options)
        for name in unknown:
            scanning.parent_of(name)  # refuse before anything is asked
        return len(unknown) + known.count(), _all(known, unknown, options, at)

    def _enqueue(self, options: dict[str, Any]) -> None:
        if options["due"]:
            bell.ring(bell.Work.SCANS)
            self.stdout.write("workers are woken")
            return
        known, unknown = _chosen(options)
        if unknown:
            told = ", ".join(unrooted(name) for name in unknown)
            raise CommandError(f"not known here: {told}", returncode=USAGE)
        ids = list(known.values_list("pk", flat=True))
        leasing.request(ids, trigger=Trigger.COMMAND, now=clock.now())
        self.stdout.write(f"{len(ids)} will be evaluated by the workers")

    def _tell(self, recorded: Recorded, options: dict[str, Any]) -> None:
        line = scanning.as_json(recorded)
        if options["json"]:
            self.stdout.write(json.dumps(line, ensure_ascii=False))
            self.stdout.flush()
            return
        path = line["path"] or "-"
        self.stdout.write(
            f"{line['domain']}: {line['outcome']} ({path}) {line['primary_reason']}"
        )
        if options["explain"]:
            for text in explanation(line):
                self.stdout.write(f"  {text}")


def _check_usage(options: dict[str, Any]) -> None:
    ways = bool(options["names"]), bool(options["zone"]), options["due"]
    if sum(ways) != 1:
        raise CommandError(
            "name children, or --zone ZONE, or --due: exactly one of these",
            returncode=USAGE,
        )
    if options["enqueue"] and (options["no_save"] or options["json"]):
        raise CommandError(
            "--enqueue goes with neither --no-save nor --json", returncode=USAGE
        )


def _chosen(options: dict[str, Any]) -> tuple[QuerySet[Domain], list[Name]]:
    rows = Domain.objects.delegated().select_related("zone")
    if options["due"]:
        due = WorkItem.objects.claimable(clock.now()).values("domain")
        return rows.filter(pk__in=due), []
    if options["zone"]:
        name = unrooted(parse_name(options["zone"]))
        zone = Zone.objects.filter(name=name).first()
        if zone is None:
            raise CommandError(f"{name} is no zone of ours", returncode=USAGE)
        return rows.in_zone(zone), []
    names = list(dict.fromkeys(parse_name(text) for text in options["names"]))
    known = rows.filter(name__in=[unrooted(name) for name in names])
    found = set(known.values_list("name", flat=True))
    return known, [name for name in names if unrooted(name) not in found]


def _all(
    known: QuerySet[Domain], unknown: list[Name], options: dict[str, Any], at: Site
) -> Iterator[Recorded]:
    save = not options["no_save"]
    yield from scanning.evaluate(known, trigger=Trigger.COMMAND, at=at, save=save)
    if unknown:
        yield from scanning.evaluate_unknown(unknown, at=at)


@contextmanager
def _progress(total: int, wanted: bool) -> Iterator[Any]:  # noqa: FBT001 - one switch
    """Show a bar on a terminal's standard error; the result lines stay clean."""
    if not wanted:
        yield lambda: None
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("scanning", total=total)
        yield lambda: progress.advance(task)
