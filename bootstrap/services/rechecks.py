"""Does an approved proposal still hold? Asked inside the transaction that sends it.

The registry's snapshot is compared field by field (S-61, P-1.52); evidence and
approval must be young enough (S-60, P-1.62). The parent checks once more (S-62).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bootstrap.core.evaluation.paths import AuthMethod
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.models import Domain, Proposal, ScanAttempt

FRESH: Final = timedelta(minutes=60)
"""Older evidence is fetched and judged again before anything is sent (S-60)."""
CONTRADICTING: Final = frozenset({Outcome.NOTHING, Outcome.HOLD, Outcome.REJECT})
"""Newer outcomes that take the ground away from an approval (P-1.62)."""
BY_HAND: Final = frozenset({AuthMethod.MANUAL, AuthMethod.EPP})
"""Not resting on scans: nothing to fetch again."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a proposal may not be sent: a code, and what it is about."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class NeedsScan:
    """Nothing speaks against it, but the evidence must be fetched again first."""


def objection(
    proposal: Proposal, domain: Domain, now: datetime
) -> Objection | NeedsScan | None:
    """Return what keeps `proposal` from being sent at `now`; None if nothing does."""
    if proposal.expires_at <= now:
        return Objection(Reason.PUB_EVIDENCE_STALE, "the approval has expired")
    changed = next(_changes(proposal, domain), None)
    if changed is not None:
        return Objection(Reason.PUB_CONFLICT, changed)
    if proposal.auth_method in BY_HAND:
        return None
    return _staleness(proposal, domain, now)


def _changes(proposal: Proposal, domain: Domain) -> Iterator[str]:
    if domain.removed_at is not None:
        yield "the delegation is gone"
    if domain.nameservers != proposal.nameservers:
        yield "the NS set changed"
    if sorted(domain.ds) != sorted(proposal.old_ds):
        yield "the DS set changed"
    if domain.suspension:
        yield f"automation is suspended: {domain.suspension}"
    if domain.version != proposal.delegation_version:
        yield "the registry object changed"


def _staleness(
    proposal: Proposal, domain: Domain, now: datetime
) -> Objection | NeedsScan | None:
    newest = (
        ScanAttempt.objects.filter(
            domain=domain,
            path=proposal.path,
            delegation_version=proposal.delegation_version,
            started_at__gte=proposal.scan.started_at,
        )
        .exclude(outcome__in=[Outcome.RETRY, Outcome.ERROR])
        .order_by("-started_at")
        .first()
    ) or proposal.scan
    same = sorted(newest.ds) == sorted(proposal.new_ds)
    worse = newest.outcome in CONTRADICTING - {proposal.scan.outcome}
    if newest.pk != proposal.scan_id and (worse or not same):
        detail = f"a newer scan says {newest.primary_reason}"
        return Objection(Reason.PUB_EVIDENCE_STALE, detail)
    return NeedsScan() if newest.started_at + FRESH <= now else None
