"""Who acts: a person or a named part of ours. An actor proves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class ActorKind(StrEnum):
    """What kind of actor; part of the audit format (security.md 5.4)."""

    STAFF = "staff"
    RULE = "rule"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """`name` is a user name or the name of a part; `via` the door it came through.

    `permissions` are permission code names that hold at this moment
    ("bootstrap.decide_proposal"); services check them again inside the
    transaction (S-64).
    """

    kind: ActorKind
    name: str
    via: str
    permissions: frozenset[str] = frozenset()
    grants: frozenset[tuple[int, str]] = frozenset()
    """Permissions held in single zones only, each beside the zone's id."""

    def may(self, permission: str, zone: int | None = None) -> bool:
        """Say whether it holds in a zone; without one, whether it holds everywhere."""
        return permission in self.permissions or (zone, permission) in self.grants


MACHINE = "api"
"""How `via` begins for whoever comes with a token: nobody who decides (S-111)."""

SCANNER = Actor(ActorKind.SYSTEM, "scanner", "worker")
POLICY = Actor(ActorKind.RULE, "policy", "rule")
PUBLISHER = Actor(ActorKind.SYSTEM, "publisher", "publisher")
VERIFIER = Actor(ActorKind.SYSTEM, "verifier", "worker")
OPERATOR = Actor(ActorKind.SYSTEM, "operator", "command")
"""Whoever has a shell on the machine."""
IMPORTER = Actor(ActorKind.SYSTEM, "importer", "command")
