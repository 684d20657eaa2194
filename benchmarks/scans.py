"""Whole scans with evidence, beside a stub resolver asking the same questions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.daemons import program

from . import knots, laboratory
from .installation import ZONE, Database, Installation, databases, manage
from .measuring import ROOT, Row, timed
from .report import Report, Target

CORE = 0
RUNS = int(os.environ.get("BENCH_RUNS", "5"))
COUNT = int(os.environ.get("BENCH_CHILDREN", "2000"))
SAMPLE = 10
"""The stub resolver asks what every tenth child was asked about."""
MIX = 5
"""Per cent of candidates in the realistic mix."""
DNSPERF_TIMES = 20
"""How often dnsperf asks its questions, so that its start does not count."""
BOUND_OF_MIX = "the candidates among them: see group scan"
BOUND = "CPU of the evaluation in Python: see docs/performance.md"


def scan(folder: Path) -> Report:
    """Scan candidates on one core, and ask the same one after another."""
    with world(folder) as manifest:
        installation = Installation(manifest)
        with databases(folder) as found:
            rows = [
                Row(f"manage.py scan, {db.name}", COUNT, "children") for db in found
            ]
            for database in found:
                installation.prepare(database, "all")
            _run(installation, found[0], rows[0])
            asked = _questions(installation, folder)
            rows[0].samples.clear()  # it warmed the laboratory
            count = len(asked.read_text().splitlines())
            others = _others(asked, manifest)
            for _ in range(RUNS):
                for database, row in zip(found, rows, strict=True):
                    _run(installation, database, row)
                for command, row in others:
                    row.samples.append(timed(command, {}, CORE))
    notes = [
        f"{count} questions about {COUNT // SAMPLE} children to the stub; {where()}",
        "the stub validates, compares and keeps nothing; neither does dnsperf",
    ]
    last = rows[-1]
    targets = [
        Target("all valid, evidence kept", last.rate, 600, 1300, "d/s", bound=BOUND),
        Target("memory of a worker", last.memory, 160, 110, "MiB", at_most=True),
    ]
    stub = others[0][1]
    compared = [row for _command, row in others]
    return Report("scan", [*rows, *compared], targets, notes, against=stub)


def mix(folder: Path) -> Report:
    """Scan what is due where 5 % are candidates, as a worker does."""
    with world(folder, good=MIX) as manifest:
        installation = Installation(manifest)
        with databases(folder) as found:
            rows = [Row(f"scan --due, {db.name}", COUNT, "children") for db in found]
            for database in found:
                installation.prepare(database, "mix")
            for _ in range(RUNS):
                for database, row in zip(found, rows, strict=True):
                    _run(installation, database, row, "mix", "--due")
    rate = rows[-1].rate
    targets = [Target("5 % mix", rate, 4000, 10_000, "d/s", bound=BOUND_OF_MIX)]
    return Report("mix", rows, targets, [where()])


@contextmanager
def world(
    folder: Path, *, good: int = 100, count: int = COUNT
) -> Iterator[dict[str, Any]]:
    """Serve the delegations by Knot where it is installed, else from Python."""
    if knots.is_installed():
        with knots.running(count, good=good) as manifest:
            yield manifest
    else:
        with laboratory.running(count, folder / "lab", good=good) as manifest:
            yield manifest


def where() -> str:
    """Return what the laboratory is, for the notes below a table."""
    servers = "Knot" if knots.is_installed() else "Python, in one process"
    return f"the laboratory is {servers}, on the other core"


def _run(
    installation: Installation,
    database: Database,
    row: Row,
    key: str = "all",
    *what: str,
) -> None:
    environment = installation.environment(database.fresh(key))
    command = manage("scan", *(what or ("--zone", ZONE)))
    row.samples.append(timed(command, environment, CORE))


def _questions(installation: Installation, folder: Path) -> Path:
    """Write down what the last run on SQLite asked."""
    path = folder / "questions"
    url = f"sqlite:///{folder / 'run.sqlite3'}"
    with path.open("w") as output:
        subprocess.run(
            [sys.executable, "-m", "benchmarks.questions", str(SAMPLE)],
            cwd=ROOT,
            env=installation.environment(url),
            stdout=output,
            check=True,
        )
    return path


def _others(asked: Path, manifest: dict[str, Any]) -> list[tuple[list[str], Row]]:
    """Return what else is asked: the stub as a whole, one server by dnsperf."""
    port = str(manifest["port"])
    stub = [sys.executable, "-m", "benchmarks.stub", str(asked), port]
    found = [(stub, Row("stub resolver, one by one", COUNT // SAMPLE, "children"))]
    dnsperf = program("dnsperf")
    if dnsperf is not None:
        server, path, mine = _of_busiest(asked)
        for mode in ("udp", "tcp"):
            command = [dnsperf, "-d", str(path), "-s", server, "-p", port, "-m", mode]
            command += ["-D", "-c", "1", "-n", str(DNSPERF_TIMES)]
            row = Row(f"dnsperf, {mode}, one server", mine * DNSPERF_TIMES, "questions")
            found.append((command, row))
    return found


def _of_busiest(asked: Path) -> tuple[str, Path, int]:
    """Return the server with most questions, and a file of them for dnsperf."""
    lines = [json.loads(line) for line in asked.read_text().splitlines()]
    servers = [server for server, *_ in lines if server]
    busiest = max(sorted(set(servers)), key=servers.count)
    path = asked.with_suffix(".dnsperf")
    mine = [
        f"{name} {rdtype}\n" for server, name, rdtype, _ in lines if server == busiest
    ]
    path.write_text("".join(mine))
    return busiest, path, len(mine)
