"""Which addresses may be spoken to: the gate in front of every socket.

Registrants choose nameservers, hence our destinations (P-1.72). The table is
our own data and not the interpreter's opinion, which calls multicast, NAT64
and 6to4 global (S-1, F-4). It decides on literal addresses; it resolves nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

Network = IPv4Network | IPv6Network

TABLE_DATE: Final = "2026-11-24"
"""When the table was last compared with IANA's special-purpose registries."""

SPECIAL: Final[tuple[tuple[str, str], ...]] = (
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "carrier NAT"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "IETF protocols"),
    ("192.0.2.0/24", "documentation"),
    ("192.88.99.0/24", "6to4 relays"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "benchmarks"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::1/128", "loopback"),
    ("::ffff:0:0/96", "embedded IPv4"),
    ("::/96", "embedded IPv4"),
    ("64:ff9b::/96", "embedded IPv4"),
    ("64:ff9b:1::/48", "embedded IPv4"),
    ("fe80::/10", "link-local"),
    ("ff00::/8", "multicast"),
    ("fc00::/7", "private"),
    ("2001::/23", "IETF protocols"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("3fff::/20", "documentation"),
)
"""Networks never asked, and why (S-1); the first that matches gives the reason."""

GLOBAL_IPV6: Final = IPv6Network("2000::/3")
"""All IPv6 outside of it is refused: nothing else is handed out."""

_TABLE: Final = tuple((ip_network(text), why) for text, why in SPECIAL)


def table_digest() -> str:
    """Return the SHA-256 of the table, for evidence and for its golden test."""
    lines = "".join(f"{network} {why}\n" for network, why in SPECIAL)
    return hashlib.sha256(f"{TABLE_DATE}\n{lines}".encode()).hexdigest()


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks that `texts` spell; a bare address is a network of one.

    Raises:
        ValueError: one of them is no network; host bits must be clear.
    """
    return tuple(ip_network(text.strip()) for text in texts)


@dataclass(frozen=True, slots=True)
class Egress:
    """What may be asked beyond the table, and what may not in spite of it.

    `allowed` opens special-purpose networks (a laboratory's loopback range),
    `denied` closes own infrastructure (S-4). Where both match, the longer
    prefix decides, and `denied` when they are equal.
    """

    allowed: tuple[Network, ...] = ()
    denied: tuple[Network, ...] = ()

    def objection(self, address: str) -> str | None:
        """Return why `address` must not be asked; None when it may be."""
        try:
            literal = ip_address(address)
        except ValueError:
            return f"{address!r} is not an address"
        opened = _longest(self.allowed, literal)
        closed = _longest(self.denied, literal)
        if closed >= 0 and closed >= opened:
            return f"{address} is own infrastructure"
        return None if opened >= 0 else _special(literal)

    def is_laboratory(self, address: str) -> bool:
        """Say whether `address` is only reachable because of `allowed` (S-13)."""
        try:
            literal = ip_address(address)
        except ValueError:
            return False
        return _longest(self.allowed, literal) >= 0


def _longest(nets: tuple[Network, ...], literal: IPv4Address | IPv6Address) -> int:
    return max((net.prefixlen for net in nets if literal in net), default=-1)


def _special(literal: IPv4Address | IPv6Address) -> str | None:
    for network, why in _TABLE:
        if literal in network:
            return f"{literal} is {why} ({network})"
    if isinstance(literal, IPv6Address):
        if literal.scope_id is not None:
            return f"{literal} has a zone"
        if literal not in GLOBAL_IPV6:
            return f"{literal} is outside {GLOBAL_IPV6}"
    return None
