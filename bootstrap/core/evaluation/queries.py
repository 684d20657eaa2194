"""What can be asked: one query to one server, or one look-up from the root.

A plan holds *look-ups*, which the resolver answers with all packets of their
chain kept, and *queries*, which go to one address each.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from functools import lru_cache
from typing import Final

from bootstrap.core.dns.names import MAX_WIRE, Name, canonical, wire_length
from bootstrap.core.dns.records import RdataType

PROBE_OCTETS: Final = 12
"""Length of the label that should not exist (P-2.9)."""


@unique
class Carrier(StrEnum):
    """How a query may travel."""

    TCP = "tcp"  # required where no signature protects (P-2.20, S-6)
    ANY = "any"  # UDP, and TCP after truncation or a near miss


@unique
class Trigger(StrEnum):
    """Why an evaluation starts (RFC 9615, section 4.3; P-1.40)."""

    SCHEDULE = "schedule"
    NOTIFY = "notify"
    NS_CHANGE = "ns-change"
    DISCOVERY = "discovery"
    STAFF = "staff"
    OWNER = "owner"
    COMMAND = "command"
    PUBLICATION = "publication"


@dataclass(frozen=True, slots=True, order=True)
class Query:
    """One question to one server, asked because it should serve `zone`."""

    server: str
    zone: Name
    name: Name
    rdtype: RdataType
    carrier: Carrier = Carrier.ANY


@dataclass(frozen=True, slots=True, order=True)
class Lookup:
    """One question to the resolver, answered with its whole chain."""

    name: Name
    rdtype: RdataType


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask next; empty when the evidence is complete."""

    lookups: tuple[Lookup, ...] = ()
    queries: tuple[Query, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lookups or self.queries)


@lru_cache(maxsize=1_024)
def probe_name(child: Name, now: datetime) -> Name | None:
    """Return a name that should not exist in the child, the same for one case.

    None when the child's name leaves no room for another label.
    """
    room = MAX_WIRE - wire_length(child) - 1
    if room < 1:
        return None
    seed = f"{child.to_text()} {now.isoformat()}".encode()
    label = hashlib.sha256(seed).hexdigest()[: min(PROBE_OCTETS, room)]
    return canonical(Name((label.encode(), *child.labels)))
