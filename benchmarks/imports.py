"""Imports of a whole parent zone: the first, and the same again a day later."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from . import scans
from .installation import Database, databases, manage
from .measuring import ROOT, Row, timed
from .report import Report, Target

DELEGATIONS = int(os.environ.get("BENCH_DELEGATIONS", "1000000"))
ORIGIN = "huge.test"
OPERATORS = 5_000
"""Nameserver sets that the delegations are spread over."""
NEWS = 1_000
"""Every so many delegations have moved when the zone is imported again."""
FLOORS = {"SQLite": (180.0, 60.0), "PostgreSQL": (90.0, 30.0)}
"""Seconds for a million: floor and goal."""


def imports(folder: Path) -> Report:
    """Import a zone file into an empty database, then its next edition."""
    first, second = folder / "first.zone", folder / "second.zone"
    _write(first)
    _write(second, moved=NEWS)
    rows: list[Row] = []
    targets: list[Target] = []
    with databases(folder) as found:
        for database in found:
            new = Row(f"first import, {database.name}", DELEGATIONS, "delegations")
            again = Row(f"the next day's, {database.name}", DELEGATIONS, "delegations")
            _prepare(database)
            for _ in range(scans.RUNS):
                environment = _environment(database.fresh("huge"))
                for path, row in ((first, new), (second, again)):
                    command = manage("import_delegations", ORIGIN, "--file", str(path))
                    row.samples.append(timed(command, environment, scans.CORE))
            rows += [new, again]
            floor, goal = (limit * DELEGATIONS / 1e6 for limit in FLOORS[database.name])
            what = f"first import, {database.name}"
            targets.append(Target(what, new.wall, floor, goal, "s", at_most=True))
    told = f"{DELEGATIONS} delegations; in the next edition 1 in {NEWS} has moved"
    return Report("imports", rows, targets, [told])


def _write(path: Path, moved: int = 0) -> None:
    """Write a zone file; with `moved`, every so many delegations are elsewhere."""
    with path.open("w") as output:
        output.write(f"$ORIGIN {ORIGIN}.\n$TTL 3600\n")
        output.write("@ SOA ns1.huge.test. hostmaster 1 3600 900 604800 300\n")
        output.write("@ NS ns1.registry.example.\n")
        for number in range(DELEGATIONS):
            home = number % OPERATORS
            if moved and not number % moved:
                home += 1
            output.write(
                f"d{number:08} NS ns1.op{home}.example.\n"
                f"d{number:08} NS ns2.op{home}.example.\n"
            )


def _environment(url: str) -> dict[str, str]:
    return {"DATABASE_URL": url, "SECRET_KEY": "benchmark " * 6, "PORTAL_DEMO": "1"}


def _prepare(database: Database) -> None:
    environment = _environment(database.fresh("nothing"))
    for command in (
        manage("migrate", "--verbosity", "0"),
        manage("zone", "add", ORIGIN, "--primary", "127.0.0.1"),
    ):
        subprocess.run(
            list(map(str, command)),
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            check=True,
        )
    database.keep("huge")
