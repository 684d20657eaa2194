"""The catalogue of named situations: what is served, and what must be found.

One TOML file a subject, one table a situation; protocol.md, appendix F.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bootstrap.core.dns.names import wire_length

from .checking import check
from .circumstances import Memory, Registry, Rules, read as read_table
from .network import has_ipv6, name_of
from .recipes import InvalidRecipe, Recipe, read
from .sites import Site
from .worlds import Child, Operator, Parent, World

CATALOGUE: Final = Path(__file__).parent / "catalogue"
OUTCOMES: Final = frozenset({"accept", "nothing", "hold", "reject", "retry", "error"})
PATHS: Final = frozenset({"bootstrap", "update", "removal", "none"})
TEXTS: Final = ("title", "reference", "served", "path", "outcome")
OPTIONAL_TEXTS: Final = ("name", "parent")
LISTS: Final = ("codes", "without", "skipped", "failed", "afterwards")
TABLES: Final = {
    "registry": Registry,
    "remembers": Memory,
    "policy": Rules,
    "site": Site,
}
KEYS: Final = frozenset(
    {*TEXTS, *OPTIONAL_TEXTS, *LISTS, *TABLES, "octets", "ipv6", "recipe"}
)
MAX_LABEL: Final = 63
PARENT: Final = "alpha.test"
PARENTS: Final = (
    Parent(name=PARENT),
    Parent(name="beta.test", denial="nsec3", opt_out=True, algorithm=8),
    Parent(name="gamma.test", denial="nsec3", algorithm=15),
    Parent(name="delta.test", denial="compact", algorithm=14),
    Parent(name="insecure.test", secure=False),
    Parent(name="expired.test", defects=("expired",)),
    Parent(name="bogus.test", defects=("corrupt:@:DNSKEY",)),
    Parent(name="refused.test", behaviour="refused"),
    Parent(name="costly.test", denial="nsec3", iterations=100),
)
"""Parents that a situation may name; the first is everybody's else."""
OPERATORS: Final = (
    Operator(zone="lantern.example"),
    Operator(zone="harbour.test", algorithm=15),
    Operator(zone=""),  # beside the child, below its parent
    Operator(zone="granite.example", algorithm=14),
    Operator(zone="willow.test", algorithm=16, denial="nsec3"),
    Operator(zone="copper.example", algorithm=8),
    Operator(zone="meadow.example", secure=False),
    Operator(zone="stranger.example", algorithm=200),
    Operator(zone="cellar.meadow.example", secure=False),
    Operator(zone="dear.example", denial="nsec3", iterations=100),
)
"""Operators by the letter of their tokens, a to j."""


class InvalidCatalogue(Exception):
    """A situation is not well written; the message names file, id and key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One row of the catalogue.

    `outcome`, `path` and `codes` (which must be among those found, as those of
    `without` must not; the first of them must show first) are what an evaluation
    must give, the steps of `skipped` must not apply, those of `failed` must refuse. `registry`, `remembers`
    and `policy` are what it must be told for that, `site` is where it looks from. `octets` makes the child's
    name so long that it has that many together with its longest nameserver.
    `ipv6` says that the situation needs IPv6. `afterwards` are codes found after
    publication. `parent` is a name of `PARENTS`.
    """

    id: str
    title: str
    reference: str
    served: str
    path: str
    outcome: str
    codes: tuple[str, ...]
    recipe: Recipe
    name: str = ""
    parent: str = ""
    without: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    registry: Registry = field(default_factory=Registry)
    remembers: Memory = field(default_factory=Memory)
    policy: Rules = field(default_factory=Rules)
    site: Site = field(default_factory=Site)
    octets: int = 0
    ipv6: bool = False
    afterwards: tuple[str, ...] = ()

    @property
    def primary(self) -> str:
        """The code that shows first: the first of `codes` (P-2.50)."""
        return self.codes[0]


def catalogue(folder: Path = CATALOGUE) -> dict[str, Situation]:
    """Return all situations by id, in the order of their files.

    Raises:
        InvalidCatalogue: a file or a situation is not well written.
    """
    found: dict[str, Situation] = {}
    for path in sorted(folder.glob("*.toml")):
        for identifier, table in _tables(path).items():
            if identifier in found:
                raise InvalidCatalogue(f"{path.name}: {identifier} is there twice")
            found[identifier] = _situation(identifier, table, path.name)
    return found


def world_for(
    situations: dict[str, Situation],
    *,
    parent: Parent | None = None,
    ipv6: bool | None = None,
) -> World:
    """Return one world in which each situation is a child with its own servers.

    Situations that need IPv6 are left out where there is none.
    """
    ipv6 = has_ipv6() if ipv6 is None else ipv6
    default = parent or PARENTS[0]
    named = {situation.parent for situation in situations.values()}
    others = tuple(p for p in PARENTS if p.name in named - {default.name})
    return World(
        parents=(default, *others),
        operators=(
            *(operator for operator in OPERATORS if operator.zone),
            *(Operator(zone=_sibling(p.name)) for p in (default, *others) if p.secure),
        ),
        children=tuple(
            _child(situation, situation.parent or default.name)
            for situation in situations.values()
            if ipv6 or not situation.ipv6
        ),
    )


def _sibling(parent: str) -> str:
    return f"hoster.{parent}"


def _child(situation: Situation, parent: str) -> Child:
    return Child(
        name=_child_name(situation, parent, OPERATORS[0].zone),
        operators=tuple(o.zone or _sibling(parent) for o in OPERATORS),
        recipe=situation.recipe,
        situation=situation.id,
        own_hosts=True,
    )


def _tables(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as exc:
        raise InvalidCatalogue(f"{path.name}: {exc}") from exc


def _situation(identifier: str, table: object, file: str) -> Situation:
    where = f"{file}: {identifier}"
    if not isinstance(table, dict):
        raise InvalidCatalogue(f"{where} is not a table")
    if unknown := table.keys() - KEYS:
        raise InvalidCatalogue(f"{where}: unknown key {min(unknown)!r}")
    _check_texts(table, where)
    _check_words(table, where)
    served = table.get("recipe", {})
    if not isinstance(served, dict):
        raise InvalidCatalogue(f"{where}: recipe is no table")
    try:
        recipe = read(served, f"{where}.recipe")
        check(recipe, f"{where}.recipe")
        around: dict[str, Any] = {
            key: read_table(kind, table.get(key, {}), f"{where}.{key}")
            for key, kind in TABLES.items()
        }
    except InvalidRecipe as exc:
        raise InvalidCatalogue(str(exc)) from exc
    return Situation(
        id=identifier,
        recipe=recipe,
        codes=tuple(table["codes"]),
        without=tuple(table.get("without", ())),
        skipped=tuple(table.get("skipped", ())),
        failed=tuple(table.get("failed", ())),
        afterwards=tuple(table.get("afterwards", ())),
        octets=table.get("octets", 0),
        ipv6=table.get("ipv6", False),
        **{key: table[key] for key in (*TEXTS, *OPTIONAL_TEXTS) if key in table},
        **around,
    )


def _check_texts(table: dict[str, Any], where: str) -> None:
    for key in TEXTS:
        if not isinstance(table.get(key), str):
            raise InvalidCatalogue(f"{where}: {key} is missing or no text")
    for key in OPTIONAL_TEXTS:
        if not isinstance(table.get(key, ""), str):
            raise InvalidCatalogue(f"{where}: {key} is no text")
    for key, kind in (("octets", int), ("ipv6", bool)):
        if not isinstance(table.get(key, kind()), kind):
            raise InvalidCatalogue(f"{where}: {key} is no {kind.__name__}")
    _check_lists(table, where)


def _check_lists(table: dict[str, Any], where: str) -> None:
    for key in LISTS:
        value = table.get(key, [] if key != "codes" else None)
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise InvalidCatalogue(f"{where}: {key} is missing or no list of texts")


def _check_words(table: dict[str, Any], where: str) -> None:
    parents = {"", *(parent.name for parent in PARENTS)}
    for key, words in (("outcome", OUTCOMES), ("path", PATHS), ("parent", parents)):
        if table.get(key, "") not in words:
            raise InvalidCatalogue(f"{where}: {key} has no value {table[key]!r}")


def _child_name(situation: Situation, parent: str, operator: str) -> str:
    label = situation.name or situation.id.lower()
    name = f"{label}.{parent}"
    if not situation.octets:
        return name
    host = name_of(f"ns1.{situation.id.lower()}.{operator}")
    missing = situation.octets - wire_length(host) - wire_length(name_of(name))
    return f"{label}.{'.'.join(_padding(missing))}.{parent}"


def _padding(octets: int) -> list[str]:
    """Return labels that take exactly `octets` on the wire, lengths included."""
    labels = []
    while octets > MAX_LABEL + 1:
        taken = MAX_LABEL + 1 if octets - MAX_LABEL - 1 > 1 else MAX_LABEL
        labels.append("x" * (taken - 1))
        octets -= taken
    return [*labels, "x" * (octets - 1)]
