"""When evidence or an approval is too old, and when a newer look contradicts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, unique

from bootstrap.core.evaluation.verdict import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long things hold (S-60, P-1.62)."""

    evidence: timedelta = timedelta(minutes=60)
    approval: timedelta = timedelta(hours=24)


LIMITS = Limits()


@unique
class Freshness(StrEnum):
    """What may be done with a proposal at this moment."""

    FRESH = "fresh"
    RECHECK = "recheck"  # look again before anything is published
    EXPIRED = "expired"  # it lapses


def expiry(since: datetime, proof_ends: datetime | None, limits: Limits) -> datetime:
    """Return when a proposal or its approval lapses (P-1.62).

    The earlier of the limit after `since` (the proposal's birth or renewal, then
    its approval) and the first expiration among the signatures relied on.
    """
    end = since + limits.approval
    return end if proof_ends is None else min(end, proof_ends)


def freshness(
    *, seen_at: datetime, expires_at: datetime, now: datetime, limits: Limits
) -> Freshness:
    """Return whether what was seen at `seen_at` still carries a publication (S-60)."""
    if now >= expires_at:
        return Freshness.EXPIRED
    if now - seen_at > limits.evidence:
        return Freshness.RECHECK
    return Freshness.FRESH


@dataclass(frozen=True, slots=True)
class Sight:
    """What one evaluation concluded: outcome, path, candidate DS set as text."""

    outcome: Outcome
    path: str
    ds: Sequence[str]


def contradicts(sight: Sight, path: str, ds: Sequence[str]) -> bool:
    """Say whether a newer evaluation speaks against proposing `ds` on `path`.

    Transient trouble and faults of our own speak for nothing (section 0 of the
    protocol); everything else must support the very same change.
    """
    if sight.outcome in {Outcome.RETRY, Outcome.ERROR}:
        return False
    if sight.outcome not in {Outcome.ACCEPT, Outcome.HOLD}:
        return True
    return (sight.path, sorted(sight.ds)) != (path, sorted(ds))
