"""Routine scans of children that announce nothing: what stage one costs.

All delegations but the share of candidates of the mix are of this kind, so this is
what a daily scan of a zone costs.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from tests.support.daemons import program

from . import scans
from .installation import Database, Installation, databases, manage
from .measuring import ROOT, Row, timed
from .report import Report, Target

TYPES = ("CDS", "CDNSKEY")
BOUND = "rows and objects of Django: half of the time of a child"


def silent(folder: Path) -> Report:
    """Scan what is due where nobody announces anything, twice; beside dnsperf."""
    with scans.world(folder, good=0) as manifest:
        installation = Installation(manifest)
        with databases(folder) as found:
            first = [_row(f"first look, {db.name}") for db in found]
            again = [_row(f"the next day's, {db.name}") for db in found]
            for database in found:
                installation.prepare(database, "silent")
            limit = _limit(folder, manifest)
            for _ in range(scans.RUNS):
                for database, one, other in zip(found, first, again, strict=True):
                    twice(installation, database, "silent", one, other)
                for command, row in limit:
                    row.samples.append(timed(command, {}, scans.CORE))
    questions = len(manifest["children"][0]["nameservers"]) * len(TYPES)
    notes = [f"{questions} questions a child; {scans.where()}"]
    targets = []
    for _command, row in limit:
        share = 100 * again[0].rate * questions / row.rate
        what = "stage one of dnsperf's rate over TCP"
        targets.append(Target(what, share, 35, 70, "%", bound=BOUND))
    rows = [*first, *again, *(row for _command, row in limit)]
    return Report("silent", rows, targets, notes, against=first[0])


def twice(
    installation: Installation, database: Database, key: str, first: Row, again: Row
) -> None:
    """Scan what is due, then all of it once more as on the next day."""
    environment = installation.environment(database.fresh(key))
    command = manage("scan", "--due")
    first.samples.append(timed(command, environment, scans.CORE))
    _let_all_be_due(environment)
    again.samples.append(timed(command, environment, scans.CORE))


def _row(name: str) -> Row:
    return Row(name, scans.COUNT, "children")


def _let_all_be_due(environment: dict[str, str]) -> None:
    script = (
        "from bootstrap import clock; from bootstrap.models import WorkItem;"
        " WorkItem.objects.update(due_at=clock.now())"
    )
    subprocess.run(
        manage("shell", "-c", script),
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _limit(folder: Path, manifest: dict[str, Any]) -> list[tuple[list[str], Row]]:
    """Return dnsperf with the same questions to one server, where it is installed."""
    dnsperf = program("dnsperf")
    if dnsperf is None or "serving" not in manifest:
        return []
    path = folder / "silent.dnsperf"
    names = [child["name"] for child in manifest["children"]]
    path.write_text("".join(f"{name} {kind}\n" for name in names for kind in TYPES))
    port, server = str(manifest["port"]), manifest["serving"][0]
    command = [dnsperf, "-d", str(path), "-s", server, "-p", port, "-m", "tcp"]
    command += ["-D", "-c", "1", "-n", str(scans.DNSPERF_TIMES)]
    asked = len(names) * len(TYPES) * scans.DNSPERF_TIMES
    return [(command, Row("dnsperf, tcp, one server", asked, "questions"))]
