"""Trust anchors as values, valid at a time (RFC 9718; P-7.1, P-7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bootstrap.core.dns.names import ROOT, Name
from bootstrap.core.dns.records import Ds


@dataclass(frozen=True, slots=True)
class Anchor:
    """One DS from which validation of `zone` may start."""

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
