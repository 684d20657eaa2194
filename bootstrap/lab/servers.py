"""Nameservers on loopback: one address, some zones, perhaps a bad habit each.

Answers are kept as octets and reused for equal queries, until a zone of the
server changes.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterator
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Final, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rrset
import dns.tsig
from dns.rcode import Rcode

from . import wires
from .behaviours import BEHAVIOURS, DRIBBLE_SECONDS, NO_TCP, Incoming, Reaction
from .primary import TRANSFERS

if TYPE_CHECKING:
    from dns.message import Message

    from bootstrap.core.dns.names import Name

    from .denial import Denier
    from .primary import Primary

CACHED_ANSWERS: Final = 50_000
TSIG_ERRORS: Final[dict[type[dns.exception.DNSException], int]] = {
    dns.message.UnknownTSIGKey: 17,  # BADKEY
    dns.tsig.BadKey: 17,
    dns.tsig.BadAlgorithm: 17,
    dns.tsig.BadSignature: 16,  # BADSIG
    dns.tsig.BadTime: 18,  # BADTIME
}


@unique
class OnUpdate(StrEnum):
    """What a primary makes of updates (S-75)."""

    HONEST = "honest"
    UNANSWERED = "unanswered"  # carried out, but the reply is lost
    UNHEARD = "unheard"  # lost before it is carried out
    REFUSED = "refused"
    SERVFAIL = "servfail"


class NameServer:
    """What answers at one address.

    `behaviours` says, by name, how queries at or below that name are treated;
    the deepest name counts. `transport` may be closed by `NO_TCP`.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.contents: dict[Name, Denier] = {}
        self.behaviours: dict[Name, str] = {}
        self.primaries: dict[Name, Primary] = {}
        self.keyring: dict[Name, dns.tsig.Key] = {}
        self.on_update = OnUpdate.HONEST
        self.queries = 0
        self._answers: dict[tuple[bool, bytes], bytes] = {}

    @property
    def has_tcp(self) -> bool:
        """The server listens on TCP."""
        return NO_TCP not in self.behaviours.values()

    def forget(self) -> None:
        """Drop kept answers, because a zone has changed."""
        self._answers.clear()

    def respond(self, wire: bytes, *, tcp: bool) -> Reaction:
        """Return what goes back for the octets of a query."""
        self.queries += 1
        known = self._answers.get((tcp, wire[2:]))
        if known is not None:
            return Reaction((wire[:2] + known,))
        try:
            query = dns.message.from_wire(wire, keyring=self.keyring)
        except tuple(TSIG_ERRORS) as exc:
            return Reaction((_tsig_failure(wire, TSIG_ERRORS[type(exc)]),))
        except dns.exception.DNSException:
            return Reaction((_format_error(wire),) if len(wire) >= wires.HEADER else ())
        if query.flags & dns.flags.QR:
            return Reaction()
        return self._react(wire, query, tcp=tcp)

    def _react(self, wire: bytes, query: Message, *, tcp: bool) -> Reaction:
        if query.opcode() == dns.opcode.UPDATE:
            return self._update(query)
        if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
            return Reaction((wires.failure(query, Rcode.NOTIMP),))
        if query.question[0].rdtype in TRANSFERS:
            return Reaction(tuple(self._transfer(query, tcp=tcp)))

        def honest() -> bytes:
            nsid = self.address.encode()
            return wires.honest(self.contents, query, tcp=tcp, nsid=nsid)

        behaviour = self._behaviour(query.question[0].name.canonicalize())
        if behaviour is not None:
            return BEHAVIOURS[behaviour](Incoming(query, tcp, honest))
        packet = honest()
        if not query.had_tsig and len(self._answers) < CACHED_ANSWERS:
            self._answers[tcp, wire[2:]] = packet[2:]
        return Reaction((packet,))

    def _behaviour(self, name: Name) -> str | None:
        if not self.behaviours:
            return None
        while name not in self.behaviours:
            if name == dns.name.root:
                return None
            name = name.parent()
        return self.behaviours[name]

    def _update(self, message: Message) -> Reaction:
        if self.on_update is OnUpdate.UNHEARD:
            return Reaction()
        if self.on_update in (OnUpdate.REFUSED, OnUpdate.SERVFAIL):
            return Reaction((wires.failure(message, Rcode[self.on_update.name]),))
        zones = message.sections[0]
        primary = self.primaries.get(zones[0].name.canonicalize()) if zones else None
        rcode = primary.update(message) if primary else Rcode.NOTAUTH
        lost = self.on_update is OnUpdate.UNANSWERED
        return Reaction(() if lost else (wires.failure(message, rcode),))

    def _transfer(self, query: Message, *, tcp: bool) -> Iterator[bytes]:
        primary = self.primaries.get(query.question[0].name.canonicalize())
        if primary is None or not tcp:
            return iter([wires.failure(query, Rcode.REFUSED)])
        return primary.transfer(query)


def _format_error(wire: bytes) -> bytes:
    flags = (wire[2] & 0x79) | 0x80
    return wire[:2] + bytes([flags, Rcode.FORMERR]) + bytes(8)


def _tsig_failure(wire: bytes, error: int) -> bytes:
    """Return NOTAUTH with an unsigned TSIG that names `error` (RFC 8945, 5.2)."""
    query = dns.message.from_wire(wire, keyring=False)
    tsig, query.tsig = query.tsig, None
    response = wires.response_to(query)
    response.set_rcode(Rcode.NOTAUTH)
    if tsig is not None:
        told = tsig[0].replace(error=error, mac=b"")
        response.tsig = dns.rrset.from_rdata(tsig.name, 0, told)
    return response.to_wire()


class Datagrams(asyncio.DatagramProtocol):
    """UDP at one address."""

    def __init__(self, server: NameServer) -> None:
        self.server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket to answer from."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one datagram."""
        reaction = self.server.respond(data, tcp=False)
        if reaction.delay:
            asyncio.get_running_loop().call_later(
                reaction.delay, self._send, reaction, addr
            )
        else:
            self._send(reaction, addr)

    def _send(self, reaction: Reaction, addr: tuple[str, int]) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        for message in reaction.messages:
            self._transport.sendto(message, addr)


class Stream(asyncio.Protocol):
    """One TCP connection: any number of queries, answered in their order."""

    def __init__(self, server: NameServer, opened: Callable[[Stream], None]) -> None:
        self.server = server
        self.transport: asyncio.Transport | None = None
        self._opened = opened
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection to answer on."""
        self.transport = cast("asyncio.Transport", transport)
        self._opened(self)

    def data_received(self, data: bytes) -> None:
        """Answer each whole query in what has arrived (RFC 7766, section 8)."""
        self._buffer += data
        while len(self._buffer) > 1:
            (length,) = struct.unpack_from("!H", self._buffer)
            if len(self._buffer) < length + 2:
                return
            wire = bytes(self._buffer[2 : length + 2])
            del self._buffer[: length + 2]
            self._answer(self.server.respond(wire, tcp=True))

    def _answer(self, reaction: Reaction) -> None:
        if reaction.delay:
            loop = asyncio.get_running_loop()
            loop.call_later(reaction.delay, self._send, reaction)
        else:
            self._send(reaction)

    def _send(self, reaction: Reaction) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        framed = [struct.pack("!H", len(m)) + m for m in reaction.messages]
        octets = b"".join(framed) + reaction.raw
        if reaction.dribble:
            self._dribble(octets)
            return
        if octets:
            self.transport.write(octets)
        if reaction.close:
            self.transport.close()

    def _dribble(self, octets: bytes) -> None:
        """Send octet by octet: the slow server that holds a client for ever."""
        if self.transport is None or self.transport.is_closing() or not octets:
            return
        self.transport.write(octets[:1])
        loop = asyncio.get_running_loop()
        loop.call_later(DRIBBLE_SECONDS, self._dribble, octets[1:])
