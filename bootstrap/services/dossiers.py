"""Dossiers: a change, its approval and its publication in one file for a stranger.

Made from what is stored and sealed, and checked like a stranger would before it
is handed out. The export is in the trail before the file is there (S-116).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evidence import dossiers
from bootstrap.core.tlog import dossier, entries, merkle, notes
from bootstrap.core.tlog.dossier import Dossier, Proven
from bootstrap.core.tlog.dossier_checks import MESSAGES
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import (
    AuditEntry,
    AuditLeaf,
    Breaker,
    Checkpoint,
    Evidence,
    Proposal,
)
from bootstrap.models.squeezed import CannotOpen

from . import binding, evidence, exports, holds, sealing, sightings
from .actors import Actor
from .logfiles import KEY, HistoryDiffers, LogFiles

WHAT: Final = "dossier"
FORM: Final = "tar"
CHUNK: Final = 500


class NoDossier(Exception):
    """It cannot be made; the message says why, and what to do."""


class NotSealed(NoDossier):
    """Some of it is not yet under a checkpoint: a matter of seconds, usually."""


@dataclass(frozen=True, slots=True)
class Made:
    """A dossier as it is handed out: its octets, and what it holds."""

    octets: bytes
    entries: int
    bundles: int
    size: int
    """Of the log that the checkpoint is the head of."""
    state: str


def take(proposal: Proposal, files: LogFiles, *, actor: Actor, now: datetime) -> Made:
    """Make the dossier of `proposal`, and record that it was handed out.

    Raises:
        NotSealed: its last entries wait for the sealer.
        NoDossier: entries, evidence or files of the log are missing or wrong.
    """
    query = f"proposal={proposal.pk}"
    about = {"proposal": proposal.pk}
    note = exports.Export(WHAT, FORM, query, actor, now, about)
    made = make(proposal, files, exported=note.mark)
    octets = b"".join(exports.follow(note, [made.octets]))
    return replace(made, octets=octets)


def make(proposal: Proposal, files: LogFiles, *, exported: str = "") -> Made:
    """Return the dossier of `proposal`, with the mark of who takes it.

    Raises:
        NotSealed: its last entries wait for the sealer.
        NoDossier: entries, evidence or files of the log are missing or wrong.
    """
    key = _key(files)
    life = life_of(proposal)
    head = _head(life)
    try:
        found = Dossier(
            proposal=proposal.pk,
            stream=proposal.domain.stream,
            first=life[0].number,
            entries=tuple(_proven(life, head, files)),
            checkpoint=sealing.note_of(head),
            canonical=_canonical(proposal, life),
            evidence=_bundles(life, proposal),
            messages=_messages(life, proposal),
            exported=exported,
        )
    except (HistoryDiffers, evidence.EvidenceUnreadable, CannotOpen) as exc:
        raise NoDossier(str(exc)) from exc
    octets = dossier.encode(found)
    whole = dossiers.check(octets, key)
    if not whole.holds or whole.checked is None:
        raise NoDossier(f"it would not hold: {'; '.join(whole.faults)}")
    return Made(octets, len(life), len(found.evidence), head.size, whole.checked.state)


def life_of(proposal: Proposal) -> list[AuditEntry]:
    """Return the child's stream from the proposal's first entry to its last.

    Raises:
        NoDossier: no entry tells of its beginning.
    """
    begun = AuditEntry.objects.filter(
        about=proposal.pk, type=EntryType.PROPOSAL_CREATED
    ).first()
    if begun is None:
        raise NoDossier(f"the trail does not tell how {proposal.pk} began")
    rows = AuditEntry.objects.filter(stream=begun.stream, number__gte=begun.number)
    life: list[AuditEntry] = []
    last = 0
    for row in rows.order_by("number").iterator(CHUNK):
        life.append(row)
        if _data(row).get("proposal") == str(proposal.pk):
            last = len(life)
    if last > dossier.MOST:
        raise NoDossier(f"{last} entries are more than a dossier holds")
    return life[:last]


def _data(row: AuditEntry) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(bytes(row.body))["data"]
    return data


def _key(files: LogFiles) -> notes.VerifierKey:
    try:
        return notes.VerifierKey.from_text((files.read(KEY) or b"").decode())
    except (notes.NoteWrong, UnicodeDecodeError) as exc:
        raise NotSealed(
            "nothing is sealed yet: is `manage.py sealer` running?"
        ) from exc


def _head(life: Sequence[AuditEntry]) -> Checkpoint:
    """Return the newest checkpoint, if all these entries are under it."""
    head = Checkpoint.objects.order_by("-size").first()
    size = head.size if head else 0
    sealed = AuditLeaf.objects.filter(index__lt=size)
    sealed = sealed.filter(
        entry__stream=life[0].stream,
        entry__number__range=(life[0].number, life[-1].number),
    )
    known = set(sealed.values_list("entry_id", flat=True))
    waiting = [row for row in life if row.pk not in known]
    if head is None or waiting:
        first = waiting[0] if waiting else life[0]
        raise NotSealed(
            f"{len(waiting)} of {len(life)} entries are not yet sealed, first"
            f" {first.type} of {first.at:%Y-%m-%dT%H:%M:%SZ}: try again in a moment;"
            " if it stays so, see that `manage.py sealer` runs"
        )
    return head


def _proven(
    life: Sequence[AuditEntry], head: Checkpoint, files: LogFiles
) -> Iterator[Proven]:
    nodes, note = files.nodes(head.size), sealing.note_of(head)
    leaves = AuditLeaf.objects.filter(
        entry__stream=life[0].stream,
        entry__number__range=(life[0].number, life[-1].number),
    )
    places = dict(leaves.values_list("entry_id", "index"))
    for row in life:
        index = places[row.pk]
        path = merkle.prove_inclusion(index, head.size, nodes)
        yield Proven(bytes(row.body), notes.proof_text(index, path, note))


def _canonical(proposal: Proposal, life: Sequence[AuditEntry]) -> bytes:
    """Return the proposal in the form whose digest its last entries carry.

    A hold gives the row another reason than the one that was signed; it is found
    by trying all that there are.

    Raises:
        NoDossier: the row is not what the entries are about.
    """
    told = [_data(row) for row in life]
    digests = [data["digest"] for data in told if data.get("digest")]
    held = [data["breaker"] for data in told if isinstance(data.get("breaker"), int)]
    by_breakers = map(holds.reason_of, Breaker.objects.filter(pk__in=held))
    reasons = [proposal.reason, told[0].get("reason"), *Reason, *by_breakers]
    for reason in dict.fromkeys(str(found) for found in reasons):
        form = binding.canonical(proposal, proposal.domain, reason=reason)
        if entries.digest(form) == digests[-1]:
            return form
    raise NoDossier(
        f"the row of {proposal.pk} is not what was decided about: its digest was"
        f" {digests[-1]}"
    )


def _bundles(life: Iterable[AuditEntry], proposal: Proposal) -> dict[str, bytes]:
    """Return the bundles that the proposal's own entries name, by address."""
    found: dict[str, bytes] = {}
    for row in life:
        entry = json.loads(bytes(row.body))
        if entry["data"].get("proposal") != str(proposal.pk):
            continue
        for address in [blob["h"] for blob in entry["ev"]]:
            if address not in found:
                found[address] = _bundle(address)
    return found


def _messages(life: Iterable[AuditEntry], proposal: Proposal) -> dict[str, bytes]:
    """Return the answers of the parent's servers that its own entries name (P-8.10)."""
    told = [_data(row) for row in life]
    own = [data for data in told if data.get("proposal") == str(proposal.pk)]
    named = {digest for data in own for digest in data.get(MESSAGES, {}).values()}
    kept = sightings.messages_of(proposal) if named else {}
    if missing := named - kept.keys():
        raise NoDossier(f"the answer {min(missing)} of a parent's server is not there")
    return {digest: kept[digest] for digest in sorted(named)}


def _bundle(address: str) -> bytes:
    try:
        return evidence.octets_of(address)
    except Evidence.DoesNotExist as exc:
        raise NoDossier(f"evidence {address} is not there") from exc
