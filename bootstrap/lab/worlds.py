"""What a world consists of, declared: parents, operators, children."""

from __future__ import annotations

from dataclasses import dataclass, field

from .recipes import Recipe

UPDATE_KEY = "lab-update."


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A parent zone; `policy` is `auto` or `review` and only told to the portal.

    `secondary_delay` is how many seconds a secondary lags behind an update. With
    `secure` false the zone above has no DS for it; `defects` spoil its signatures, `behaviour` is how its servers treat queries.
    """

    name: str
    policy: str = "auto"
    algorithm: int = 13
    denial: str = "nsec"
    opt_out: bool = False
    iterations: int = 0
    secondary_delay: float = 0.0
    open_transfer: bool = True
    secure: bool = True
    defects: tuple[str, ...] = ()
    behaviour: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A child DNS operator: its zone, and nameservers in it by label.

    With `secure` false its zone is delegated without DS. `signals` false: no
    signaling zones are made for its nameservers.
    """

    zone: str
    nameservers: tuple[str, ...] = ("ns1", "ns2")
    algorithm: int = 13
    denial: str = "nsec"
    iterations: int = 0
    secure: bool = True
    signals: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A delegation from the deepest parent zone above it.

    `operators` are zones of operators, called a, b, c … in tokens. `own_hosts`
    gives it nameservers of its own below the operators' zones, so that nothing
    done to it touches another child. `key_label` makes children share keys.
    """

    name: str
    operators: tuple[str, ...]
    recipe: Recipe = field(default_factory=Recipe)
    situation: str = ""
    own_hosts: bool = False
    key_label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything below one laboratory root."""

    parents: tuple[Parent, ...]
    operators: tuple[Operator, ...]
    children: tuple[Child, ...] = ()
    root_algorithm: int = 8
