"""`manage.py conformance`: the fixture hierarchy, and who judges it right."""

from __future__ import annotations

import json
import shlex
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bootstrap import clock
from bootstrap.lab import adapters
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.kit import KitCase, Seen, cases_of, write_cases
from bootstrap.lab.situations import Situation, catalogue, world_for
from bootstrap.services import conformance

USAGE = 2
PREFIX = "127.59"
Result = tuple[KitCase, Seen]


class Command(BaseCommand):
    """Serves every case, lets an engine judge it, prints the score."""

    help = (
        "Serve the fixture hierarchy and try an engine on it; the manual is"
        " docs/conformance.md. Ends with 0 when every case passes, 1 when not,"
        " 2 for wrong usage."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--serve", action="store_true", help="serve until interrupted, try nothing"
        )
        parser.add_argument(
            "--adapter",
            metavar="PROGRAM",
            help="try this program instead of our engine, once a case",
        )
        parser.add_argument("--json", action="store_true", help="one object a case")
        parser.add_argument("--only", nargs="+", metavar="ID", default=())
        parser.add_argument(
            "--dns-only",
            action="store_true",
            help="leave out what needs more than NS, glue and DS to be told",
        )
        parser.add_argument(
            "--time", type=_moment, metavar="ISO", help="what time it is; else now"
        )
        parser.add_argument(
            "--port", type=int, default=0, help="of all servers; 0 finds a free one"
        )
        parser.add_argument(
            "--prefix", default=PREFIX, help="first half of all addresses"
        )
        parser.add_argument(
            "--folder", type=Path, help="for hints, anchor and cases.json"
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Serve, and try what was asked for."""
        situations = _chosen(options["only"])
        with _folder(options["folder"]) as folder:
            lab = Lab(
                world_for(situations),
                clock=_clock(options["time"]),
                folder=folder,
                port=options["port"],
                prefix=options["prefix"],
            )
            endings = {signal.SIGINT, signal.SIGTERM}
            if options["serve"]:
                signal.pthread_sigmask(signal.SIG_BLOCK, endings)
            try:
                lab.start()
            except OSError as exc:
                raise CommandError(f"cannot serve: {exc}", returncode=USAGE) from exc
            try:
                cases = cases_of(lab, situations)
                if options["dns_only"]:
                    cases = tuple(case for case in cases if not case.needs)
                path = write_cases(lab, cases)
                if options["serve"]:
                    self._tell_served(lab, path, len(cases))
                    signal.sigwait(endings)
                else:
                    self._try(lab, cases, options)
            finally:
                lab.stop()

    def _tell_served(self, lab: Lab, path: Path, count: int) -> None:
        self.stdout.write(
            f"{count} cases on port {lab.port} of {', '.join(lab.allowed_networks)}\n"
            f"root hints     {lab.root_hints}\n"
            f"trust anchors  {lab.anchors}\n"
            f"cases          {path}\n"
            "Interrupt to end."
        )
        self.stdout.flush()

    def _try(
        self, lab: Lab, cases: tuple[KitCase, ...], options: dict[str, Any]
    ) -> None:
        wanted = self.stderr.isatty() and not options["json"]
        with _progress(len(cases), wanted=wanted) as step:
            results = list(_stepped(_results(lab, cases, options["adapter"]), step))
        results.sort(key=lambda result: cases.index(result[0]))
        failed = [case for case, seen in results if case.faults(seen)]
        if options["json"]:
            for case, seen in results:
                self.stdout.write(json.dumps(_as_json(case, seen)))
        else:
            self._tell_score(results)
        if failed:
            sys.exit(1)

    def _tell_score(self, results: list[Result]) -> None:
        console = Console(file=self.stdout)  # type: ignore[arg-type]  # writes text
        table = Table(title="Conformance", title_justify="left")
        for heading in ("path", "expected", "cases", "passed"):
            table.add_column(heading, justify="left" if heading == "path" else "right")
        for path, outcome, of_kind in _kinds(results):
            passed = sum(not case.faults(seen) for case, seen in of_kind)
            table.add_row(path, outcome, str(len(of_kind)), str(passed))
        console.print(table)
        for case, seen in results:
            for fault in case.faults(seen):
                console.print(f"{case.id}: {fault}", markup=False, highlight=False)
                console.print(f"  {case.situation.reference}", style="dim")
        passed = sum(not case.faults(seen) for case, seen in results)
        console.print(f"{passed} of {len(results)} cases passed", highlight=False)


def _results(
    lab: Lab, cases: tuple[KitCase, ...], adapter: str | None
) -> Iterator[Result]:
    if adapter is not None:
        cases = tuple(case for case in cases if "site" not in case.needs)
        yield from adapters.answers(shlex.split(adapter), lab, cases)
        return
    for case, verdict in conformance.verdicts(lab, cases):
        yield case, conformance.seen(verdict)


def _stepped(results: Iterable[Result], step: Any) -> Iterator[Result]:  # noqa: ANN401
    for result in results:
        step()
        yield result


def _kinds(results: list[Result]) -> Iterator[tuple[str, str, list[Result]]]:
    kinds = [(c.situation.path, c.situation.outcome) for c, _ in results]
    for path, outcome in sorted(set(kinds)):
        pairs = zip(kinds, results, strict=True)
        yield path, outcome, [one for kind, one in pairs if kind == (path, outcome)]


def _as_json(case: KitCase, seen: Seen) -> dict[str, Any]:
    faults = case.faults(seen)
    return {
        "id": case.id,
        "passed": not faults,
        "faults": list(faults),
        "expected": {"answer": case.answer, "ds": list(case.ds)},
        "seen": {
            "answer": seen.answer,
            "ds": list(seen.ds),
            "outcome": seen.outcome,
            "path": seen.path,
            "codes": sorted(seen.codes),
        },
        "reference": case.situation.reference,
    }


def _chosen(only: Iterable[str]) -> dict[str, Situation]:
    every = catalogue()
    if unknown := [identifier for identifier in only if identifier not in every]:
        raise CommandError(f"no such case: {', '.join(unknown)}", returncode=USAGE)
    return {i: s for i, s in every.items() if i in set(only)} if only else every


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _clock(fixed: datetime | None) -> Any:  # noqa: ANN401 - a function without arguments
    return clock.now if fixed is None else lambda: fixed


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="conformance-") as made:
        yield Path(made)


@contextmanager
def _progress(total: int, *, wanted: bool) -> Iterator[Any]:
    """Show a bar on a terminal's standard error."""
    if not wanted:
        yield lambda: None
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("judging", total=total)
        yield lambda: progress.advance(task)
