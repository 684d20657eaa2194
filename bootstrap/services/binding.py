"""What a proposal is bound to, and what a decision on it must meet.

A person signs what was on the screen: the digest of the canonical proposal
(S-65). Evidence and the registry's data must still be what they were (S-61).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import rfc8785
from django.db.models import OuterRef, QuerySet, Subquery

from bootstrap.core.evaluation.paths import AuthMethod
from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.core.workflow.freshness import Sight, contradicts
from bootstrap.models import Decision, Domain, Proposal, ScanAttempt

from .actors import MACHINE, Actor, ActorKind
from .people import lacks, same_person

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DECIDE: Final = "bootstrap.decide_proposal"
BY_HAND: Final = frozenset({AuthMethod.MANUAL, AuthMethod.EPP})
"""Changes that rest on a person's word, not on what the child publishes (P-4.13)."""
HOLD: Final = "bootstrap.hold_proposal"


class DecisionRefused(Exception):
    """This actor may not decide this; the message says why."""


class StaleDecision(Exception):
    """What the decision rests on is no longer so; `changes` say what changed."""

    def __init__(self, *changes: str) -> None:
        super().__init__("; ".join(changes))
        self.changes = changes


@dataclass(frozen=True, slots=True)
class Ballot:
    """One person's word on the proposal that carried `digest` when it was seen."""

    verb: str
    actor: Actor
    digest: str
    comment: str
    now: datetime


def digest_of(proposal: Proposal, domain: Domain) -> str:
    """Return the SHA-256 of the canonical proposal: what an approver signs."""
    form = canonical(proposal, domain, reason=proposal.reason)
    return hashlib.sha256(form).hexdigest()


def canonical(proposal: Proposal, domain: Domain, *, reason: str) -> bytes:
    """Return the proposal as RFC 8785 JSON, as of when it stood for `reason`."""
    return rfc8785.dumps(
        {
            "auth_method": proposal.auth_method,
            "child": domain.name,
            "delegation_version": proposal.delegation_version,
            "evidence": proposal.evidence_id,
            "id": str(proposal.pk),
            "nameservers": sorted(proposal.nameservers),
            "new_ds": sorted(proposal.new_ds),
            "old_ds": sorted(proposal.old_ds),
            "path": proposal.path,
            "reason": reason,
            "route": proposal.route,
        }
    )


def check_person(ballot: Ballot, permission: str, zone: int) -> None:
    """Only staff with the permission in this zone decides, at this moment (S-64).

    Raises:
        DecisionRefused: a part of ours, or somebody without the permission.
    """
    if ballot.actor.kind is not ActorKind.STAFF:
        raise DecisionRefused("only a person can decide this")
    if ballot.actor.via.startswith(MACHINE):
        raise DecisionRefused("no token decides (S-111)")
    if not ballot.actor.may(permission, zone):
        raise DecisionRefused(lacks(ballot.actor, permission))


def check_comment(ballot: Ballot) -> None:
    """Whoever decides says why, through whichever door (architecture.md 2.6).

    Raises:
        DecisionRefused: the comment is empty.
    """
    if not ballot.comment.strip():
        raise DecisionRefused("say why: a decision needs a comment")


def check_seen(proposal: Proposal, ballot: Ballot) -> None:
    """Refuse a decision on something else than what there is now (S-65).

    Raises:
        StaleDecision: the proposal has other content than the one seen.
    """
    if ballot.digest != proposal.digest:
        raise StaleDecision("the proposal or its evidence changed since you looked")


def check_four_eyes(proposal: Proposal, ballot: Ballot) -> None:
    """The one who asked never approves, and nobody approves twice (S-64).

    Not by another account of the same person either.

    Raises:
        DecisionRefused: the actor asked for it, or has approved it already.
    """
    name = ballot.actor.name
    names = same_person(name)
    approved = approvals(proposal).filter(actor__in=names).exists()
    check_hands(proposal, names, approved=approved)


def check_hands(proposal: Proposal, names: frozenset[str], *, approved: bool) -> None:
    """Refuse who asked for it, and who `approved` it as it is now.

    `names` are those of all accounts of the person.

    Raises:
        DecisionRefused: the person is one of the two.
    """
    name = min(names)
    if proposal.requested_by in names:
        raise DecisionRefused(f"{name} asked for this change and cannot approve it")
    if approved:
        raise DecisionRefused(f"{name} has approved this already")


def approvals(proposal: Proposal) -> QuerySet[Decision]:
    """Return the approvals that count: by persons, of the proposal as it is now.

    A rule's own yes is no voice: what a breaker held afterwards takes as many
    persons as if no rule had spoken (S-64).
    """
    return Decision.objects.filter(
        proposal=proposal,
        verb="approve",
        digest=proposal.digest,
        actor_kind=ActorKind.STAFF.value,
    )


def changes(proposal: Proposal, domain: Domain, now: datetime) -> tuple[str, ...]:
    """Return, in words, what no longer is as the proposal assumes; empty if all is."""
    return changes_of(proposal, domain, newer_of([proposal]).get(proposal.pk), now)


def changes_of(
    proposal: Proposal, domain: Domain, newer: ScanAttempt | None, now: datetime
) -> tuple[str, ...]:
    """Return the same, where the newest evaluation is at hand (see `newer_of`)."""
    return (
        *registry_changes(proposal, domain),
        *evidence_changes(proposal, newer, now),
    )


def registry_changes(proposal: Proposal, domain: Domain) -> Iterator[str]:
    """Yield in words where the registry's data differ from the snapshot (S-61)."""
    if domain.removed_at is not None:
        yield "the domain is no longer delegated"
    if sorted(domain.nameservers) != sorted(proposal.nameservers):
        yield "the NS set changed"
    if sorted(domain.ds) != sorted(proposal.old_ds):
        yield "the DS set changed"
    if domain.version != proposal.delegation_version:
        yield "the registry's data changed"
    if domain.suspension and proposal.auth_method not in BY_HAND:  # P-5.40
        yield f"automation is off: {domain.suspension}"
    if not domain.zone.automated:
        yield "automation is off for the zone"


def evidence_changes(
    proposal: Proposal, newer: ScanAttempt | None, now: datetime
) -> Iterator[str]:
    """Yield in words why the evidence no longer carries the proposal (P-1.62)."""
    if now >= proposal.expires_at:
        yield "the evidence or the approval expired"
    if proposal.auth_method in BY_HAND or newer is None:
        return
    sight = Sight(Outcome(newer.outcome), newer.path, newer.ds)
    if contradicts(sight, proposal.path, proposal.new_ds):
        yield f"a newer evaluation says {newer.primary_reason}"


def newer_of(proposals: Iterable[Proposal]) -> dict[UUID, ScanAttempt]:
    """Return for each the newest evaluation after its own that says something.

    Two questions to the database, whatever the number of proposals.
    """
    later = ScanAttempt.objects.filter(
        domain=OuterRef("domain"), started_at__gt=OuterRef("scan__started_at")
    ).exclude(outcome__in=(Outcome.RETRY, Outcome.ERROR))
    newest = Subquery(later.order_by("-started_at").values("pk")[:1])
    ids = [proposal.pk for proposal in proposals]
    rows = Proposal.objects.filter(pk__in=ids).annotate(newer=newest)
    found = dict(rows.exclude(newer=None).values_list("pk", "newer"))
    views = ("checks", "nameservers", "signals", "findings")
    scans = ScanAttempt.objects.defer(*views).in_bulk(set(found.values()))
    return {pk: scans[scan] for pk, scan in found.items()}
