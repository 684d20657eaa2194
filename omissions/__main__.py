"""Try all mutants: `python -m omissions`, or `make conformance-mutants`.

Scans the conformance kit once, tries every rule's mutant on what was seen and writes
docs/conformance-mutants.md. Ends with 0 if every mutant is caught or known to change
nothing, with 1 if one survives, or is caught that was said to change nothing.
"""

from __future__ import annotations

import argparse
import os
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path

import django


def main(arguments: Sequence[str] | None = None) -> int:
    """Scan, try, write; return the exit status."""
    from . import table  # noqa: PLC0415 - after Django's setup
    from .kit import record, remembered  # noqa: PLC0415
    from .rules import every  # noqa: PLC0415
    from .trial import attempts  # noqa: PLC0415

    options = _parser().parse_args(arguments)
    wanted = tuple(rule for rule in every() if options.only in rule.id)
    if options.new:
        rows = table.read()
        wanted = tuple(rule for rule in wanted if table.cell(rule.id) not in rows)
    if not wanted:
        table.write(())
        return 0
    if options.recording and options.recording.exists():
        kit = pickle.loads(options.recording.read_bytes())  # noqa: S301 - our own
    else:
        kit = record()
        if options.recording:
            options.recording.write_bytes(pickle.dumps(kit))
    found = []
    with remembered(kit):
        for result in attempts(wanted, kit, jobs=options.jobs):
            found.append(result)
            if not result.caught or options.verbose:
                said = " ".join(result.caught) or "SURVIVES"
                print(f"{result.rule.id}: {said} ({result.tried} cases)", flush=True)
    faults = table.faults(found)
    table.write(found)
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(found)} mutants, {len(faults)} faults")
    return 1 if faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m omissions", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="ids with this text")
    parser.add_argument("--jobs", type=int, default=2, help="processes side by side")
    parser.add_argument("--recording", type=Path, help="keep what was seen, or take it")
    parser.add_argument("--new", action="store_true", help="rules without a row alone")
    parser.add_argument("--verbose", action="store_true", help="tell of all")
    return parser


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    os.environ.setdefault("SECRET_KEY", "for-mutants-only-" + "x" * 50)
    django.setup()
    sys.exit(main())
