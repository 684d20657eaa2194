"""Values in, what a page shows out: differences, tables, stages. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bootstrap.core.workflow.lifecycle import State

Json = Mapping[str, Any]

TYPES: Final = ("CDS", "CDNSKEY", "DNSKEY", "NS", "SOA")
"""The order of columns; types that nobody was asked for are left out."""


@dataclass(frozen=True, slots=True)
class DsLine:
    """One record of either set: `change` is kept, added or removed."""

    change: str
    text: str
    tag: str
    algorithm: str
    digest_type: str
    digest: str

    @property
    def sign(self) -> str:
        """The sign that stands for the change in a list of differences."""
        return {"added": "+", "removed": "−"}.get(self.change, " ")


def ds_diff(old: Iterable[str], new: Iterable[str]) -> tuple[DsLine, ...]:
    """Return every record of both sets once: removed, kept, added; each in order."""
    before, after = set(old), set(new)
    groups = (
        ("removed", before - after),
        ("kept", before & after),
        ("added", after - before),
    )
    return tuple(_line(change, text) for change, g in groups for text in sorted(g))


def _line(change: str, text: str) -> DsLine:
    parts = [*text.split(), "", "", "", ""]
    return DsLine(change, text, parts[0], parts[1], parts[2], "".join(parts[3:]))


@dataclass(frozen=True, slots=True)
class Cell:
    """What one address said about one type; `odd` when most others differ."""

    rdtype: str
    reason: str
    records: tuple[str, ...]
    asked: bool = True
    odd: bool = False
    same: bool = False
    """Exactly what the row above says: shown as such, not again."""


@dataclass(frozen=True, slots=True)
class ServerRow:
    """One address of one nameserver, a cell for each type."""

    nameserver: str
    server: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class ServerTable:
    """What every server said; `differing` names the types with more than one answer."""

    types: tuple[str, ...]
    rows: tuple[ServerRow, ...]
    differing: tuple[str, ...]


def server_table(views: Sequence[Json]) -> ServerTable:
    """Return the per-server table, with every answer that is not the usual one marked."""
    spoken = [_answers(view) for view in views]
    types = _ordered({rdtype for answers in spoken for rdtype in answers})
    usual = {rdtype: _usual(rdtype, spoken) for rdtype in types}
    above: list[Mapping[str, Said]] = [{}, *spoken]
    rows = tuple(
        ServerRow(
            str(view.get("nameserver", "")),
            str(view.get("server", "")),
            tuple(_cell(answers, before, usual, rdtype) for rdtype in types),
        )
        for view, answers, before in zip(views, spoken, above, strict=False)
    )
    differing = tuple(
        rdtype
        for position, rdtype in enumerate(types)
        if any(row.cells[position].odd for row in rows)
    )
    return ServerTable(types, rows, differing)


Said = tuple[str, tuple[str, ...]]


def _answers(view: Json) -> dict[str, Said]:
    return {
        str(a.get("type", "")): (str(a.get("reason", "")), tuple(a.get("records", ())))
        for a in view.get("answers", ())
    }


def _ordered(types: set[str]) -> tuple[str, ...]:
    known = [rdtype for rdtype in TYPES if rdtype in types]
    return (*known, *sorted(types - set(TYPES)))


def _usual(rdtype: str, spoken: Sequence[Mapping[str, Said]]) -> Said | None:
    said = [answers[rdtype] for answers in spoken if rdtype in answers]
    return max(said, key=lambda one: (said.count(one), one), default=None)


def _cell(
    answers: Mapping[str, Said],
    above: Mapping[str, Said],
    usual: Mapping[str, Said | None],
    rdtype: str,
) -> Cell:
    said = answers.get(rdtype)
    if said is None:
        return Cell(rdtype, "", (), asked=False)
    same = above.get(rdtype) == said
    return Cell(rdtype, said[0], said[1], odd=said != usual[rdtype], same=same)


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a life: `mark` is done, now, next, stopped."""

    word: str
    mark: str
    at: datetime | None = None


ROAD: Final = ("proposed", "approved", "sent", "visible", "settled")
REACHED: Final[Mapping[str, int]] = {
    State.CANDIDATE: 0,
    State.HELD: 0,
    State.REJECTED: 0,
    State.STALE: 0,
    State.APPROVED: 1,
    State.SENDING: 1,
    State.FAILED: 1,
    State.CONFLICT: 1,
    State.SENT: 2,
    State.VISIBLE: 3,
    State.SETTLED: 4,
}
"""How far along the road each state is."""
STOPPED: Final = frozenset(
    {State.HELD, State.REJECTED, State.STALE, State.FAILED, State.CONFLICT}
)


def stage_bar(state: str, times: Sequence[datetime | None]) -> tuple[Stage, ...]:
    """Return the five steps of a change, each done, now, next or stopped.

    `times` are when each step was reached, in the order of `ROAD`.
    """
    reached = REACHED.get(state, 0)
    return tuple(
        Stage(word, _stage_mark(position, reached, state), at)
        for position, (word, at) in enumerate(zip(ROAD, times, strict=True))
    )


def _stage_mark(position: int, reached: int, state: str) -> str:
    if position < reached or state == State.SETTLED:
        return "done"
    if position > reached:
        return "next"
    return "stopped" if state in STOPPED else "now"


@dataclass(frozen=True, slots=True)
class Change:
    """A fact that is no longer what it was when the page was loaded."""

    what: str
    before: str
    after: str


def changes(before: Json, after: Json) -> tuple[Change, ...]:
    """Return what differs between two snapshots of the same facts."""
    return tuple(
        Change(what, _plain(before.get(what)), _plain(after.get(what)))
        for what in after
        if before.get(what) != after[what]
    )


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return "\n".join(str(part) for part in value) or "(empty)"
    return str(value) if value not in (None, "") else "(none)"


DONE: Final[Mapping[str, str]] = {
    "approve": "Your approval is recorded.",
    "reject": "The change is rejected.",
    "hold": "The change is on hold.",
    "release": "The change goes on.",
}
"""What a person reads after a decision went through."""


def tally(checks: Sequence[Json]) -> tuple[tuple[str, int], ...]:
    """Return how many checks had each result, failures first."""
    order = ("fail", "note", "pass", "skipped")
    results = [str(check.get("result", "")) for check in checks]
    return tuple((mark, results.count(mark)) for mark in order if mark in results)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One earlier evaluation, and the one before it to compare with."""

    scan: Any
    before: Any = None


def attempts(scans: Sequence[Any]) -> tuple[Attempt, ...]:
    """Return evaluations, newest first, each beside its predecessor."""
    older = [*scans[1:], None]
    return tuple(
        Attempt(scan, before) for scan, before in zip(scans, older, strict=True)
    )[: max(1, len(scans) - 1)]


def evaluation_changes(before: Json, after: Json) -> tuple[Change, ...]:
    """Return what two evaluations of a child say differently, part by part.

    Each is a mapping of the verdict's views: outcome, reasons, DS, checks by name,
    and what each server and each signal said.
    """
    told, tells = _said(before), _said(after)
    return changes(told, {**dict.fromkeys(told), **tells})


def _said(scan: Json) -> dict[str, Any]:
    said: dict[str, Any] = {
        key: scan.get(key) for key in ("outcome", "primary reason", "path", "DS")
    }
    for check in scan.get("checks", ()):
        reasons = ", ".join(check.get("reasons", ()))
        said[str(check.get("id"))] = f"{check.get('result')} {reasons}".strip()
    for view in scan.get("nameservers", ()):
        for rdtype, (reason, records) in _answers(view).items():
            where = f"{rdtype} at {view.get('server')}"
            said[where] = [reason, *records]
    for signal in scan.get("signals", ()):
        said[f"signal of {signal.get('nameserver')}"] = list(signal.get("reasons", ()))
    return said
