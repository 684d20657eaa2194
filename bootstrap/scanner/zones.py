"""Who serves which zone, as far as one run has learnt it.

Delegations come from the servers of the zone above (`referrals`), from the root
hints, and for a child from the registry. Orders of asking are drawn by lot, so
that nobody can foresee which server is asked.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from bootstrap.core.dns.hints import Hints
from bootstrap.core.dns.names import ROOT, Name, canonical
from bootstrap.core.evaluation.delegation import Delegation
from bootstrap.core.evaluation.observations import Observation

from .referrals import Referral

T = TypeVar("T", str, Name)

LEAST_TTL: Final = 60.0
"""Seconds for which a delegation is remembered at least."""
LONGEST_TTL: Final = 3600.0
"""Seconds after which a delegation is asked for again."""


@dataclass(slots=True)
class ZoneServers:
    """Who serves a zone, in the order of asking, and how we know.

    `needed` are hosts whose addresses have to be looked up first.
    """

    zone: Name
    addresses: list[str] = field(default_factory=list)
    needed: list[Name] = field(default_factory=list)
    evidence: tuple[Observation, ...] = ()
    until: float = float("inf")

    def demote(self, address: str) -> None:
        """Ask this address last from now on."""
        if address in self.addresses:
            self.addresses.remove(address)
            self.addresses.append(address)

    def extend(self, addresses: Iterable[str]) -> None:
        """Add addresses that were looked up."""
        self.addresses += [a for a in addresses if a not in self.addresses]


class Zones:
    """The delegations that a run has learnt; the root is always known."""

    def __init__(self, hints: Hints, time: Callable[[], float]) -> None:
        self._time = time
        root = shuffled(address for _host, found in hints for address in found)
        self._known: dict[Name, ZoneServers] = {ROOT: ZoneServers(ROOT, root)}

    def get(self, zone: Name) -> ZoneServers | None:
        """Return who serves `zone`, if that is known and still good."""
        known = self._known.get(zone)
        if known is not None and known.until <= self._time():
            del self._known[zone]
            return None
        return known

    def above(self, zone: Name) -> Name:
        """Return the closest zone above `zone` whose servers are known."""
        while zone != ROOT:
            zone = zone.parent()
            if self.get(zone) is not None:
                break
        return zone

    def learn(self, told: Referral, seen: Observation) -> None:
        """Remember a delegation; one that is known already is not replaced."""
        if self.get(told.zone) is not None:
            return
        ttl = min(max(float(told.ttl), LEAST_TTL), LONGEST_TTL)
        self._known[told.zone] = ZoneServers(
            told.zone,
            shuffled(a for _host, found in told.glue for a in found),
            shuffled(told.needed),
            (seen,),
            self._time() + ttl,
        )


def own_servers(delegation: Delegation) -> ZoneServers:
    """Return the child's servers as the parent holds them (P-1.10)."""
    glued = {canonical(host) for host, _address in delegation.glue}
    hosts = (canonical(host) for host in delegation.nameservers)
    return ZoneServers(
        canonical(delegation.child),
        shuffled(address for _host, address in delegation.glue),
        shuffled(h for h in hosts if h not in glued),
    )


def shuffled(items: Iterable[T]) -> list[T]:
    """Return the items, once each, in an order that nobody can predict."""
    left, shuffled = list(dict.fromkeys(items)), []
    while left:
        shuffled.append(left.pop(secrets.randbelow(len(left))))
    return shuffled
