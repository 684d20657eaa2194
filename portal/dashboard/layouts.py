"""How a person reads a long list: which columns, in which order, how many rows.

All of it lives in the address, so that it can be sent on and kept in a saved view.
What somebody wants always is remembered with the account, wherever they sign in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest

from bootstrap.services import preferences

SIZES: Final = (25, 50, 100, 200)
USUAL: Final = 50
KEYS: Final = ("columns", "sort", "size")
"""What a layout says in an address; `columns` are keys with commas between."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column that a list can show; `usual` unless somebody chose otherwise.

    `up` and `down` are the orders, as Django writes them, in which the list is
    sorted by it: only those that an index or a short list makes cheap.
    """

    key: str
    title: str
    usual: bool = True
    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    number: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a shown column; `sort` is what a press on it asks for."""

    title: str
    number: bool
    sort: str
    sorted: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns, the order and the size of one page of a list.

    `sort` is the key of a column, with "-" before it when the order falls.
    """

    what: str
    columns: Sequence[Column]
    shown: frozenset[str]
    sort: str
    size: int
    asked: Mapping[str, str]
    """What the address itself says of it, word for word; filters hand it on."""

    @property
    def order(self) -> tuple[str, ...]:
        """The order of the rows, as Django writes it."""
        return _orders(self.columns)[self.sort]

    @property
    def heads(self) -> tuple[Head, ...]:
        """The heads of the shown columns; the first column always is."""
        return tuple(
            self._head(column)
            for number, column in enumerate(self.columns)
            if not number or column.key in self.shown
        )

    def _head(self, column: Column) -> Head:
        key = column.key
        here = {key: "ascending", f"-{key}": "descending"}.get(self.sort, "")
        other = f"-{key}" if here == "ascending" or not column.up else key
        sort = other if other in _orders(self.columns) else ""
        return Head(column.title, column.number, sort, here)

    @property
    def said(self) -> dict[str, str]:
        """What a saved view keeps of it: whatever is not our own."""
        ours = of(self.what, None, {})
        return told(self.what, self.shown, self.sort, str(self.size), ours)

    @property
    def choices(self) -> tuple[tuple[Column, bool], ...]:
        """The columns that can be shown or not, each with whether it is."""
        return tuple((c, c.key in self.shown) for c in self.columns[1:])

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many rows a page may have."""
        return SIZES


Offer = tuple[Sequence[Column], str]

OFFERS: Final[Mapping[str, Offer]] = {
    "domains": (
        (
            Column("name", "Name", up=("name",), down=("-name",)),
            Column("state", "State"),
            Column("why", "Why"),
            Column("ds", "DS", number=True),
            Column("registrar", "Registrar", usual=False),
            Column("nameservers", "Nameservers", usual=False),
            Column("since", "In this state since", usual=False),
            Column("secured", "Secured", usual=False),
            Column("method", "Authenticated by", usual=False),
            Column("look", "Last look"),
        ),
        "name",
    ),
    "queue": (
        (
            Column("name", "Name", up=("domain__name",), down=("-domain__name",)),
            Column("state", "State"),
            Column("ds", "DS set"),
            Column("checks", "Checks"),
            Column("registrar", "Registrar", usual=False),
            Column("nameservers", "Nameservers", usual=False),
            Column("method", "Authenticated by", usual=False),
            Column("asked", "Asked by", usual=False),
            Column(
                "waiting",
                "Waiting",
                up=("created_at", "pk"),
                down=("-created_at", "-pk"),
            ),
            Column(
                "expires",
                "Expires",
                usual=False,
                up=("expires_at", "pk"),
                down=("-expires_at", "-pk"),
            ),
        ),
        "waiting",
    ),
    "scans": (
        (
            Column("name", "Name"),
            Column("outcome", "Outcome"),
            Column("reason", "Reason"),
            Column("path", "Path", usual=False),
            Column("trigger", "Trigger"),
            Column(
                "started",
                "Started",
                up=("started_at", "pk"),
                down=("-started_at", "-pk"),
            ),
            Column("took", "Took", number=True),
            Column("queries", "Queries", usual=False, number=True),
            Column("software", "Software", usual=False),
            Column("evidence", "Evidence", usual=False),
        ),
        "-started",
    ),
    "trail": (
        (
            Column("what", "What"),
            Column("stream", "Stream"),
            Column("number", "No.", number=True),
            Column("who", "Who"),
            Column("when", "When", up=("pk",), down=("-pk",)),
            Column("proof", "Proof"),
            Column("uid", "Identifier", usual=False),
        ),
        "-when",
    ),
}
"""What each long list offers, and its own order."""


def of(what: str, request: HttpRequest | None, asked: Mapping[str, Any]) -> Layout:
    """Return the layout that the address asks for, else the remembered, else ours.

    `asked` are the address's parameters, with those of a saved view. What makes no
    sense in either is passed over. Without a request nothing is remembered.
    """
    columns, first = OFFERS[what]
    kept = preferences.layouts_of(request.user).get(what, {}) if request else {}
    said = {key: str(asked[key]) for key in KEYS if asked.get(key)}
    wanted = {key: said.get(key) or kept.get(key, "") for key in KEYS}
    sort = wanted["sort"] if wanted["sort"] in _orders(columns) else first
    size = wanted["size"]
    return Layout(
        what=what,
        columns=columns,
        shown=_shown(columns, wanted["columns"].split(",")),
        sort=sort,
        size=int(size) if size in map(str, SIZES) else USUAL,
        asked=said,
    )


def told(
    what: str, chosen: Iterable[str], sort: str, size: str, usual: Layout | None = None
) -> dict[str, str]:
    """Return what an address says for these choices, or what is remembered of them.

    What `usual` says already needs no word.
    """
    columns, first = OFFERS[what]
    said = _said(columns, _shown(columns, chosen))
    said["sort"] = sort if sort in _orders(columns) else first
    said["size"] = size if size in map(str, SIZES) else str(USUAL)
    if usual is None:
        return said
    ours = _said(columns, usual.shown)
    ours |= {"sort": usual.sort, "size": str(usual.size)}
    return {key: value for key, value in said.items() if value != ours[key]}


def _said(columns: Sequence[Column], shown: frozenset[str]) -> dict[str, str]:
    return {"columns": ",".join(c.key for c in columns[1:] if c.key in shown)}


def _shown(columns: Sequence[Column], chosen: Iterable[str]) -> frozenset[str]:
    known = {column.key for column in columns[1:]} & set(chosen)
    return frozenset(known or {c.key for c in columns if c.usual})


def _orders(columns: Sequence[Column]) -> dict[str, tuple[str, ...]]:
    up = {column.key: column.up for column in columns if column.up}
    down = {f"-{column.key}": column.down for column in columns if column.down}
    return up | down
