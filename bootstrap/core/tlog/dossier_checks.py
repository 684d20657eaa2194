"""What must hold of a dossier: each check names the file or entry that fails.

In this order: the checkpoint is signed by the log's key; every entry is in the
tree; the entries are one stream without a gap; they tell one proposal's life,
in which nothing was sent that was not approved; and what was approved is the
proposal and the evidence in the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from . import merkle, notes, story
from .dossier import ENTRY, EVIDENCE, PROOF, PROPOSAL, SEEN, Dossier
from .story import Told
from .types import SECOND

SKEW: Final = timedelta(minutes=5)
"""How far an entry may be dated before its predecessor."""
MESSAGES: Final = "messages"
"""Where an entry names what servers of the parent answered, by server."""
NEEDED: Final = frozenset(
    {"auth_method", "child", "evidence", "id", "new_ds", "old_ds", "path"}
)
"""What is read of `proposal.json`."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of checking a dossier; without `faults` everything holds.

    `told` are the proposal's own entries, those of others of the stream left
    out; `state` is the last one that they lead to.
    """

    faults: tuple[str, ...]
    checkpoint: notes.Checkpoint | None = None
    told: tuple[Told, ...] = ()
    state: str = ""

    @property
    def holds(self) -> bool:
        """Nothing speaks against it."""
        return not self.faults


def check(dossier: Dossier, key: notes.VerifierKey, verify: notes.Verify) -> Checked:
    """Check all of it against the log's key, which did not come with it.

    What entries say is not looked at before all of them are proven to be in
    the log.
    """
    try:
        head = _head(dossier, key, verify)
    except (notes.NoteWrong, notes.NotSigned) as exc:
        return Checked((f"checkpoint: {exc}",))
    faults = tuple(_inclusion(dossier, head))
    if faults:
        return Checked(faults, head)
    try:
        found = tuple(_read(dossier))
    except story.NoEntry as exc:
        return Checked((str(exc),), head)
    own = tuple(told for told in found if told.proposal == str(dossier.proposal))
    faults = (
        *_stream(dossier, found),
        *story.faults(own, found[0]),
        *_approved(dossier, own),
        *_evidence(dossier, own),
        *_messages(dossier, own),
    )
    return Checked(faults, head, own, story.state(own))


def _sha256(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


def _head(
    dossier: Dossier, key: notes.VerifierKey, verify: notes.Verify
) -> notes.Checkpoint:
    note = notes.read(dossier.checkpoint)
    note.check(key, verify)
    head = notes.Checkpoint.from_text(note.text)
    if head.origin != key.name:
        raise notes.NotSigned(f"it is of another log, {head.origin}")
    return head


def _inclusion(dossier: Dossier, head: notes.Checkpoint) -> Iterator[str]:
    last = -1
    for number, entry in enumerate(dossier.entries, dossier.first):
        name = PROOF.format(number)
        try:
            index, path, checkpoint = notes.read_proof(entry.proof)
            leaf = merkle.leaf_hash(entry.body)
            merkle.check_inclusion(leaf, index, head.size, path, head.root)
        except notes.NoteWrong as exc:
            yield f"{name}: {exc}"
            continue
        except merkle.ProofWrong as exc:
            yield f"{ENTRY.format(number)} is not in the log: {exc}"
            continue
        if checkpoint != dossier.checkpoint:
            yield f"{name} brings another checkpoint"
        elif entry.proof != notes.proof_text(index, path, checkpoint):
            yield f"{name} is not in its one form"
        if index <= last:
            yield f"{name}: leaf {index} is not after leaf {last}"
        last = index


def _read(dossier: Dossier) -> Iterator[Told]:
    for number, entry in enumerate(dossier.entries, dossier.first):
        yield story.read(ENTRY.format(number), entry.body)


def _stream(dossier: Dossier, found: tuple[Told, ...]) -> Iterator[str]:
    """Hold each entry to its place: nothing of the stream is left out (S-88)."""
    before: Told | None = None
    for number, told in enumerate(found, dossier.first):
        if told.stream != dossier.stream:
            yield f"{told.name} belongs to another stream, {told.stream}"
        elif told.number != number:
            yield f"{told.name} is number {told.number} of its stream"
        elif before is not None and told.previous != _sha256(before.body):
            yield f"{told.name} does not follow {before.name}: another one is missing"
        elif before is not None and told.at < before.at - SKEW:
            yield f"{told.name} is dated {before.at - told.at} before the one before it"
        before = told
    if found[-1].proposal != str(dossier.proposal):
        yield f"{found[-1].name} is not about the proposal, and the last"


def _approved(dossier: Dossier, own: tuple[Told, ...]) -> Iterator[str]:
    """Hold `proposal.json` to the digest in the entries, and to what they say."""
    try:
        proposal = json.loads(dossier.canonical)
        missing = NEEDED - proposal.keys()
        pairs = {
            "id": (proposal["id"], str(dossier.proposal)),
            "child": (f"child:{proposal['child']}.", dossier.stream),
        }
    except (ValueError, KeyError, AttributeError, RecursionError):
        yield f"{PROPOSAL} is no proposal"
        return
    if missing:
        yield f"{PROPOSAL} does not say its {min(missing)}"
        return
    for name, (stated, wanted) in pairs.items():
        if stated != wanted:
            yield f"{PROPOSAL}: its {name} is {stated!a}, not {wanted!a}"
    digest = _sha256(dossier.canonical)
    signed = [told for told in own if told.digest]
    if not signed or signed[-1].digest != digest:
        yield f"{PROPOSAL} is not what was decided about: its digest is {digest}"
        return
    for told in signed:
        yield from _same(told, proposal, digest)


def _same(told: Told, proposal: Mapping[str, Any], digest: str) -> Iterator[str]:
    for name in ("path", "old_ds", "new_ds"):
        stated, wanted = told.data.get(name), proposal.get(name)
        if told.digest == digest and stated != wanted:
            yield f"{told.name}: its {name} is {stated!a}, not {wanted!a}"
    if told.digest == digest and told.type == story.APPROVED:
        named = [blob["h"] for blob in told.evidence]
        if named != [proposal.get("evidence")]:
            yield f"{told.name} rests on other evidence than {PROPOSAL} says"


def _evidence(dossier: Dossier, own: tuple[Told, ...]) -> Iterator[str]:
    """Every bundle that the proposal's entries name is there, and no other (S-98)."""
    named = {blob["h"]: (blob["s"], told) for told in own for blob in told.evidence}
    for address, (size, told) in named.items():
        octets = dossier.evidence.get(address)
        if octets is None:
            yield f"{EVIDENCE.format(address)}, which {told.name} rests on, is missing"
        elif len(octets) != size:
            yield f"{EVIDENCE.format(address)} has {len(octets)} octets, not {size}"
    for told in own:
        yield from _seconds(dossier, told)
    for address in sorted(dossier.evidence.keys() - named.keys()):
        yield f"{EVIDENCE.format(address)}: no entry rests on it"


def _seconds(dossier: Dossier, told: Told) -> Iterator[str]:
    """Hold bundles to their second hash, where an entry has it (P-8.25)."""
    stated = told.data.get(SECOND)
    if stated is None:
        return
    if not isinstance(stated, list) or len(stated) != len(told.evidence):
        yield f"{told.name}: {SECOND} is not one hash for each of its evidence"
        return
    for blob, second in zip(told.evidence, stated, strict=True):
        octets = dossier.evidence.get(blob["h"], b"")
        if second and second != hashlib.sha512(octets).hexdigest():
            name = EVIDENCE.format(blob["h"])
            yield f"{name} is not what {told.name} rests on, by its SHA-512"


def _messages(dossier: Dossier, own: tuple[Told, ...]) -> Iterator[str]:
    """Every message of a parent's server that an entry names is there (P-8.10)."""
    named: set[str] = set()
    for told in own:
        stated = told.data.get(MESSAGES, {})
        if not _names_messages(stated):
            yield f"{told.name}: {MESSAGES} is not one hash for each server"
            continue
        named |= set(stated.values())
        for server, digest in sorted(stated.items()):
            if digest not in dossier.messages:
                name = SEEN.format(digest)
                yield f"{name}, which {server} answered by {told.name}, is missing"
    for digest in sorted(dossier.messages.keys() - named):
        yield f"{SEEN.format(digest)}: no entry names it"


def _names_messages(stated: object) -> bool:
    return isinstance(stated, dict) and all(
        isinstance(digest, str) for digest in stated.values()
    )
