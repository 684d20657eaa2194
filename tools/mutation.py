"""Mutation testing of the validator and of the decision: do tests notice a change?

`python -m tools.mutation run` has mutmut change bootstrap/core/dnssec and
bootstrap/core/evaluation, one small change at a time, and runs the tests of the
same package that reach the changed function. Of all mutants one in so many is
tried (`--one-in`), chosen by the hash of its name, so that two runs try the same.
`python -m tools.mutation report` writes docs/mutation.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MUTANTS = ROOT / "mutants"
STATISTICS = MUTANTS / "mutmut-stats.json"
REASONS = ROOT / "docs" / "mutation-reasons.toml"
REPORT = ROOT / "docs" / "mutation.md"
PACKAGES = ("dnssec", "evaluation")
ENOUGH = 85
"""Percent of the mutants tried that have to be noticed."""
ONE_IN = 24
MOST = 30
"""Tests of one file for one mutant."""
KILLED = {1, 3, 24, 36, 152, -24, 255, -9, -11, 35, 37}
"""mutmut's exit codes for a test that failed, an end by time-out or by a signal."""
SURVIVED = {0}
UNREACHED = {33, 5}
"""No test of the package reaches the function."""


def mutmut(*arguments: str) -> int:
    """Run mutmut in the project's folder, politely."""
    command = ["nice", "-n", "15", sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - our own command


def prepare() -> None:
    """Make all mutants, and find out which tests reach which function."""
    STATISTICS.unlink(missing_ok=True)
    mutmut("run", "--max-children", "1", "bootstrap.core.dnssec.budget.*init*")
    found = json.loads(STATISTICS.read_text())
    reached = found["tests_by_mangled_function_name"]
    width = Counter(test for tests in reached.values() for test in tests)
    for function, tests in reached.items():
        reached[function] = telling(function, tests, width)
    STATISTICS.write_text(json.dumps(found))


def telling(function: str, tests: Iterable[str], width: Counter[str]) -> list[str]:
    """Return the tests to run for a function: those that say most about it.

    Of each file of its own package, those that reach the fewest functions. More
    would cost hours and notice little more.
    """
    package = next(part for part in PACKAGES if f".core.{part}." in function)
    own = [test for test in tests if test.startswith(f"tests/core/{package}/")]
    ranked = sorted(own or tests, key=lambda test: (width[test], test))
    taken: Counter[str] = Counter()
    found = []
    for test in ranked:
        file = test.partition("::")[0]
        taken[file] += 1
        if taken[file] <= MOST:
            found.append(test)
    return found


def results() -> dict[str, int | None]:
    """Return the exit code of every mutant; None for those not tried."""
    found: dict[str, int | None] = {}
    for package in PACKAGES:
        folder = MUTANTS / "bootstrap" / "core" / package
        for path in sorted(folder.glob("*.py.meta")):
            found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def chosen(names: Iterable[str], one_in: int) -> list[str]:
    """Return one in so many names, the same ones every time."""
    return [name for name in names if _number(name) % one_in == 0]


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def module_of(name: str) -> str:
    """Return "dnssec.nsec" of "bootstrap.core.dnssec.nsec.x_absence__mutmut_3"."""
    return ".".join(name.split(".")[2:4])


def run(arguments: argparse.Namespace) -> int:
    """Try the chosen mutants that were not tried yet, all or of some modules."""
    if arguments.afresh or not STATISTICS.exists():
        prepare()
    tried = results()
    waiting = [
        name
        for name in chosen(tried, arguments.one_in)
        if tried[name] is None
        and (not arguments.modules or module_of(name) in arguments.modules)
    ]
    print(f"{len(waiting)} mutants of {len(tried)}", flush=True)
    if waiting:
        mutmut("run", "--max-children", str(arguments.jobs), *waiting)
    return 0


def shown(name: str) -> tuple[str, str]:
    """Return the line that a mutant changes, before and after."""
    command = [sys.executable, "-m", "mutmut", "show", name]
    told = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    before = [line[1:].strip() for line in told if re.match(r"-(?!--)", line)]
    after = [line[1:].strip() for line in told if re.match(r"\+(?!\+\+)", line)]
    return " ".join(before), " ".join(after)


def function_of(name: str) -> str:
    """Return "Trial.denied" of "….xǁTrialǁdenied__mutmut_3"."""
    mangled = name.rsplit(".", 1)[1].rsplit("__mutmut_", 1)[0]
    return mangled.removeprefix("x").removeprefix("_").strip("ǁ").replace("ǁ", ".")


def report(arguments: argparse.Namespace) -> int:
    """Write docs/mutation.md; 1 if too few were noticed or a survivor has no reason."""
    codes = results()
    sample = chosen(codes, arguments.one_in)
    tried = {n: code for n in sample if (code := codes[n]) is not None}
    survivors = [n for n, code in tried.items() if code in SURVIVED | UNREACHED]
    reasons = tomllib.loads(REASONS.read_text())
    lines = list(_rows(survivors, reasons))
    killed = len(tried) - len(survivors)
    share = 100 * killed / len(tried)
    text = REPORT.read_text().partition("<!-- figures -->")[0]
    REPORT.write_text(
        text
        + "<!-- figures -->\n\n"
        + f"{len(codes)} mutants; {len(tried)} of a sample of {len(sample)} tried,"
        + f" {killed} noticed ({share:.1f} %), {len(survivors)} survived.\n\n"
        + "\n".join(_figures(tried, survivors))
        + "\n\n## Survivors\n\n| where | before | after | reason |\n|---|---|---|---|\n"
        + "\n".join(lines)
        + "\n"
    )
    unexplained = [line for line in lines if line.endswith("| |")]
    print(f"{share:.1f} % noticed; {len(unexplained)} survivors without a reason")
    return 1 if share < ENOUGH or unexplained else 0


def _figures(tried: Iterable[str], survivors: Iterable[str]) -> Iterator[str]:
    alive = Counter(map(module_of, survivors))
    yield "| module | tried | noticed |"
    yield "|---|---|---|"
    for module, count in sorted(Counter(map(module_of, tried)).items()):
        yield f"| {module} | {count} | {count - alive[module]} |"


def _rows(
    survivors: Iterable[str], reasons: dict[str, dict[str, str]]
) -> Iterator[str]:
    for name in survivors:
        before, after = shown(name)
        where = f"{module_of(name)}.{function_of(name)}"
        why = _reason(where, before, after, reasons)
        cells = (where, f"`{before}`", f"`{after}`", why)
        row = " | ".join(cell.replace("|", "\\|") for cell in cells)
        yield f"| {row} |"


def _reason(
    where: str, before: str, after: str, reasons: dict[str, dict[str, str]]
) -> str:
    """Return why a survivor may live: by its place, else by what it changes."""
    if found := reasons["places"].get(where):
        return found
    change = f"{before} → {after}"
    for pattern, why in reasons["changes"].items():
        if re.search(pattern, change):
            return why
    return ""


def main() -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one-in", type=int, default=ONE_IN)
    commands = parser.add_subparsers(dest="command", required=True)
    trial = commands.add_parser("run")
    trial.add_argument("--afresh", action="store_true", help="make all mutants anew")
    trial.add_argument("--jobs", type=int, default=os.cpu_count())
    trial.add_argument("modules", nargs="*", help="as in dnssec.nsec")
    commands.add_parser("report")
    arguments = parser.parse_args()
    return run(arguments) if arguments.command == "run" else report(arguments)


if __name__ == "__main__":
    sys.exit(main())
