"""Pictures as values: where boxes and lines go; templates turn them into SVG.

Nothing here makes markup, so that every text in a picture passes the template
engine's escaping like any other. Numbers are units of the picture's view box.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

WIDTH: Final = 250
HEIGHT: Final = 50
GAP: Final = 26
MARGIN: Final = 8


@dataclass(frozen=True, slots=True)
class Node:
    """One zone of a chain, or the signal at its end."""

    x: int
    y: int
    title: str
    detail: str
    security: str
    flaw: str = ""
    link: str = ""
    """What joins it to the node above: "DS 12345", "signed", or why not."""

    @property
    def spine(self) -> int:
        """Where the line enters and leaves the box."""
        return self.x + 22

    @property
    def bottom(self) -> int:
        """Lower edge of the box."""
        return self.y + HEIGHT

    @property
    def above(self) -> int:
        """Lower edge of the box above."""
        return self.y - GAP


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain of trust from the root to one name, and its text twin."""

    title: str
    security: str
    nodes: tuple[Node, ...]
    width: int
    height: int


def chain(proof: Mapping[str, Any]) -> Chain:
    """Return the picture of a proof: a box a zone, and the records at the end."""
    cuts = list(proof.get("cuts", ()))
    nodes = [_zone(position, cut) for position, cut in enumerate(cuts)]
    nodes.append(_end(len(cuts), proof))
    return Chain(
        title=f"{proof.get('name', '')} {proof.get('type', '')}",
        security=str(proof.get("security", "")),
        nodes=tuple(nodes),
        width=WIDTH + 2 * MARGIN,
        height=nodes[-1].bottom + MARGIN,
    )


def _zone(position: int, cut: Mapping[str, Any]) -> Node:
    tags = ", ".join(str(key.get("tag", "?")) for key in cut.get("keys", ()))
    return Node(
        x=MARGIN,
        y=MARGIN + position * (HEIGHT + GAP),
        title=str(cut.get("zone", "")),
        detail=f"DNSKEY {tags}" if tags else "no keys seen",
        security=str(cut.get("security", "")),
        flaw=str(cut.get("flaw") or ""),
        link=_link(position, cut),
    )


def _link(position: int, cut: Mapping[str, Any]) -> str:
    if position == 0:
        return ""
    tags = [str(ds).split(" ")[0] for ds in cut.get("ds", ())]
    return f"DS {', '.join(tags)}" if tags else "no DS"


def _end(position: int, proof: Mapping[str, Any]) -> Node:
    records: Sequence[str] = proof.get("records", ())
    count = f"{len(records)} record{'' if len(records) == 1 else 's'}"
    missing = {"nodata": "proven absent", "nxdomain": "name proven absent"}
    detail = count if records else missing.get(str(proof.get("absence")), "not proven")
    return Node(
        x=MARGIN,
        y=MARGIN + position * (HEIGHT + GAP),
        title=f"{proof.get('type', '')}, the signal",
        detail=detail,
        security=str(proof.get("security", "")),
        flaw=str(proof.get("flaw") or ""),
        link="signed" if proof.get("signer") else "no proof",
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar chart: `width` in percent of the longest."""

    key: str
    count: int
    width: float


def bars(counts: Mapping[str, int]) -> tuple[Bar, ...]:
    """Return bars in the given order, scaled to the largest count."""
    top = max(counts.values(), default=0) or 1
    return tuple(
        Bar(key, count, round(100 * count / top, 1)) for key, count in counts.items()
    )


@dataclass(frozen=True, slots=True)
class Signal:
    """One nameserver's signal: its facts, and a picture for each type."""

    nameserver: str
    name: str
    reasons: tuple[str, ...]
    shown: tuple[tuple[Mapping[str, Any], Chain | None], ...]
    """Each proof with its picture; none where it is that of the proof before."""


def chains(signals: Sequence[Mapping[str, Any]]) -> tuple[Signal, ...]:
    """Return every signal with the pictures of its proofs."""
    return tuple(_signal(signal) for signal in signals)


def _signal(signal: Mapping[str, Any]) -> Signal:
    proofs = tuple(signal[key] for key in ("cds", "cdnskey") if signal.get(key))
    return Signal(
        nameserver=str(signal.get("nameserver", "")),
        name=str(signal.get("name") or ""),
        reasons=tuple(dict.fromkeys(signal.get("reasons", ()))),
        shown=tuple(_pictured(proofs)),
    )


def _pictured(
    proofs: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[Mapping[str, Any], Chain | None]]:
    above: object = None
    for proof in proofs:
        way = (proof.get("cuts"), proof.get("security"), proof.get("signer"))
        yield proof, None if way == above else chain(proof)
        above = way


CHART_WIDTH: Final = 600
CHART_HEIGHT: Final = 120
CHART_COLUMN: Final = 48
"""Widest column: a single day is no wall."""


@dataclass(frozen=True, slots=True)
class Point:
    """One day of a chart: where it is drawn, and what it says in words."""

    day: date
    value: float
    left: float
    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Values by day: a line or columns, and the table beside them."""

    points: tuple[Point, ...]
    top: float
    step: float

    @property
    def line(self) -> str:
        """The points of the line, as SVG wants them."""
        return " ".join(f"{point.x},{point.y}" for point in self.points)

    @property
    def last(self) -> Point | None:
        """The newest day."""
        return self.points[-1] if self.points else None


def chart(values: Mapping[date, float], *, top: float | None = None) -> Chart:
    """Return a chart of these days, scaled to `top` or to the largest value."""
    most = top or max(values.values(), default=0) or 1
    step = CHART_WIDTH / max(1, len(values))
    width = round(min(step * 0.7, CHART_COLUMN), 1)
    points = []
    for position, (day, value) in enumerate(values.items()):
        height = round(CHART_HEIGHT * min(value, most) / most, 1)
        middle = round(step * (position + 0.5), 1)
        left = round(middle - width / 2, 1)
        y = round(CHART_HEIGHT - height, 1)
        points.append(Point(day, value, left, middle, y, height))
    return Chart(tuple(points), most, width)
