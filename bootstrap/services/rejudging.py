"""Stored evidence through today's code, or another policy: what would change?

Nothing is asked, and nothing is written: the packets are those of the evidence,
and so is the moment of judging (P-8.23).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import QuerySet

from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.verdict import Verdict
from bootstrap.core.evidence.verify import Difference, compare
from bootstrap.models import Domain, ScanAttempt

from . import evidence
from .evaluating import judged


@dataclass(frozen=True, slots=True)
class Rejudged:
    """One stored verdict beside the one of today."""

    scan: ScanAttempt
    stored: Verdict
    again: Verdict

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Every part that came out otherwise."""
        return compare(self.stored, self.again)

    @property
    def decides_otherwise(self) -> bool:
        """Outcome, reason or candidate would be another; else only views differ."""
        parts = {difference.part for difference in self.differences}
        return bool(parts & {"path", "outcome", "primary", "candidate", "auth_method"})


def latest(domains: Iterable[Domain]) -> Iterator[ScanAttempt]:
    """Return the newest evaluation with evidence of each domain."""
    for domain in domains:
        newest = with_evidence(domain.scans.all()).first()
        if newest is not None:
            yield newest


def since(moment: datetime) -> Iterator[ScanAttempt]:
    """Return every evaluation with evidence from `moment` on, oldest first."""
    scans = with_evidence(ScanAttempt.objects.filter(started_at__gte=moment))
    return scans.order_by("started_at").iterator(500)


def with_evidence(scans: QuerySet[ScanAttempt]) -> QuerySet[ScanAttempt]:
    """Return those that can be judged again: with evidence, and not compacted."""
    return scans.filter(evidence__compacted=False).select_related("domain")


def rejudge(
    scans: Iterable[ScanAttempt], *, policy: AcceptancePolicy | None = None
) -> Iterator[Rejudged]:
    """Judge stored evidence again, under `policy` if one is given.

    Raises:
        EvidenceDamaged: what is kept is not what its address names.
    """
    for scan in scans:
        bundle = evidence.load(str(scan.evidence_id))
        case = bundle.case
        if policy is not None:
            mine = case.policy  # what was asked is a property of the site that looked
            kept = replace(
                policy,
                skip_families=mine.skip_families,
                demand_uses=mine.demand_uses,
            )
            case = replace(case, policy=kept)
        yield Rejudged(scan, bundle.verdict, judged(case))
