"""Give a DS RRset its ordinary TTL back, once the risky days are over.

A new set is published with a low TTL (P-5.20); the return to the normal one is
an audited change of its own, but no DS change (P-5.22). Say, do, say as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import F

from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Proposal, Publication, Zone
from bootstrap.registry.ports import Registry

from . import alarms, audit, switches
from .actors import PUBLISHER
from .outcomes import MAX_ATTEMPTS, pause
from .sending import Report, change_of, send

LOW_FOR: Final = timedelta(hours=48)
"""How long the TTL stays low, and never less than the old set's TTL (P-5.20)."""
RESTORING: Final = "ttl-restoring"
IN_VAIN: Final = "ttl-not-restored"
RESTORED: Final = "ttl-restored"
MOOT: Final = "ttl-moot"  # another set is there by now
GIVEN_UP: Final = "ttl-given-up"
OVER: Final = (RESTORED, MOOT, GIVEN_UP)
"""Outcomes of a publication after which a proposal's TTL is nobody's concern."""


def restore_due(
    *,
    registry_for: Callable[[Zone], Registry],
    clock: Callable[[], datetime],
    limit: int = 100,
) -> int:
    """Restore the TTL of settled sets whose time has come; return how many were."""
    restored = 0
    if switches.stopped():
        return restored  # S-71
    for proposal in _due(clock(), limit):
        zone = proposal.domain.zone
        restored += _restore(proposal, registry_for(zone), clock)
    return restored


def _due(now: datetime, limit: int) -> Iterator[Proposal]:
    """Yield settled proposals with a low TTL that nothing has superseded."""
    settled = (
        Proposal.objects.with_domain()
        .settled()
        .filter(sent_at__lte=now - LOW_FOR)
        .filter(domain__zone__ds_ttl_initial__lt=F("domain__zone__ds_ttl"))
        .filter(domain__zone__automated=True, domain__removed_at=None)
        .exclude(new_ds=[])
        .exclude(publications__outcome__in=OVER)
        .order_by("sent_at")
    )
    for proposal in settled[:limit]:
        if _is_time(proposal, now):
            yield proposal


def _is_time(proposal: Proposal, now: datetime) -> bool:
    domain = proposal.domain
    tries = proposal.publications.filter(outcome__in=[RESTORING, IN_VAIN])
    if sorted(domain.ds) != sorted(proposal.new_ds):
        _close(proposal, MOOT, now)
        return False
    if tries.count() >= MAX_ATTEMPTS:
        _close(proposal, GIVEN_UP, now)
        return False
    since = proposal.sent_at or now
    low_until = since + max(LOW_FOR, timedelta(seconds=domain.zone.ds_ttl))
    last = tries.last()
    rested = last is None or last.began_at + pause(tries.count()) <= now
    return low_until <= now and rested


def _close(proposal: Proposal, outcome: str, now: datetime) -> None:
    with transaction.atomic(durable=True):
        _attempt(proposal, outcome, now, ended_at=now)
        if outcome == GIVEN_UP:
            alarms.open_alarm(
                Reason.PUB_ZONE_REJECTED.value,
                subject=proposal.domain.name,
                domain=proposal.domain,
                detail="the TTL of its DS RRset could not be restored",
                now=now,
            )


def _attempt(
    proposal: Proposal, outcome: str, now: datetime, **columns: object
) -> Publication:
    return Publication.objects.create(
        proposal=proposal,
        number=proposal.publications.count() + 1,
        fence=proposal.fence,
        began_at=now,
        outcome=outcome,
        **columns,
    )


def _restore(
    proposal: Proposal, registry: Registry, clock: Callable[[], datetime]
) -> bool:
    began = clock()
    try:
        with transaction.atomic(durable=True):
            attempt = _attempt(proposal, RESTORING, began)
    except IntegrityError:
        return False  # another publisher took this number
    zone = proposal.domain.zone
    change = change_of(proposal, zone)
    report = send(registry, replace(change, old=change.new, ttl=zone.ds_ttl))
    done = report.held is not None and report.held.ttl == zone.ds_ttl
    _record(proposal, attempt, report, done=done, now=clock())
    return done


def _record(
    proposal: Proposal,
    attempt: Publication,
    report: Report,
    *,
    done: bool,
    now: datetime,
) -> None:
    with transaction.atomic(durable=True):
        Publication.objects.filter(pk=attempt.pk).update(
            ended_at=now,
            outcome=RESTORED if done else IN_VAIN,
            rcode=report.rcode,
            detail=report.detail,
            request=report.request,
            response=report.response,
        )
        if done:
            audit.record(
                EntryType.TTL_RESTORED,
                stream=proposal.domain.stream,
                actor=PUBLISHER,
                now=now,
                proposal=proposal.pk,
                ds=proposal.new_ds,
                ttl=proposal.domain.zone.ds_ttl,
            )
