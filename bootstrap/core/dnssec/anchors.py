"""Trust anchors as values, valid at a time (RFC 9718; P-7.1, P-7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bootstrap.core.dns.names import ROOT, Name, is_within
from bootstrap.core.dns.records import Ds


@dataclass(frozen=True, slots=True)
class Anchor:
    """One DS from which validation of `zone` may start (P-B.4)."""

    ds: Ds
    zone: Name = ROOT
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def holds_at(self, now: datetime) -> bool:
        """Say whether the anchor is in force at `now`."""
        started = self.valid_from is None or self.valid_from <= now
        return started and (self.valid_until is None or now < self.valid_until)


def at(anchors: tuple[Anchor, ...], zone: Name, now: datetime) -> tuple[Ds, ...]:
    """Return the DS of `zone` that are in force at `now`."""
    return tuple(a.ds for a in anchors if a.zone == zone and a.holds_at(now))


class NoTrustAnchor(Exception):
    """No anchor at or above `name` is in force at `now`: our own fault (P-7.1)."""

    def __init__(self, name: Name, now: datetime) -> None:
        super().__init__(f"no trust anchor for {name} is in force at {now}")
        self.name = name
        self.now = now


def deepest(
    anchors: tuple[Anchor, ...], name: Name, now: datetime
) -> tuple[Name, tuple[Ds, ...]]:
    """Return the deepest anchored zone at or above `name`, and its DS.

    Anchors are given, never learnt, and speak of their own zone (P-7.3, S-42).

    Raises:
        NoTrustAnchor: there is none in force.
    """
    above = [a for a in anchors if is_within(name, a.zone) and a.holds_at(now)]
    if above:
        zone = max((a.zone for a in above), key=lambda zone: len(zone.labels))
        return zone, at(tuple(above), zone, now)
    raise NoTrustAnchor(name, now)
