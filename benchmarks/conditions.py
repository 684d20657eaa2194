"""One thing changed at a time: evidence kept or not, again, two workers.

Each group measures its variants in turn in one run, so that what the machine does
beside it hits all of them.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Final

import psutil

from . import knots, scans, vast
from .installation import ZONE, Installation, databases, manage
from .measuring import ROOT, Row, Sample, timed
from .report import Report, Target

COUNT: Final = int(os.environ.get("BENCH_WORKED", "10000"))
"""Children that one worker evaluates, and then two side by side."""
SLICES: Final = {"SCAN_BATCH": str(min(500, max(10, COUNT // 200)))}
"""A worker that takes all candidates at once leaves no half of the work to the other."""


def evidence(folder: Path) -> Report:
    """Scan candidates and keep all, scan them and keep nothing, then scan them again."""
    with scans.world(folder) as manifest, databases(folder) as found:
        database, installation = found[-1], Installation(manifest)
        installation.prepare(database, "all")
        rows = [
            Row(f"{what}, {database.name}", scans.COUNT, "children")
            for what in ("all kept", "nothing kept", "scanned again")
        ]
        start = Row("nothing to do", 1, "starts")
        judged = Row("evidence judged again", scans.COUNT, "bundles")
        scan = ("scan", "--zone", ZONE)
        for _ in range(scans.RUNS):
            environment = installation.environment(database.fresh("all"))
            for row, command in (
                (rows[1], (*scan, "--no-save")),
                (rows[0], scan),
                (rows[2], scan),
                (judged, ("rejudge", "--all")),
                (start, ("scan", "--due")),
            ):
                row.samples.append(timed(manage(*command), environment, scans.CORE))
    kept, none = (row.wall - start.wall for row in rows[:2])
    spent = (rows[2].cpu - start.cpu) / (rows[0].cpu - start.cpu)
    rate = judged.units / (judged.wall - start.wall)
    targets = [
        Target(
            "evidence kept, for one without",
            none / kept,
            0.8,
            0.95,
            "x",
            bound="rows of attempts, links and trail beside the packets",
        ),
        Target(
            "CPU of the same again, for one of the first",
            spent,
            0.6,
            0.35,
            "x",
            at_most=True,
            bound="it asks and validates everything again; packets alone are known",
        ),
        Target(
            "evidence judged again",
            rate,
            500,
            1500,
            "bundles/s",
            bound="decoding, then all walks and signatures in one process",
        ),
    ]
    notes = [f"the start of the process is left out of ratios; {scans.where()}"]
    return Report("evidence", [*rows, judged, start], targets, notes, against=rows[0])


def workers(folder: Path) -> Report:
    """Work off the same mix with one process, then with two side by side."""
    if not knots.is_installed():
        return Report("workers", [], notes=["left out: Knot is not installed"])
    with vast.running(COUNT, good=scans.MIX) as manifest, databases(folder) as found:
        database, installation = found[-1], Installation(manifest)
        installation.prepare(database, "mix")
        one, two = (
            Row(f"{many}, {database.name}", COUNT, "children")
            for many in ("one worker", "two workers")
        )
        start = Row("nothing to do", 1, "starts")
        served = []
        for _ in range(scans.RUNS):
            environment = installation.environment(database.fresh("mix")) | SLICES
            one.samples.append(timed(manage("scan", "--due"), environment, 0))
            start.samples.append(timed(manage("scan", "--due"), environment, 0))
            environment = installation.environment(database.fresh("mix")) | SLICES
            sample, others = _together(environment)
            two.samples.append(sample)
            served.append(others)
    # two processors have done the servers' work, too
    others = sorted(served)[len(served) // 2]
    ratio = (one.wall - start.wall) / (two.wall - start.wall - others / 2)
    bound = "the servers' turns on the same two processors, and one database"
    targets = [Target("two workers, for one", ratio, 1.6, 1.9, "x", bound=bound)]
    notes = [
        f"{scans.MIX} % are candidates; one worker leaves a processor to the servers",
        f"the target is without the start, and the servers' {others:.1f} s on both",
    ]
    return Report("workers", [one, two, start], targets, notes, against=one)


def _together(environment: dict[str, str]) -> tuple[Sample, float]:
    """Run two workers, each on a processor; return both, and what servers used."""
    before, started = _servers(), time.monotonic()
    running = [
        subprocess.Popen(
            ["taskset", "-c", str(core), *map(str, manage("scan", "--due"))],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
        )
        for core in (0, 1)
    ]
    cpu = memory = 0.0
    for process in running:
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        cpu += used.ru_utime + used.ru_stime
        memory = max(memory, used.ru_maxrss / 1024)
    return Sample(time.monotonic() - started, cpu, memory), _servers() - before


def _servers() -> float:
    """Return the seconds of CPU that servers have used so far.

    Whatever runs below this process while no worker does is one of them.
    """
    used = 0.0
    for process in psutil.Process().children(recursive=True):
        times = process.cpu_times()
        used += times.user + times.system + times.children_user + times.children_system
    return used
