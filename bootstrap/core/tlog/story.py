"""What the entries of one proposal tell, and what must be true of that story.

It begins with the proposal, each move goes on where the last one ended, numbers
of versions leave nothing out, and nothing was sent before it was approved by as
many persons as the approval says, none of them the one who asked (S-64, S-73).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

CREATED: Final = "proposal.created"
RENEWED: Final = "proposal.renewed"
COUNTED: Final = "approval.counted"
APPROVED: Final = "proposal.approved"
BEGUN: Final = "publication.begun"
SENT: Final = "publication.sent"
BEGINS_AS: Final = "candidate"
STAFF: Final = "staff"
EVIDENCE: Final = {"h": str, "m": str, "s": int}


class NoEntry(Exception):
    """The bytes are no entry of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An entry as it reads; `name` is the file that it is in."""

    name: str
    body: bytes
    type: str
    stream: str
    number: int
    previous: str
    at: datetime
    actor: tuple[str, str]
    """Kind and reference: a pseudonym where it is a person."""
    data: dict[str, Any]
    evidence: tuple[dict[str, Any], ...]

    @property
    def proposal(self) -> str:
        """The proposal that it is about, or nothing."""
        return str(self.data.get("proposal") or "")

    @property
    def digest(self) -> str:
        """What the proposal was at this moment: the digest that is approved."""
        return str(self.data.get("digest") or "")

    @property
    def version(self) -> int:
        """The version of the proposal that it speaks of, or moves to."""
        found = self.data.get("version")
        return found if isinstance(found, int) else -1

    @property
    def moves(self) -> bool:
        """Whether the proposal goes to another state by it."""
        return "to" in self.data


def read(name: str, body: bytes) -> Told:
    """Return what an entry says.

    Raises:
        NoEntry: its bytes are no entry.
    """
    try:
        entry = json.loads(body)
        evidence = tuple(entry["ev"])
        told = Told(
            name=name,
            body=body,
            type=str(entry["type"]),
            stream=str(entry["stream"]),
            number=int(entry["n"]),
            previous=str(entry["prev"] or ""),
            at=datetime.fromisoformat(entry["ts"]),
            actor=(str(entry["actor"]["kind"]), str(entry["actor"]["ref"])),
            data=dict(entry["data"]),
            evidence=evidence,
        )
        kinds = [{key: type(value) for key, value in blob.items()} for blob in evidence]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise NoEntry(f"{name} is no entry") from exc
    if told.at.tzinfo is None or any(kind != EVIDENCE for kind in kinds):
        raise NoEntry(f"{name} is no entry")
    return told


def state(own: Sequence[Told]) -> str:
    """Return the state that a proposal's entries lead to."""
    moves = [str(told.data["to"]) for told in own if told.moves]
    return moves[-1] if moves else BEGINS_AS


def faults(own: Sequence[Told], first: Told) -> Iterator[str]:
    """Yield what is wrong with the story that a proposal's entries tell."""
    if not own or own[0] is not first or first.type != CREATED:
        yield f"{first.name} is not the entry with which the proposal begins"
        return
    yield from _moves(own)
    yield from _approvals(own)


def _moves(own: Sequence[Told]) -> Iterator[str]:
    at, version = BEGINS_AS, own[0].version
    for told in own[1:]:
        if told.type == CREATED:
            yield f"{told.name} lets the proposal begin again"
        if not told.moves:
            continue
        if (told.data.get("from"), told.version) != (at, version + 1):
            yield (
                f"{told.name} moves it from {told.data.get('from')} to version"
                f" {told.version}, but it was {at} in version {version}"
            )
        at, version = told.data["to"], told.version


def _approvals(own: Sequence[Told]) -> Iterator[str]:
    approved = ""
    for place, told in enumerate(own):
        if told.type == APPROVED:
            approved = told.digest
            yield from _persons(told, own[: place + 1])
        elif told.type == BEGUN and (not approved or told.digest != approved):
            yield f"{told.name} sends what was not approved before"
        elif told.type == SENT and not approved:
            yield f"{told.name} was sent without approval"


def _persons(approval: Told, until: Sequence[Told]) -> Iterator[str]:
    """Count the voices behind an approval by persons."""
    if approval.actor[0] != STAFF:
        return
    counted = [told for told in until if told.type in (COUNTED, APPROVED)]
    actors = {told.actor for told in counted if told.digest == approval.digest}
    persons = {actor for actor in actors if actor[0] == STAFF}
    voices = approval.data.get("voices")
    # a rule that had approved it before may count as one of the voices
    if voices not in range(len(persons), len(actors) + 1):
        yield f"{approval.name} counts {voices} voices, the entries {len(persons)}"
    if until[0].actor in actors:
        yield f"{approval.name}: who asked for the change approved it"
