"""Measure: `python -m benchmarks [GROUP…]`; all groups when none is named."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from . import (
    against,
    conditions,
    discovery,
    growth,
    hostile,
    imports,
    ledger,
    notified,
    pages,
    report,
    scans,
    silent,
    storage,
)
from .measuring import machine
from .report import Report

GROUPS: dict[str, Callable[[Path], Report]] = {
    "scan": scans.scan,
    "mix": scans.mix,
    "silent": silent.silent,
    "against": against.against,
    "against-mix": against.against_mix,
    "evidence": conditions.evidence,
    "workers": conditions.workers,
    "growth": growth.growth,
    "hostile": hostile.hostile,
    "notified": notified.notified,
    "discovery": discovery.discovery,
    "imports": imports.imports,
    "pages": pages.pages,
    "ledger": ledger.ledger,
    "storage": storage.storage,
}

WIDTH = 120


def main() -> None:
    """Run the groups that were asked for, print tables, write the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    chosen = parser.parse_args().groups or list(GROUPS)
    if unknown := set(chosen) - set(GROUPS):
        parser.error(f"no group is named {min(unknown)}")
    console = Console(width=WIDTH)
    told = ", ".join(f"{name} {value}" for name, value in machine().items())
    console.print(told, highlight=False)
    found: list[Report] = []
    for group in chosen:
        # Not below a private folder: the database server has a user of its own.
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            done = GROUPS[group](Path(folder))
        done.show(console)
        found.append(done)
        report.write(found)


if __name__ == "__main__":
    main()
