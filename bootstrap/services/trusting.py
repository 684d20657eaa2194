"""Which trust anchors are in force: never simply those of the file (S-42, P-B.3).

The first set that is ever used is the deployment's own choice. Any other waits
until two persons have compared it with what IANA publishes, each on a way of
their own; until then the set before stays in force, and an alarm says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from bootstrap.config import World
from bootstrap.core.dnssec.anchor_files import read_anchors
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import AnchorFile, AnchorVoice
from bootstrap.models.anchors import AnchorStand

from . import alarms, audit
from .actors import SCANNER, Actor, ActorKind
from .people import lacks, same_person
from .zones import MANAGE

CODE: Final = Reason.X_TRUST_ANCHOR.value
SUBJECT: Final = "anchor file"
STREAM: Final = "guards"
PERSONS: Final = 2


class AnchorsRefused(Exception):
    """This word does not count; the message says why."""


def digest_of(anchors: Iterable[Anchor]) -> str:
    """Return what names a set of anchors: the SHA-256 of its lines, sorted."""
    lines = sorted(line_of(anchor) for anchor in anchors)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def line_of(anchor: Anchor) -> str:
    """Return an anchor as one line, for hashing and for people to compare."""
    ends = (anchor.valid_from, anchor.valid_until)
    times = " ".join(f"{end:%Y-%m-%dT%H:%M:%SZ}" if end else "-" for end in ends)
    return f"{anchor.zone.to_text()} DS {anchor.ds.to_text()} {times}"


def trusted(world: World, *, now: datetime) -> World:
    """Return `world` with the anchors that are in force.

    Looks at the file each time; one that changed is written down and told.
    """
    digest = digest_of(world.anchors)
    current = AnchorFile.objects.trusted().first()
    if current is None:
        current = _first(digest, world.anchor_text, now)
    if current.digest == digest:
        alarms.close_alarm(CODE, subject=SUBJECT, now=now)
        return world
    _notice(digest, world.anchor_text, now)
    return replace(world, anchors=read_anchors(current.text), anchor_text=current.text)


def shown(world: World) -> tuple[Anchor, ...]:
    """Return the anchors in force, for a page that changes nothing."""
    current = AnchorFile.objects.trusted().first()
    return world.anchors if current is None else read_anchors(current.text)


def _first(digest: str, text: str, now: datetime) -> AnchorFile:
    """Trust what the deployment began with; another process may do so as well."""
    try:
        with transaction.atomic():
            first = AnchorFile.objects.create(
                digest=digest,
                text=text,
                stand=AnchorStand.TRUSTED,
                seen_at=now,
                trusted_at=now,
            )
            _record(EntryType.ANCHORS_TRUSTED, first, SCANNER, now, why="first use")
    except IntegrityError:
        found = AnchorFile.objects.trusted().first()
        if found is None:
            raise
        return found
    return first


@transaction.atomic
def _notice(digest: str, text: str, now: datetime) -> None:
    found, created = AnchorFile.objects.get_or_create(
        digest=digest,
        defaults={"text": text, "stand": AnchorStand.WAITING, "seen_at": now},
    )
    if created:
        _record(EntryType.ANCHORS_SEEN, found, SCANNER, now)
    elif found.stand == AnchorStand.RETIRED:  # back to an old set: asked for anew
        AnchorVoice.objects.filter(anchors=found).delete()
        AnchorFile.objects.filter(pk=found.pk).update(
            stand=AnchorStand.WAITING, seen_at=now
        )
        _record(EntryType.ANCHORS_SEEN, found, SCANNER, now)
    told = (
        "the file with the trust anchors changed; the set before stays in force until"
        f" two persons say `manage.py anchors approve {digest[:16]}`"
    )
    alarms.open_alarm(CODE, subject=SUBJECT, detail=told, now=now)


def approve(anchors: AnchorFile, *, actor: Actor, comment: str, now: datetime) -> bool:
    """Count one person's word; put the set in force at the second, and say so.

    Raises:
        AnchorsRefused: no person, no right, no comment, a second word of the same
            person, or nothing that waits. The refusal is recorded.
    """
    try:
        with transaction.atomic():
            return _approve(anchors, actor, comment, now)
    except AnchorsRefused as refusal:
        _record(
            EntryType.DECISION_REFUSED,
            anchors,
            actor,
            now,
            comment=comment,
            why=str(refusal),
        )
        raise


def _approve(anchors: AnchorFile, actor: Actor, comment: str, now: datetime) -> bool:
    row = AnchorFile.objects.select_for_update().get(pk=anchors.pk)
    if row.stand != AnchorStand.WAITING:
        raise AnchorsRefused(f"this set does not wait: it is {row.stand}")
    if actor.kind is not ActorKind.STAFF or MANAGE not in actor.permissions:
        raise AnchorsRefused(lacks(actor, MANAGE))
    if not comment.strip():
        raise AnchorsRefused("say with what you compared it")
    if row.voices.filter(actor__in=same_person(actor.name)).exists():
        raise AnchorsRefused(f"{actor.name} has said so already")
    AnchorVoice.objects.create(
        anchors=row, actor=actor.name, via=actor.via, comment=comment, at=now
    )
    if row.voices.count() < PERSONS:
        _record(EntryType.ANCHORS_VOICE, row, actor, now, comment=comment)
        return False
    AnchorFile.objects.trusted().update(stand=AnchorStand.RETIRED, retired_at=now)
    AnchorFile.objects.filter(pk=row.pk).update(
        stand=AnchorStand.TRUSTED, trusted_at=now, retired_at=None
    )
    _record(EntryType.ANCHORS_TRUSTED, row, actor, now, comment=comment)
    alarms.close_alarm(CODE, subject=SUBJECT, now=now)
    return True


def _record(
    entry: EntryType,
    anchors: AnchorFile,
    actor: Actor,
    now: datetime,
    comment: str = "",
    why: str = "",
) -> None:
    audit.record(
        entry,
        stream=STREAM,
        actor=actor,
        now=now,
        private={"comment": comment},
        anchors=anchors.digest,
        lines=[line_of(anchor) for anchor in read_anchors(anchors.text)],
        why=why,
    )
