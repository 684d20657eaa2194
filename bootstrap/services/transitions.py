"""Moves a proposal: its audit entry first, then the row, in one transaction.

The database refuses the second without the first (S-85).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import IntegrityError, transaction

from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow import lifecycle
from bootstrap.core.workflow.lifecycle import Event, State, TransitionRefused
from bootstrap.models import AuditEntry, Proposal

from . import audit
from .actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What the trail says of a move, beyond who, when and from where to where.

    `data` is public for ever; `private` (a person's comment) can be erased.
    `evidence` are digests of stored bundles; without any, what the proposal rests on.
    """

    type: EntryType
    data: Mapping[str, object] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict)
    evidence: Sequence[str] = ()


@transaction.atomic
def move(
    proposal: Proposal,
    event: Event,
    note: Note,
    *,
    actor: Actor,
    now: datetime,
    **columns: object,
) -> AuditEntry:
    """Advance `proposal` along one arrow and record it in the child's stream.

    `columns` are set in the same statement; `state_since` is always.

    Raises:
        TransitionRefused: no such arrow, or somebody else moved the row.
    """
    old = State(proposal.state)
    new = lifecycle.advance(old, event)
    draft = _draft(proposal, note, actor, now)
    moved = {"version": proposal.version + 1, "from": old.value, "to": new.value}
    draft = replace(
        draft,
        data={**draft.data, **moved},
        about=proposal.pk,
        version=proposal.version + 1,
    )
    try:
        with transaction.atomic():
            entry = audit.append([draft])[0]
    except IntegrityError:
        if AuditEntry.objects.filter(
            about=draft.about, about_version=draft.version
        ).exists():  # the other writer won
            raise TransitionRefused(old, event) from None
        raise
    proposal.advance(event, state_since=now, **columns)
    return entry


def begin(proposal: Proposal, note: Note, *, actor: Actor, now: datetime) -> None:
    """Record that a proposal comes into being, and insert its row."""
    begin_all([(proposal, note)], actor=actor, now=now)


def begin_all(
    begun: Sequence[tuple[Proposal, Note]], *, actor: Actor, now: datetime
) -> None:
    """Record that proposals come into being, and insert their rows."""
    drafts = [
        replace(
            _draft(proposal, note, actor, now),
            about=proposal.pk,
            version=proposal.version,
        )
        for proposal, note in begun
    ]
    if drafts:
        audit.append(drafts)
        Proposal.objects.bulk_create([proposal for proposal, _note in begun])


def say(proposal: Proposal, note: Note, *, actor: Actor, now: datetime) -> None:
    """Record something about a proposal that does not move it."""
    audit.append([_draft(proposal, note, actor, now)])


def _draft(proposal: Proposal, note: Note, actor: Actor, now: datetime) -> audit.Draft:
    return audit.Draft(
        type=note.type,
        stream=proposal.domain.stream,
        actor=actor,
        now=now,
        evidence=tuple(note.evidence) or (proposal.evidence_id,),
        data={**facts(proposal), **note.data, "version": proposal.version},
        private=note.private,
    )


def facts(proposal: Proposal) -> dict[str, object]:
    """Return what identifies a proposal in an entry: text that stays true."""
    return {
        "proposal": proposal.pk,
        "digest": proposal.digest,
        "path": proposal.path,
        "old_ds": proposal.old_ds,
        "new_ds": proposal.new_ds,
    }
