"""Notes of staff beside a child or a change."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Domain, Note, Proposal

from . import audit
from .actors import Actor
from .people import lacks

COMMENT: Final = "bootstrap.comment_proposal"


class NoteRefused(Exception):
    """This actor may not write notes."""


@transaction.atomic
def write(
    domain: Domain,
    text: str,
    *,
    actor: Actor,
    now: datetime,
    proposal: Proposal | None = None,
) -> Note:
    """Keep a person's remark; its text is in the trail as an erasable value.

    Raises:
        NoteRefused: the actor lacks the permission at this moment (S-64).
    """
    if not actor.may(COMMENT, domain.zone_id):
        raise NoteRefused(lacks(actor, COMMENT))
    note = Note.objects.create(
        domain=domain, proposal=proposal, author=actor.name, text=text, at=now
    )
    audit.record(
        EntryType.NOTE_WRITTEN,
        stream=domain.stream,
        actor=actor,
        now=now,
        private={"text": text},
        proposal=None if proposal is None else str(proposal.pk),
    )
    return note
