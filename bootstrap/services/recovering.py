"""Puts back what an older database has forgotten, from the log's own files (S-94).

Bundles hold every sealed entry, and the signed checkpoint says that they are the
right ones. Nothing is written before all of them were checked. What an entry says
of a change's state is done again; everything else is read back from the parent.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F

from bootstrap.core.tlog import entries, merkle, notes, tiles
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import (
    AuditEntry,
    AuditHead,
    AuditLeaf,
    AuditPending,
    Checkpoint,
    Cosignature,
    Domain,
    Proposal,
)

from . import restoring, sealing
from .actors import OPERATOR
from .log_checks import CREATED
from .logfiles import HistoryDiffers, LogFiles
from .signing import verify

BATCH: Final = 500
TIMES: Final[Mapping[str, str]] = {
    EntryType.PROPOSAL_APPROVED: "approved_at",
    EntryType.PUBLICATION_SENT: "sent_at",
    EntryType.PUBLICATION_VISIBLE: "visible_at",
    EntryType.PUBLICATION_SETTLED: "settled_at",
}
"""Columns of a change that say when it came to a state."""


class CannotRecover(Exception):
    """Files and database do not fit together; nothing was written."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was put back: how many entries, of which types, up to which size."""

    added: int
    size: int
    types: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Head:
    note: notes.Note
    checkpoint: notes.Checkpoint
    at: datetime


@transaction.atomic
def recover(files: LogFiles, key: notes.VerifierKey, *, now: datetime) -> Recovered:
    """Bring the trail to the size of the published checkpoint.

    Raises:
        CannotRecover: the checkpoint is not signed by `key`, the files do not
            lead to it, or the database has entries of its own in their place.
    """
    head = _published(files, key)
    have, size = sealing.leaf_count(), head.checkpoint.size
    if have >= size:
        return Recovered(0, have, {})
    try:
        bodies = [body for _, body in _missing(files, have, size)]
        _check(files, head.checkpoint, have, bodies)
    except (HistoryDiffers, merkle.ProofWrong) as exc:
        raise CannotRecover(str(exc)) from exc
    told = [json.loads(body) for body in bodies]
    index = have
    remaining = iter(zip(told, bodies, strict=True))
    while batch := list(islice(remaining, BATCH)):
        _write(index, batch)
        index += len(batch)
    _keep_checkpoint(head, key)
    _replay(told)
    words = f"{len(told)} entries of the trail were put back from the log's files"
    restoring.mark(actor=OPERATOR, reason=words, now=now)
    return Recovered(len(told), size, Counter(entry["type"] for entry in told))


def _published(files: LogFiles, key: notes.VerifierKey) -> _Head:
    try:
        note = notes.read(files.checkpoint() or "")
        note.check(key, verify)
        clock = notes.VerifierKey(key.name, notes.COSIGNATURE, key.public)
        seconds = note.check(clock, verify) or 0
        checkpoint = notes.Checkpoint.from_text(note.text)
    except (notes.NoteWrong, notes.NotSigned) as exc:
        raise CannotRecover(f"the published checkpoint: {exc}") from exc
    return _Head(note, checkpoint, datetime.fromtimestamp(seconds, UTC))


def _missing(files: LogFiles, have: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield index and bytes of the entries [have, size) of the bundles."""
    for number, width in tiles.bundles_for(0, size):
        first = number * tiles.WIDTH
        if first + width > have:
            for offset, body in enumerate(files.bundle(number, width)):
                if first + offset >= have:
                    yield first + offset, body


def _check(
    files: LogFiles, head: notes.Checkpoint, have: int, bodies: Sequence[bytes]
) -> None:
    """Hold the database's leaves and the bundles' entries to what was signed."""
    frontier = merkle.Frontier()
    leaves = AuditLeaf.objects.order_by("index").values_list("hash", flat=True)
    for leaf in leaves.iterator():
        frontier.append(bytes(leaf))
    if have and frontier.root() != merkle.root(have, files.nodes(head.size)):
        raise CannotRecover(
            f"the {have} leaves of the database are not the first of the log: it has"
            " another history"
        )
    for body in bodies:
        frontier.append(merkle.leaf_hash(body))
    if (frontier.size, frontier.root()) != (head.size, head.root):
        raise CannotRecover("the bundles do not lead to the signed root")


def _write(first: int, batch: Sequence[tuple[dict[str, Any], bytes]]) -> None:
    uids = [UUID(told["id"]) for told, _ in batch]
    known = set(
        AuditEntry.objects.filter(uid__in=uids).values_list("uid", flat=True)
    )  # they waited for the sealer when the backup was made
    for told, _ in batch:
        if UUID(told["id"]) not in known:
            _refuse_other(told)
    AuditEntry.objects.bulk_create(
        _row(told, body) for told, body in batch if UUID(told["id"]) not in known
    )
    ids = dict(AuditEntry.objects.filter(uid__in=uids).values_list("uid", "pk"))
    AuditLeaf.objects.bulk_create(
        AuditLeaf(index=first + n, entry_id=ids[uid], hash=merkle.leaf_hash(body))
        for n, (uid, (_, body)) in enumerate(zip(uids, batch, strict=True))
    )
    AuditPending.objects.filter(entry_id__in=ids.values()).delete()
    for told, body in batch:
        AuditHead.objects.update_or_create(
            stream=told["stream"],
            defaults={"number": told["n"], "digest": entries.digest(body)},
        )


def _refuse_other(told: Mapping[str, Any]) -> None:
    other = AuditEntry.objects.filter(stream=told["stream"], number=told["n"]).first()
    if other is not None:
        raise CannotRecover(
            f"entry {other.uid} ({other}) was written in the place of"
            f" {told['id']} after the restore: restore again, and start nothing before"
            " this command has ended"
        )


def _row(told: Mapping[str, Any], body: bytes) -> AuditEntry:
    data = told["data"]
    moves = ("from" in data or told["type"] == CREATED) and "proposal" in data
    return AuditEntry(
        uid=UUID(told["id"]),
        stream=told["stream"],
        number=told["n"],
        previous=told["prev"] or "",
        type=told["type"],
        at=datetime.fromisoformat(told["ts"]),
        body=body,
        about=UUID(data["proposal"]) if moves else None,
        about_version=data["version"] if moves else None,
    )


def _keep_checkpoint(head: _Head, key: notes.VerifierKey) -> None:
    ours = [line for line in head.note.signatures if line.name == key.name]
    note = notes.Note(head.note.text, tuple(ours)).to_text()
    row = Checkpoint.objects.create(
        size=head.checkpoint.size, root=head.checkpoint.root, note=note, at=head.at
    )
    for line in head.note.signatures:
        if line.name != key.name:
            seconds = int.from_bytes(line.value[:8], "big")
            Cosignature.objects.create(
                checkpoint=row,
                witness=line.name,
                line=line.line(),
                at=datetime.fromtimestamp(seconds, UTC),
            )


def _replay(story: Sequence[Mapping[str, Any]]) -> None:
    """Let changes that the database knows be where their entries moved them."""
    for told in story:
        data = told["data"]
        if "from" not in data or "proposal" not in data:
            continue
        at = datetime.fromisoformat(told["ts"])
        columns: dict[str, Any] = {"state": data["to"], "state_since": at}
        if column := TIMES.get(told["type"]):
            columns[column] = at
        rows = Proposal.objects.filter(pk=data["proposal"], version=data["version"] - 1)
        moved = rows.update(version=data["version"], **columns)
        if moved and data["to"] == State.SENT:
            child = Domain.objects.filter(proposals=data["proposal"])
            ds = sorted(data["new_ds"])
            child.update(ds=ds, version=F("version") + 1, changed_at=at)
