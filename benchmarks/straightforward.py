"""The yardstick that does the whole job: a scanner as one would write it with dnspython.

`python -m benchmarks.straightforward MANIFEST STEP`: evaluates every STEPth child of
the laboratory, one after another, with dnspython's own queries, parser and validator.
It asks what the product asks (apex of every server, signals under every nameserver,
cuts on the way, the chain from the root) and checks what the product checks
(signatures, agreement of all servers, CDS against CDNSKEY, apex against signals, the
candidate against the keys). What it has validated of zones above it keeps. Nothing
is stored, retried, paced or explained.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.rrset
import dns.zonefile
from dns.rdatatype import CDNSKEY, CDS, DNSKEY, DS, NS, RRSIG, SOA, A

Name = dns.name.Name
PATIENCE = 5.0
PAYLOAD = 1232
SHA256 = "SHA256"


class Unfit(Exception):
    """The child cannot be bootstrapped; the message says why."""


@dataclass
class Cut:
    """A zone as it was found on the way: who serves it, and its validated keys."""

    apex: Name
    servers: list[str]
    keys: dns.rrset.RRset | None


@dataclass
class Scanner:
    """Asks, validates and compares; remembers zones that are not a child's own."""

    port: int
    root: Cut
    cuts: dict[Name, Cut | None] = field(default_factory=dict)
    asked: int = 0

    def ask(self, server: str, name: Name, rdtype: int) -> dns.message.Message:
        """Ask one server one question, over TCP where UDP does not suffice."""
        query = dns.message.make_query(
            name, rdtype, want_dnssec=True, payload=PAYLOAD, flags=0
        )
        self.asked += 1
        answer, _over_tcp = dns.query.udp_with_fallback(
            query, server, timeout=PATIENCE, port=self.port
        )
        return answer

    def cut_above(self, name: Name) -> Cut:
        """Return the deepest zone that holds `name`, from the root down."""
        cut = self.root
        for depth in range(2, len(name.labels) + 1):
            below = Name(name.labels[-depth:])
            if below not in self.cuts:
                self.cuts[below] = self.step(cut, below)
            cut = self.cuts[below] or cut
        return cut

    def step(self, cut: Cut, below: Name) -> Cut | None:
        """Return the zone that begins at `below`, if one does."""
        answer = self.ask(cut.servers[0], below, NS)
        ns = answer.get_rrset(answer.answer, below, 1, NS)
        ns = ns or answer.get_rrset(answer.authority, below, 1, NS)
        if ns is None:
            return None
        servers = [a for rdata in ns for a in self.glue(answer, rdata.target)]
        servers = servers or [a for rdata in ns for a in self.addresses(rdata.target)]
        ds = self.signed(self.ask(cut.servers[0], below, DS), below, DS, cut)
        return Cut(below, servers, self.keys(servers, below, ds))

    @staticmethod
    def glue(answer: dns.message.Message, host: Name) -> list[str]:
        """Return the addresses of `host` that came along."""
        found = answer.get_rrset(answer.additional, host, 1, A)
        return [rdata.address for rdata in found or ()]

    def addresses(self, host: Name) -> list[str]:
        """Return the addresses of a nameserver, validated where its zone is signed."""
        cut = self.cut_above(host)
        found = self.signed(self.ask(cut.servers[0], host, A), host, A, cut)
        return [rdata.address for rdata in found or ()]

    def keys(
        self, servers: list[str], apex: Name, ds: dns.rrset.RRset | None
    ) -> dns.rrset.RRset | None:
        """Return the keys that `ds` vouches for; None where there is no DS."""
        if ds is None:
            return None
        answer = self.ask(servers[0], apex, DNSKEY)
        keys = answer.get_rrset(answer.answer, apex, 1, DNSKEY)
        if keys is None:
            raise Unfit(f"{apex} has no keys")
        self.check_keys(keys, ds)
        signatures = answer.get_rrset(answer.answer, apex, 1, RRSIG, DNSKEY)
        dns.dnssec.validate(keys, signatures, {apex: keys})
        return keys

    @staticmethod
    def check_keys(keys: dns.rrset.RRset, ds: dns.rrset.RRset) -> None:
        """Check that each DS is that of one of the keys (RFC 7344, section 4.1)."""
        made = {dns.dnssec.make_ds(keys.name, key, SHA256).to_wire() for key in keys}
        wanted = {rdata.to_wire() for rdata in ds}
        if not wanted <= made:
            raise Unfit(f"{keys.name}: a DS fits no key")

    def signed(
        self, answer: dns.message.Message, name: Name, rdtype: int, cut: Cut
    ) -> dns.rrset.RRset | None:
        """Return an RRset, validated where its zone has keys."""
        found = answer.get_rrset(answer.answer, name, 1, rdtype)
        if found is None or cut.keys is None:
            return found
        signatures = answer.get_rrset(answer.answer, name, 1, RRSIG, rdtype)
        dns.dnssec.validate(found, signatures, {cut.apex: cut.keys})
        return found

    # -- a child ------------------------------------------------------------------

    def evaluate(self, child: Name, hosts: list[Name]) -> str:
        """Return what becomes of a child."""
        if self.parent_ds(child):
            return "secured"
        servers = {host: self.addresses(host) for host in hosts}
        every = [address for found in servers.values() for address in found]
        seen = [self.requests(address, child) for address in every]
        if all(cds is None and cdnskey is None for cds, cdnskey in seen):
            return "no CDS"
        try:
            cds, cdnskey = self.agreed(seen)
            self.check_apex(child, every, cds, cdnskey)
            for host in hosts:
                self.check_signal(child, host, (cds, cdnskey))
        except (Unfit, dns.dnssec.ValidationFailure) as why:
            return f"unfit: {type(why).__name__}"
        return "candidate"

    def parent_ds(self, child: Name) -> bool:
        """Say whether the parent has a DS for the child."""
        cut = self.cut_above(child.parent())
        return (
            self.signed(self.ask(cut.servers[0], child, DS), child, DS, cut) is not None
        )

    def requests(self, address: str, child: Name) -> tuple[Any, Any]:
        """Return CDS and CDNSKEY as one server has them."""
        found = []
        for rdtype in (CDS, CDNSKEY):
            answer = self.ask(address, child, rdtype)
            if not answer.flags & dns.flags.AA:
                raise Unfit(f"{address} is lame")
            found.append(answer.get_rrset(answer.answer, child, 1, rdtype))
        return found[0], found[1]

    @staticmethod
    def agreed(seen: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        """Return what all servers say, which must be the same."""
        if any(each != seen[0] for each in seen) or None in seen[0]:
            raise Unfit("servers differ")
        return seen[0]

    def check_apex(
        self,
        child: Name,
        every: list[str],
        cds: dns.rrset.RRset,
        cdnskey: dns.rrset.RRset,
    ) -> None:
        """Check keys, signatures, SOA and NS of every server, CDS against CDNSKEY."""
        self.check_keys(cdnskey, cds)
        for address in every:
            cut = Cut(child, [address], self.keys([address], child, cds))
            for rdtype in (SOA, NS, CDS, CDNSKEY):
                answer = self.ask(address, child, rdtype)
                if self.signed(answer, child, rdtype, cut) is None:
                    raise Unfit("incomplete apex")

    def check_signal(self, child: Name, host: Name, wanted: tuple[Any, Any]) -> None:
        """Check the signal under one nameserver (RFC 9615, section 4.2, step 3)."""
        signaling = Name((b"_signal", *host.labels))
        name = Name((b"_dsboot", *child.labels[:-1], *signaling.labels))
        zone = self.cut_above(signaling)
        for depth in range(len(signaling.labels) + 2, len(name.labels) + 1):
            if self.step(zone, Name(name.labels[-depth:])) is not None:
                raise Unfit("a cut on the way to the signal")
        for rdtype, apex in zip((CDS, CDNSKEY), wanted, strict=True):
            answer = self.ask(zone.servers[0], name, rdtype)
            found = self.signed(answer, name, rdtype, zone)
            if zone.keys is None or found is None or set(found) != set(apex):
                raise Unfit("no such signal")


def scanner(manifest: dict[str, Any]) -> Scanner:
    """Return a scanner that has validated the root's keys."""
    hints = records(manifest["root_hints"])
    servers = [r.address for rrset in hints if rrset.rdtype == A for r in rrset]
    (ds,) = records(manifest["trust_anchors"])
    found = Scanner(manifest["port"], Cut(dns.name.root, servers, None))
    found.root.keys = found.keys(servers, dns.name.root, ds)
    return found


def records(path: str) -> list[dns.rrset.RRset]:
    """Return what a file of the laboratory holds."""
    text = Path(path).read_text()
    return dns.zonefile.read_rrsets(text, rdclass=None, default_ttl=0)


def main(path: Path, step: int) -> None:
    """Evaluate, and print how many ended how."""
    manifest = json.loads(path.read_text())
    eyes = scanner(manifest)
    outcomes: Counter[str] = Counter()
    for told in manifest["children"][::step]:
        hosts = [dns.name.from_text(host) for host in told["nameservers"]]
        outcomes[eyes.evaluate(dns.name.from_text(told["name"]), hosts)] += 1
    print(json.dumps({"asked": eyes.asked, **outcomes}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
