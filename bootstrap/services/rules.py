"""Rules of a zone: one person asks, another confirms, each change a version (S-64).

What a new policy would have changed in last week's evaluations is computed when
it is asked for and kept with it, so that both persons see the same (S-72).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction

from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evidence.bundle import BundleMalformed
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import RulesChange, ScanAttempt, Zone

from . import audit, rejudging, zones
from .actors import Actor, ActorKind
from .evidence import EvidenceDamaged
from .people import UnknownPerson, lacks, person, same_person
from .zones import MANAGE, Rationale, ZoneRefused

WEEK: Final = timedelta(days=7)
MOST: Final = 200
"""Evaluations judged again for the preview: the newest."""
EXAMPLES: Final = 20


class RulesRefused(Exception):
    """The change cannot be asked for or confirmed; the message says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants: columns of the zone, and a policy or None."""

    settings: Mapping[str, Any]
    policy: AcceptancePolicy | None
    reason: str


def effect(zone: Zone, policy: AcceptancePolicy, *, now: datetime) -> dict[str, Any]:
    """Return how many of last week's evaluations another policy would change.

    Judges the newest `MOST` of them again from their evidence; `of` says how
    many there were, `unreadable` how many had evidence that cannot be opened.
    """
    scans = ScanAttempt.objects.filter(
        domain__zone=zone, started_at__gte=now - WEEK, evidence__isnull=False
    ).select_related("domain")
    told: dict[str, Any] = {
        "of": scans.order_by().count(),
        "judged": 0,
        "changed": 0,
        "unreadable": 0,
        "examples": [],
    }
    for again in _again(list(scans.order_by("-started_at")[:MOST]), policy):
        if again is None:
            told["unreadable"] += 1
            continue
        told["judged"] += 1
        if again.decides_otherwise:
            told["changed"] += 1
            told["examples"].append(_example(again))
    told["examples"] = told["examples"][:EXAMPLES]
    return told


def _again(
    scans: list[ScanAttempt], policy: AcceptancePolicy
) -> Iterator[rejudging.Rejudged | None]:
    for scan in scans:
        try:
            yield from rejudging.rejudge([scan], policy=policy)
        except (EvidenceDamaged, BundleMalformed):
            yield None


def _example(again: rejudging.Rejudged) -> dict[str, str]:
    return {
        "scan": str(again.scan.pk),
        "domain": again.scan.domain.name,
        "before": again.stored.primary.value,
        "after": again.again.primary.value,
    }


@transaction.atomic
def ask(zone: Zone, wanted: Wanted, *, actor: Actor, now: datetime) -> RulesChange:
    """Write down what should change, for somebody else to confirm.

    Raises:
        RulesRefused: no right, no reason, nothing changes, or one is open.
        ZoneRefused: a setting that a zone cannot have.
    """
    _check_right(actor, zone)
    if not wanted.reason.strip():
        raise RulesRefused("say why: a change of rules needs a reason")
    settings = _changed(zone, wanted.settings)
    policy = _text(zone, wanted.policy)
    if not settings and policy is None:
        raise RulesRefused("nothing would change")
    try:
        with transaction.atomic():
            change = RulesChange.objects.create(
                zone=zone,
                settings=settings,
                policy=policy,
                before=_before(zone, settings),
                effect=_effect(zone, policy, now),
                reason=wanted.reason,
                author=actor.name,
                created_at=now,
            )
    except IntegrityError as exc:
        raise RulesRefused("another change of this zone waits already") from exc
    _record(EntryType.RULES_PROPOSED, change, actor, now, wanted.reason)
    return change


@transaction.atomic
def confirm(
    change: RulesChange, *, actor: Actor, comment: str, now: datetime
) -> RulesChange:
    """Put it in force, as a second person.

    Raises:
        RulesRefused: the one who asked, no right (of either, at this moment),
            already decided, or the rules are no longer what they were.
    """
    row = _locked(change)
    _check_right(actor, row.zone)
    if row.author in same_person(actor.name):
        raise RulesRefused("somebody else than the one who asked must confirm it")
    author = _author(row)
    if _before(row.zone, row.settings) != row.before:
        raise RulesRefused("the zone's rules changed since this was written")
    if row.settings:
        zones.change_zone(row.zone, actor=actor, now=now, **row.settings)
    if row.policy is not None:
        policy = zones.policy_from(row.policy)
        zones.write_policy(row.zone, policy, Rationale(author, row.reason), now=now)
    return _decide(row, RulesChange.Stand.CONFIRMED, actor, comment, now)


@transaction.atomic
def refuse(
    change: RulesChange, *, actor: Actor, comment: str, now: datetime
) -> RulesChange:
    """Say no, or take one's own back.

    Raises:
        RulesRefused: no right, or already decided.
    """
    row = _locked(change)
    _check_right(actor, row.zone)
    return _decide(row, RulesChange.Stand.REFUSED, actor, comment, now)


def _locked(change: RulesChange) -> RulesChange:
    Zone.objects.select_for_update().get(pk=change.zone_id)
    rows = RulesChange.objects.select_for_update(of=("self",)).select_related("zone")
    row = rows.get(pk=change.pk)
    if row.stand != RulesChange.Stand.OPEN:
        raise RulesRefused(f"this change is {row.stand} already")
    return row


def _decide(
    row: RulesChange,
    stand: RulesChange.Stand,
    actor: Actor,
    comment: str,
    now: datetime,
) -> RulesChange:
    row.stand, row.decided_by, row.decided_at = stand.value, actor.name, now
    row.comment = comment
    row.save(update_fields=["stand", "decided_by", "decided_at", "comment"])
    confirmed = stand is RulesChange.Stand.CONFIRMED
    kind = EntryType.RULES_CONFIRMED if confirmed else EntryType.RULES_REFUSED
    _record(kind, row, actor, now, comment)
    return row


def _author(row: RulesChange) -> Actor:
    """Return the one who asked, who must still have the right (S-64)."""
    try:
        author = person(row.author, via="dashboard")
    except UnknownPerson as exc:
        raise RulesRefused(str(exc)) from exc
    _check_right(author, row.zone)
    return author


def _check_right(actor: Actor, zone: Zone) -> None:
    if actor.kind is not ActorKind.STAFF or not actor.may(MANAGE, zone.pk):
        raise RulesRefused(lacks(actor, MANAGE))


def _changed(zone: Zone, settings: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := sorted(settings.keys() - zones.CHANGEABLE):
        raise ZoneRefused(f"a zone has no setting {', '.join(unknown)}")
    return {n: value for n, value in settings.items() if getattr(zone, n) != value}


def _text(zone: Zone, policy: AcceptancePolicy | None) -> dict[str, Any] | None:
    if policy is None or policy == zones.policy_of(zone):
        return None
    return zones.text_of(policy)


def _effect(
    zone: Zone, policy: dict[str, Any] | None, now: datetime
) -> dict[str, Any] | None:
    return None if policy is None else effect(zone, zones.policy_from(policy), now=now)


def _before(zone: Zone, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "settings": {name: getattr(zone, name) for name in settings},
        "policy": zones.text_of(zones.policy_of(zone)),
    }


def _record(
    entry_type: EntryType, change: RulesChange, actor: Actor, now: datetime, said: str
) -> None:
    audit.record(
        entry_type,
        stream=f"zone:{change.zone.name}.",
        actor=actor,
        now=now,
        private={"said": said},
        change=change.pk,
        settings=sorted(change.settings),
        policy=change.policy is not None,
    )
