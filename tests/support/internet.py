"""A small Internet in memory: unsigned zones on addresses, behind a `Transport`.

Written as zone files; each address serves some zones and may be told to answer
otherwise. It counts what it is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone

from bootstrap import clock
from bootstrap.core.dns.records import Ds
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.evaluation.observations import Observation, Trouble
from bootstrap.core.evaluation.queries import Query

UNSIGNED_ROOT = (Anchor(Ds(1, 253, 2, bytes(32))),)
"""An anchor of an algorithm that nobody knows: all below is provably insecure."""

Manner = Callable[[dns.message.Message], dns.message.Message | Trouble]


@dataclass
class Internet:
    """Zones by apex, and which addresses serve which of them."""

    zones: dict[dns.name.Name, dns.zone.Zone] = field(default_factory=dict)
    served: dict[str, list[dns.name.Name]] = field(default_factory=dict)
    manners: dict[str, Manner] = field(default_factory=dict)
    asked: list[Query] = field(default_factory=list)
    delay: float = 0.0

    def zone(self, apex: str, *addresses: str, text: str = "") -> None:
        """Serve a zone at addresses; SOA is supplied."""
        name = dns.name.from_text(apex)
        soa = "@ 60 IN SOA ns. host. 1 1 1 1 60\n"
        self.zones[name] = dns.zone.from_text(
            soa + text, origin=name, relativize=False, check_origin=False
        )
        for address in addresses:
            self.served.setdefault(address, []).append(name)

    def count(self, address: str) -> int:
        return sum(1 for query in self.asked if query.server == address)

    def asked_of(self, address: str) -> list[str]:
        return [
            f"{q.name} {dns.rdatatype.to_text(q.rdtype)}"
            for q in self.asked
            if q.server == address
        ]

    async def ask(self, query: Query, *, allowance=None, attempts=None):
        if allowance is not None and not allowance.take_query():
            return Observation(query, clock.now(), b"", None, Trouble.LIMIT)
        self.asked.append(query)
        await asyncio.sleep(self.delay)
        message = dns.message.make_query(query.name, query.rdtype, want_dnssec=True)
        manner = self.manners.get(query.server)
        said: dns.message.Message | Trouble
        if manner is not None:
            said = manner(message)
        elif query.server in self.served:
            said = self.answer(query.server, message)
        else:
            said = Trouble.TIMEOUT
        if isinstance(said, Trouble):
            return Observation(query, clock.now(), message.to_wire(), None, said)
        wire = said.to_wire()
        if allowance is not None:
            allowance.octets += len(wire)
        return Observation(query, clock.now(), message.to_wire(), wire)

    def shuns(self, address: str) -> bool:
        return False

    def answer(self, address: str, query: dns.message.Message) -> dns.message.Message:
        """Return what an honest server with the zones of `address` says."""
        response = dns.message.make_response(query)
        name, rdtype = query.question[0].name, query.question[0].rdtype
        held = [apex for apex in self.served[address] if name.is_subdomain(apex)]
        if rdtype == dns.rdatatype.DS and len(held) > 1:
            held = [apex for apex in held if apex != name]
        if not held:
            response.set_rcode(dns.rcode.REFUSED)
            return response
        zone = self.zones[max(held, key=len)]
        if not self._refer(zone, name, rdtype, response):
            self._say(zone, name, rdtype, response)
        return response

    def _refer(self, zone, name, rdtype, response) -> bool:
        origin = zone.origin
        for count in range(len(origin) + 1, len(name) + 1):
            cut = dns.name.Name(name.labels[-count:])
            ns = zone.get_rrset(cut, "NS")
            if ns is None or (cut == name and rdtype == dns.rdatatype.DS):
                continue
            response.authority.append(ns)
            for record in ns:
                for kind in ("A", "AAAA"):
                    glue = zone.get_rrset(record.target, kind)
                    if glue is not None:
                        response.additional.append(glue)
            return True
        return False

    def _say(self, zone, name, rdtype, response) -> None:
        response.flags |= dns.flags.AA
        found = zone.get_rrset(name, rdtype) or zone.get_rrset(name, "CNAME")
        if found is not None:
            response.answer.append(found)
            return
        response.authority.append(zone.get_rrset(zone.origin, "SOA"))
        if not any(owner.is_subdomain(name) for owner in zone):
            response.set_rcode(dns.rcode.NXDOMAIN)


def refused(query: dns.message.Message) -> dns.message.Message | Trouble:
    return failing(dns.rcode.REFUSED)(query)


def failing(rcode: dns.rcode.Rcode) -> Manner:
    """Return the manner of a server that answers everything with an error."""

    def manner(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(rcode)
        return response

    return manner


def saying(
    *,
    answer: str = "",
    authority: str = "",
    additional: str = "",
    aa: bool = False,
) -> Manner:
    """Return the manner of a server that says the same to everybody."""

    def manner(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        if aa:
            response.flags |= dns.flags.AA
        sections = (
            (response.answer, answer),
            (response.authority, authority),
            (response.additional, additional),
        )
        for section, text in sections:
            for line in filter(None, map(str.strip, text.splitlines())):
                owner, ttl, rdtype, rdata = line.split(None, 3)
                section.append(
                    dns.rrset.from_text(owner, int(ttl), "IN", rdtype, rdata)
                )
        return response

    return manner
