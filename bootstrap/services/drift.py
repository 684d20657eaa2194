"""What follows when the parent holds a DS set that nobody of ours put there.

An alarm and an entry, and all that a change by another channel means: the open
proposal ends, a removal suspends automation, a new set ends that (P-5.43).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from bootstrap.core.evaluation.delegation import Suspension
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow.lifecycle import Event, State
from bootstrap.models import Domain, Proposal, Zone

from . import alarms, audit, leasing, states, suspension
from .actors import PUBLISHER
from .lapsing import LAPSABLE, lapse
from .transitions import Note, move

ALARM: Final = "DS_DRIFTED"


@dataclass(frozen=True, slots=True)
class Held:
    """The DS set, as sorted texts, that the parent's primary has for a child."""

    name: str
    ds: list[str]


@transaction.atomic
def take_in(zone: Zone, held: Held, *, as_of: datetime, now: datetime) -> bool:
    """Take note of one foreign change; say whether it was one.

    What our own publication is doing, or has done since `as_of`, is none.
    """
    rows = Domain.objects.select_for_update(of=("self",)).select_related("zone")
    domain = rows.filter(name=held.name, zone=zone, removed_at=None).first()
    if domain is None or sorted(domain.ds) == held.ds or _is_ours(domain, as_of):
        return False
    old = sorted(domain.ds)
    audit.record(
        EntryType.DS_DRIFTED,
        stream=domain.stream,
        actor=PUBLISHER,
        now=now,
        old=old,
        new=held.ds,
    )
    _end_open(domain, now)
    domain.ds, domain.version = held.ds, domain.version + 1
    domain.changed_at = domain.oob_change_at = now
    domain.auth_method = ""
    domain.save(
        update_fields=["ds", "version", "changed_at", "oob_change_at", "auth_method"]
    )
    if not held.ds:
        suspension.suspend(domain, Suspension.OOB_REMOVAL, actor=PUBLISHER, now=now)
    elif domain.suspension == Suspension.OOB_REMOVAL:
        suspension.resume(domain, actor=PUBLISHER, now=now)
    told = f"expected {'; '.join(old) or 'none'}, found {'; '.join(held.ds) or 'none'}"
    alarms.open_alarm(ALARM, subject=domain.name, domain=domain, detail=told, now=now)
    leasing.request([domain.pk], trigger=Trigger.SCHEDULE, now=now)
    states.refresh([domain], now=now)
    return True


def _is_ours(domain: Domain, as_of: datetime) -> bool:
    ours = Proposal.objects.filter(domain=domain)
    return (
        ours.filter(state=State.SENDING.value).exists()
        or ours.filter(sent_at__gte=as_of).exists()
    )


def _end_open(domain: Domain, now: datetime) -> None:
    found = Proposal.objects.open().with_domain().filter(domain=domain).first()
    if found is None:
        return
    found.domain = domain
    if State(found.state) in LAPSABLE:
        why = "the parent's DS set was changed by somebody else"
        reason = Reason.PUB_CONFLICT
        lapse(found, actor=PUBLISHER, now=now, reason=reason, why=why)
        return
    note = Note(type=EntryType.PUBLICATION_CONFLICT, data={"found by": "comparison"})
    why = Reason.PUB_CONFLICT.value
    move(found, Event.DISAGREE, note, actor=PUBLISHER, now=now, reason=why)
