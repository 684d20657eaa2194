"""Delegations from a zone transfer (RFC 5936), with TSIG (RFC 8945) if there is a key.

Walks the raw records instead of building objects: a parent has millions. The
transfer goes to disk first, and nothing is yielded before its final SOA.
"""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tsig

from bootstrap import clock
from bootstrap.core.dns.names import Name, unrooted
from bootstrap.core.dns.records import Ds, RdataType

from .addresses import Endpoint
from .keys import MalformedWire, is_below, key_from_wire, key_of
from .rows import Reading, SourceRefused, Watch, unwatched
from .spool import DNAME, DS, NS, WANTED, A, Spool
from .tsigkeys import TsigKey
from .wire import ConnectionLost, Stream, connect

IN: Final = 1
MAX_UNSIGNED: Final = 99
"""Messages in a row without TSIG (RFC 8945, section 5.3.1)."""
CURES: Final = {
    dns.rcode.REFUSED: "let this machine, or this TSIG key, transfer the zone there",
    dns.rcode.NOTAUTH: "it does not know the TSIG key, knows it with another secret,"
    " or does not serve the zone",
}
"""What the server says by a code → what its operator can do."""
_HEADER: Final = struct.Struct("!6H")
_RECORD: Final = struct.Struct("!HHIH")
_SOA: Final = int(RdataType.SOA)
_TSIG: Final = int(RdataType.TSIG)


def transfer(
    server: Endpoint,
    parent: Name,
    key: TsigKey | None = None,
    *,
    patience: float = 30.0,
    watch: Watch = unwatched,
) -> Reading:
    """Return the delegations of `parent`, transferred from `server`.

    `patience` is how many seconds each message may take; `watch` is told the
    number of records so far.

    Raises:
        SourceRefused: refused, broken off, out of order, or not signed with
            `key` where there is one. Nothing of it may be used.
    """
    inbound = _Inbound(parent, key)
    try:
        with connect(server, patience) as stream:
            stream.send(inbound.request)
            _receive(stream, inbound, patience, watch)
    except ConnectionLost as exc:
        raise SourceRefused(
            f"transfer of {unrooted(parent)} from {server} broke off: {exc}"
        ) from exc
    except (MalformedWire, dns.exception.DNSException, struct.error, ValueError) as exc:
        detail = str(exc) or type(exc).__name__
        raise SourceRefused(
            f"transfer of {unrooted(parent)} from {server}: {detail}"
        ) from exc
    expected = inbound.spool.expected()
    return Reading(inbound.spool.entries(), inbound.serial, expected)


def _receive(stream: Stream, inbound: _Inbound, patience: float, watch: Watch) -> None:
    while not inbound.done:
        inbound.take(stream.receive())
        stream.extend(patience)
        watch(inbound.records)


@dataclass(frozen=True, slots=True)
class _RawRecord:
    start: int
    owner: bytes
    rdtype: int
    rdclass: int
    at: int
    end: int


@dataclass(slots=True)
class _Signatures:
    """TSIG over a sequence of messages: request, first, some in between, last."""

    key: TsigKey
    request_mac: bytes
    context: dns.tsig.HMACTSig | dns.tsig.GSSTSig | None = None
    unsigned: int = 0

    def check(self, wire: bytes, record: _RawRecord | None) -> None:
        if record is None:
            self.unsigned += 1
            if self.context is None or self.unsigned > MAX_UNSIGNED:
                raise SourceRefused("the transfer is not signed")
            self.context.update(wire)  # type: ignore[no-untyped-call]  # dnspython
            return
        self.unsigned = 0
        rdata = dns.rdata.from_wire(
            dns.rdataclass.ANY,
            dns.rdatatype.TSIG,
            wire,
            record.at,
            record.end - record.at,
        )
        self.context = dns.tsig.validate(  # type: ignore[no-untyped-call]  # dnspython
            wire,
            self.key.keyring()[self.key.name],
            self.key.name if record.owner == key_of(self.key.name) else Name(()),
            rdata,
            int(clock.now().timestamp()),
            self.request_mac,
            record.start,
            self.context,
            True,  # noqa: FBT003 - dnspython's own signature
        )


@dataclass(slots=True)
class _Inbound:
    """One transfer as it comes in; `done` once the final SOA was seen."""

    parent: Name
    key: TsigKey | None
    spool: Spool = field(init=False)
    apex: bytes = field(init=False)
    request: bytes = field(init=False)
    signatures: _Signatures | None = field(init=False, default=None)
    soa: bytes | None = None
    serial: int | None = None
    records: int = 0
    done: bool = False

    def __post_init__(self) -> None:
        self.spool = Spool(self.parent)
        self.apex = key_of(self.parent)
        query = dns.message.make_query(self.parent, dns.rdatatype.AXFR)
        query.id = secrets.randbelow(65_536)
        query.flags = 0
        if self.key is not None:
            query.use_tsig(self.key.keyring(), self.key.name)
        self.request = query.to_wire()
        if self.key is not None:
            self.signatures = _Signatures(self.key, query.mac or b"")

    def take(self, wire: bytes) -> None:
        """Take the next message of the transfer."""
        counts = self._header(wire)
        known: dict[int, bytes] = {}
        position = _HEADER.size
        for _ in range(counts[0]):
            _name, position = key_from_wire(wire, position, known)
            position += 4
        for _ in range(counts[1]):
            record = _record(wire, position, known)
            self._answer(wire, record, known)
            position = record.end
        last = None
        for _ in range(counts[2] + counts[3]):
            last = _record(wire, position, known)
            position = last.end
        signature = last if last is not None and last.rdtype == _TSIG else None
        if self.signatures is not None:
            self.signatures.check(wire, signature)
            if self.done and signature is None:
                raise SourceRefused("the end of the transfer is not signed")

    def _header(self, wire: bytes) -> tuple[int, int, int, int]:
        ident, flags, questions, answers, authority, additional = _HEADER.unpack_from(
            wire
        )
        (asked,) = struct.unpack_from("!H", self.request)
        if ident != asked or not flags & dns.flags.QR:
            raise SourceRefused("a message that does not belong to the transfer")
        if rcode := flags & 0x0F:
            raise SourceRefused(_refusal(dns.rcode.Rcode.make(rcode)))
        if not answers:
            raise SourceRefused("a message without records")
        return questions, answers, authority, additional

    def _answer(self, wire: bytes, record: _RawRecord, known: dict[int, bytes]) -> None:
        self.records += 1
        if self.done:
            raise SourceRefused("records behind the final SOA")
        if record.rdtype == _SOA and record.owner == self.apex:
            self._boundary(wire, record, known)
        elif self.soa is None:
            raise SourceRefused("the first record is not the SOA of the zone")
        elif _is_wanted(record) and is_below(record.owner, self.apex):
            self._keep(wire, record, known)

    def _boundary(
        self, wire: bytes, record: _RawRecord, known: dict[int, bytes]
    ) -> None:
        mname, position = key_from_wire(wire, record.at, known)
        rname, position = key_from_wire(wire, position, known)
        numbers = wire[position : record.end]
        (serial,) = struct.unpack_from("!I", numbers)
        soa = b"\xff".join((mname, rname, numbers))
        if self.soa is None:
            self.soa, self.serial = soa, serial
        elif soa == self.soa:
            self.done = True
        else:
            raise SourceRefused("the zone changed during its own transfer")

    def _keep(self, wire: bytes, record: _RawRecord, known: dict[int, bytes]) -> None:
        raw = wire[record.at : record.end]
        if record.rdtype in {NS, DNAME}:
            rdata, _end = key_from_wire(wire, record.at, known)
        elif record.rdtype == DS:
            rdata = Ds.from_wire(raw).to_wire()
        elif record.rdtype == A:
            rdata = str(IPv4Address(raw)).encode()
        else:
            rdata = str(IPv6Address(raw)).encode()
        self.spool.add(record.owner, record.rdtype, rdata, self.records)


def _refusal(rcode: dns.rcode.Rcode) -> str:
    cure = CURES.get(rcode)
    said = f"the server answers {dns.rcode.to_text(rcode)}"
    return f"{said}: {cure}" if cure else said


def _is_wanted(record: _RawRecord) -> bool:
    return record.rdtype in WANTED and record.rdclass == IN


def _record(wire: bytes, at: int, known: dict[int, bytes]) -> _RawRecord:
    owner, position = key_from_wire(wire, at, known)
    rdtype, rdclass, _ttl, length = _RECORD.unpack_from(wire, position)
    start = position + _RECORD.size
    if start + length > len(wire):
        raise MalformedWire("the message ends within a record")
    return _RawRecord(at, owner, rdtype, rdclass, start, start + length)
