"""Witnesses cosign what only grew: the client of C2SP tlog-witness (S-92).

A witness keeps the newest checkpoint that it has seen and asks for a proof that
the next one contains it; its dated signature says when we had the evidence that
the entries name (P-8.24). One that has seen more than we hold proves a roll-back.
"""

from __future__ import annotations

import base64
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from bootstrap.core.tlog import merkle, notes
from bootstrap.core.tlog.policy import Policy, Witness
from bootstrap.models import Checkpoint, Cosignature

from .signing import verify

WITHIN: Final = 10.0
"""Seconds that one witness may take."""
MAX_ANSWER: Final = 65_536
SIZE_MEDIA: Final = "text/x.tlog.size"


class WitnessRefused(Exception):
    """The witness gave no cosignature, or one that is worth nothing."""


class WitnessAhead(Exception):
    """The witness has seen a larger tree than we hold (S-94)."""

    def __init__(self, witness: str, size: int) -> None:
        super().__init__(f"{witness} has seen {size} leaves")
        self.size = size


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness said over HTTP."""

    status: int
    text: str


def ask_all(
    policy: Policy, checkpoint: Checkpoint, nodes: merkle.Nodes
) -> tuple[list[Cosignature], list[str]]:
    """Ask each witness that has not yet signed; return new lines, and complaints.

    Raises:
        WitnessAhead: one has seen more than we hold.
    """
    signed = signers(checkpoint)
    made, wrong = [], []
    for witness in policy.witnesses.values():
        if witness.key.name in signed or not witness.url:
            continue
        try:
            made.append(ask(witness, checkpoint, nodes))
        except WitnessRefused as exc:
            wrong.append(f"{witness.name}: {exc}")
    return made, wrong


def signers(checkpoint: Checkpoint) -> set[str]:
    """Return the key names of the witnesses that have signed it."""
    return set(checkpoint.cosignatures.values_list("witness", flat=True))


def enough(policy: Policy, checkpoint: Checkpoint) -> bool:
    """Say whether the quorum of the policy has signed."""
    signed = signers(checkpoint)
    return policy.met(
        [name for name, w in policy.witnesses.items() if w.key.name in signed]
    )


def ask(witness: Witness, checkpoint: Checkpoint, nodes: merkle.Nodes) -> Cosignature:
    """Get a witness's line for a checkpoint, and keep it.

    Raises:
        WitnessRefused: no cosignature, or a wrong one.
        WitnessAhead: it has seen more than we hold.
    """
    seen = Cosignature.objects.filter(witness=witness.key.name).order_by(
        "-checkpoint_id"
    )
    newest = seen.first()
    old = newest.checkpoint_id if newest else 0
    answer = _post(witness.url, _request(old, checkpoint, nodes))
    if answer.status == HTTPStatus.CONFLICT:
        old = _size_told(witness, answer)
        if old > checkpoint.size:
            raise WitnessAhead(witness.name, old)
        answer = _post(witness.url, _request(old, checkpoint, nodes))
    if answer.status != HTTPStatus.OK:
        raise WitnessRefused(f"answered {answer.status}: {answer.text.strip()[:200]}")
    return _kept(witness, checkpoint, answer.text)


def size_seen(witness: Witness, checkpoint: Checkpoint) -> int:
    """Return how large a tree the witness has seen, by asking with a wrong size.

    Raises:
        WitnessRefused: it does not say.
    """
    body = f"old {checkpoint.size}\n\n{checkpoint.note}"
    answer = _post(witness.url, body)
    if answer.status == HTTPStatus.CONFLICT:
        return _size_told(witness, answer)
    if answer.status == HTTPStatus.OK:
        return checkpoint.size
    raise WitnessRefused(f"{witness.name} answered {answer.status}")


def _request(old: int, checkpoint: Checkpoint, nodes: merkle.Nodes) -> str:
    proof = merkle.prove_consistency(old, checkpoint.size, nodes)
    lines = [f"old {old}", *(base64.b64encode(part).decode() for part in proof)]
    return "\n".join(lines) + "\n\n" + checkpoint.note


def _post(url: str, body: str) -> Answer:
    address = url.rstrip("/") + "/add-checkpoint"
    try:
        request = urllib.request.Request(address, body.encode())  # noqa: S310 - by configuration
        with urllib.request.urlopen(request, timeout=WITHIN) as answer:  # noqa: S310 - same
            return Answer(answer.status, answer.read(MAX_ANSWER).decode())
    except urllib.error.HTTPError as exc:
        with exc:
            return Answer(exc.code, exc.read(MAX_ANSWER).decode(errors="replace"))
    except (OSError, ValueError) as exc:
        raise WitnessRefused(str(exc)) from exc


def _size_told(witness: Witness, answer: Answer) -> int:
    text = answer.text.strip()
    if not text.isascii() or not text.isdigit():
        raise WitnessRefused(f"{witness.name} answered 409 without a size")
    return int(text)


def _kept(witness: Witness, checkpoint: Checkpoint, lines: str) -> Cosignature:
    text = notes.read(checkpoint.note).text
    try:
        note = notes.read(f"{text}\n{lines}")
        seconds = note.check(witness.key, verify)
    except (notes.NoteWrong, notes.NotSigned) as exc:
        raise WitnessRefused(str(exc)) from exc
    line = next(_lines_of(note.signatures, witness.key))
    row, _made = Cosignature.objects.get_or_create(
        checkpoint=checkpoint,
        witness=witness.key.name,
        defaults={"line": line, "at": datetime.fromtimestamp(seconds or 0, UTC)},
    )
    return row


def _lines_of(
    signatures: Iterable[notes.Signature], key: notes.VerifierKey
) -> Iterator[str]:
    return (s.line() for s in signatures if (s.name, s.key_id) == (key.name, key.id))
