"""All that a verdict may depend on, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bootstrap.core.dnssec.anchors import Anchor

from .delegation import Delegation, History
from .findings import Finding
from .observations import Observation
from .policy import AcceptancePolicy
from .queries import Trigger


@dataclass(frozen=True, slots=True)
class Case:
    """All that a verdict may depend on; evidence is a case and its verdict (P-8.6)."""

    delegation: Delegation
    observations: tuple[Observation, ...]
    anchors: tuple[Anchor, ...]
    policy: AcceptancePolicy
    now: datetime
    trigger: Trigger = Trigger.COMMAND
    history: History = field(default_factory=History)
    own_faults: tuple[Finding, ...] = ()
    """X findings of the shell: clock, egress, resolver (S-46)."""
