"""What the audit log costs: an event more in an approval, sealing, verifying, proving.

Processor time stands beside the clock: what the clock says is mostly the disk, which
every commit and every file of the log waits for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from .installation import Database, databases, manage
from .measuring import ROOT, Row, Sample
from .report import Report, Target

RUNS = int(os.environ.get("BENCH_RUNS", "5"))
APPROVALS = int(os.environ.get("BENCH_APPROVALS", "400"))
EVENTS = int(os.environ.get("BENCH_EVENTS", "1000000"))
SEALED = int(os.environ.get("BENCH_SEALED", "50000"))
LEAVES = 10_000_000
PROOFS = 1_000
WRITERS = {"SQLite": 1, "PostgreSQL": 4}
COST = {"SQLite": 10.0, "PostgreSQL": 25.0}
"""Per cent of an approval's throughput that its event may cost (issue of the ledger)."""
BOUND = {
    "SQLite": "pages more to write before each commit's sync, and six statements",
    "PostgreSQL": "five round trips more, and the writes of its triggers",
}
"""What limits it where the processor does not."""
SETTINGS = {
    "SECRET_KEY": "benchmark " * 6,
    "PORTAL_DEMO": "1",
    "DJANGO_SETTINGS_MODULE": "portal.settings",
}


def ledger(folder: Path) -> Report:
    """Measure all of it."""
    with databases(folder) as found:
        approvals = [row for db in found for row in _approvals(db)]
        sealing = _sealing(folder, found[0])
        log = [_verified(folder, found[0]), _by_a_stranger(folder), _proofs(folder)]
    targets = [
        *_costs(approvals),
        Target(
            "sealing, on one core", sealing.units / sealing.cpu, 20_000, 50_000, "/s"
        ),
        *(
            Target(
                f"a million events: {row.name}",
                row.wall / row.units * 1e6,
                120,
                60,
                "s",
                at_most=True,
            )
            for row in log[:2]
        ),
        Target(
            "inclusion proof of 10 million",
            log[2].wall / PROOFS * 1e3,
            10,
            3,
            "ms",
            at_most=True,
        ),
    ]
    notes = [
        (
            "approvals by the real service, each of another child; without its event the"
            " service does all but append to the trail"
        ),
        (
            f"the tree of {LEAVES:,} leaves is made of equal hashes; every proof reads its"
            " tiles anew"
        ),
    ]
    return Report("ledger", [*approvals, sealing, *log], targets, notes)


def _costs(rows: list[Row]) -> Iterable[Target]:
    for with_, without in zip(rows[::2], rows[1::2], strict=True):
        name = with_.name.split(",")[0]
        most = COST[name]
        for what, cost in (
            ("of throughput", 1 - with_.rate / without.rate),
            ("of processor time", 1 - without.cpu / with_.cpu),
        ):
            figure = f"an event costs an approval, {name}, {what}"
            yield Target(
                figure, cost * 100, most, most / 2, "%", at_most=True, bound=BOUND[name]
            )


def _approvals(database: Database) -> list[Row]:
    """Approve with and without the event, in turn, each on a fresh copy."""
    writers = WRITERS[database.name]
    rows = [
        Row(
            f"{database.name}, {writers} at once, {how} the event",
            APPROVALS,
            "approvals",
        )
        for how in ("with", "without")
    ]
    url = database.fresh("approvals-none")
    _run(url, *manage("migrate", "--verbosity", "0"))
    _run(url, *_module("approvals", "prepare", APPROVALS))
    database.keep("approvals")
    for _ in range(RUNS):
        for row, how in zip(rows, ("with", "without"), strict=True):
            row.samples.append(_approved(database, writers, how))
    return rows


def _approved(database: Database, writers: int, how: str) -> Sample:
    url = database.fresh("approvals")
    if how == "without":
        _run(url, *_module("approvals", "untie"))
    each, start = APPROVALS // writers, time.time() + 4.0
    running = [
        subprocess.Popen(
            _module("approvals", "approve", n * each, each, how, start),
            cwd=ROOT,
            env=_environment(url),
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(writers)
    ]
    samples = [_sample(process.communicate()[0]) for process in running]
    if any(process.returncode for process in running):
        sys.exit("an approval failed")
    return Sample(
        max(s.wall for s in samples),
        sum(s.cpu for s in samples),
        max(s.memory for s in samples),
    )


def _sealing(folder: Path, database: Database) -> Row:
    row = Row(f"sealing, {database.name}", SEALED, "events")
    url = database.fresh("trail-none")
    _run(url, *manage("migrate", "--verbosity", "0"))
    _run(url, *_module("trail", "fill", folder, SEALED))
    database.keep("trail")
    for _ in range(RUNS):
        url = database.fresh("trail")
        shutil.rmtree(folder / "log", ignore_errors=True)
        (folder / "state").unlink(missing_ok=True)
        row.samples.append(_timed(url, "seal", folder, SEALED))
    return row


def _verified(folder: Path, database: Database) -> Row:
    """Verify a large log; one run, since making it takes longer than that."""
    row = Row(f"manage.py audit verify, {database.name}", EVENTS, "events")
    url = database.fresh("trail-none")
    shutil.rmtree(folder / "log", ignore_errors=True)
    (folder / "state").unlink(missing_ok=True)
    _run(url, *manage("migrate", "--verbosity", "0"))
    for verb in ("fill", "seal"):
        _run(url, *_module("trail", verb, folder, EVENTS))
    row.samples.append(_timed(url, "verify", folder, EVENTS))
    return row


def _by_a_stranger(folder: Path) -> Row:
    row = Row("tools/audit_verify.py", EVENTS, "events")
    log = folder / "log"
    for _ in range(RUNS):
        began, before = time.perf_counter(), os.times()
        words = ("tools/audit_verify.py", str(log), "--key", str(log / "key"))
        _run("", sys.executable, *words)
        wall, after = time.perf_counter() - began, os.times()
        cpu = after.children_user - before.children_user
        cpu += after.children_system - before.children_system
        row.samples.append(Sample(wall, cpu, 0))
    return row


def _proofs(folder: Path) -> Row:
    row = Row("inclusion proofs of 10 million leaves", PROOFS, "proofs")
    url = f"sqlite:///{folder}/unused.sqlite3"
    _run(url, *_module("trail", "plant", folder, LEAVES))
    for _ in range(RUNS):
        row.samples.append(_timed(url, "prove", folder, LEAVES))
    return row


def _timed(url: str, verb: str, folder: Path, count: int) -> Sample:
    return _sample(_run(url, *_module("trail", verb, folder, count)))


def _sample(printed: str) -> Sample:
    wall, cpu, memory = map(float, printed.split()[-3:])
    return Sample(wall, cpu, memory)


def _module(name: str, *words: object) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{name}", *map(str, words)]


def _environment(url: str) -> dict[str, str]:
    return {**os.environ, **SETTINGS, "DATABASE_URL": url}


def _run(url: str, *command: str) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=_environment(url),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout
