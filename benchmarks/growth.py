"""Registries of growing size: import, a whole round of scans, memory, the database.

The servers of all but the candidates synthesise their answers, so that a million
delegations need no million zones.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from rich.table import Table

from . import knots, scans, vast
from .installation import Database, Installation, databases, manage, printed
from .measuring import Row, Sample, timed
from .report import Report, Target

SIZES: Final = tuple(
    int(part) for part in os.environ.get("BENCH_GROWTH", "1000,10000,100000").split(",")
)
"""Delegations of each registry, smallest first; a million is measured when asked for."""
GOOD: Final = int(os.environ.get("BENCH_GROWTH_GOOD", "1"))
"""Per cent of candidates; the others announce nothing."""
HUGE: Final = 100_000
"""Larger registries than this are measured once."""
MILLION: Final = 1_000_000
ONE_ROUND: Final = {"SCAN_LEASE_SECONDS": "86400", "SCAN_BURST_SECONDS": "86000"}
"""One process does the whole round, so that its memory is seen to the end."""
BOUND: Final = "one worker on one core; for two see group workers"


class Size:
    """What is measured of one registry."""

    def __init__(self, count: int, where: str) -> None:
        self.count = count
        self.taken = Row(f"import of {count}, {where}", count, "delegations")
        self.round = Row(f"first round among {count}, {where}", count, "children")
        self.again = Row(f"nothing to do among {count}", 1, "starts")
        self.before = self.after = 0
        """Octets of the database: after the import, and after the round."""

    @property
    def runs(self) -> int:
        """How often it is measured."""
        return scans.RUNS if self.count <= HUGE else 1

    @property
    def each(self) -> float:
        """Seconds of one child, start of the process left out."""
        return (self.round.wall - self.again.wall) / self.count

    def as_json(self) -> dict[str, object]:
        """Return the figures for bench-results.json."""
        return {
            "delegations": self.count,
            "import": round(self.taken.wall, 2),
            "import_mib": round(self.taken.memory, 1),
            "round": round(self.round.wall, 2),
            "rate": round(1 / self.each, 1),
            "worker_mib": round(self.round.memory, 1),
            "idle": round(self.again.wall, 2),
            "octets_imported": self.before,
            "octets_scanned": self.after,
        }


def growth(folder: Path) -> Report:
    """Import and scan registries of growing size; time, memory and room for each."""
    if not knots.is_installed():
        return Report("growth", [], notes=["left out: Knot is not installed"])
    with databases(folder) as found:
        database = found[-1]
        sizes = [Size(count, database.name) for count in SIZES]
        for size in sizes:
            _grow(database, size)
    first, last = sizes[0], sizes[-1]
    steady = next((size for size in sizes if size.count >= 10_000), first)
    what = f"time for each, {last.count} for {steady.count}"
    ratio = last.each / steady.each
    targets = [
        Target(what, ratio, 1.15, 1.05, "x", at_most=True),
        Target("memory of a worker", last.round.memory, 160, 110, "MiB", at_most=True),
    ]
    if last.count >= MILLION:
        minutes = (last.taken.wall + last.round.wall) / 60
        what = "from an empty database to finished"
        targets.append(Target(what, minutes, 6, 2, "min", at_most=True, bound=BOUND))
    notes = [
        f"{GOOD} % are candidates, on Knot; the servers of the others synthesise",
        f"one worker on one core, {scans.where()}, with PostgreSQL",
    ]
    rows = [row for size in sizes for row in (size.taken, size.round, size.again)]
    return Report(
        "growth",
        rows,
        targets,
        notes,
        table=_table(sizes),
        figures=[size.as_json() for size in sizes],
    )


def _grow(database: Database, size: Size) -> None:
    with vast.running(size.count, good=GOOD) as manifest:
        installation = Installation(manifest)
        for _ in range(size.runs):
            sample = installation.prepare(database, "grown", scans.CORE)
            size.taken.samples.append(sample)
            size.before = database.octets()
            environment = installation.environment(database.fresh("grown"))
            command = manage("scan", "--due")
            _until_done(command, environment | ONE_ROUND, size.round)
            size.after = database.octets()
            size.again.samples.append(timed(command, environment, scans.CORE))


def _until_done(command: list[str], environment: dict[str, str], row: Row) -> None:
    """Run drains until every child was looked at: one, unless some are due later."""
    wall = cpu = memory = 0.0
    done = 0
    while done < row.units:
        sample = timed(command, environment, scans.CORE)
        wall, cpu = wall + sample.wall, cpu + sample.cpu
        memory = max(memory, sample.memory)
        done = _done(environment)
    row.samples.append(Sample(wall, cpu, memory))


def _done(environment: dict[str, str]) -> int:
    script = (
        "from bootstrap.models import Domain;"
        " print(Domain.objects.exclude(last_scan_at=None).count())"
    )
    return int(printed(script, environment))


def _table(sizes: list[Size]) -> Table:
    table = Table(title="growth, by size", title_justify="left")
    heads = ("import s", "MiB", "round s", "children/s", "CPU ms each", "worker MiB")
    for head in ("delegations", *heads, "database MB", "grown by, each"):
        table.add_column(head, justify="right")
    for size in sizes:
        table.add_row(
            f"{size.count:,}",
            f"{size.taken.wall:.1f}",
            f"{size.taken.memory:.0f}",
            f"{size.round.wall:.1f}",
            f"{1 / size.each:,.0f}",
            f"{1000 * size.round.cpu / size.count:.3f}",
            f"{size.round.memory:.0f}",
            f"{size.after / 1e6:,.0f}",
            f"{(size.after - size.before) / size.count:.0f} octets",
        )
    return table
