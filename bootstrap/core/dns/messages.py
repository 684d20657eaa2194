"""One raw packet as a value that the rest of the core can reason about.

`read` never trusts: the guard looks at the bytes first (S-15), a parse error
anywhere makes the whole message malformed (P-9.2), never "no data".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rcode import Rcode

from . import guard
from .names import Name, canonical
from .records import RdataType, RRset, Rrsig, Signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


__all__ = ["Rcode"]


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
    for signed in section:
        if signed.rrset.rdtype == rdtype and signed.rrset.owner == owner:
            return signed
    return None


def read(wire: bytes, name: Name, rdtype: RdataType) -> Response:
    """Return the response in `wire` to the question `name`, `rdtype`, class IN.

    Raises:
        Malformed: refused by the guard, unparsable in any record, not a
            response, or an answer to another question.
    """
    try:
        guard.inspect(wire)
        message = dns.message.from_wire(wire)
    except (guard.Refused, dns.exception.DNSException) as exc:
        raise Malformed(f"{type(exc).__name__}: {exc}") from exc
    _match(message, name, rdtype)
    options = message.options
    return Response(
        name=name,
        rdtype=rdtype,
        rcode=Rcode(message.rcode()),
        aa=bool(message.flags & dns.flags.AA),
        tc=bool(message.flags & dns.flags.TC),
        ad=bool(message.flags & dns.flags.AD),
        edns=message.edns >= 0,
        dnssec_ok=bool(message.ednsflags & dns.flags.DO),
        edes=tuple(o.code for o in options if isinstance(o, dns.edns.EDEOption)),
        nsid=next((o.nsid for o in options if isinstance(o, dns.edns.NSIDOption)), b""),
        answer=_section(message.answer),
        authority=_section(message.authority),
        additional=_section(message.additional),
        size=len(wire),
    )


def _match(message: dns.message.Message, name: Name, rdtype: RdataType) -> None:
    if not message.flags & dns.flags.QR or message.opcode() != dns.opcode.QUERY:
        raise Malformed("not a response to a query")
    if len(message.question) != 1:
        raise Malformed("the question section has not one question")
    asked = message.question[0]
    if asked.name != name or asked.rdtype != rdtype:
        raise Malformed("an answer to another question")
    if asked.rdclass != dns.rdataclass.IN:
        raise Malformed("an answer in another class")


def _section(rrsets: Iterable[dns.rrset.RRset]) -> tuple[Signed, ...]:
    plain: dict[tuple[Name, RdataType], tuple[int, set[bytes]]] = {}
    signatures: dict[tuple[Name, RdataType], list[Rrsig]] = {}
    for rrset in rrsets:
        if rrset.rdclass != dns.rdataclass.IN:
            continue  # other classes prove nothing to us
        owner = canonical(rrset.name)
        for rdata in rrset:
            if rrset.rdtype == RdataType.RRSIG:
                key = (owner, RdataType.make(rdata.type_covered))
                signatures.setdefault(key, []).append(_rrsig(rdata))
            else:
                _ttl, rdatas = plain.setdefault(
                    (owner, rrset.rdtype), (rrset.ttl, set())
                )
                rdatas.add(rdata.to_digestable())
    return tuple(
        Signed(
            RRset(owner, rdtype, ttl, tuple(sorted(rdatas))),
            tuple(signatures.get((owner, rdtype), ())),
        )
        for (owner, rdtype), (ttl, rdatas) in plain.items()
    )


def _rrsig(rdata: dns.rdata.Rdata) -> Rrsig:
    return Rrsig(
        type_covered=RdataType.make(rdata.type_covered),
        algorithm=int(rdata.algorithm),
        labels=rdata.labels,
        original_ttl=rdata.original_ttl,
        expiration=rdata.expiration,
        inception=rdata.inception,
        key_tag=rdata.key_tag,
        signer=canonical(rdata.signer),
        signature=rdata.signature,
    )
