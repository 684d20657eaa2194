"""The trail: one entry a thing that happened, in the caller's transaction.

Entries of a stream are numbered without gaps and each names its predecessor
(S-88). The sealer gives them their place in the tree later.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import connection, transaction

from bootstrap import VERSION
from bootstrap.core.tlog import entries
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import (
    AuditEntry,
    AuditPerson,
)

from . import outbox, secondhash, trailrows
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


def append(drafts: Iterable[Draft]) -> list[AuditEntry]:
    """Give each draft its place, in order, and store all; quick for thousands.

    In the transaction of the act, which a failure must end; alone in its own.
    """
    if connection.in_atomic_block:
        return _append(tuple(drafts))  # no savepoint: the act goes with its entry
    with transaction.atomic():
        return _append(tuple(drafts))


def _append(drafts: Sequence[Draft]) -> list[AuditEntry]:
    people = {d.actor.name for d in drafts if d.actor.kind is ActorKind.STAFF}
    wanted = {digest for draft in drafts for digest in draft.evidence}
    known = _known(wanted, people)
    blobs = {
        digest: entries.Attachment(digest, EVIDENCE_MEDIA, size, secondhash.of(digest))
        for digest, size in known.sizes.items()
    }
    heads = trailrows.lock_heads(draft.stream for draft in drafts)
    rows: list[AuditEntry] = []
    disclosed: list[tuple[UUID, Disclosure]] = []
    for draft in drafts:
        found = _disclosures(draft)
        ref = _ref(draft.actor, known.keys)
        entry = _entry(draft, heads[draft.stream], found, ref, blobs)
        row = _row(draft, entry)
        heads[draft.stream] = (row.number, entries.digest(bytes(row.body)))
        rows.append(row)
        disclosed += [(entry.id, item) for item in found]
    trailrows.insert_entries(rows)
    trailrows.insert_disclosures(disclosed)
    trailrows.move_heads(heads)
    if known.told:
        outbox.fill(rows)
    return rows


def _known(digests: set[str], people: set[str]) -> trailrows.Known:
    """Return what the entries refer to; persons get their key at first use."""
    known = trailrows.known(digests, people)
    if missing := digests - known.sizes.keys():
        raise EvidenceMissing(", ".join(sorted(missing)))
    if new := people - known.keys.keys():
        keys = {name: _key_of(name) for name in sorted(new)}
        known = replace(known, keys={**known.keys, **keys})
    return known


def pseudonym(name: str) -> str:
    """Return what stands for a person in entries; made at first use.

    An HMAC under a key of that person: destroying the key unlinks all entries
    from the name (security.md 5.8).
    """
    return _pseudonym(_key_of(name))


def _key_of(name: str) -> bytes:
    person, _ = AuditPerson.objects.get_or_create(
        name=name, defaults={"key": secrets.token_bytes(KEY_BYTES)}
    )
    return bytes(person.key)


def _pseudonym(key: bytes) -> str:
    return hmac.digest(key, b"audit", "sha256").hex()[:32]


def _ref(actor: Actor, keys: Mapping[str, bytes]) -> str:
    staff = actor.kind is ActorKind.STAFF
    return _pseudonym(keys[actor.name]) if staff else actor.name


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
    head: trailrows.Head,
    disclosures: tuple[Disclosure, ...],
    ref: str,
    blobs: Mapping[str, Attachment],
) -> entries.Entry:
    return entries.Entry(
        id=entries.uuid7(draft.now, secrets.token_bytes(entries.RANDOM_BYTES)),
        type=draft.type,
        stream=draft.stream,
        number=head[0] + 1,
        previous=head[1],
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
