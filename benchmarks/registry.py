"""A large registry: `python -m benchmarks.registry [DELEGATIONS]` fills DATABASE_URL.

For each delegation three evaluations of the last weeks and an entry of the trail;
one in a hundred has a change that waits for staff. Nothing is drawn by lot: every
run writes the same registry around its own moment.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import django

MILLION = 1_000_000
ZONES = ("example", "test", "co.example", "alpha.example", "beta.example")
SHARES = (
    ("unsigned", 6000, "nothing", "ACC_CHILD_UNSIGNED"),
    ("secured", 2400, "nothing", "UPD_IN_SYNC"),
    ("signed", 840, "nothing", "APEX_NO_CDS"),
    ("waiting", 320, "nothing", "SIG_NONE"),
    ("blocked", 240, "reject", "APEX_CDS_DIFFER"),
    ("pending", 100, "accept", "ACC_OK"),
    ("announced", 60, "retry", "NS_TIMEOUT"),
    ("published", 15, "accept", "ACC_OK"),
    ("suspended", 15, "nothing", "PRE_AUTOMATION_SUSPENDED"),
    ("broken", 8, "reject", "UPD_CHAIN_BOGUS"),
    ("alarm", 2, "retry", "SIG_BOGUS"),
)
"""State, its share of ten thousand, last outcome and reason."""
WHOLE = 10_000
SCANS = 3
"""Evaluations of each delegation."""
WORDS = (
    "acorn",
    "bakery",
    "candle",
    "dolphin",
    "ember",
    "feather",
    "garden",
    "harbour",
    "island",
    "juniper",
    "kettle",
    "lantern",
    "meadow",
)


@dataclass(frozen=True, slots=True)
class Child:
    """One delegation, told by its number."""

    number: int
    count: int
    now: datetime

    @property
    def lot(self) -> int:
        """A number below ten thousand, spread evenly, in no order."""
        return self.number * 2_654_435_761 % 2**32 * WHOLE // 2**32

    @property
    def standing(self) -> tuple[str, str, str]:
        """State, last outcome, last reason."""
        return _standing(self.lot)

    @property
    def name(self) -> str:
        """Something that a person would search for."""
        first = WORDS[self.number % len(WORDS)]
        second = WORDS[self.number // len(WORDS) % len(WORDS)]
        return f"{first}-{second}-{self.number:x}.{ZONES[self.zone]}"

    @property
    def zone(self) -> int:
        """Index of the parent zone: the first has seven of ten."""
        return max(0, self.number % 10 - 6) if self.number % 10 > 5 else 0

    @property
    def operator(self) -> int:
        """Number of the DNS operator: few have most of the children."""
        return int((self.number * 25_173 % 65_536 / 65_536) ** 3 * 2_000)

    @property
    def looked(self) -> datetime:
        """When it was last looked at: within the last day."""
        return self.now - timedelta(seconds=self.number * 86_400 / self.count)


@cache
def _standing(lot: int) -> tuple[str, str, str]:
    for state, share, outcome, reason in SHARES:
        if lot < share:
            return state, outcome, reason
        lot -= share
    raise AssertionError("the shares do not add up")


@cache
def servers(operator: int) -> tuple[str, ...]:
    """Return an operator's nameservers."""
    return (f"ns1.operator-{operator}.net", f"ns2.operator-{operator}.net")


@cache
def shard(operator: int) -> str:
    """Return the key of its nameserver set."""
    return hashlib.sha256("\n".join(servers(operator)).encode()).hexdigest()


def key(kind: str, number: int) -> uuid.UUID:
    """Return the key of a row, the same in each run."""
    return uuid.UUID(bytes=hashlib.md5(f"{kind}{number}".encode()).digest())  # noqa: S324 - a name, not a secret


def key_in_time(at: datetime, number: int) -> uuid.UUID:
    """Return the key of an entry: keys are in the order of time (RFC 9562, 5.7)."""
    moment = int(at.timestamp() * 1000).to_bytes(6)
    return uuid.UUID(bytes=moment + key("entry", number).bytes[6:])


def digest(kind: str, number: int) -> str:
    """Return a content address that stands for nothing."""
    return hashlib.sha256(f"{kind}{number}".encode()).hexdigest()


def body(child: Child, at: datetime) -> bytes:
    """Return what an entry of a child's stream says."""
    told = {
        "actor": {"kind": "system", "ref": "import"},
        "at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "data": {"via": "command"},
        "number": 1,
        "stream": f"child:{child.name}.",
        "type": "delegation.ns-changed",
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def children(count: int, now: datetime) -> Iterator[Child]:
    """Return every delegation in turn."""
    return (Child(number, count, now) for number in range(count))


def domain(child: Child) -> dict[str, Any]:
    """Return the row of a delegation."""
    state, outcome, reason = child.standing
    seen = child.looked
    has_ds = state in {"secured", "broken"}
    return {
        "id": child.number + 1,
        "zone_id": child.zone + 1,
        "name": child.name,
        "nameservers": servers(child.operator),
        "ds": [f"{child.number % 65_536} 13 2 {digest('ds', child.number)}"]
        if has_ds
        else [],
        "statuses": ["ok"],
        "registrar": f"Registrar {child.number % 40}",
        "ns_key": shard(child.operator),
        "created_at": seen - timedelta(days=400),
        "changed_at": seen - timedelta(days=child.number % 300),
        "state": state,
        "state_since": seen - timedelta(days=child.number % 30),
        "last_outcome": outcome,
        "last_reason": reason,
        "last_scan_at": seen,
        "suspension": "HOLDER_OPT_OUT" if state == "suspended" else "",
        "secured_at": seen - timedelta(days=50) if has_ds else None,
        "auth_method": "RFC9615" if has_ds else "",
    }


def work(child: Child) -> dict[str, Any]:
    """Return a child's place in the schedule; one in two hundred is due."""
    late = child.number % 200 == 0
    wait = timedelta(seconds=child.number % 86_400)
    return {
        "domain_id": child.number + 1,
        "due_at": child.now - wait / 50 if late else child.now + wait,
        "trigger": "schedule",
    }


def main(count: int) -> None:
    """Fill the database of DATABASE_URL."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    # Only a configured Django has models.
    from bootstrap import clock  # noqa: PLC0415

    from . import history  # noqa: PLC0415

    for told in history.fill(count, clock.now()):
        print(told, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MILLION)
