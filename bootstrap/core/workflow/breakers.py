"""When too much changes at once: counts against limits, and nothing else.

Opening a breaker is automatic, closing it takes two persons (S-64, S-68, S-69).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

COUNTRY: Final = 2
SHORT: Final = 3
"""Letters of a label in a country's zone below which names are registered: co, com."""
LONGEST: Final = 255


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


def operator_of(nameservers: Iterable[str]) -> str:
    """Return what stands for the DNS operator behind these hostnames (S-69).

    The set of their registrable domains, as far as that can be told without the
    Public Suffix List: two labels, or three below a short one of a country ("co.uk").
    A guess that joins two operators holds both, one that parts an operator
    counts its parts: neither publishes more than the global limits.
    """
    domains = sorted({_registrable(host) for host in nameservers})
    return " ".join(domains)[:LONGEST]


def _registrable(host: str) -> str:
    labels = host.lower().rstrip(".").split(".")
    is_country = len(labels[-1]) == COUNTRY
    count = 3 if is_country and len(labels[-2:][0]) <= SHORT else 2
    return ".".join(labels[-count:])
