"""The act between the two commits: send a change, look what the parent holds.

No row is read or written here, and no transaction is open (style.md, rule 16).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique

from bootstrap.core.dns.names import Name, parse_name, unrooted
from bootstrap.core.dns.records import Ds
from bootstrap.models import Proposal, Zone
from bootstrap.registry.ports import (
    Change,
    OutcomeUnknown,
    Published,
    Registry,
    RegistryRefused,
    RegistryUnreachable,
)


@unique
class Effect(StrEnum):
    """What became of one attempt; stored with the publication."""

    APPLIED = "applied"  # a signed yes, and the parent holds the new set
    READ_BACK = "read-back"  # no usable answer, but the parent holds the new set
    UNCHANGED = "unchanged"  # the parent still holds the old set
    CONFLICT = "conflict"  # other nameservers, or a third DS set
    REFUSED = "refused"  # an authentic no that waiting does not change
    UNREACHABLE = "unreachable"  # nothing was sent
    UNKNOWN = "unknown"  # sent, and the parent cannot be read


@dataclass(frozen=True, slots=True)
class Report:
    """One attempt as it went: effect, code, bytes both ways, what is held now."""

    effect: Effect
    rcode: str = ""
    detail: str = ""
    request: bytes = b""
    response: bytes = b""
    held: Published | None = None


def change_of(proposal: Proposal, zone: Zone) -> Change:
    """Return the change that `proposal` asks for, with the low TTL (P-5.20, P-5.21)."""
    return Change(
        child=parse_name(proposal.domain.name),
        parent=parse_name(zone.name),
        nameservers=tuple(sorted(map(parse_name, proposal.nameservers))),
        old=ds_of(proposal.old_ds),
        new=ds_of(proposal.new_ds),
        ttl=min(zone.ds_ttl_initial, zone.ds_ttl),
    )


def ds_of(texts: list[str]) -> tuple[Ds, ...]:
    """Return a stored DS set as values, sorted."""
    return tuple(sorted(map(Ds.from_text, texts)))


def send(registry: Registry, change: Change) -> Report:
    """Send `change` once and read back, whatever the answer was (F-12, S-75)."""
    try:
        receipt = registry.publish(change)
    except RegistryRefused as refusal:
        said = Report(
            Effect.REFUSED,
            refusal.rcode,
            refusal.detail,
            refusal.request,
            refusal.response,
        )
        if not refusal.prerequisite_failed:
            return said
        return _looked(registry, change, said, unchanged=Effect.CONFLICT)
    except OutcomeUnknown as lost:
        said = Report(Effect.UNKNOWN, "", lost.detail, lost.request, lost.response)
        return _looked(registry, change, said)
    except RegistryUnreachable as away:
        return Report(Effect.UNREACHABLE, "", away.detail, away.request, away.response)
    said = Report(Effect.APPLIED, receipt.rcode, "", receipt.request, receipt.response)
    return _looked(registry, change, said)


def look(registry: Registry, change: Change) -> Report:
    """Say what became of an attempt whose sender is gone, by reading the parent."""
    return _looked(registry, change, Report(Effect.UNKNOWN))


def _looked(
    registry: Registry,
    change: Change,
    said: Report,
    unchanged: Effect = Effect.UNCHANGED,
) -> Report:
    """Replace the effect by what the parent shows.

    `unchanged` is what the old set means: after a failed prerequisite it is the
    nameservers that differ.
    """
    try:
        held = registry.read_back(change.child)
    except RegistryUnreachable as away:
        detail = f"{said.detail}; read-back: {away.detail}".removeprefix("; ")
        return _with(said, Effect.UNKNOWN, detail, None)
    if held.ds == change.new:
        seen = Effect.APPLIED if said.effect is Effect.APPLIED else Effect.READ_BACK
    elif held.ds == change.old:
        seen = unchanged
    else:
        seen = Effect.CONFLICT
    detail = said.detail
    if seen is Effect.CONFLICT and held.ds == change.old:
        detail = _nameservers_of(registry, change.child)
    return _with(said, seen, detail, held)


def _nameservers_of(registry: Registry, child: Name) -> str:
    """Return in words which nameservers the parent has instead."""
    try:
        hosts = registry.delegation(child).nameservers
    except RegistryUnreachable as away:
        return away.detail
    return f"the parent's NS set: {' '.join(map(unrooted, hosts)) or 'none'}"


def _with(said: Report, effect: Effect, detail: str, held: Published | None) -> Report:
    return Report(effect, said.rcode, detail, said.request, said.response, held)
