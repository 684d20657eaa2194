"""What follows from one look: SENT → VISIBLE → SETTLED, or an alarm (P-3.42).

Nothing is ever undone here (P-3.41): a child that fails under its new DS is an
alarm, and people decide.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from bootstrap.core.dns.records import Ds
from bootstrap.core.dnssec.security import Security
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow.lifecycle import Event, State, TransitionRefused
from bootstrap.models import Domain, Proposal, Sighting
from bootstrap.models.squeezed import EVIDENCE, squeeze, unsqueeze

from . import alarms, states
from .actors import VERIFIER
from .looking import Look
from .sending import ds_of
from .transitions import Note, move

PATIENCE: Final = timedelta(hours=1)
"""A DS that is not on every server after this time is an alarm."""
GIVE_UP: Final = timedelta(hours=24)
OVERDUE: Final = timedelta(minutes=30)
"""A child that does not validate this long after the end of observation."""
SOONEST: Final = timedelta(seconds=1)
LATEST: Final = timedelta(minutes=5)
CHECKS: Final = (timedelta(hours=1), timedelta(hours=24))
"""Looks after it became visible, beside the one after a TTL (P-3.40)."""
VALIDATOR: Final = "validator"
LARGEST: Final = 65_535
"""Octets of a DNS message."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """One look at one proposal, as it is about to be recorded."""

    proposal: Proposal
    look: Look
    now: datetime
    messages: Mapping[str, str] = field(default_factory=dict)
    """The SHA-256 of what each server answers, by server (P-8.10)."""

    @property
    def good(self) -> bool:
        """The child validates; or, after a removal, is proven insecure."""
        wanted = Security.SECURE if self.proposal.new_ds else Security.INSECURE
        return self.look.child is wanted

    def move(self, event: Event, entry_type: EntryType, **columns: object) -> None:
        """Advance the proposal, with what was seen as the note."""
        data = {**_facts(self.look), "messages": dict(self.messages)}
        note = Note(type=entry_type, data=data)
        move(
            self.proposal,
            event,
            note,
            actor=VERIFIER,
            now=self.now,
            lease_until=None,
            **columns,
        )

    def alarm(self, code: Reason, detail: str) -> None:
        """Have somebody look at this child."""
        domain = self.proposal.domain
        alarms.open_alarm(
            code.value, subject=domain.name, domain=domain, detail=detail, now=self.now
        )

    def end_alarm(self, code: Reason) -> None:
        """The cause is gone."""
        alarms.close_alarm(code.value, subject=self.proposal.domain.name, now=self.now)


def record_look(proposal: Proposal, look: Look, *, now: datetime) -> str:
    """Keep what was seen and follow from it; return the state that results."""
    try:
        with transaction.atomic(durable=True):
            return _say(proposal, look, now)
    except TransitionRefused:
        return "taken"


def _say(proposal: Proposal, look: Look, now: datetime) -> str:
    Domain.objects.select_for_update().get(pk=proposal.domain_id)
    held = Proposal.objects.published().with_domain()
    current = held.filter(pk=proposal.pk, fence=proposal.fence).first()
    if current is None:
        return "taken"
    found = _Seen(current, look, now, _keep(current, look, now))
    if look.child is Security.BOGUS:
        found.alarm(Reason.POST_CHILD_BOGUS, look.detail)
    if State(current.state) is State.SENT:
        _after_sent(found)
    if State(current.state) is State.VISIBLE:
        _after_visible(found)
    states.refresh(Domain.objects.filter(pk=current.domain_id), now=now)
    return str(current.state)


# ── SENT: on every server of the parent? ────────────────────────────────────


def _after_sent(found: _Seen) -> None:
    proposal, look, now = found.proposal, found.look, found.now
    waited = now - (proposal.sent_at or proposal.state_since)
    if look.everywhere:
        observe = timedelta(seconds=proposal.domain.zone.observe_seconds)
        found.move(
            Event.APPEAR,
            EntryType.PUBLICATION_VISIBLE,
            reason=Reason.PUB_OK.value,
            visible_at=now,
            settle_at=now + observe,
        )
        found.end_alarm(Reason.PUB_NOT_VISIBLE)
    elif _is_elsewise(found):
        _conflict(found)
    elif waited >= GIVE_UP:
        reason = Reason.PUB_NOT_VISIBLE.value
        found.move(Event.GIVE_UP, EntryType.PUBLICATION_FAILED, reason=reason)
        found.alarm(Reason.PUB_NOT_VISIBLE, "gave up after a day")
    else:
        if waited >= PATIENCE:
            found.alarm(Reason.PUB_NOT_VISIBLE, _told(look))
        _look_again(found, now + _between(waited / 2))


def _is_elsewise(found: _Seen) -> bool:
    """Say whether all servers agree on a third set: neither the old nor the new."""
    other = found.look.elsewise
    return other is not None and other != ds_of(found.proposal.old_ds)


# ── VISIBLE: does the child validate, and stay so? ──────────────────────────


def _after_visible(found: _Seen) -> None:
    proposal, look, now = found.proposal, found.look, found.now
    if look.elsewise is not None:
        _conflict(found)
        return
    if found.good:
        _all_well(found)
    settle_at = proposal.settle_at or now
    if now < settle_at:
        _look_again(found, _next_check(proposal, found, now, settle_at))
    elif found.good and look.everywhere:
        found.move(
            Event.SETTLE,
            EntryType.PUBLICATION_SETTLED,
            reason=Reason.POST_OK.value,
            settled_at=now,
            next_try_at=None,
        )
    else:
        if look.child is not Security.BOGUS and now - settle_at >= OVERDUE:
            found.alarm(Reason.POST_DS_ORPHAN, f"{look.child.value} {look.detail}")
        _look_again(found, now + _between((now - settle_at) / 2))


def _all_well(found: _Seen) -> None:
    proposal = found.proposal
    for code in (Reason.POST_CHILD_BOGUS, Reason.POST_DS_ORPHAN):
        found.end_alarm(code)
    rows = Domain.objects.filter(pk=proposal.domain_id)
    if not proposal.new_ds:
        rows.update(secured_at=None)
    else:
        rows.filter(secured_at=None).update(secured_at=found.now)


def _next_check(
    proposal: Proposal, found: _Seen, now: datetime, settle_at: datetime
) -> datetime:
    """Return the next of +TTL, +1 h, +24 h, never later than the end (P-3.40)."""
    if not found.good:
        return min(settle_at, now + LATEST)
    since = proposal.visible_at or now
    ttl = timedelta(seconds=proposal.domain.zone.ds_ttl_initial)
    times = [since + after for after in (ttl, *CHECKS) if since + after > now]
    return min([*times, settle_at])


def _conflict(found: _Seen) -> None:
    reason = Reason.PUB_CONFLICT
    found.move(Event.DISAGREE, EntryType.PUBLICATION_CONFLICT, reason=reason.value)
    found.alarm(reason, _told(found.look))


def _look_again(found: _Seen, at: datetime) -> None:
    rows = Proposal.objects.filter(pk=found.proposal.pk)
    rows.update(next_try_at=at, lease_until=None)


def _between(pause: timedelta) -> timedelta:
    return min(max(pause, SOONEST), LATEST)


# ── what was seen ───────────────────────────────────────────────────────────


def _keep(proposal: Proposal, look: Look, now: datetime) -> dict[str, str]:
    """Write down what was seen; return the digest of each server's message.

    An answer that says what the last one did is not kept again (P-8.37).
    """
    kept = _kept(proposal)
    fresh = {
        shown.server: (shown.ds, shown.ttl, shown.message)
        for shown in look.shown
        if shown.message and kept.get(shown.server, ())[:2] != (shown.ds, shown.ttl)
    }
    rows = [
        Sighting(
            proposal=proposal,
            at=now,
            server=shown.server,
            ds=[ds.to_text() for ds in shown.ds or ()],
            ttl=shown.ttl,
            serial=shown.serial,
            matches=shown.ds == look.target.ds,
            detail=shown.detail,
            message=squeeze(shown.message, EVIDENCE)
            if shown.message and shown.server in fresh
            else None,
        )
        for shown in look.shown
    ]
    good = _Seen(proposal, look, now).good
    told = f"{look.child.value} {look.detail}".strip()
    rows.append(
        Sighting(proposal=proposal, at=now, server=VALIDATOR, matches=good, detail=told)
    )
    Sighting.objects.bulk_create(rows)
    answering = {shown.server for shown in look.shown if shown.message}
    return {
        server: hashlib.sha256(message).hexdigest()
        for server, (_, _, message) in sorted({**kept, **fresh}.items())
        if server in answering
    }


Kept = tuple[tuple[Ds, ...] | None, int | None, bytes]
"""A DS set, its TTL, and the message that showed them."""


def _kept(proposal: Proposal) -> dict[str, Kept]:
    """Return the last message that is kept of each server."""
    rows = Sighting.objects.filter(proposal=proposal).exclude(message=None)
    return {
        row.server: (ds_of(row.ds), row.ttl, message_of(row))
        for row in rows.order_by("at", "pk")
    }


def message_of(row: Sighting) -> bytes:
    """Return the message of a sighting that has one.

    Raises:
        CannotOpen: what is kept is damaged.
    """
    return unsqueeze(bytes(row.message or b""), LARGEST)


def messages_of(proposal: Proposal) -> dict[str, bytes]:
    """Return all messages that are kept of a proposal, by SHA-256.

    Raises:
        CannotOpen: what is kept is damaged.
    """
    rows = Sighting.objects.filter(proposal=proposal).exclude(message=None)
    found = [message_of(row) for row in rows]
    return {hashlib.sha256(each).hexdigest(): each for each in found}


def _facts(look: Look) -> dict[str, object]:
    return {
        "servers": {
            shown.server: None
            if shown.ds is None
            else [ds.to_text() for ds in shown.ds]
            for shown in look.shown
        },
        "serials": {shown.server: shown.serial for shown in look.shown},
        "child": look.child.value,
        "detail": look.detail,
    }


def _told(look: Look) -> str:
    behind = [
        f"{shown.server}: {shown.detail or len(shown.ds or ())}"
        for shown in look.shown
        if shown.ds != look.target.ds
    ]
    return ", ".join(behind) or "no server of the parent is known"
