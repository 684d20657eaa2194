"""What surrounds a situation: the registry's data, what is remembered, the policy.

Nothing of it is in the DNS, so an engine under test must be told (`cases.json`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from bootstrap.core.dns.names import in_domain
from bootstrap.core.dns.records import Ds
from bootstrap.core.evaluation.delegation import Delegation, History, Suspension
from bootstrap.core.evaluation.policy import AcceptancePolicy

from .placing import Placer
from .recipes import InvalidRecipe, fits
from .sites import Site

T = TypeVar("T", "Registry", "Memory", "Rules", "Site")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """What the registry holds beside NS, glue and DS as its zone has them.

    `ds` are the registry's records where they are not the published ones, `glue`
    says by token which of a nameserver's addresses (from 1) the registry knows.
    """

    statuses: tuple[str, ...] = ()
    suspended: str = ""
    registrar: str = ""
    pending_change: bool = False
    undelegated: bool = False
    """The registry knows no nameserver, whatever its zone says."""
    ns_changed_minutes: int = 0
    """How long ago the NS set changed; 0: long ago."""
    ds: tuple[str, ...] | None = None
    glue: Mapping[str, int] = field(default_factory=dict)

    def delegation(self, placer: Placer, now: datetime) -> Delegation:
        """Return the delegation of a child at `now`."""
        hosts = sorted(
            {placer.host(t).canonicalize() for t in placer.recipe.nameservers}
            if not self.undelegated
            else ()
        )
        since = timedelta(minutes=self.ns_changed_minutes)
        return Delegation(
            placer.apex,
            placer.parent,
            tuple(hosts),
            glue=tuple(self._glue(placer)),
            ds=tuple(placer.records(self.ds) if self.ds is not None else placer.ds()),
            statuses=self.statuses,
            registrar=self.registrar,
            suspended=Suspension(self.suspended) if self.suspended else None,
            pending_change=self.pending_change,
            ns_changed_at=now - since if since else None,
        )

    def _glue(self, placer: Placer) -> list[tuple[Any, str]]:
        found = []
        for token in dict.fromkeys(placer.recipe.nameservers):
            host = placer.host(token).canonicalize()
            addresses = placer.network.hosts.get(host, ())
            if in_domain(placer.apex, host):
                known = self.glue.get(token, len(addresses))
                found += [(host, address) for address in addresses[:known]]
        return sorted(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What must be remembered, in days before the evaluation; 0: nothing."""

    newest_inception: int = 0
    other_change: int = 0
    """How long ago another channel changed the DS."""
    signed_since: int = 0
    retries_spent: bool = False
    troubled: Mapping[str, int] = field(default_factory=dict)
    """By reason code: for how long it has been seen without a break."""

    def history(self, now: datetime) -> History:
        """Return it as a history at `now`."""

        def ago(days: int) -> datetime | None:
            return now - timedelta(days=days) if days else None

        return History(
            newest_inception=ago(self.newest_inception),
            oob_change_at=ago(self.other_change),
            signed_since=ago(self.signed_since),
            troubled_since=tuple(
                (code, now - timedelta(days=days))
                for code, days in sorted(self.troubled.items())
            ),
            retries_spent=self.retries_spent,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Where the situation needs another policy than the default one."""

    digests: tuple[int, ...] = ()
    skip_families: tuple[int, ...] = ()
    min_rsa_bits: int = 0
    min_signed_days: int = 0
    allow_unknown_algorithms: bool = False
    excluded_statuses: tuple[str, ...] = ()
    registrars_without_disable: tuple[str, ...] = ()

    def policy(self) -> AcceptancePolicy:
        """Return the default policy with these departures."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        days = given.pop("min_signed_days")
        changed = {key: value for key, value in given.items() if value}
        if days:
            changed["min_signed_age"] = timedelta(days=days)
        return replace(AcceptancePolicy(), **changed)


NUMBERS: Final = frozenset({"digests", "skip_families"})


def read(kind: type[T], table: object, where: str) -> T:
    """Return the circumstances that a TOML table spells.

    Raises:
        InvalidRecipe: an unknown key, a wrong type, an unknown word.
    """
    if not isinstance(table, dict):
        raise InvalidRecipe(f"{where} is no table")
    known = {one.name: str(one.type) for one in fields(kind)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            raise InvalidRecipe(f"{where}: unknown key {key!r}")
        if not (_numbers(value) if key in NUMBERS else fits(value, known[key])):
            raise InvalidRecipe(f"{where}.{key}: {value!r} is not {known[key]}")
        values[key] = tuple(value) if isinstance(value, list) else value
    if values.get("suspended", "") not in {"", *Suspension}:
        raise InvalidRecipe(f"{where}.suspended: no {values['suspended']!r}")
    try:
        return kind(**values)
    except ValueError as exc:
        raise InvalidRecipe(f"{where}: {exc}") from exc


def _numbers(value: object) -> bool:
    return isinstance(value, list) and all(type(item) is int for item in value)


def wanted_ds(placer: Placer) -> tuple[Ds, ...]:
    """Return the DS with SHA-256 of all keys that the child's CDS or CDNSKEY name.

    Computed from the recipe alone: what any parent would publish.
    """
    zone = placer.recipe.zone
    labels = {spec.partition(":")[0] for spec in (*zone.cds, *zone.cdnskey)}
    return tuple(
        sorted(placer.records(f"{label}:2" for label in labels if label != "raw"))
    )
