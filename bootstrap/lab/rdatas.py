"""Rdata from text, from fields, and from octets that no library would build."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rdata
import dns.rdataclass
import dns.rdtypes.util

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.rdata import Rdata

    from bootstrap.core.dns.records import RdataType


def from_text(rdtype: RdataType, text: str) -> Rdata:
    """Return rdata of class IN from presentation form with absolute names."""
    return dns.rdata.from_text(dns.rdataclass.IN, rdtype, text)


def from_wire(rdtype: RdataType, wire: bytes) -> Rdata:
    """Return rdata of class IN from legal octets."""
    return dns.rdata.from_wire(dns.rdataclass.IN, rdtype, wire, 0, len(wire))


def opaque(rdtype: RdataType, wire: bytes) -> Rdata:
    """Return rdata that goes out exactly as `wire`, whether it is legal or not."""
    return dns.rdata.GenericRdata(dns.rdataclass.IN, rdtype, wire)


def bitmap(types: Iterable[RdataType]) -> bytes:
    """Return the type bitmap of NSEC and NSEC3 (RFC 4034, section 4.1.2)."""
    windows = dns.rdtypes.util.Bitmap.from_rdtypes(sorted(types)).windows
    return b"".join(bytes([window, len(bits)]) + bits for window, bits in windows)
