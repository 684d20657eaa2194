"""The table docs/conformance-mutants.md: each rule, and the cases that miss it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from .rules import Rule, every
from .survivors import EQUIVALENT, REDUNDANT
from .trial import Result

PATH: Final = Path(__file__).parent.parent / "docs" / "conformance-mutants.md"
HEAD: Final = """\
# A mutant for every rule

Made by `make conformance-mutants`; do not edit. Each row is a rule of the decision as it stands in the source: a step, a
finding that a step yields, a condition under which a function ends early, one of several conditions that hold together, a
row of a table. Left out, it makes an engine that is wrong in one thing. The conformance kit ([conformance.md](conformance.md))
is judged by each; named are the first cases whose outcome, codes, first code or steps are then not what the catalogue
demands. Where no case is named, no child can show it: *equivalent*, with the argument.

{counts}

| rule | requirement | caught by |
|---|---|---|
"""


NONE: Final = "none: "
"""What stands before the reason where no case is named."""


def faults(results: Iterable[Result]) -> list[str]:
    """Return what must not be: survivors without a reason, reasons without need."""
    found = []
    for result in results:
        known = result.rule.id in REDUNDANT
        if not result.caught and not known:
            found.append(f"survives: {result.rule.id} ({result.tried} cases)")
        if result.caught and known:
            found.append(f"is caught after all: {result.rule.id}")
    return found


def write(results: Iterable[Result]) -> None:
    """Write the table: these results, and what was found before of other rules."""
    rows = {**read(), **{cell(r.rule.id): ", ".join(r.caught) for r in results}}
    known = [rule for rule in every() if cell(rule.id) in rows]
    lines = [_line(rule, rows[cell(rule.id)]) for rule in known]
    PATH.write_text(HEAD.format(counts=_counts(lines)) + "".join(lines))


def _counts(lines: list[str]) -> str:
    equal = sum(f"| {NONE}{EQUIVALENT}" in line for line in lines)
    return f"{len(lines)} rules: {len(lines) - equal} caught, {equal} {EQUIVALENT}."


def _line(rule: Rule, caught: str) -> str:
    said = caught if caught and not caught.startswith(NONE) else ""
    said = said or f"{NONE}{REDUNDANT.get(rule.id, '?')}"
    return f"| {cell(rule.id)} | {rule.reference} | {said} |\n"


def cell(text: str) -> str:
    """Return a rule's id as the table has it."""
    return "`" + text.replace("|", "¦").replace("`", "'") + "`"


def read() -> Mapping[str, str]:
    """Return the last column of the written table by the first one."""
    return dict(_rows(PATH.read_text())) if PATH.exists() else {}


def _rows(text: str) -> Iterator[tuple[str, str]]:
    for line in text.partition("|---|---|---|\n")[2].splitlines():
        rule, _reference, caught = line.strip("| ").rsplit(" | ", 2)
        yield rule, caught
