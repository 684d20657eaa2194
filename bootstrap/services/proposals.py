"""Proposals: made from a verdict, kept while it is confirmed, ended when it is not.

`approve`, `reject`, `hold`, `release` and `lapse` are the other verbs of this
noun; their code is in `decisions` and `lapsing`.
"""

from __future__ import annotations

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
from .transitions import Note, begin, move, say

__all__ = [
    "DecisionRefused",
    "StaleDecision",
    "TransitionRefused",
    "approve",
    "hold",
    "lapse",
    "lapse_expired",
    "propose",
    "reject",
    "release",
]

PROPOSING: Final = frozenset({Outcome.ACCEPT, Outcome.HOLD})
UNDECIDED: Final = frozenset({State.CANDIDATE, State.HELD})


@transaction.atomic
def propose(
    *,
    scan: ScanAttempt,
    verdict: Verdict,
    domain: Domain,
    evidence: Evidence,
    delegation: Delegation,
    now: datetime,
) -> Proposal | None:
    """Turn a stored verdict into a proposal, where it asks for a change.

    One proposal is open per child. An identical one is kept, and renewed with
    this evidence if its own is getting old; one that this verdict contradicts
    lapses (P-1.62), unless it may have left for the parent. What the zone's
    policy lets pass is approved by rule in the same transaction.

    Returns:
        The open proposal, or None where nothing is proposed: nothing was asked
        for, or the registry's data changed while we looked (security.md 6.4).
    """
    domain = (
        Domain.objects.select_for_update(of=("self",))
        .select_related("zone")
        .get(pk=domain.pk)
    )
    current = _current(domain)
    if current is not None and _contradicted(current, scan):
        current = _superseded(current, verdict, now)
    if current is not None:
        return _kept(current, scan, evidence, verdict, now)
    if verdict.outcome not in PROPOSING or not _is_current(domain, delegation):
        return None
    proposal = _create(scan, verdict, domain, evidence, now)
    states.refresh([domain], now=now)
    return proposal


def routing_of(zone: Zone) -> RoutingPolicy:
    """Return who approves in this zone."""
    return RoutingPolicy(
        review=zone.routing == RoutingMode.REVIEW, two_persons=zone.two_persons
    )


def _current(domain: Domain) -> Proposal | None:
    rows = Proposal.objects.open().select_for_update(of=("self",))
    found = rows.select_related("scan").filter(domain=domain).first()
    if found is not None:
        found.domain = domain
    return found


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


def _is_current(domain: Domain, delegation: Delegation) -> bool:
    return (
        domain.removed_at is None
        and not domain.suspension
        and domain.zone.automated
        and domain.version == delegation.version
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


def _create(
    scan: ScanAttempt,
    verdict: Verdict,
    domain: Domain,
    evidence: Evidence,
    now: datetime,
) -> Proposal:
    routed = policy.route(verdict, _facts(domain, now), routing_of(domain.zone))
    proposal = _row(scan, verdict, domain, routed, now)
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
    begin(proposal, note, actor=SCANNER, now=now)
    _follow(proposal, routed, now)
    return proposal


def _row(
    scan: ScanAttempt,
    verdict: Verdict,
    domain: Domain,
    routed: Routed,
    now: datetime,
) -> Proposal:
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
        scan=scan,
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


def _facts(domain: Domain, now: datetime) -> policy.Facts:
    if chain.open_alarm(now):
        return policy.Facts(alarm=chain.CODE)
    codes = Alarm.objects.open().filter(domain=domain).values_list("code", flat=True)
    alarm = next((code for code in codes.order_by("pk") if policy.is_alarm(code)), "")
    return policy.Facts(alarm=alarm)
