"""What a scan leaves behind in PostgreSQL, table by table, indexes included.

Tables are rewritten before each measurement (VACUUM FULL), so that what is counted
is what stays, and not space that the next rows will take.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psycopg
from rich.table import Table

from .installation import Installation, PostgreSQL, databases, manage
from .measuring import timed
from .report import Report, Target
from .scans import CORE, COUNT, where, world

SHARED: Final = frozenset({"bootstrap_evidencepiece"})
"""What bundles share: not counted to any one of them, but to a day."""
WHOLE: Final = SHARED | {
    "bootstrap_evidence",
    "bootstrap_evidencebody",
    "bootstrap_scanattempt",
    "bootstrap_scanfinding",
}
"""Where the few leave their rows that are looked at as a whole (SCAN_FULL_DAYS)."""
SILENT: Final = 5 * COUNT
"""One in SCAN_FULL_DAYS is looked at as a whole: of few, that would be none or many."""
DAY: Final = 1_000_000
CANDIDATES: Final = 0.02
MEGA: Final = 1_000_000
SIZES: Final = """
SELECT coalesce(parent.relname, leaf.relname), sum(pg_total_relation_size(leaf.oid))
FROM pg_class leaf JOIN pg_namespace n ON n.oid = leaf.relnamespace
LEFT JOIN pg_inherits i ON i.inhrelid = leaf.oid
LEFT JOIN pg_class parent ON parent.oid = i.inhparent
WHERE n.nspname = 'public' AND leaf.relkind = 'r' GROUP BY 1
"""
EVALUATIONS: Final = """
SELECT (SELECT count(*) FROM bootstrap_scanattempt)
    + (SELECT coalesce(sum(count), 0) FROM bootstrap_scanbatch)
"""
AGAIN: Final = "UPDATE bootstrap_workitem SET due_at = now() - interval '1 second'"


def storage(folder: Path) -> Report:
    """Scan candidates once, and children without signals a second time."""
    with databases(folder) as found:
        cluster = next((db for db in found if isinstance(db, PostgreSQL)), None)
        if cluster is None:
            return Report("storage", [], notes=["needs PostgreSQL: not measured"])
        with world(folder, good=100) as manifest:
            accepted = _grown(Installation(manifest), cluster, "all")
        with world(folder, good=0, count=SILENT) as manifest:
            uneventful = _grown(Installation(manifest), cluster, "none")
    each = sum(size for name, size in accepted.items() if name not in SHARED)
    shared = sum(size for name, size in accepted.items() if name in SHARED)
    scan = sum(size for name, size in uneventful.items() if name not in WHOLE)
    others = sum(uneventful.values())
    day = DAY * (CANDIDATES * (each + shared) + (1 - CANDIDATES) * others) / MEGA
    targets = [
        Target("uneventful scan", scan, 200, 60, "B", at_most=True),
        Target("accepted bootstrap", each / 1000, 12, 6, "KB", at_most=True),
        Target("a day of 1 million, 2 %", day, 450, 180, "MB", at_most=True),
    ]
    notes = [
        f"{COUNT} candidates, {SILENT} silent children; {shared:,.0f} B a candidate of what bundles share",
        f"{others - scan:,.0f} B a child of whole evaluations, one in SCAN_FULL_DAYS",
        "a day: all tables, indexes, what bundles share, and whole evaluations",
        where(),
    ]
    figures = [{"accepted": accepted, "uneventful": uneventful}]
    table = _shown(accepted, uneventful)
    return Report("storage", [], targets, notes, table=table, figures=figures)


def _grown(
    installation: Installation, database: PostgreSQL, key: str
) -> dict[str, float]:
    """Return octets an evaluation, by table, that one scan adds.

    Silent ones were looked at before: nothing is news. A scan ends when its time is
    over, so that those are counted which it reached.
    """
    installation.prepare(database, f"stored_{key}")
    url = database.fresh(f"stored_{key}")
    command = manage("scan", "--due")
    environment = installation.environment(url)
    if key == "none":
        timed(command, environment, CORE)
        _run(url, AGAIN)
    before, begun = _sizes(url), _evaluations(url)
    timed(command, environment, CORE)
    after, count = _sizes(url), _evaluations(url) - begun
    grown = {name: (after[name] - before.get(name, 0)) / count for name in after}
    return {name: size for name, size in sorted(grown.items()) if size >= 1}


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def _evaluations(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute(EVALUATIONS.encode()).fetchone()
    return int(found[0]) if found else 0


def _sizes(url: str) -> dict[str, int]:
    _run(url, "VACUUM FULL ANALYZE")
    with psycopg.connect(url) as connection:
        return {name: int(size) for name, size in connection.execute(SIZES.encode())}


def _shown(accepted: Mapping[str, float], uneventful: Mapping[str, float]) -> Table:
    table = Table(title="storage: octets a child, indexes included")
    for head in ("table", "accepted bootstrap", "uneventful scan"):
        table.add_column(head, justify="left" if head == "table" else "right")
    names = sorted(
        accepted.keys() | uneventful.keys(), key=lambda n: -accepted.get(n, 0)
    )
    for name in names:
        row = (f"{found.get(name, 0):,.0f}" for found in (accepted, uneventful))
        table.add_row(name.removeprefix("bootstrap_"), *row)
    return table
