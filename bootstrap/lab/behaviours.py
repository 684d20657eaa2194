"""What a server may do to its client instead of answering (security.md 8.4).

Each behaviour is a function of one query and gives a `Reaction`; none keeps
state, so the same question always has the same reaction.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import dns.flags
import dns.message
import dns.name
import dns.rrset
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from . import wires
from .answers import Reply

if TYPE_CHECKING:
    from dns.message import Message

SLOW_SECONDS: Final = 0.5
DRIBBLE_SECONDS: Final = 0.2
BOMB_RECORDS: Final = 3000
SIGNALING_TYPES: Final = frozenset({RdataType.CDS, RdataType.CDNSKEY})
ADDRESS_TYPES: Final = frozenset({RdataType.A, RdataType.AAAA})
NO_TCP: Final = "no-tcp"
"""Not a function: the server does not listen on TCP at all."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What goes back: whole messages, then raw octets, after a delay in seconds.

    On TCP, messages are framed and `raw` goes out as it is; `dribble` sends it
    octet by octet. `close` ends the connection. Nothing at all means silence.
    """

    messages: tuple[bytes, ...] = ()
    raw: bytes = b""
    delay: float = 0.0
    close: bool = False
    dribble: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """One query, and what an honest server would answer."""

    query: Message
    tcp: bool
    honest: Callable[[], bytes]

    @property
    def rdtype(self) -> RdataType:
        """The type asked for."""
        return self.query.question[0].rdtype


Behaviour = Callable[[Incoming], Reaction]


def _say(wire: bytes) -> Reaction:
    return Reaction((wire,))


def _rcode(rcode: Rcode) -> Behaviour:
    return lambda incoming: _say(wires.failure(incoming.query, rcode))


def _honest(incoming: Incoming) -> Reaction:
    return _say(incoming.honest())


def _silent(_: Incoming) -> Reaction:
    return Reaction()


def _edited(edit: Callable[[Message], None]) -> Behaviour:
    """Return a behaviour that spoils an otherwise honest message."""

    def react(incoming: Incoming) -> Reaction:
        message = dns.message.from_wire(incoming.honest())
        edit(message)
        return _say(message.to_wire())

    return react


def _only(wanted: Callable[[Incoming], bool], behaviour: Behaviour) -> Behaviour:
    """Return a behaviour for some queries; the others are answered honestly."""
    return lambda incoming: (behaviour if wanted(incoming) else _honest)(incoming)


def _not_authoritative(message: Message) -> None:
    message.flags &= ~dns.flags.AA
    message.flags |= dns.flags.RA


def _no_edns(message: Message) -> None:
    message.use_edns(False)  # noqa: FBT003 - dnspython's way to say "none"
    for section in (message.answer, message.authority, message.additional):
        section[:] = [r for r in section if r.rdtype != RdataType.RRSIG]


def _no_soa(message: Message) -> None:
    if not message.answer:
        message.authority.clear()


def _denied_name(message: Message) -> None:
    """Say that the name does not exist where only the type does not."""
    if not message.answer:
        message.set_rcode(Rcode.NXDOMAIN)


def _no_dnskey(message: Message) -> None:
    message.answer[:] = [
        rrset
        for rrset in message.answer
        if RdataType.DNSKEY not in (rrset.rdtype, rrset.covers)
    ]


def _no_cname(message: Message) -> None:
    """Leave out what a DNAME makes of the name, which a client can make too."""
    message.answer[:] = [r for r in message.answer if r.rdtype != RdataType.CNAME]


def _wrong_cname(message: Message) -> None:
    """Say that a DNAME makes another name of it."""
    for rrset in list(message.answer):
        if rrset.rdtype == RdataType.CNAME:
            other = dns.rrset.from_text(
                rrset.name, rrset.ttl, "IN", "CNAME", "other.example."
            )
            message.answer[message.answer.index(rrset)] = other


def _crowded(message: Message) -> None:
    """Put an alias beside the records of the same name."""
    if message.answer:
        name = message.question[0].name
        alias = dns.rrset.from_text(name, 300, "IN", "CNAME", "other.example.")
        message.answer.append(alias)


def _failing_in_full(message: Message) -> None:
    """Say SERVFAIL, and give the whole answer all the same."""
    message.set_rcode(Rcode.SERVFAIL)


def _about_something_else(message: Message) -> None:
    """Answer with the address of the name, whatever was asked."""
    name = message.question[0].name
    message.answer = [dns.rrset.from_text(name, 300, "IN", "A", "192.0.2.1")]


def _parent_soa(message: Message) -> None:
    """Deny with the SOA of the zone above, as a server does that lacks the child."""
    if not message.answer:
        name = message.question[0].name.parent()
        soa = dns.rrset.from_text(name, 300, "IN", "SOA", "ns. host. 1 60 60 60 60")
        message.authority = [soa]


def _formerr_of_old(incoming: Incoming) -> Reaction:
    """Answer FORMERR without EDNS, as servers do that never heard of it."""
    response = dns.message.from_wire(wires.failure(incoming.query, Rcode.FORMERR))
    response.use_edns(False)  # noqa: FBT003 - dnspython's way to say "none"
    return _say(response.to_wire())


def _upward(incoming: Incoming) -> Reaction:
    root = dns.rrset.from_text(dns.name.root, 300, "IN", "NS", "ns1.root-servers.")
    reply = Reply(aa=False, authority=[root])
    return _say(wires.packet(incoming.query, reply, tcp=incoming.tcp))


def _nxdomain(incoming: Incoming) -> Reaction:
    soa = dns.rrset.from_text(
        incoming.query.question[0].name.parent(),
        300,
        "IN",
        "SOA",
        "ns. hostmaster. 1 60 60 60 60",
    )
    reply = Reply(Rcode.NXDOMAIN, authority=[soa])
    return _say(wires.packet(incoming.query, reply, tcp=incoming.tcp))


def _parking(incoming: Incoming) -> Reaction:
    """Answer an address for whatever is asked, with AA, and nothing else."""
    name = incoming.query.question[0].name
    parked = dns.rrset.from_text(name, 300, "IN", "A", "192.0.2.80")
    answer = [parked] if incoming.rdtype == RdataType.A else []
    return _say(wires.packet(incoming.query, Reply(answer=answer), tcp=incoming.tcp))


def _apex_cname(incoming: Incoming) -> Reaction:
    name = incoming.query.question[0].name
    alias = dns.rrset.from_text(name, 300, "IN", "CNAME", "elsewhere.example.")
    return _say(wires.packet(incoming.query, Reply(answer=[alias]), tcp=incoming.tcp))


def _wrong_id(incoming: Incoming) -> Reaction:
    wire = incoming.honest()
    return _say(struct.pack("!H", wire[0] << 8 | wire[1] ^ 1) + wire[2:])


def _other_question(message: Message) -> None:
    other = dns.name.from_text("other.example.")
    message.question = [
        dns.rrset.RRset(other, r.rdclass, r.rdtype) for r in message.question
    ]


def _truncated(incoming: Incoming) -> Reaction:
    return _say(wires.truncated(dns.message.from_wire(incoming.honest())))


def _mid_message(incoming: Incoming) -> Reaction:
    wire = incoming.honest()
    framed = struct.pack("!H", len(wire)) + wire
    return Reaction(raw=framed[: len(framed) // 2], close=True)


def _framed_as(length: Callable[[int], int]) -> Behaviour:
    """Return a behaviour whose length prefix lies."""

    def react(incoming: Incoming) -> Reaction:
        wire = incoming.honest()
        return Reaction(raw=struct.pack("!H", length(len(wire))) + wire, close=True)

    return react


def _dribble(incoming: Incoming) -> Reaction:
    wire = incoming.honest()
    return Reaction(raw=struct.pack("!H", len(wire)) + wire, dribble=True)


def _junk_first(incoming: Incoming) -> Reaction:
    return Reaction((b"\0" * 4, *_wrong_id(incoming).messages, incoming.honest()))


def _bomb(incoming: Incoming) -> Reaction:
    """Answer as many NS records as fit, owners compressed (F-1 in security.md)."""
    head = wires.failure(incoming.query, Rcode.NOERROR)
    question_end = (
        wires.HEADER + len(incoming.query.question[0].name.to_wire() or b"") + 4
    )
    record = b"\xc0\x0c" + struct.pack("!HHIH", RdataType.NS, 1, 300, 2) + b"\xc0\x0c"
    counts = struct.pack("!HHHH", 1, BOMB_RECORDS, 0, 0)
    wire = head[:4] + counts + head[wires.HEADER : question_end]
    return _say(wire + record * BOMB_RECORDS)


def _twice(incoming: Incoming) -> Reaction:
    """Repeat each record of the answer, which the wire allows and a set does not."""
    wire = incoming.honest()
    message = dns.message.from_wire(wire, one_rr_per_rrset=True)
    records = b"".join(_record(rrset) for rrset in message.answer)
    count = len(message.answer) * 2
    response = dns.message.from_wire(wires.truncated(message))
    response.flags &= ~dns.flags.TC
    head = response.to_wire()
    question_end = (
        wires.HEADER + len(incoming.query.question[0].name.to_wire() or b"") + 4
    )
    rest = head[question_end:]
    counts = struct.pack("!HH", 1, count) + head[8 : wires.HEADER]
    return _say(
        head[:4] + counts + head[wires.HEADER : question_end] + records * 2 + rest
    )


def _record(rrset: dns.rrset.RRset) -> bytes:
    data = rrset[0].to_wire() or b""
    owner = rrset.name.to_wire() or b""
    fixed = struct.pack("!HHIH", rrset.rdtype, rrset.rdclass, rrset.ttl, len(data))
    return owner + fixed + data


def _asks_signaling(incoming: Incoming) -> bool:
    return incoming.rdtype in SIGNALING_TYPES


def _asks(rdtype: RdataType) -> Callable[[Incoming], bool]:
    return lambda incoming: incoming.rdtype == rdtype


def _asks_no_address(incoming: Incoming) -> bool:
    return incoming.rdtype not in ADDRESS_TYPES


def _on_tcp(incoming: Incoming) -> bool:
    return incoming.tcp


def _on_udp(incoming: Incoming) -> bool:
    return not incoming.tcp


BEHAVIOURS: Final[Mapping[str, Behaviour]] = {
    "honest": _honest,
    "silent": _silent,
    "udp-silent": _only(_on_udp, _silent),
    "tcp-silent": _only(_on_tcp, _silent),
    "tcp-closed": _only(_on_tcp, lambda _: Reaction(close=True)),
    "hangs-up": lambda incoming: Reaction(close=True) if incoming.tcp else Reaction(),
    NO_TCP: _honest,
    "addresses-alone": _only(_asks_no_address, _silent),
    "cds-silent": _only(_asks_signaling, _silent),
    "cds-refused": _only(_asks_signaling, _rcode(Rcode.REFUSED)),
    "cds-notimp": _only(_asks_signaling, _rcode(Rcode.NOTIMP)),
    "cds-servfail": _only(_asks_signaling, _rcode(Rcode.SERVFAIL)),
    "cds-twice": _only(_asks_signaling, _twice),
    "refused": _rcode(Rcode.REFUSED),
    "servfail": _rcode(Rcode.SERVFAIL),
    "ns-servfail": _only(_asks(RdataType.NS), _rcode(Rcode.SERVFAIL)),
    "soa-servfail": _only(_asks(RdataType.SOA), _rcode(Rcode.SERVFAIL)),
    "dnskey-servfail": _only(_asks(RdataType.DNSKEY), _rcode(Rcode.SERVFAIL)),
    "formerr": _rcode(Rcode.FORMERR),
    "formerr-of-old": _formerr_of_old,
    "notimp": _rcode(Rcode.NOTIMP),
    "notauth": _rcode(Rcode.NOTAUTH),
    "badvers": _rcode(Rcode.BADVERS),
    "upward-referral": _upward,
    "recursor": _edited(_not_authoritative),
    "nxdomain": _nxdomain,
    "no-soa": _edited(_no_soa),
    "denied-name": _edited(_denied_name),
    "no-dnskey": _edited(_no_dnskey),
    "parent-soa": _edited(_parent_soa),
    "no-cname": _edited(_no_cname),
    "wrong-cname": _edited(_wrong_cname),
    "cds-crowded": _only(_asks_signaling, _edited(_crowded)),
    "cds-failing": _only(_asks_signaling, _edited(_failing_in_full)),
    "cds-something-else": _only(_asks_signaling, _edited(_about_something_else)),
    "no-edns": _edited(_no_edns),
    "parking": _parking,
    "apex-cname": _apex_cname,
    "wrong-id": _wrong_id,
    "wrong-question": _edited(_other_question),
    "not-a-response": lambda incoming: _say(incoming.query.to_wire()),
    "garbage": lambda incoming: _say(
        incoming.honest()[:2] + b"\x84\x00" + b"\xff" * 40
    ),
    "octet": lambda _: _say(b"\0"),
    "short": lambda incoming: _say(incoming.honest()[: wires.HEADER - 3]),
    "junk-first": _only(_on_udp, _junk_first),
    "truncated": _truncated,
    "udp-truncated": _only(_on_udp, _truncated),
    "mid-message": _only(_on_tcp, _mid_message),
    "length-zero": _only(_on_tcp, _framed_as(lambda _: 0)),
    "length-long": _only(_on_tcp, _framed_as(lambda size: size + 100)),
    "length-short": _only(_on_tcp, _framed_as(lambda size: size - 10)),
    "dribble": _only(_on_tcp, _dribble),
    "slow": lambda incoming: Reaction((incoming.honest(),), delay=SLOW_SECONDS),
    "bomb": _only(_on_tcp, _bomb),
}
"""Every behaviour by name; what a recipe may ask for."""
