"""What is known of a domain or a proposal, as plain JSON for commands and the API.

The keys are a contract: others build on them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bootstrap.models import Alarm, Domain, Proposal, ScanAttempt

Json = dict[str, Any]


def domain_summary(domain: Domain) -> Json:
    """Return what `manage.py show` tells of one domain."""
    attempt = domain.scans.order_by("-started_at").first()
    proposal = domain.proposals.open().with_domain().first()
    alarms = Alarm.objects.open().filter(domain=domain).order_by("opened_at")
    return {
        "domain": domain.name,
        "zone": domain.zone.name,
        "state": domain.state,
        "since": moment(domain.state_since),
        "suspended": domain.suspension or None,
        "removed": moment(domain.removed_at),
        "nameservers": domain.nameservers,
        "ds": sorted(domain.ds),
        "auth_method": domain.auth_method or None,
        "last_look": moment(domain.last_scan_at),
        "last_attempt": None if attempt is None else attempt_summary(attempt),
        "proposal": None if proposal is None else proposal_summary(proposal),
        "alarms": [alarm_summary(alarm) for alarm in alarms],
    }


def attempt_summary(attempt: ScanAttempt) -> Json:
    """Return what one evaluation concluded."""
    return {
        "id": str(attempt.pk),
        "started": moment(attempt.started_at),
        "trigger": attempt.trigger,
        "path": attempt.path or None,
        "outcome": attempt.outcome,
        "primary_reason": attempt.primary_reason,
        "kind": attempt.kind,
        "reasons": attempt.reasons,
        "ds": sorted(attempt.ds),
        "evidence": attempt.evidence_id,
    }


def proposal_summary(proposal: Proposal) -> Json:
    """Return what a proposal would change, where it stands and who is next."""
    return {
        "id": str(proposal.pk),
        "domain": proposal.domain.name,
        "zone": proposal.domain.zone.name,
        "state": proposal.state,
        "since": moment(proposal.state_since),
        "reason": proposal.reason,
        "path": proposal.path,
        "auth_method": proposal.auth_method,
        "route": proposal.route,
        "approvals_needed": proposal.approvals_needed,
        "old_ds": sorted(proposal.old_ds),
        "new_ds": sorted(proposal.new_ds),
        "digest": proposal.digest,
        "evidence": proposal.evidence_id,
        "created": moment(proposal.created_at),
        "not_before": moment(proposal.not_before),
        "expires": moment(proposal.expires_at),
    }


def alarm_summary(alarm: Alarm) -> Json:
    """Return one open alarm."""
    return {
        "code": alarm.code,
        "opened": moment(alarm.opened_at),
        "times_seen": alarm.times_seen,
        "acknowledged": moment(alarm.acknowledged_at),
        "detail": alarm.detail,
    }


def moment(at: datetime | None) -> str | None:
    """Return a time in UTC with "Z", to the second."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
