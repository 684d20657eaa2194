"""Recipes: what is served for one child, as values that TOML can spell.

Tokens name nameservers: `a1` is the first nameserver of the child's first
operator, `b2` the second of the second one, `in1` is `ns1.<child>`, `@` the child's
own name, `=name` is that name itself. `b1/2` is the second address of `b1`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, TypeVar

from .behaviours import BEHAVIOURS

T = TypeVar("T", "ZoneRecipe", "SignalRecipe", "Recipe")


class InvalidRecipe(Exception):
    """A recipe has an unknown word or a value of the wrong type; says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneRecipe:
    """One copy of the child's zone.

    `keys` are "label:role:algorithm" (role `twins` makes two CSKs with one key
    tag), `cds` and `cdnskey` refer to them as "label:digest type" and "label",
    or are "raw:hex". `nameservers` are tokens when the apex says something else
    than the delegation. `defects` are in the form of `Defect.parse`.
    """

    keys: tuple[str, ...] = ("k1:csk:13",)
    cds: tuple[str, ...] = ("k1:2",)
    cdnskey: tuple[str, ...] = ("k1",)
    cds_signers: tuple[str, ...] = ()
    nameservers: tuple[str, ...] = ()
    denial: str = "nsec"
    iterations: int = 0
    salt: str = ""
    opt_out: bool = False
    defects: tuple[str, ...] = ()
    denials: tuple[str, ...] = ()
    """What is sent instead of honest denials, in the form of `Crafted.parse`."""
    wildcard: bool = False
    """Any name below the apex has an address."""
    mail: bool = False
    """The apex has an MX record."""
    address: str = ""
    """The address of the apex, where another is due than the one that it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRecipe:
    """What one nameserver's signaling domain holds for the child.

    `cds` and `cdnskey` default to those of the child's zone. `form` is `plain`,
    `absent`, `cut` (a zone cut at the name), `wildcard`, `cname`, `cnames` (two of them), `loop` (to
    itself), `dname`, `dname-long` (to a name that is too long), `wildcard-cname`, or the
    name of a mistake in `MISNAMED`, which leaves the right name empty.
    `behaviour` is how the servers treat questions at and below the signaling
    domain; `lame` delegates it to a host that does not exist, `stray_ds` with
    the DS of a key that it lacks. `first` are
    defects of the copy that the first server of that zone
    has, instead of `defects`. `place` is `own` (`_signal.<ns>` is a zone), `host` (in the zone of the
    nameserver) or `deep` (a further cut below). The rest signs that zone: `extra_keys` beside the one that
    signs, `namesakes` with its tag; `digest` is the DS type, `stray` and `spoiled` count DS for
    keys that are not there and with wrong digests.
    """

    form: str = "plain"
    place: str = "own"
    cds: tuple[str, ...] | None = None
    cdnskey: tuple[str, ...] | None = None
    algorithm: int = 13
    signed: bool = True
    denial: str = "nsec"
    iterations: int = 0
    salt: str = ""
    opt_out: bool = False
    extra_keys: int = 0
    namesakes: int = 0
    digest: int = 2
    stray: int = 0
    spoiled: int = 0
    denials: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    behaviour: str = ""
    lame: bool = False
    stray_ds: bool = False

    @property
    def is_ordinary(self) -> bool:
        """A shared signaling zone can hold it; others need one of their own."""
        zone = SignalRecipe(
            form=self.form, cds=self.cds, cdnskey=self.cdnskey, defects=self.defects
        )
        shared = ("plain", "absent", "cut", "cname", "cnames", *MISNAMED)
        return self == zone and self.form in shared


NESTED: Final = ("zone", "at", "signals", "after_ds")
MISNAMED: Final = ("no-dsboot", "dsauth", "stripped", "doubled", "at-host", "no-signal")
"""Mistakes that operators make with the name of a signal (protocol.md 9.2)."""
FORMS: Final = (
    "plain",
    "absent",
    "cut",
    "wildcard",
    "cname",
    "cnames",
    "loop",
    "dname",
    "dname-long",
    "wildcard-cname",
    *MISNAMED,
)
PLACES: Final = ("own", "host", "deep")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that is served for one child, and what its parent holds."""

    nameservers: tuple[str, ...] = ("a1", "b1")
    zone: ZoneRecipe = field(default_factory=ZoneRecipe)
    at: Mapping[str, ZoneRecipe] = field(default_factory=dict)
    """Zones of servers that hold another copy, by token."""
    signals: Mapping[str, SignalRecipe] = field(default_factory=dict)
    behaviours: Mapping[str, str] = field(default_factory=dict)
    ds: tuple[str, ...] = ()
    addresses: Mapping[str, int] = field(default_factory=dict)
    """How many addresses a nameserver has, where it is not one."""
    ipv6: tuple[str, ...] = ()
    """Nameservers that answer at ::1 too, where there is IPv6."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Addresses of literal nameservers, which nothing in the laboratory serves;
    `unused` is one of the laboratory's own at which nothing listens."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Literal nameservers that are aliases, and their targets."""
    host_defects: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with the signatures of a nameserver's address, by token; or any
    defect of the zone that a name is in, in the form of `Defect.parse`."""
    host_cuts: tuple[str, ...] = ()
    """Nameservers whose name is an unsigned zone of its own, which they serve."""
    published: bool = True
    """The parent's zone has the delegation."""
    wildcard_ds: bool = False
    """The parent's zone has the DS at the wildcard beside the child's name."""
    after_ds: ZoneRecipe | None = None
    """What the zone becomes once the parent publishes a DS."""

    def signal(self, token: str) -> SignalRecipe:
        """Return what the nameserver `token` publishes for the child."""
        return self.signals.get(token, SignalRecipe())

    @property
    def needs_own_hosts(self) -> bool:
        """Nameservers shared with other children cannot serve this."""
        forms = any(not signal.is_ordinary for signal in self.signals.values())
        spoiled = self.behaviours or self.addresses or self.ipv6 or self.host_defects
        return bool(forms or spoiled or self.host_cuts)


UNSIGNED: Final = ZoneRecipe(keys=(), cds=(), cdnskey=())
SILENT_OPERATOR: Final = SignalRecipe(form="absent")


def read(table: Mapping[str, Any], where: str) -> Recipe:
    """Return the recipe that a TOML table spells.

    Raises:
        InvalidRecipe: an unknown key, form, place or behaviour, a wrong type.
    """
    zone = _build(ZoneRecipe(), _table(table, "zone", where), f"{where}.zone")
    signals = {
        token: _build(SignalRecipe(), part, f"{where}.signals.{token}")
        for token, part in _table(table, "signals", where).items()
    }
    recipe = _build(
        Recipe(
            zone=zone,
            at={
                token: _build(zone, part, f"{where}.at.{token}")
                for token, part in _table(table, "at", where).items()
            },
            signals=signals,
            after_ds=_build(zone, table["after_ds"], f"{where}.after_ds")
            if "after_ds" in table
            else None,
        ),
        {key: value for key, value in table.items() if key not in NESTED},
        where,
    )
    _check(recipe, where)
    return recipe


def _table(table: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    part = table.get(key, {})
    if not isinstance(part, dict):
        raise InvalidRecipe(f"{where}.{key} is no table")
    return part


def _check(recipe: Recipe, where: str) -> None:
    for token, signal in recipe.signals.items():
        if signal.form not in FORMS or signal.place not in PLACES:
            raise InvalidRecipe(f"{where}.signals.{token}: no such form or place")
        if signal.behaviour and signal.behaviour not in BEHAVIOURS:
            raise InvalidRecipe(f"{where}.signals.{token}: no {signal.behaviour!r}")
    for token, behaviour in recipe.behaviours.items():
        if behaviour not in BEHAVIOURS:
            raise InvalidRecipe(f"{where}.behaviours.{token}: no {behaviour!r}")
    known = {token.partition("/")[0] for token in recipe.nameservers}
    known |= set(recipe.zone.nameservers)
    tables = (recipe.at, recipe.signals, recipe.behaviours, recipe.addresses)
    named = (*recipe.ipv6, *recipe.host_cuts)
    for token in (*(t for table in tables for t in table), *named):
        if token.partition("/")[0] not in known:
            raise InvalidRecipe(f"{where}: {token!r} is not among the nameservers")


def _build(base: T, table: Mapping[str, Any], where: str) -> T:
    """Return `base` with the values of `table`; arrays become tuples."""
    if not isinstance(table, Mapping):
        raise InvalidRecipe(f"{where} is no table")
    known = {field_.name: field_ for field_ in fields(base)}
    for key, value in table.items():
        if key not in known:
            raise InvalidRecipe(f"{where}: unknown key {key!r}")
        if not fits(value, str(known[key].type)):
            raise InvalidRecipe(f"{where}.{key}: {value!r} is not {known[key].type}")
    values: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in table.items()
    }
    return replace(base, **values)


def fits(value: object, declared: str) -> bool:
    """Say whether a TOML value has the declared type."""
    match value:
        case bool():
            return declared == "bool"
        case int():
            return declared == "int"
        case str():
            return declared == "str"
        case list():
            texts = all(isinstance(item, str) for item in value)
            return texts and declared.startswith("tuple[str, ...]")
        case dict():
            inner = int if declared.endswith("int]") else str
            return declared.startswith("Mapping[") and all(
                isinstance(item, inner) for item in value.values()
            )
        case _:
            return False
