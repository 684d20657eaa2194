"""Proposals: made from a verdict, kept while it is confirmed, ended when it is not.

`approve`, `reject`, `hold`, `release` and `lapse` are the other verbs of this
noun; their code is in `decisions` and `lapsing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from bootstrap.core.evaluation.delegation import Delegation
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome, Verdict
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow import freshness, policy
from bootstrap.core.workflow.breakers import operator_of
from bootstrap.core.workflow.lifecycle import Event, State, TransitionRefused
from bootstrap.core.workflow.policy import Route, Routed, RoutingPolicy
from bootstrap.models import (
    Alarm,
    Domain,
    Evidence,
    Proposal,
    RoutingMode,
    ScanAttempt,
    Zone,
)

from . import binding, breakers, chain, holds, states
from .actors import SCANNER
from .binding import DecisionRefused, StaleDecision
from .decisions import approve, hold, reject, release
from .lapsing import LAPSABLE, lapse, lapse_expired
from .transitions import Note, begin_all, move, say

__all__ = [
    "DecisionRefused",
    "StaleDecision",
    "TransitionRefused",
    "approve",
    "hold",
    "lapse",
    "lapse_expired",
    "propose",
    "propose_all",
    "reject",
    "release",
]

PROPOSING: Final = frozenset({Outcome.ACCEPT, Outcome.HOLD})
UNDECIDED: Final = frozenset({State.CANDIDATE, State.HELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A stored evaluation, and the registry's side that it judged."""

    scan: ScanAttempt
    verdict: Verdict
    domain: Domain
    evidence: Evidence
    delegation: Delegation


def propose(
    *,
    scan: ScanAttempt,
    verdict: Verdict,
    domain: Domain,
    evidence: Evidence,
    delegation: Delegation,
    now: datetime,
) -> Proposal | None:
    """Turn one stored verdict into a proposal, as `propose_all` does."""
    stored = Stored(
        scan=scan,
        verdict=verdict,
        domain=domain,
        evidence=evidence,
        delegation=delegation,
    )
    return propose_all([stored], now=now)[0]


@transaction.atomic
def propose_all(group: Sequence[Stored], *, now: datetime) -> list[Proposal | None]:
    """Turn stored verdicts into proposals, where they ask for a change.

    One proposal is open per child. An identical one is kept, and renewed with
    this evidence if its own is getting old; one that this verdict contradicts
    lapses (P-1.62), unless it may have left for the parent. What the zone's
    policy lets pass is approved by rule in the same transaction.

    Returns:
        For each the open proposal, or None where nothing is proposed: nothing was
        asked for, or the registry's data changed while we looked (security.md 6.4).
    """
    ids = [stored.domain.pk for stored in group]
    rows = Domain.objects.select_for_update(of=("self",)).order_by("pk")
    domains = rows.select_related("zone").in_bulk(ids)
    open_now = _current(domains)
    found: dict[int, Proposal | None] = {}
    new: list[Stored] = []
    for given in group:
        stored = replace(given, domain=domains[given.domain.pk])
        current = open_now.get(stored.domain.pk)
        if current is not None and _contradicted(current, stored.scan):
            current = _superseded(current, stored.verdict, now)
        if current is not None:
            current = _kept(current, stored.scan, stored.evidence, stored.verdict, now)
            found[stored.domain.pk] = current
        elif stored.verdict.outcome in PROPOSING and _is_current(stored):
            new.append(stored)
    created = _create(new, now)
    states.refresh([proposal.domain for proposal in created], now=now)
    found |= {proposal.domain_id: proposal for proposal in created}
    return [found.get(pk) for pk in ids]


def routing_of(zone: Zone) -> RoutingPolicy:
    """Return who approves in this zone."""
    return RoutingPolicy(
        review=zone.routing == RoutingMode.REVIEW, two_persons=zone.two_persons
    )


def _current(domains: Mapping[int, Domain]) -> dict[int, Proposal]:
    rows = Proposal.objects.open().select_for_update(of=("self",)).order_by("pk")
    found = rows.select_related("scan").filter(domain__in=domains)
    current = {proposal.domain_id: proposal for proposal in found}
    for pk, proposal in current.items():
        proposal.domain = domains[pk]
    return current


def _contradicted(current: Proposal, scan: ScanAttempt) -> bool:
    if current.auth_method in binding.BY_HAND:
        return False  # no scan speaks against a person's decision (P-5.42)
    sight = freshness.Sight(Outcome(scan.outcome), scan.path, scan.ds)
    return freshness.contradicts(sight, current.path, current.new_ds)


def _superseded(current: Proposal, verdict: Verdict, now: datetime) -> Proposal | None:
    if State(current.state) not in LAPSABLE:
        return current  # under way: verification will tell what the parent holds
    why = "a newer evaluation supports another change, or none"
    reason = verdict.primary
    if verdict.outcome in PROPOSING:
        reason = Reason.PUB_EVIDENCE_STALE
    lapse(current, actor=SCANNER, now=now, reason=reason, why=why, look_again=False)
    return None


def _is_current(stored: Stored) -> bool:
    domain = stored.domain
    return (
        domain.removed_at is None
        and not domain.suspension
        and domain.zone.automated
        and domain.version == stored.delegation.version
    )


def _kept(
    current: Proposal,
    scan: ScanAttempt,
    evidence: Evidence,
    verdict: Verdict,
    now: datetime,
) -> Proposal:
    """Let a confirming evaluation stand behind an open proposal (S-60).

    An approved one keeps the evidence that its approval is bound to; only the
    look that confirms it is newer. An undecided one gets the new evidence when
    its own is getting old, and with it a new digest.
    """
    if verdict.outcome not in PROPOSING or current.auth_method in binding.BY_HAND:
        return current
    if State(current.state) is State.APPROVED:
        current.scan = scan
        current.save(update_fields=["scan"])
    elif State(current.state) in UNDECIDED and _is_old(current, now):
        _renew(current, scan, evidence, verdict, now)
    return current


def _is_old(current: Proposal, now: datetime) -> bool:
    if now >= current.expires_at:
        return True
    if binding.approvals(current).exists():
        return False  # one of two has signed this very evidence
    return now - current.scan.started_at > freshness.LIMITS.evidence


def _renew(
    current: Proposal,
    scan: ScanAttempt,
    evidence: Evidence,
    verdict: Verdict,
    now: datetime,
) -> None:
    current.scan, current.evidence = scan, evidence
    current.delegation_version = scan.delegation_version
    current.proof_ends_at = verdict.expires
    current.expires_at = freshness.expiry(now, verdict.expires, freshness.LIMITS)
    current.digest = binding.digest_of(current, current.domain)
    current.save(
        update_fields=[
            "scan",
            "evidence",
            "delegation_version",
            "proof_ends_at",
            "expires_at",
            "digest",
        ]
    )
    note = Note(type=EntryType.PROPOSAL_RENEWED, evidence=(evidence.digest,))
    say(current, note, actor=SCANNER, now=now)


def _create(group: Sequence[Stored], now: datetime) -> list[Proposal]:
    """Insert a proposal for each, with its entry, and do what its route says."""
    facts = _facts([stored.domain for stored in group], now)
    created: list[tuple[Proposal, Routed]] = []
    begun: list[tuple[Proposal, Note]] = []
    for stored in group:
        domain, evidence = stored.domain, stored.evidence
        routing = routing_of(domain.zone)
        routed = policy.route(stored.verdict, facts[domain.pk], routing)
        proposal = _row(stored, routed, now)
        proposal.evidence = evidence
        proposal.digest = binding.digest_of(proposal, domain)
        note = Note(
            type=EntryType.PROPOSAL_CREATED,
            data={
                "route": routed.route.value,
                "reason": routed.reason,
                # the locks that this change passes by (P-5.32)
                "statuses": domain.statuses,
            },
            evidence=(evidence.digest,),
        )
        created.append((proposal, routed))
        begun.append((proposal, note))
    begin_all(begun, actor=SCANNER, now=now)
    for proposal, routed in created:
        _follow(proposal, routed, now)
    return [proposal for proposal, _routed in created]


def _row(stored: Stored, routed: Routed, now: datetime) -> Proposal:
    verdict, domain = stored.verdict, stored.domain
    if verdict.path is None or verdict.auth_method is None:
        raise ValueError("a verdict that asks for a change names path and method")
    quiet = timedelta(seconds=domain.zone.quiet_seconds)
    changed = domain.ns_changed_at
    return Proposal(
        domain=domain,
        path=verdict.path.value,
        auth_method=verdict.auth_method.value,
        state_since=now,
        reason=routed.reason,
        old_ds=sorted(domain.ds),
        new_ds=sorted(ds.to_text() for ds in verdict.candidate),
        nameservers=domain.nameservers,
        operator=operator_of(domain.nameservers),
        delegation_version=domain.version,
        route=routed.route.value,
        approvals_needed=routed.approvals,
        requested_by=SCANNER.name,
        scan=stored.scan,
        created_at=now,
        # S-63: after a change of the NS set nothing is published too soon
        not_before=now if changed is None else max(now, changed + quiet),
        proof_ends_at=verdict.expires,
        expires_at=freshness.expiry(now, verdict.expires, freshness.LIMITS),
    )


def _follow(proposal: Proposal, routed: Routed, now: datetime) -> None:
    """Do at once what the route says: approve by rule, hold, or leave to staff."""
    if routed.route is Route.RULE:
        breaker = breakers.watch_approval(proposal, now=now)
        if breaker is None:
            holds.approve_by_rule(proposal, now=now)
        else:  # S-68, S-69
            holds.hold(proposal, breaker, actor=SCANNER, now=now)
    elif routed.route is Route.HOLD:
        note = Note(type=EntryType.PROPOSAL_HELD, data={"reason": routed.reason})
        move(proposal, Event.HOLD, note, actor=SCANNER, now=now)


def _facts(domains: Sequence[Domain], now: datetime) -> dict[int, policy.Facts]:
    """Return what speaks for a person's look at each: the first alarm that does."""
    if domains and chain.open_alarm(now):
        return dict.fromkeys((d.pk for d in domains), policy.Facts(alarm=chain.CODE))
    alarms = Alarm.objects.open().filter(domain__in=[domain.pk for domain in domains])
    found: dict[int, str] = {}
    for pk, code in alarms.order_by("pk").values_list("domain_id", "code"):
        if policy.is_alarm(code):
            found.setdefault(pk, code)
    return {d.pk: policy.Facts(alarm=found.get(d.pk, "")) for d in domains}
