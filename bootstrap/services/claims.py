"""Leave to send: the commit before the packet (S-73, S-74)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import Final

from django.db import transaction

from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow.lifecycle import Event, State, TransitionRefused
from bootstrap.models import Domain, Proposal, Publication, Zone
from bootstrap.registry.ports import Change

from . import breakers, holds, leasing, switches
from .actors import Actor
from .lapsing import lapse
from .rechecks import NeedsScan, Objection, objection
from .sending import change_of
from .transitions import Note, move

LEASE: Final = timedelta(seconds=120)
"""Longer than any attempt can take, connection and read-back included."""
SCAN_WITHIN: Final = timedelta(minutes=1)
"""When to look again for the fresh scan that was asked for (S-60)."""


@unique
class Ending(StrEnum):
    """How far one call brought a proposal."""

    SENT = "sent"
    DEFERRED = "deferred"
    STALE = "stale"
    CONFLICT = "conflict"
    FAILED = "failed"
    UNKNOWN = "unknown"  # still half sent: the parent cannot be read
    RESCAN = "rescan"  # waits for fresh evidence
    HELD = "held"  # a breaker opened since it was approved
    STOPPED = "stopped"  # the kill switch: nothing is sent to anybody
    TAKEN = "taken"  # somebody else has it, or it moved on


@dataclass(frozen=True, slots=True)
class Claim:
    """Leave to send one change once; `fence` is the number that late writers lack."""

    proposal: Proposal
    zone: Zone
    change: Change
    attempt: Publication | None
    fence: int
    until: datetime


def begin(proposal: Proposal, *, actor: Actor, now: datetime) -> Claim | Ending:
    """Commit that `proposal` will be sent now, or say why it will not.

    Registry snapshot, suspension and age are checked in the same transaction
    (P-1.52).
    """
    try:
        with transaction.atomic(durable=True):
            return _say(proposal, actor=actor, now=now)
    except TransitionRefused:
        return Ending.TAKEN


def _say(proposal: Proposal, *, actor: Actor, now: datetime) -> Claim | Ending:
    domain = Domain.objects.select_for_update().get(pk=proposal.domain_id)
    proposal.refresh_from_db()
    if proposal.state != State.APPROVED or not domain.zone.automated:
        return Ending.TAKEN
    if switches.stopped():
        return Ending.STOPPED
    breaker = breakers.watch_sending(proposal, now=now)
    if breaker is not None:
        holds.hold(proposal, breaker, actor=actor, now=now)
        return Ending.HELD
    return _begun(proposal, domain, actor=actor, now=now)


def _begun(
    proposal: Proposal, domain: Domain, *, actor: Actor, now: datetime
) -> Claim | Ending:
    found = objection(proposal, domain, now)
    if isinstance(found, Objection):
        return _lapse(proposal, found, actor=actor, now=now)
    if isinstance(found, NeedsScan):
        return _ask_for_scan(proposal, now=now)
    return _claim(proposal, domain.zone, actor=actor, now=now)


def _claim(proposal: Proposal, zone: Zone, *, actor: Actor, now: datetime) -> Claim:
    number = proposal.publications.count() + 1
    fence = proposal.fence + 1
    move(
        proposal,
        Event.BEGIN,
        Note(
            type=EntryType.PUBLICATION_BEGUN,
            data={"attempt": number, "fence": fence, "ttl": zone.ds_ttl_initial},
            evidence=(proposal.evidence_id,),
        ),
        actor=actor,
        now=now,
        fence=fence,
        lease_until=now + LEASE,
        attempts=proposal.attempts + 1,
        next_try_at=None,
    )
    attempt = Publication.objects.create(
        proposal=proposal, number=number, fence=fence, began_at=now
    )
    change = change_of(proposal, zone)
    return Claim(proposal, zone, change, attempt, fence, now + LEASE)


def _lapse(
    proposal: Proposal, found: Objection, *, actor: Actor, now: datetime
) -> Ending:
    lapse(proposal, actor=actor, now=now, reason=found.reason, why=found.detail)
    return Ending.STALE


def _ask_for_scan(proposal: Proposal, *, now: datetime) -> Ending:
    Proposal.objects.filter(pk=proposal.pk, version=proposal.version).update(
        next_try_at=now + SCAN_WITHIN
    )
    leasing.request([proposal.domain_id], trigger=Trigger.PUBLICATION, now=now)
    return Ending.RESCAN


def begin_reading(proposal: Proposal, *, actor: Actor, now: datetime) -> Claim | None:
    """Commit that an approved change is about to be read back; None if it moved on.

    For after a restore (S-96): nothing is checked, since nothing will be sent.
    """
    try:
        with transaction.atomic(durable=True):
            Domain.objects.select_for_update().get(pk=proposal.domain_id)
            proposal.refresh_from_db()
            if proposal.state != State.APPROVED:
                return None
            return _claim(proposal, proposal.domain.zone, actor=actor, now=now)
    except TransitionRefused:
        return None


def take_over(proposal: Proposal, *, now: datetime) -> Claim | None:
    """Take a half-sent change from whoever began it; None if it moved on."""
    fence, until = proposal.fence + 1, now + LEASE
    held = Proposal.objects.half_sent().filter(pk=proposal.pk, fence=proposal.fence)
    if not held.update(fence=fence, lease_until=until):
        return None
    proposal.refresh_from_db()
    zone = proposal.domain.zone
    attempt = proposal.publications.filter(ended_at=None).last()
    return Claim(proposal, zone, change_of(proposal, zone), attempt, fence, until)
