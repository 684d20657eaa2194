"""Whole scans with evidence, beside a stub resolver asking the same questions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from . import laboratory
from .installation import ZONE, Database, Installation, databases, manage
from .measuring import ROOT, Row, timed
from .report import Report, Target

CORE = 0
RUNS = 5
COUNT = 1_000
SAMPLE = 5
"""The stub resolver asks what every fifth child was asked about."""
MIX = 5
"""Per cent of candidates in the realistic mix."""
BOUND = "CPU of the evaluation in Python: reading, walking, encoding, rows"


def scan(folder: Path) -> Report:
    """Scan 1,000 candidates on one core, and ask the same one after another."""
    with laboratory.running(COUNT, folder / "lab") as manifest:
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
            stub = Row("stub resolver, one by one", COUNT // SAMPLE, "children")
            for _ in range(RUNS):
                for database, row in zip(found, rows, strict=True):
                    _run(installation, database, row)
                stub.samples.append(timed(_stub(asked, manifest["port"]), {}, CORE))
    count = len(asked.read_text().splitlines())
    where = "the laboratory is Python, in one process on the other core"
    notes = [
        f"{count} questions about {COUNT // SAMPLE} children to the stub; {where}",
        "the stub validates, compares and keeps nothing",
    ]
    last = rows[-1]
    targets = [
        Target("all valid, evidence kept", last.rate, 600, 1300, "d/s", bound=BOUND),
        Target("memory of a worker", last.memory, 160, 110, "MiB", at_most=True),
    ]
    return Report("scan", [*rows, stub], targets, notes, against=stub)


def mix(folder: Path) -> Report:
    """Scan what is due where 5 % are candidates, as a worker does."""
    with laboratory.running(COUNT, folder / "lab", good=MIX) as manifest:
        installation = Installation(manifest)
        with databases(folder) as found:
            rows = [Row(f"scan --due, {db.name}", COUNT, "children") for db in found]
            for database in found:
                installation.prepare(database, "mix")
            for _ in range(RUNS):
                for database, row in zip(found, rows, strict=True):
                    _run(installation, database, row, "mix", "--due")
    rate = rows[-1].rate
    targets = [Target("5 % mix", rate, 4000, 10_000, "d/s", bound=BOUND)]
    return Report("mix", rows, targets)


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


def _stub(asked: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "benchmarks.stub", str(asked), str(port)]
