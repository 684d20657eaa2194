"""The parent by dynamic update (RFC 2136): TCP, TSIG, prerequisites, read-back (S-54).

The primary itself makes the last check: the NS RRset and the DS RRset must equal
what the decision was about, or nothing is applied (S-62, F-12).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update

from bootstrap.core.dns import guard
from bootstrap.core.dns.names import Name, canonical, unrooted
from bootstrap.core.dns.records import Ds, RdataType
from bootstrap.core.evaluation.delegation import Delegation

from .addresses import Endpoint
from .ports import (
    Change,
    OutcomeUnknown,
    Published,
    Receipt,
    RegistryRefused,
    RegistryUnreachable,
)
from .tsigkeys import TsigKey
from .wire import ConnectionLost, connect

PATIENCE: Final = 10.0
"""Seconds for connection, request and answer together."""
MAX_ANSWER: Final = 1_024
"""Octets; the answer to an UPDATE is a header, the zone and a TSIG (S-15)."""
UNDECIDED: Final = frozenset({"SERVFAIL", "NOTIMP"})
"""Answers that do not say whether anything was applied, or may pass soon."""

BADKEY: Final = "BADKEY"
_PEER: Final = {
    dns.tsig.PeerBadKey: BADKEY,
    dns.tsig.PeerBadSignature: "BADSIG",
    dns.tsig.PeerBadTruncation: "BADTRUNC",
}


@dataclass(frozen=True, slots=True)
class DynamicUpdate:
    """One parent zone at its primary; `patience` in seconds for each exchange."""

    zone: Name
    primary: Endpoint
    key: TsigKey
    patience: float = PATIENCE
    successor: TsigKey | None = None
    """The second key of a rotation: tried when the first is not known (S-81)."""

    def publish(self, change: Change) -> Receipt:
        """Send one signed UPDATE and return the authentic yes.

        An answer without a valid TSIG is no answer (S-83). A BADKEY from a
        primary that knew the key before means that its policy refuses (F-12);
        it applied nothing, so that another key may be tried.

        Raises:
            RegistryRefused: with the parent's code; nothing was applied.
            OutcomeUnknown: sent, and no authentic answer came: read back.
            RegistryUnreachable: nothing was sent.
        """
        try:
            return self._publish(change, self.key)
        except RegistryRefused as refusal:
            if self.successor is None or refusal.rcode != BADKEY:
                raise
            return self._publish(change, self.successor)

    def _publish(self, change: Change, key: TsigKey) -> Receipt:
        update = update_of(change, key)
        request = update.to_wire()
        response = self._exchange(request)
        rcode = self._authentic_rcode(update, key, request, response)
        if rcode in UNDECIDED:
            raise OutcomeUnknown(f"the primary answers {rcode}", request, response)
        if rcode != "NOERROR":
            raise RegistryRefused(rcode, _meant(change), request, response)
        return Receipt(rcode, request, response)

    def delegation(self, child: Name) -> Delegation:
        """Return NS and DS RRsets as the primary holds them now.

        Raises:
            RegistryUnreachable: no usable answer.
        """
        response = self._ask(child, RdataType.NS)
        found = _rrset(response, child, RdataType.NS)
        hosts = () if found is None else (canonical(rdata.target) for rdata in found)
        return Delegation(
            child=child,
            parent=self.zone,
            nameservers=tuple(sorted(hosts)),
            ds=self.read_back(child).ds,
        )

    def read_back(self, child: Name) -> Published:
        """Return the DS RRset that the primary serves, with the zone's serial.

        Raises:
            RegistryUnreachable: no usable answer.
        """
        answer = _rrset(self._ask(child, RdataType.DS), child, RdataType.DS)
        soa = _rrset(self._ask(self.zone, RdataType.SOA), self.zone, RdataType.SOA)
        serial = None if soa is None else int(soa[0].serial)
        if answer is None:
            return Published((), None, serial)
        ds = tuple(sorted(Ds.from_wire(rdata.to_digestable()) for rdata in answer))
        return Published(ds, answer.ttl, serial)

    def _ask(self, name: Name, rdtype: RdataType) -> dns.message.Message:
        query = dns.message.make_query(name, rdtype, use_edns=0, payload=1232)
        query.flags = 0
        try:
            with connect(self.primary, self.patience) as stream:
                stream.send(query.to_wire())
                wire = stream.receive()
            guard.inspect(wire)
            response = dns.message.from_wire(wire)
        except (ConnectionLost, guard.Refused, dns.exception.DNSException) as exc:
            raise RegistryUnreachable(f"{self.primary}: {exc}") from exc
        rcode = response.rcode()
        if not query.is_response(response) or rcode not in {
            dns.rcode.NOERROR,
            dns.rcode.NXDOMAIN,
        }:
            raise RegistryUnreachable(
                f"{self.primary}: {dns.rcode.to_text(rcode)} to"
                f" {unrooted(name)} {dns.rdatatype.to_text(rdtype)}"
            )
        if rdtype != RdataType.NS and not response.flags & dns.flags.AA:
            raise RegistryUnreachable(f"{self.primary}: not authoritative")
        return response

    def _exchange(self, request: bytes) -> bytes:
        sent = False
        try:
            with connect(self.primary, self.patience) as stream:
                sent = True
                stream.send(request)
                return stream.receive()
        except ConnectionLost as exc:
            if sent:
                raise OutcomeUnknown(f"{self.primary}: {exc}", request) from exc
            raise RegistryUnreachable(f"{self.primary}: {exc}") from exc

    def _authentic_rcode(
        self,
        update: dns.update.UpdateMessage,
        key: TsigKey,
        request: bytes,
        wire: bytes,
    ) -> str:
        if len(wire) > MAX_ANSWER:
            raise OutcomeUnknown(f"an answer of {len(wire)} octets", request)
        try:
            response = dns.message.from_wire(
                wire, keyring=key.keyring(), request_mac=update.mac
            )
        except tuple(_PEER) as exc:
            raise RegistryRefused(_PEER[type(exc)], "", request, wire) from exc
        except dns.exception.DNSException as exc:
            detail = str(exc) or type(exc).__name__
            raise OutcomeUnknown(f"{self.primary}: {detail}", request, wire) from exc
        if not response.had_tsig:
            raise OutcomeUnknown("an answer without TSIG (S-83)", request, wire)
        if response.id != update.id or response.opcode() != dns.opcode.UPDATE:
            raise OutcomeUnknown("an answer to something else", request, wire)
        return dns.rcode.to_text(response.rcode())


def update_of(change: Change, key: TsigKey) -> dns.update.UpdateMessage:
    """Return the signed request for `change`: two prerequisites, one RRset.

    Exact values are taken out and put in, never a whole name (S-62, S-81).
    """
    update = dns.update.UpdateMessage(
        change.parent, keyring=key.keyring(), keyname=key.name
    )
    for host in change.nameservers:
        update.present(change.child, _rdata(RdataType.NS, host.to_wire()))
    old = [_rdata(RdataType.DS, ds.to_wire()) for ds in change.old]
    for rdata in old:
        update.present(change.child, rdata)
    if not old:
        update.absent(change.child, RdataType.DS)
    for rdata in old:
        update.delete(change.child, rdata)
    for ds in change.new:
        update.add(change.child, change.ttl, _rdata(RdataType.DS, ds.to_wire()))
    return update


def _rdata(rdtype: RdataType, wire: bytes | None) -> dns.rdata.Rdata:
    octets = wire or b""
    return dns.rdata.from_wire(dns.rdataclass.IN, rdtype, octets, 0, len(octets))


def _rrset(
    response: dns.message.Message, owner: Name, rdtype: RdataType
) -> dns.rrset.RRset | None:
    """Return the RRset from the answer or, for a referral, the authority section."""
    for section in (response.answer, response.authority):
        found = response.get_rrset(section, owner, dns.rdataclass.IN, rdtype)
        if found is not None:
            return found
    return None


def _meant(change: Change) -> str:
    return f"DS of {unrooted(change.child)}: {len(change.old)} → {len(change.new)}"
