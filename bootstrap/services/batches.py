"""Many decisions at once: the same checks for each, one entry for all beside theirs.

Nothing is decided together: each change goes through the same service as if a
person had pressed its button, and what is refused is told, not passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow.lifecycle import (
    Event,
    State,
    TransitionRefused,
    advance,
)
from bootstrap.models import Decision, Proposal, ScanAttempt

from . import audit, binding, decisions
from .actors import Actor
from .binding import Ballot, DecisionRefused, StaleDecision
from .people import same_person

MOST: Final = 100
"""Changes in one batch: what a person can still look through."""
STREAM: Final = "batches"
REFUSALS: Final = (DecisionRefused, StaleDecision, TransitionRefused)

Decide = Callable[..., None]
VERBS: Final[Mapping[str, tuple[Event, Decide]]] = MappingProxyType(
    {
        "approve": (Event.APPROVE, decisions.approve),
        "reject": (Event.REJECT, decisions.reject),
    }
)


class BatchRefused(Exception):
    """The batch as a whole cannot be decided; the message says why."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A change that the batch leaves as it is, and why."""

    proposal: Proposal
    why: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What went through, or would; and what did not."""

    done: tuple[Proposal, ...]
    skipped: tuple[Skipped, ...]


def preview(
    verb: str, chosen: Iterable[Proposal], *, actor: Actor, now: datetime
) -> Batch:
    """Return what `decide` would do now; nothing is written."""
    rows = list(chosen)
    known = _known(rows, actor)
    done: list[Proposal] = []
    skipped: list[Skipped] = []
    for proposal in rows:
        why = _objection(Ballot(verb, actor, proposal.digest, "", now), proposal, known)
        if why:
            skipped.append(Skipped(proposal, why))
        else:
            done.append(proposal)
    return Batch(tuple(done), tuple(skipped))


def decide(
    verb: str,
    chosen: Sequence[tuple[Proposal, str]],
    *,
    actor: Actor,
    comment: str,
    now: datetime,
) -> Batch:
    """Decide each change under the digest that was seen; record the batch.

    Raises:
        BatchRefused: it is empty or too large, no such verb, or gives no reason.
    """
    _check(verb, len(chosen), comment)
    done: list[Proposal] = []
    skipped: list[Skipped] = []
    for proposal, digest in chosen:
        try:
            VERBS[verb][1](
                proposal, actor=actor, digest=digest, comment=comment, now=now
            )
        except REFUSALS as refusal:
            skipped.append(Skipped(proposal, str(refusal)))
        else:
            done.append(proposal)
    audit.record(
        EntryType.BATCH_DECIDED,
        stream=STREAM,
        actor=actor,
        now=now,
        private={"comment": comment},
        verb=verb,
        done=[str(proposal.pk) for proposal in done],
        skipped=[str(each.proposal.pk) for each in skipped],
    )
    return Batch(tuple(done), tuple(skipped))


def _check(verb: str, count: int, comment: str) -> None:
    if verb not in VERBS:
        raise BatchRefused("a batch approves or rejects")
    if not count:
        raise BatchRefused("no change is chosen")
    if count > MOST:
        raise BatchRefused(f"{count} changes are chosen; {MOST} is the limit")
    if not comment.strip():
        raise BatchRefused("a batch needs a reason")


@dataclass(frozen=True, slots=True)
class _Known:
    """What is asked of the database once for all: the actor's approvals, newer scans."""

    names: frozenset[str]
    """All accounts of the actor."""
    approved: frozenset[tuple[UUID, str]]
    newer: Mapping[UUID, ScanAttempt]


def _known(rows: Sequence[Proposal], actor: Actor) -> _Known:
    names = same_person(actor.name)
    mine = Decision.objects.filter(
        proposal__in=[row.pk for row in rows], verb="approve", actor__in=names
    )
    approved = frozenset(mine.values_list("proposal_id", "digest"))
    return _Known(names, approved, binding.newer_of(rows))


def _objection(ballot: Ballot, proposal: Proposal, known: _Known) -> str:
    try:
        advance(State(proposal.state), VERBS[ballot.verb][0])
        zone = proposal.domain.zone_id
        binding.check_person(ballot, binding.DECIDE, zone)
        if ballot.verb == "approve":
            approved = (proposal.pk, proposal.digest) in known.approved
            binding.check_hands(proposal, known.names, approved=approved)
    except REFUSALS as refusal:
        return str(refusal)
    if ballot.verb != "approve":
        return ""
    newer = known.newer.get(proposal.pk)
    found = binding.changes_of(proposal, proposal.domain, newer, ballot.now)
    return "; ".join(found)
