"""Does an approved proposal still hold? Asked inside the transaction that sends it.

The registry's snapshot is compared field by field (S-61, P-1.52); evidence and
approval must be young enough (S-60, P-1.62). The parent checks once more (S-62).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.workflow.freshness import LIMITS, Freshness, freshness
from bootstrap.models import Domain, Proposal

from . import binding


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
    """Return what keeps `proposal` from being sent at `now`; None if nothing does.

    A confirming evaluation becomes the proposal's `scan`, so that an hour after
    the last look the next one is asked for.
    """
    if changed := next(binding.registry_changes(proposal, domain), None):
        return Objection(Reason.PUB_CONFLICT, changed)
    newer = binding.newer_of([proposal]).get(proposal.pk)
    if aged := next(binding.evidence_changes(proposal, newer, now), None):
        return Objection(Reason.PUB_EVIDENCE_STALE, aged)
    if proposal.auth_method in binding.BY_HAND:  # nothing to fetch again
        return None
    fresh = freshness(
        seen_at=proposal.scan.started_at,
        expires_at=proposal.expires_at,
        now=now,
        limits=LIMITS,
    )
    return None if fresh is Freshness.FRESH else NeedsScan()
