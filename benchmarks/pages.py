"""The pages of staff over a large registry: server time, queries, fifty people."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.support.daemons import Postgres

from . import crowd
from .measuring import ROOT
from .report import Report, Target

PORT = 54_340
SIZE = "BENCH_DELEGATIONS"
"""The variable that sets another size than a million delegations."""
DATABASE = "BENCH_DATABASE"
"""The variable that names a database filled already: `benchmarks.registry`."""
P95, GOAL = 150.0, 75.0
CROWD, CROWD_GOAL = 500.0, 250.0


def pages(folder: Path) -> Report:
    """Fill a PostgreSQL, visit every page twenty times, let fifty people browse."""
    if given := os.environ.get(DATABASE):
        return _measured(given, [])
    if Postgres.binaries() is None:
        return Report("pages", [], notes=["PostgreSQL is not installed"])
    with Postgres(folder / "pg", ["127.0.0.1"], port=PORT) as cluster:
        size = os.environ.get(SIZE, "1000000")
        began = time.monotonic()
        _run("benchmarks.registry", size, url=cluster.url)
        filled = f"{size} delegations written in {time.monotonic() - began:.0f} s"
        return _measured(cluster.url, [filled])


def _measured(url: str, notes: list[str]) -> Report:
    told = json.loads(_run("benchmarks.visits", url=url).splitlines()[-1])
    found = told["pages"]
    with crowd.serving(_environment(url)):
        taken = crowd.browse(told["sessions"], told["urls"])
    slowest = max(page["p95"] for page in found)
    over = max(page["queries"] - page["most"] for page in found)
    p95 = taken[int(len(taken) * 0.95)]
    return Report(
        "pages",
        [],
        [
            Target("slowest page, p95", slowest, P95, GOAL, "ms", at_most=True),
            Target(
                "the same, CPU alone",
                max(page["cpu"] for page in found),
                P95,
                GOAL,
                "ms",
                at_most=True,
            ),
            Target("queries above the limit", over, 0, 0, at_most=True),
            Target(
                f"{len(told['sessions'])} people, p95",
                p95,
                CROWD,
                CROWD_GOAL,
                "ms",
                at_most=True,
            ),
        ],
        [*notes, f"{len(taken)} pages opened by people who think for 5 s in between"],
        table=_table(found),
        figures=found,
    )


def _table(found: list[Mapping[str, Any]]) -> Table:
    table = Table(title="pages", title_justify="left")
    for head in ("page", "median ms", "p95 ms", "CPU p95", "queries", "at most"):
        table.add_column(head, justify="left" if head == "page" else "right")
    for page in sorted(found, key=lambda one: -float(one["p95"])):
        times = [f"{page[key]:.1f}" for key in ("median", "p95", "cpu")]
        table.add_row(page["page"], *times, str(page["queries"]), str(page["most"]))
    return table


def _environment(url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "SECRET_KEY": "benchmark " * 6,
        "PORTAL_DEMO": "1",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }


def _run(module: str, *arguments: str, url: str) -> str:
    """Run one of our modules to its end; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **_environment(url)},
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    )
    return done.stdout
