"""The trail: one entry a thing that happened, in the caller's transaction.

Entries of a stream are numbered without gaps and each names its predecessor
(S-88). The sealer gives them their place in the tree later.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction

from bootstrap import VERSION
from bootstrap.core.tlog import entries
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import (
    AuditDisclosure,
    AuditEntry,
    AuditHead,
    AuditPerson,
    Evidence,
)

from . import bulk, outbox
from .actors import Actor, ActorKind

if TYPE_CHECKING:
    from bootstrap.core.tlog.entries import Attachment, Disclosure

EVIDENCE_MEDIA: Final = "application/cbor"
KEY_BYTES: Final = 32


class UnknownEntryType(Exception):
    """The type is not in the closed list (S-87)."""


class EvidenceMissing(Exception):
    """An entry may only name evidence that is stored (S-98)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry before it has a place: what happened, to which stream, by whom.

    `about` and `version` name the row that this entry moves (S-85). `private`
    are personal values: kept aside, named in the entry by salted digest only.
    """

    type: EntryType
    stream: str
    actor: Actor
    now: datetime
    evidence: tuple[str, ...] = ()
    data: Mapping[str, object] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict)
    about: UUID | None = None
    version: int | None = None


def record(
    entry_type: EntryType | str,
    /,
    *,
    stream: str,
    actor: Actor,
    now: datetime,
    evidence: Sequence[str] = (),
    private: Mapping[str, str] | None = None,
    **data: object,
) -> AuditEntry:
    """Append one entry; `data` is public for ever, `private` can be erased.

    Raises:
        UnknownEntryType: the type is not in the closed list.
        EvidenceMissing: a digest in `evidence` is not stored.
        NotCanonical: `data` has no canonical form, or is too long.
    """
    draft = Draft(
        type=known(entry_type),
        stream=stream,
        actor=actor,
        now=now,
        evidence=tuple(evidence),
        data=data,
        private=private or {},
    )
    return append([draft])[0]


def known(entry_type: EntryType | str) -> EntryType:
    """Return the member of the closed list.

    Raises:
        UnknownEntryType: there is none.
    """
    try:
        return EntryType(entry_type)
    except ValueError:
        raise UnknownEntryType(entry_type) from None


@transaction.atomic
def append(drafts: Iterable[Draft]) -> list[AuditEntry]:
    """Give each draft its place, in order, and store all; quick for thousands.

    Streams are locked in the order of their names, so that two writers of many
    streams cannot wait for each other.
    """
    drafts = tuple(drafts)
    heads = _locked_heads({draft.stream for draft in drafts})
    blobs = _attachments({digest for draft in drafts for digest in draft.evidence})
    refs = _pseudonyms({draft.actor for draft in drafts})
    rows: list[AuditEntry] = []
    disclosed: list[AuditDisclosure] = []
    for draft in drafts:
        head = heads[draft.stream]
        found = _disclosures(draft)
        entry = _entry(draft, head, found, refs[draft.actor], blobs)
        row = _row(draft, entry)
        head.number, head.digest = row.number, entries.digest(bytes(row.body))
        rows.append(row)
        disclosed += [_disclosure_row(entry.id, item) for item in found]
    AuditEntry.objects.bulk_create(rows, batch_size=1000)
    outbox.fill(rows)
    AuditDisclosure.objects.bulk_create(disclosed, batch_size=1000)
    moved = [(head.stream, head.number, head.digest) for head in heads.values()]
    bulk.update(AuditHead, "stream", ("number", "digest"), moved)
    return rows


def pseudonym(name: str) -> str:
    """Return what stands for a person in entries; made at first use.

    An HMAC under a key of that person: destroying the key unlinks all entries
    from the name (security.md 5.8).
    """
    person, _ = AuditPerson.objects.get_or_create(
        name=name, defaults={"key": secrets.token_bytes(KEY_BYTES)}
    )
    return hmac.digest(bytes(person.key), b"audit", "sha256").hex()[:32]


def _locked_heads(streams: set[str]) -> dict[str, AuditHead]:
    ordered = sorted(streams)
    heads = _lock(ordered)
    if missing := [stream for stream in ordered if stream not in heads]:
        # Somebody else may make the same row: then theirs is waited for.
        AuditHead.objects.bulk_create(
            [AuditHead(stream=stream) for stream in missing],
            ignore_conflicts=True,
            batch_size=500,
        )
        heads |= _lock(missing)
    return heads


def _lock(streams: Sequence[str]) -> dict[str, AuditHead]:
    found: dict[str, AuditHead] = {}
    for start in range(0, len(streams), 500):
        rows = AuditHead.objects.select_for_update().order_by("stream")
        part = rows.filter(stream__in=streams[start : start + 500])
        found |= {head.stream: head for head in part}
    return found


def _attachments(digests: set[str]) -> dict[str, Attachment]:
    if not digests:
        return {}
    sizes = dict(
        Evidence.objects.filter(digest__in=digests).values_list("digest", "size")
    )
    if missing := digests - sizes.keys():
        raise EvidenceMissing(", ".join(sorted(missing)))
    return {
        digest: entries.Attachment(digest, EVIDENCE_MEDIA, size)
        for digest, size in sizes.items()
    }


def _pseudonyms(actors: set[Actor]) -> dict[Actor, str]:
    return {
        actor: pseudonym(actor.name) if actor.kind is ActorKind.STAFF else actor.name
        for actor in actors
    }


def _disclosures(draft: Draft) -> tuple[Disclosure, ...]:
    private = {name: value for name, value in draft.private.items() if value}
    if draft.actor.kind is ActorKind.STAFF:
        private["actor"] = draft.actor.name
    return tuple(
        entries.Disclosure.make(name, value, secrets.token_bytes(entries.SALT_BYTES))
        for name, value in private.items()
    )


def _entry(
    draft: Draft,
    head: AuditHead,
    disclosures: tuple[Disclosure, ...],
    ref: str,
    blobs: Mapping[str, Attachment],
) -> entries.Entry:
    return entries.Entry(
        id=entries.uuid7(draft.now, secrets.token_bytes(entries.RANDOM_BYTES)),
        type=draft.type,
        stream=draft.stream,
        number=head.number + 1,
        previous=head.digest,
        at=draft.now,
        actor_kind=draft.actor.kind.value,
        actor_ref=ref,
        data={**draft.data, "via": draft.actor.via},
        evidence=tuple(blobs[digest] for digest in draft.evidence),
        disclosures=disclosures,
        software={"rev": VERSION},
    )


def _row(draft: Draft, entry: entries.Entry) -> AuditEntry:
    return AuditEntry(
        uid=entry.id,
        stream=entry.stream,
        number=entry.number,
        previous=entry.previous,
        type=entry.type.value,
        at=entry.at,
        body=entry.encode(),
        about=draft.about,
        about_version=draft.version,
    )


def _disclosure_row(uid: UUID, item: Disclosure) -> AuditDisclosure:
    return AuditDisclosure(
        entry_uid=uid,
        digest=item.digest,
        salt=item.salt,
        name=item.name,
        value=item.value,
    )
