"""Dossiers in memory: a log with a key of its own, and a change that went well.

Everything is made of fixed values, so that figures are the same on every run.
Builders make everything right; a test spoils one thing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bootstrap.core.tlog import dossier, entries, merkle, notes
from bootstrap.core.tlog.dossier import Dossier, Proven
from bootstrap.core.tlog.entries import Attachment, Disclosure, Entry
from bootstrap.core.tlog.types import EntryType

AT = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
ORIGIN = "portal.example/audit/2026"
PROPOSAL = UUID("0193600d-0000-7000-8000-00000000c0de")
CHILD = "good.example"
DS = "12345 13 2 " + "AB" * 32
BUNDLE = b"what the decision rests on"
ADA, BOB = "a" * 32, "b" * 32


@dataclass(frozen=True)
class Signer:
    """A log's key, made from a fixed seed."""

    name: str = ORIGIN
    seed: bytes = bytes(32)

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def public(self) -> notes.VerifierKey:
        raw = self.private.public_key().public_bytes_raw()
        return notes.VerifierKey(self.name, notes.ED25519, raw)

    def sign(self, checkpoint: notes.Checkpoint) -> str:
        sign, clock = self.private.sign, replace(self.public, kind=notes.COSIGNATURE)
        note = notes.Note(checkpoint.to_text()).signed(self.public, sign)
        return note.cosigned(clock, sign, seconds=int(AT.timestamp())).to_text()


@dataclass
class Log:
    """Entries in the order in which they were sealed."""

    bodies: list[bytes] = field(default_factory=list)
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, entry_type: EntryType, stream: str, **columns: Any) -> int:
        """Append one entry to a stream; return its place in the log."""
        number, previous = self.heads.get(stream, (0, ""))
        place = len(self.bodies)
        plain: dict[str, Any] = {
            "id": UUID(int=(0x0193600D << 96) | (7 << 76) | (8 << 60) | place),
            "at": AT + timedelta(seconds=place),
            "actor_kind": "system",
            "actor_ref": "scanner",
            "software": {"rev": "1"},
            "number": number + 1,
            "previous": previous,
        }
        entry = Entry(type=entry_type, stream=stream, **plain | columns)
        self.bodies.append(entry.encode())
        self.heads[stream] = (number + 1, entries.digest(self.bodies[-1]))
        return place

    @property
    def nodes(self) -> merkle.Nodes:
        return merkle.in_memory(map(merkle.leaf_hash, self.bodies))

    def head(self, signer: Signer | None = None, size: int = 0) -> str:
        """Return the signed checkpoint of the first `size` entries, or of all."""
        signer, size = signer or Signer(), size or len(self.bodies)
        root = merkle.root(size, self.nodes)
        return signer.sign(notes.Checkpoint(signer.name, size, root))

    def proven(self, places: Iterable[int], head: str) -> tuple[Proven, ...]:
        nodes, size = self.nodes, len(self.bodies)
        return tuple(
            Proven(
                self.bodies[place],
                notes.proof_text(
                    place, merkle.prove_inclusion(place, size, nodes), head
                ),
            )
            for place in places
        )


@dataclass(frozen=True)
class Change:
    """What is to be published, and the evidence for it."""

    child: str = CHILD
    ds: str = DS
    bundle: bytes = BUNDLE
    auth_method: str = "RFC9615"

    @property
    def stream(self) -> str:
        return f"child:{self.child}."

    @property
    def evidence(self) -> tuple[Attachment, ...]:
        digest = hashlib.sha256(self.bundle).hexdigest()
        second = hashlib.sha512(self.bundle).hexdigest()
        return (Attachment(digest, "application/cbor", len(self.bundle), second),)

    @property
    def canonical(self) -> bytes:
        return rfc8785.dumps(
            {
                "auth_method": self.auth_method,
                "child": self.child,
                "delegation_version": 1,
                "evidence": self.evidence[0].digest,
                "id": str(PROPOSAL),
                "nameservers": ["ns1.operator.net", "ns2.operator.org"],
                "new_ds": [self.ds],
                "old_ds": [],
                "path": "bootstrap",
                "reason": "ACC_OK",
                "route": "two_persons",
            }
        )

    @property
    def facts(self) -> dict[str, object]:
        return {
            "proposal": PROPOSAL,
            "digest": entries.digest(self.canonical),
            "path": "bootstrap",
            "old_ds": [],
            "new_ds": [self.ds],
        }


@dataclass(frozen=True)
class Step:
    """An entry of the child's stream, as a test may spoil it."""

    type: EntryType
    data: Mapping[str, object] = field(default_factory=dict)
    evidence: bool = False
    actor: tuple[str, str] = ("system", "scanner")
    own: bool = True
    spoiled: Mapping[str, object] = field(default_factory=dict)
    private: tuple[Disclosure, ...] = ()


def move(version: int, before: str, after: str, **data: object) -> dict[str, object]:
    return {"version": version, "from": before, "to": after, **data}


COMMENT = Disclosure.make("comment", "seen on the phone", bytes(range(16)))
LIFE: tuple[Step, ...] = (
    Step(EntryType.PROPOSAL_CREATED, {"version": 1}, evidence=True),
    Step(
        EntryType.APPROVAL_COUNTED, {"version": 1}, evidence=True, actor=("staff", ADA)
    ),
    Step(EntryType.NOTE_WRITTEN, actor=("staff", ADA), own=False),
    Step(
        EntryType.PROPOSAL_APPROVED,
        move(2, "candidate", "approved", voices=2),
        evidence=True,
        actor=("staff", BOB),
        private=(COMMENT,),
    ),
    Step(EntryType.PUBLICATION_BEGUN, move(3, "approved", "sending"), evidence=True),
    Step(EntryType.PUBLICATION_SENT, move(4, "sending", "sent"), evidence=True),
    Step(EntryType.PUBLICATION_VISIBLE, move(5, "sent", "visible")),
    Step(EntryType.PUBLICATION_SETTLED, move(6, "visible", "settled")),
)


def spoil(place: int, **changes: Any) -> tuple[Step, ...]:
    """Return the life with one of its steps changed."""
    steps = list(LIFE)
    steps[place] = replace(steps[place], **changes)
    return tuple(steps)


def a_log(
    steps: Sequence[Step] = LIFE, change: Change | None = None
) -> tuple[Log, list[int]]:
    """Return a log that tells of a change among others, and where it does."""
    change = change or Change()
    log, places = Log(), []
    log.add(EntryType.SCAN_VERDICT, change.stream)
    for number, step in enumerate(steps):
        for other in range(number % 3):
            log.add(EntryType.SCAN_VERDICT, f"child:other{other}.example.", data={})
        data = {**change.facts, **step.data} if step.own else dict(step.data)
        columns = {
            "data": {**data, "via": "test"},
            "actor_kind": step.actor[0],
            "actor_ref": step.actor[1],
            "evidence": change.evidence if step.evidence else (),
            "disclosures": step.private,
        }
        stream = str(step.spoiled.get("stream", change.stream))
        spoiled = {k: v for k, v in step.spoiled.items() if k != "stream"}
        places.append(log.add(step.type, stream, **columns | spoiled))
    log.add(EntryType.LOG_HEARTBEAT, "log")
    return log, places


def a_dossier(
    steps: Sequence[Step] = LIFE, change: Change | None = None, **spoiled: Any
) -> Dossier:
    """Return the dossier of that change."""
    change = change or Change()
    log, places = a_log(steps, change)
    head = log.head()
    right = Dossier(
        proposal=PROPOSAL,
        stream=change.stream,
        first=2,
        entries=log.proven(places, head),
        checkpoint=head,
        canonical=change.canonical,
        evidence={change.evidence[0].digest: change.bundle},
        exported="dossier exported by olga at 2026-11-24T13:00:00Z: everything",
    )
    return replace(right, **spoiled)


def octets(*arguments: Any, **spoiled: Any) -> bytes:
    """Return the encoded dossier of `a_dossier`."""
    return dossier.encode(a_dossier(*arguments, **spoiled))
