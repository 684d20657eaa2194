"""The parent zones that we act for, and the versions of their policies."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

import rfc8785
from django.db import IntegrityError, transaction

from bootstrap.core.dns.names import InvalidName, parse_name, unrooted
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import PolicyVersion, Zone
from bootstrap.registry.addresses import InvalidEndpoint, parse_endpoint

from . import audit
from .actors import Actor, ActorKind
from .people import lacks

MANAGE: Final = "bootstrap.manage_zones"
CHANGEABLE: Final = frozenset(
    {
        "primary",
        "tsig_key_file",
        "servers",
        "routing",
        "two_persons",
        "automated",
        "observe_seconds",
        "quiet_seconds",
        "scan_every_seconds",
        "ds_ttl_initial",
        "ds_ttl",
        "max_removed_share",
    }
)
"""What `add_zone` and `change_zone` accept, by column."""


class ZoneRefused(Exception):
    """The zone cannot be added or changed so; the message says why."""


@dataclass(frozen=True, slots=True)
class Rationale:
    """Why a policy is what it is; `actor` wrote it."""

    actor: Actor
    text: str = ""


@transaction.atomic
def add_zone(name: str, *, actor: Actor, now: datetime, **columns: object) -> Zone:
    """Act for one more parent zone, under the first version of its policy.

    Raises:
        ZoneRefused: no name, a zone that we have, an unusable setting, or a
            person without the right to change zones.
    """
    _check_right(actor, None)
    try:
        canonical = unrooted(parse_name(name))
    except InvalidName as exc:
        raise ZoneRefused(str(exc)) from exc
    zone = Zone(name=canonical, created_at=now)
    _set(zone, columns)
    try:
        with transaction.atomic():
            zone.save(force_insert=True)
    except IntegrityError as exc:
        raise ZoneRefused(f"the zone {canonical} is there already") from exc
    _record(EntryType.ZONE_ADDED, zone, actor, now, columns)
    write_policy(zone, AcceptancePolicy(), Rationale(actor, "the defaults"), now=now)
    return zone


@transaction.atomic
def change_zone(
    zone: Zone, *, actor: Actor, now: datetime, **columns: object
) -> list[str]:
    """Change a zone's settings; return the names of those that changed.

    Raises:
        ZoneRefused: an unusable setting, or a person without the right.
    """
    _check_right(actor, zone.pk)
    before = {name: getattr(zone, name) for name in columns}
    _set(zone, columns)
    changed = sorted(n for n, value in before.items() if getattr(zone, n) != value)
    if changed:
        zone.save(update_fields=changed)
        now_set = {name: columns[name] for name in changed}
        _record(EntryType.ZONE_CHANGED, zone, actor, now, now_set)
    return changed


@transaction.atomic
def write_policy(
    zone: Zone, policy: AcceptancePolicy, reason: Rationale, *, now: datetime
) -> PolicyVersion:
    """Put a policy in force as the zone's next version; earlier ones stay.

    Raises:
        ZoneRefused: a person without the right to change zones.
    """
    _check_right(reason.actor, zone.pk)
    Zone.objects.select_for_update().get(pk=zone.pk)
    last = PolicyVersion.objects.filter(zone=zone).order_by("-number").first()
    text = text_of(policy)
    version = PolicyVersion.objects.create(
        zone=zone,
        number=last.number + 1 if last else 1,
        digest=hashlib.sha256(rfc8785.dumps(text)).hexdigest(),
        text=text,
        reason=reason.text,
        author=reason.actor.name,
        created_at=now,
    )
    audit.record(
        EntryType.POLICY_CHANGED,
        stream=f"zone:{zone.name}.",
        actor=reason.actor,
        now=now,
        private={"reason": reason.text},
        number=version.number,
        digest=version.digest,
    )
    return version


def policy_of(zone: Zone) -> AcceptancePolicy:
    """Return the policy in force: its newest version, the defaults without one."""
    newest = PolicyVersion.objects.filter(zone=zone).order_by("-number").first()
    return AcceptancePolicy() if newest is None else policy_from(newest.text)


def text_of(policy: AcceptancePolicy) -> dict[str, Any]:
    """Return a policy as JSON: durations in seconds, tuples as lists."""
    return {field.name: _plain(getattr(policy, field.name)) for field in fields(policy)}


def policy_from(text: Mapping[str, Any]) -> AcceptancePolicy:
    """Return the policy that `text_of` wrote; what it lacks is as by default."""
    default = AcceptancePolicy()
    return AcceptancePolicy(
        **{
            field.name: _typed(text[field.name], getattr(default, field.name))
            for field in fields(default)
            if field.name in text
        }
    )


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    return list(value) if isinstance(value, tuple) else value


def _typed(value: Any, like: object) -> Any:  # noqa: ANN401 - JSON in, a field's type out
    if isinstance(like, timedelta):
        return timedelta(seconds=value)
    return tuple(value) if isinstance(like, tuple) else value


def _check_right(actor: Actor, zone: int | None) -> None:
    if actor.kind is ActorKind.STAFF and not actor.may(MANAGE, zone):
        raise ZoneRefused(lacks(actor, MANAGE))


def _set(zone: Zone, columns: Mapping[str, object]) -> None:
    if unknown := sorted(columns.keys() - CHANGEABLE):
        raise ZoneRefused(f"a zone has no setting {', '.join(unknown)}")
    for name, value in columns.items():
        setattr(zone, name, value)
    endpoints = [*zone.servers, *([zone.primary] if zone.primary else [])]
    try:
        for text in endpoints:
            parse_endpoint(text)
    except InvalidEndpoint as exc:
        raise ZoneRefused(str(exc)) from exc
    if not 0 <= zone.max_removed_share <= 1:
        raise ZoneRefused("the share of delegations removed is between 0 and 1")


def _record(
    entry_type: EntryType,
    zone: Zone,
    actor: Actor,
    now: datetime,
    columns: Mapping[str, object],
) -> None:
    # Shares are fractions, and entries hold integers only (S-89).
    told = {
        name: str(value) if isinstance(value, float) else value
        for name, value in columns.items()
    }
    audit.record(
        entry_type,
        stream=f"zone:{zone.name}.",
        actor=actor,
        now=now,
        zone=zone.name,
        settings=told,
    )
