"""Raw messages for people: in the form that dig prints, and octet by octet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.message
import dns.rdatatype

from bootstrap.core.dns.names import unrooted
from bootstrap.core.evaluation.observations import Observation
from bootstrap.core.evidence.bundle import BundleMalformed
from bootstrap.services import evidence
from portal.templatetags.dns import shown

WIDTH: Final = 16
MOST: Final = 400
"""Exchanges shown on one page; the bundle has all."""


@dataclass(frozen=True, slots=True)
class PacketView:
    """One message, in words and in hex."""

    title: str
    size: int
    text: str
    hex: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question put to one address, and what came back."""

    question: str
    server: str
    transport: str
    result: str
    packets: tuple[PacketView, ...]


@dataclass(frozen=True, slots=True)
class Messages:
    """What was asked and answered, or why that cannot be told."""

    exchanges: tuple[Exchange, ...] = ()
    trouble: str = ""
    total: int = 0


def messages(digest: str | None) -> Messages:
    """Return the messages of a bundle; damage is said, not hidden (S-98)."""
    if digest is None:
        return Messages()
    try:
        found = evidence.load(digest)
    except (evidence.EvidenceUnreadable, BundleMalformed) as damage:
        return Messages(trouble=str(damage))
    seen = found.case.observations
    shown_ones = tuple(exchange(observation) for observation in seen[:MOST])
    return Messages(shown_ones, total=len(seen))


def exchange(observation: Observation) -> Exchange:
    """Return one observation for the page."""
    query = observation.query
    packets = [_packet("Sent", observation.sent)] if observation.sent else []
    if observation.received is not None:
        packets.append(_packet("Received", observation.received))
    trouble = observation.trouble.value if observation.trouble else "answered"
    return Exchange(
        question=f"{unrooted(query.name)} {dns.rdatatype.to_text(query.rdtype)}",
        server=query.server,
        transport=f"{observation.transport}, {observation.elapsed_us / 1000:.1f} ms",
        result=trouble,
        packets=tuple(packets),
    )


def _packet(title: str, wire: bytes) -> PacketView:
    return PacketView(title, len(wire), in_words(wire), in_hex(wire))


def in_words(wire: bytes) -> str:
    """Return a message as text, every line escaped; or why it cannot be read."""
    try:
        text = dns.message.from_wire(wire, ignore_trailing=True).to_text()
    except (dns.exception.DNSException, ValueError) as trouble:
        return f"not a DNS message: {type(trouble).__name__}"
    return "\n".join(shown(line) for line in text.split("\n"))


def in_hex(wire: bytes) -> str:
    """Return octets in rows of sixteen, with their place and their letters."""
    rows = []
    for start in range(0, len(wire), WIDTH):
        part = wire[start : start + WIDTH]
        letters = "".join(chr(b) if 0x20 <= b < 0x7F else "." for b in part)  # noqa: PLR2004 - printable ASCII
        rows.append(f"{start:04x}  {part.hex(' '):<{WIDTH * 3}} {letters}")
    return "\n".join(rows)


def as_text(seen: Messages) -> str:
    """Return all messages as one text file."""
    parts = []
    for one in seen.exchanges:
        parts.append(f";; {shown(one.question)} @{shown(one.server)} {one.transport}")
        parts += [
            f";; {packet.title}, {packet.size} octets\n{packet.text}\n\n{packet.hex}\n"
            for packet in one.packets
        ]
        parts.append(f";; {shown(one.result)}\n")
    return "\n".join(parts)
