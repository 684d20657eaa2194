"""Discovery against a full scan of the same delegations, of which few have signals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from . import scans
from .installation import ZONE, Installation, Sqlite, manage
from .measuring import ROOT, Row, Sample, timed
from .report import Report, Target

SIGNALS = 1
"""Per cent of the delegations."""
FINDING = 20
"""Questions, at most, to find who serves a nameserver's signals."""


def discovery(folder: Path) -> Report:
    """List signals and evaluate what is new; then scan everything, for comparison."""
    with scans.world(folder, good=SIGNALS) as manifest:
        installation, database = Installation(manifest), Sqlite(folder)
        installation.prepare(database, "few")
        rows = [
            Row(name, scans.COUNT, "children")
            for name in ("full scan", "discovery, and a scan of what is new")
        ]
        full = listed = hosts = evaluated = 0
        for _ in range(scans.RUNS):
            full = _scan(installation, database, rows[0])
            listed, hosts = _discover(installation, database, rows[1])
            evaluated = _asked(installation, database)
    spent = listed + evaluated + FINDING * hosts
    targets = [Target("queries of a full scan, for one", full / spent, 10, 40, "x")]
    told = f"{full} questions by the full scan; {listed} to list {hosts} nameservers"
    notes = [
        f"{told} once they were found, {evaluated} to evaluate what was new",
        f"{SIGNALS} % of {scans.COUNT} delegations have signals; {scans.where()}",
    ]
    return Report("discovery", rows, targets, notes, against=rows[0])


def _scan(installation: Installation, database: Sqlite, row: Row) -> int:
    """Scan the zone; return how many questions that took."""
    environment = installation.environment(database.fresh("few"))
    command = manage("scan", "--zone", ZONE)
    row.samples.append(timed(command, environment, scans.CORE))
    return _asked(installation, database)


def _discover(
    installation: Installation, database: Sqlite, row: Row
) -> tuple[int, int]:
    """List and evaluate; return questions and nameservers of the lists."""
    environment = installation.environment(database.fresh("few"))
    _rest(environment)
    path = database.folder / "listed"
    with path.open("w") as output:
        first = timed(manage("discover", "--json"), environment, scans.CORE, output)
    second = timed(manage("scan", "--due"), environment, scans.CORE)
    memory = max(first.memory, second.memory)
    row.samples.append(Sample(first.wall + second.wall, first.cpu + second.cpu, memory))
    lists = [json.loads(line) for line in path.read_text().splitlines()]
    return sum(one["queries"] for one in lists), len(lists)


def _rest(environment: dict[str, str]) -> None:
    """Let nothing be due by the schedule: only what is discovered is evaluated."""
    script = (
        "from datetime import timedelta; from bootstrap import clock;"
        " from bootstrap.models import WorkItem;"
        " WorkItem.objects.update(due_at=clock.now() + timedelta(days=1))"
    )
    subprocess.run(
        [*map(str, manage("shell", "-c", script))],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _asked(installation: Installation, database: Sqlite) -> int:
    """Count what the evaluations in the database have asked."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.questions", "1"],
        cwd=ROOT,
        env={**os.environ, **installation.environment(f"sqlite:///{database.file}")},
        capture_output=True,
        text=True,
        check=True,
    )
    return len(done.stdout.splitlines())
