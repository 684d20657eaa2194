"""One raw packet as a value that the rest of the core can reason about.

`read` never trusts: the guard takes the bytes apart (S-15), and an error of
form anywhere makes the whole message malformed (P-9.2), never "no data".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import dns.flags
import dns.opcode
import dns.rdataclass
from dns.rcode import Rcode

from . import guard
from .names import Name, canonical
from .records import RdataType, RRset, Rrsig, Signed

__all__ = ["Rcode"]

NSID: Final = 3
EDE: Final = 15
MAX_KEPT: Final = 4_096
"""Octets of a packet that is worth remembering."""


class Malformed(Exception):
    """The packet is no answer to the question; the message says why."""


@dataclass(frozen=True, slots=True)
class Response:
    """A parsed response: header, what was asked, and three sections.

    Sections hold RRsets with the RRSIGs found beside them; names are canonical.
    `edes` are EDE info codes (RFC 8914), `nsid` the server's own name for
    itself (RFC 5001), `size` the octets of the packet.
    """

    name: Name
    rdtype: RdataType
    rcode: Rcode
    aa: bool
    tc: bool
    ad: bool
    edns: bool
    dnssec_ok: bool
    edes: tuple[int, ...]
    nsid: bytes
    answer: tuple[Signed, ...]
    authority: tuple[Signed, ...]
    additional: tuple[Signed, ...]
    size: int

    def answered(self, owner: Name, rdtype: RdataType) -> Signed | None:
        """Return the RRset of the answer section, if it is there."""
        return find(self.answer, owner, rdtype)


def find(section: Sequence[Signed], owner: Name, rdtype: RdataType) -> Signed | None:
    """Return the RRset of `owner` and `rdtype` in a section, if it is there."""
    labels = canonical(owner).labels
    for signed in section:
        if signed.rrset.rdtype == rdtype and signed.rrset.owner.labels == labels:
            return signed
    return None


def read(wire: bytes, name: Name, rdtype: RdataType) -> Response:
    """Return the response in `wire` to the question `name`, `rdtype`, class IN.

    Raises:
        Malformed: refused by the guard, not a response, or an answer to
            another question.
    """
    kept = len(wire) <= MAX_KEPT
    response = _read(wire) if kept else _read.__wrapped__(wire)
    if response.name.labels != canonical(name).labels or response.rdtype != rdtype:
        raise Malformed("an answer to another question")
    return response


@lru_cache(maxsize=2_048)
def _read(wire: bytes) -> Response:
    """Return the response; the packets of shared chains are read once."""
    try:
        packet = guard.inspect(wire)
    except guard.Refused as exc:
        raise Malformed(str(exc)) from exc
    _check(packet)
    extended, options = packet.opt or guard.Opt(0, ())
    answer, authority, additional = _sections(packet.records)
    return Response(
        name=packet.name,
        rdtype=RdataType.make(packet.rdtype),
        rcode=Rcode.make(packet.flags & 0xF | extended >> 20 & 0xFF0),
        aa=bool(packet.flags & dns.flags.AA),
        tc=bool(packet.flags & dns.flags.TC),
        ad=bool(packet.flags & dns.flags.AD),
        edns=packet.opt is not None,
        dnssec_ok=bool(extended & dns.flags.DO),
        edes=tuple(_ede(content) for code, content in options if code == EDE),
        nsid=next((content for code, content in options if code == NSID), b""),
        answer=answer,
        authority=authority,
        additional=additional,
        size=len(wire),
    )


def _check(packet: guard.Packet) -> None:
    opcode = dns.opcode.from_flags(packet.flags)
    if not packet.flags & dns.flags.QR or opcode != dns.opcode.QUERY:
        raise Malformed("not a response to a query")
    if packet.rdclass != dns.rdataclass.IN:
        raise Malformed("an answer in another class")


def _ede(content: bytes) -> int:
    if len(content) < 2:  # noqa: PLR2004 - the info code has 16 bits
        raise Malformed("an extended error without its code")
    return int.from_bytes(content[:2], "big")


_Sections = tuple[tuple[Signed, ...], tuple[Signed, ...], tuple[Signed, ...]]
_Place = tuple[int, Name, int]
"""Section, owner, type."""


def _sections(records: Sequence[guard.Record]) -> _Sections:
    """Return the RRsets of answer, authority and additional with their RRSIGs.

    The TTL of an RRset is the lowest of its records (RFC 2181, section 5.2).
    """
    found: dict[_Place, tuple[int, list[bytes]]] = {}
    signatures: dict[_Place, list[Rrsig]] = {}
    for section, owner, rdtype, ttl, rdata in records:
        if rdtype == RdataType.RRSIG:
            rrsig = Rrsig.from_wire(rdata)
            place = (section, owner, int(rrsig.type_covered))
            signatures.setdefault(place, []).append(rrsig)
        else:
            place = (section, owner, rdtype)
            lowest, rdatas = found.get(place, (ttl, []))
            found[place] = (min(ttl, lowest), [*rdatas, rdata])
    sections: tuple[list[Signed], list[Signed], list[Signed]] = ([], [], [])
    for place, (ttl, rdatas) in found.items():
        section, owner, rdtype = place
        content = tuple(sorted(set(rdatas)))
        rrset = RRset(owner, RdataType.make(rdtype), ttl, content)
        sections[section].append(Signed(rrset, tuple(signatures.get(place, ()))))
    answer, authority, additional = sections
    return tuple(answer), tuple(authority), tuple(additional)
