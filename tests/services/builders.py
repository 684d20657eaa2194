"""Rows in good order; a test spoils one thing."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import Ds
from bootstrap.core.evaluation.delegation import Delegation
from bootstrap.core.evaluation.paths import AuthMethod, Path
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome, Verdict
from bootstrap.models import (
    Domain,
    Evidence,
    PolicyVersion,
    Proposal,
    ScanAttempt,
    Zone,
)
from bootstrap.services import proposals
from bootstrap.services.actors import Actor, ActorKind

NOW = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
DS = "12345 13 2 " + "AB" * 32
OTHER_DS = "54321 13 2 " + "CD" * 32
NAMESERVERS = ["ns1.op.example", "ns2.op.example"]
DECIDE = "bootstrap.decide_proposal"
HOLD = "bootstrap.hold_proposal"


def a_person(name: str = "ada", *permissions: str, via: str = "dashboard") -> Actor:
    held = frozenset(permissions or (DECIDE, HOLD))
    return Actor(ActorKind.STAFF, name, via, held)


def a_zone(name: str = "test", **changes) -> Zone:
    zone = Zone.objects.create(**{"name": name, "created_at": NOW, **changes})
    PolicyVersion.objects.create(
        zone=zone, number=1, digest="0" * 64, text={}, author="test", created_at=NOW
    )
    return zone


def a_domain(zone: Zone | None = None, name: str = "child.test", **changes):
    defaults: dict[str, Any] = {
        "zone": zone or Zone.objects.filter(name="test").first() or a_zone(),
        "name": name,
        "nameservers": NAMESERVERS,
        "created_at": NOW - timedelta(days=30),
        "changed_at": NOW - timedelta(days=30),
    }
    return Domain.objects.create(**{**defaults, **changes})


def some_evidence(text: str = "evidence") -> Evidence:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Evidence.objects.get_or_create(
        digest=digest,
        defaults={"size": len(text), "created_at": NOW},
    )[0]


def a_scan(domain: Domain, evidence: Evidence | None = None, **changes):
    defaults: dict[str, Any] = {
        "domain": domain,
        "trigger": "schedule",
        "started_at": NOW,
        "duration_ms": 5,
        "path": "bootstrap",
        "outcome": "accept",
        "primary_reason": "ACC_OK",
        "kind": "I",
        "ds": [DS],
        "evidence": evidence or some_evidence(),
        "delegation_version": domain.version,
    }
    return ScanAttempt.objects.create(**{**defaults, **changes})


def a_verdict(*ds: str, **changes) -> Verdict:
    candidate = tuple(Ds.from_text(text) for text in ds or (DS,))
    defaults: dict[str, Any] = {
        "path": Path.BOOTSTRAP,
        "outcome": Outcome.ACCEPT,
        "primary": Reason.ACC_OK,
        "findings": (),
        "checks": (),
        "candidate": candidate,
        "auth_method": AuthMethod.RFC9615,
    }
    return Verdict(**{**defaults, **changes})


def a_delegation(domain: Domain) -> Delegation:
    return Delegation(
        child=parse_name(domain.name),
        parent=parse_name(domain.zone.name),
        nameservers=tuple(parse_name(host) for host in domain.nameservers),
        ds=tuple(Ds.from_text(text) for text in domain.ds),
        version=domain.version,
    )


def offered(
    domain: Domain,
    verdict: Verdict | None = None,
    *,
    now: datetime = NOW,
    evidence: str = "evidence",
) -> Proposal | None:
    """Store a scan of this verdict, and hand it to `propose`."""
    verdict = verdict or a_verdict()
    kept = some_evidence(evidence)
    scan = a_scan(
        domain,
        kept,
        started_at=now,
        path=verdict.path.value if verdict.path else "",
        outcome=verdict.outcome.value,
        primary_reason=verdict.primary.value,
        kind=verdict.kind.value,
        ds=sorted(ds.to_text() for ds in verdict.candidate),
    )
    return proposals.propose(
        scan=scan,
        verdict=verdict,
        domain=domain,
        evidence=kept,
        delegation=a_delegation(domain),
        now=now,
    )


def proposed(domain: Domain, verdict: Verdict | None = None, **words) -> Proposal:
    """Like `offered`, of a verdict that asks for a change."""
    found = offered(domain, verdict, **words)
    assert found is not None
    return found


def a_proposal(domain: Domain | None = None, **changes) -> Proposal:
    domain = domain or a_domain()
    scan = a_scan(domain)
    defaults: dict[str, Any] = {
        "domain": domain,
        "path": "bootstrap",
        "auth_method": "RFC9615",
        "state_since": NOW,
        "reason": "ACC_OK",
        "old_ds": [],
        "new_ds": [DS],
        "nameservers": domain.nameservers,
        "delegation_version": domain.version,
        "digest": "d" * 64,
        "route": "staff",
        "approvals_needed": 1,
        "requested_by": "scanner",
        "scan": scan,
        "evidence": scan.evidence,
        "created_at": NOW,
        "not_before": NOW,
        "expires_at": NOW + timedelta(hours=24),
    }
    return Proposal.objects.create(**{**defaults, **changes})
