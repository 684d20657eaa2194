"""One thing changed at a time: evidence kept or not, again, two workers, more children.

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

from . import knots, scans
from .installation import ZONE, Database, Installation, databases, manage
from .measuring import ROOT, Row, Sample, timed
from .report import Report, Target

GROWTH: Final = tuple(
    int(part) for part in os.environ.get("BENCH_GROWTH", "1000,10000").split(",")
)
"""Sizes of the registry, smallest first; 100,000 needs minutes to be made, once a day."""
SLICES: Final = {"SCAN_BATCH": str(min(500, max(10, scans.COUNT // 10)))}
"""A worker that takes everything at once leaves nothing to the other."""
SERVERS: Final = ("knotd", "postgres")


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
    with (
        scans.world(folder, good=scans.MIX) as manifest,
        databases(folder) as found,
    ):
        database, installation = found[-1], Installation(manifest)
        installation.prepare(database, "mix")
        one, two = (
            Row(f"{many}, {database.name}", scans.COUNT, "children")
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
        f"the servers' {others:.1f} s of CPU on the same processors are subtracted",
        scans.where(),
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
    """Return the seconds of CPU that servers below this process have used so far."""
    used = 0.0
    for process in psutil.Process().children(recursive=True):
        if process.name() in SERVERS:
            times = process.cpu_times()
            used += times.user + times.system + times.children_user
            used += times.children_system
    return used


def growth(folder: Path) -> Report:
    """Scan registries of growing size; time and memory for each delegation."""
    rows: list[Row] = []
    starts: list[Row] = []
    if not knots.is_installed():
        return Report("growth", [], notes=["left out: Knot is not installed"])
    with databases(folder) as found:
        database = found[-1]
        for size in GROWTH:
            row = Row(f"{size} delegations, {database.name}", size, "children")
            start = Row(f"nothing to do among {size}", 1, "starts")
            _grow(database, size, row, start)
            rows.append(row)
            starts.append(start)
    each = [
        (row.wall - start.wall) / row.units
        for row, start in zip(rows, starts, strict=True)
    ]
    what = f"time for each, {GROWTH[-1]} for {GROWTH[0]}"
    bound = "see the profile of the larger run"
    targets = [
        Target(what, each[-1] / each[0], 1.15, 1.05, "x", at_most=True, bound=bound),
        Target("memory of a worker", rows[-1].memory, 160, 110, "MiB", at_most=True),
    ]
    notes = [f"{scans.MIX} % are candidates; {scans.where()}"]
    return Report("growth", [*rows, *starts], targets, notes)


def _grow(database: Database, size: int, row: Row, start: Row) -> None:
    with knots.running(size, good=scans.MIX) as manifest:
        installation = Installation(manifest)
        installation.prepare(database, "grown")
        for _ in range(scans.RUNS):
            environment = installation.environment(database.fresh("grown"))
            command = manage("scan", "--due")
            _until_done(command, environment, row)
            start.samples.append(timed(command, environment, scans.CORE))


def _until_done(command: list[str], environment: dict[str, str], row: Row) -> None:
    """Run drains, one after another, until nothing is due: each ends with its burst."""
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
    told = subprocess.run(
        manage("shell", "-v", "0", "-c", script),
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(told.stdout.split()[-1])
