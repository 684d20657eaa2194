"""When too much changes at once: counts against limits, and nothing else.

Opening a breaker is automatic, closing it takes two persons (S-64, S-68, S-69).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class Trip(StrEnum):
    """Which limit was exceeded."""

    BOOTSTRAPS = "bootstraps"
    REMOVALS = "removals"
    FAILURES = "failures"
    OPERATOR_BOOTSTRAPS = "operator-bootstraps"
    OPERATOR_REMOVALS = "operator-removals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one hour may bring: the larger of a number and a share of children."""

    bootstraps: int = 50
    bootstraps_share: float = 0.001
    removals: int = 10
    removals_share: float = 0.0002
    failures: int = 3
    """Failures after publication: so many trip, where the others must be exceeded."""
    operator_bootstraps: int = 500
    operator_removals: int = 20
    operator_removals_share: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What the last hour brought, for all children or for one operator's."""

    children: int
    bootstraps: int = 0
    removals: int = 0
    failures: int = 0


def trips(counts: Counts, limits: Limits) -> frozenset[Trip]:
    """Return the limits of the whole registry that are exceeded (S-68)."""
    exceeded = {
        Trip.BOOTSTRAPS: counts.bootstraps
        > max(limits.bootstraps, limits.bootstraps_share * counts.children),
        Trip.REMOVALS: counts.removals
        > max(limits.removals, limits.removals_share * counts.children),
        Trip.FAILURES: counts.failures >= limits.failures,
    }
    return frozenset(trip for trip, over in exceeded.items() if over)


def operator_trips(counts: Counts, limits: Limits) -> frozenset[Trip]:
    """Return the limits of one operator that are exceeded (S-69)."""
    exceeded = {
        Trip.OPERATOR_BOOTSTRAPS: counts.bootstraps > limits.operator_bootstraps,
        Trip.OPERATOR_REMOVALS: counts.removals
        > max(
            limits.operator_removals, limits.operator_removals_share * counts.children
        ),
    }
    return frozenset(trip for trip, over in exceeded.items() if over)
