"""Tables for people, and bench-results.json for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from .measuring import ROOT, Row, machine

RESULTS = ROOT / "bench-results.json"


@dataclass(frozen=True, slots=True)
class Target:
    """A figure of performance.md, section 4: what must be, and what is hoped for.

    `bound` says what limits it as long as the floor is missed.
    """

    what: str
    value: float
    floor: float
    goal: float
    unit: str = ""
    at_most: bool = False
    bound: str = ""

    @property
    def met(self) -> str:
        """In one word, how far the figure has come."""
        reaches: Callable[[float], bool] = (
            self.value.__le__ if self.at_most else self.value.__ge__
        )
        if reaches(self.goal):
            return "goal met"
        return "floor met" if reaches(self.floor) else "missed"

    def as_json(self) -> dict[str, object]:
        """Return the target for bench-results.json."""
        return {
            "what": self.what,
            "value": round(self.value, 3),
            "floor": self.floor,
            "goal": self.goal,
            "met": self.met,
        }


@dataclass(slots=True)
class Report:
    """What one group of measurements found."""

    title: str
    rows: list[Row]
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    against: Row | None = None
    """The row that the others are compared with."""
    table: Table | None = None
    """What is no row: shown as it is, with `figures` for bench-results.json."""
    figures: Sequence[Any] = ()

    def show(self, console: Console) -> None:
        """Print the tables."""
        if self.rows:
            console.print(self._measured())
        if self.table is not None:
            console.print(self.table)
        if self.targets:
            console.print(self._compared())
        for note in self.notes:
            console.print(f"  {note}", highlight=False)

    def _measured(self) -> Table:
        table = Table(title=self.title, title_justify="left")
        heads = ("units", "rate", "wall s", "CPU s", "CPU ms each", "MiB", "runs")
        for head in ("", *heads, "ratio"):
            table.add_column(head, justify="left" if not head else "right")
        for row in self.rows:
            base = self.against
            alike = base and row.unit == base.unit
            ratio = f"{row.rate / base.rate:.2f} ×" if base and alike else ""
            table.add_row(
                row.name,
                f"{row.units} {row.unit}",
                f"{row.rate:.1f}/s",
                f"{row.wall:.2f}",
                f"{row.cpu:.2f}",
                f"{1000 * row.cpu / row.units:.3f}",
                f"{row.memory:.0f}",
                str(len(row.samples)),
                ratio,
            )
        return table

    def _compared(self) -> Table:
        table = Table(title=f"{self.title}: targets", title_justify="left")
        for head in ("figure", "measured", "floor", "goal", "", "bound by"):
            table.add_column(head)
        for each in self.targets:
            sign = "≤" if each.at_most else "≥"
            table.add_row(
                each.what,
                f"{each.value:,.2f} {each.unit}".strip(),
                f"{sign} {each.floor:g}",
                f"{sign} {each.goal:g}",
                each.met,
                each.bound if each.met == "missed" else "",
            )
        return table


def write(reports: Sequence[Report]) -> None:
    """Put the figures into bench-results.json; groups not run keep theirs."""
    known: dict[str, Any] = {}
    if RESULTS.exists():
        known = json.loads(RESULTS.read_text()).get("groups", {})
    for report in reports:
        known[report.title] = {
            "rows": [row.as_json() for row in report.rows],
            "targets": [target.as_json() for target in report.targets],
            "notes": report.notes,
            "figures": list(report.figures),
        }
    found = {"machine": machine(), "groups": known}
    RESULTS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
