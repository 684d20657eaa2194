"""Children on attack servers beside good ones: what do the good ones lose?

`python -m benchmarks.hostile GOOD BAD FOLDER PREFIX` is a laboratory in a process of
its own: prints its manifest as JSON, and stays until its standard input ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bootstrap import clock
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.recipes import Recipe
from bootstrap.lab.scenes import BOTH, many
from bootstrap.lab.worlds import Child, World

from . import laboratory, scans
from .installation import ZONE, Installation, databases, manage, printed
from .measuring import ROOT, Row, timed
from .report import Report, Target

SHARE: Final = 20
"""Per cent of all children that are on attack servers."""
MANNERS: Final = (
    "silent",
    "slow",
    "dribble",
    "bomb",
    "junk-first",
    "garbage",
    "truncated",
    "mid-message",
    "wrong-id",
    "parking",
)
GOOD_DONE: Final = """
from datetime import timedelta
from bootstrap.models import ScanAttempt
scans = ScanAttempt.objects.filter(domain__name__startswith='d')
ends = [s.started_at + timedelta(milliseconds=s.duration_ms) for s in scans]
print((max(ends) - ScanAttempt.objects.earliest('started_at').started_at).total_seconds())
"""
GOOD: Final = int(os.environ.get("BENCH_HOSTILE", str(min(scans.COUNT, 400))))


def hostile(folder: Path) -> Report:
    """Scan what is due among good children alone, then among the same with bad ones."""
    bad = GOOD * SHARE // (100 - SHARE)
    worlds = ((0, "127.53"), (bad, "127.54"))
    rows = [
        Row("good children alone", GOOD, "good children"),
        Row(f"the same beside {bad} on attack servers", GOOD, "good children"),
    ]
    with databases(folder) as found:
        database = found[-1]
        for _ in range(scans.RUNS):
            for (count, prefix), row in zip(worlds, rows, strict=True):
                place = folder / f"lab-{count}"
                with running(GOOD, count, place, prefix) as manifest:
                    installation = Installation(manifest)
                    installation.prepare(database, f"hostile{count}")
                    environment = installation.environment(
                        database.fresh(f"hostile{count}")
                    )
                    sample = timed(manage("scan", "--due"), environment, scans.CORE)
                    done = _seconds(environment)
                    row.samples.append(replace(sample, wall=done))
    ratio = rows[1].rate / rows[0].rate
    bound = (
        "places in the loop that evaluations of bad children hold until they time out"
    )
    targets = [
        Target("rate that good children keep", ratio, 0.8, 0.95, "x", bound=bound)
    ]
    notes = [
        f"{SHARE} % of all children: {', '.join(MANNERS)}, in turn",
        "until the last good child was evaluated; the laboratory is Python, one core",
    ]
    return Report("hostile share", rows, targets, notes, against=rows[0])


def _seconds(environment: dict[str, str]) -> float:
    """Return how long it took until the last good child was evaluated."""
    return float(printed(GOOD_DONE, environment))


@contextmanager
def running(good: int, bad: int, folder: Path, prefix: str) -> Iterator[dict[str, Any]]:
    """Run such a laboratory on the servers' processor."""
    words = (str(good), str(bad), str(folder), prefix)
    pinned = ["taskset", "-c", str(laboratory.CORE)]
    process = subprocess.Popen(
        [*pinned, sys.executable, "-m", "benchmarks.hostile", *words],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(30)


def world(good: int, bad: int) -> World:
    """Return good children and bad ones, whose servers are theirs alone."""
    base = many(good, parent=ZONE)
    manners = (MANNERS[number % len(MANNERS)] for number in range(bad))
    mean = tuple(
        Child(
            name=f"x{number:06}.{ZONE}",
            operators=BOTH,
            recipe=Recipe(behaviours={"a1": manner, "b1": manner}),
            key_label="shared",
        )
        for number, manner in enumerate(manners)
    )
    # in the order of the registry, bad ones come between good ones
    return replace(base, children=(*mean, *base.children))


def main(good: int, bad: int, folder: Path, prefix: str) -> None:
    """Serve until standard input ends."""
    lab = Lab(
        world(good, bad),
        clock=clock.now,
        folder=folder,
        seed=b"benchmark",
        prefix=prefix,
    )
    lab.warm()
    with lab:
        print(json.dumps(lab.manifest()), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
