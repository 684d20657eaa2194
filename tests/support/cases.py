"""Cases in good order, in memory: a signed child, its servers, proofs by hand.

Each builder makes everything right; a test spoils one thing. Keys come from
fixed octets, so packets are the same on every run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from bootstrap.core.dns.messages import read
from bootstrap.core.dns.names import Name, parse_name, signaling_name
from bootstrap.core.dns.records import Ds, Key, RdataType, RRset, Signed
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.dnssec.chain import Absence, Cut, Needs, Proof, Question
from bootstrap.core.dnssec.security import Flaw, Security
from bootstrap.core.evaluation.answers import USED_TYPES
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.delegation import Delegation
from bootstrap.core.evaluation.observations import Observation, Trouble
from bootstrap.core.evaluation.plan import APEX_TYPES, probe_name
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.queries import Carrier, Query

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CHILD = parse_name("example.ch")
PARENT = parse_name("ch")
NS1 = parse_name("ns1.operator.net")
NS2 = parse_name("ns2.operator.org")
SERVERS = {NS1: ("192.0.2.1",), NS2: ("198.51.100.2",)}
ANCHOR = Anchor(Ds(20326, 8, 2, bytes(32)))
DELETE: dict[str, list[str] | None] = {"CDS": ["0 0 0 00"], "CDNSKEY": ["0 3 0 AA=="]}


@dataclass(frozen=True)
class Signer:
    """A key pair; the private half comes from `seed`."""

    seed: str = "csk"
    algorithm: int = 15
    flags: int = 257

    @property
    def private(self):
        octets = hashlib.sha256(self.seed.encode()).digest()
        if self.algorithm == 15:
            return ed25519.Ed25519PrivateKey.from_private_bytes(octets)
        return ec.derive_private_key(int.from_bytes(octets) >> 1, ec.SECP256R1())

    @property
    def dnskey(self):
        return dns.dnssec.make_dnskey(
            self.private.public_key(), self.algorithm, flags=self.flags
        )

    @property
    def key(self) -> Key:
        return Key.from_wire(self.dnskey.to_wire())

    def ds(self, digest_type: int = 2, owner=CHILD) -> Ds:
        return self.key.ds(owner, digest_type)


CSK = Signer()


@dataclass
class Zone:
    """The child's zone as one server serves it.

    `signers` sign everything; `key_signers` sign DNSKEY instead when given.
    `records` maps a type to presentation rdata; None removes the default.
    """

    signers: tuple[Signer, ...] = (CSK,)
    key_signers: tuple[Signer, ...] | None = None
    published: tuple[Signer, ...] | None = None
    requested: tuple[Signer, ...] | None = None
    records: dict[str, list[str] | None] = field(default_factory=dict)
    ttl: int = 300
    inception: datetime = NOW - timedelta(days=1)
    expiration: datetime = NOW + timedelta(days=14)
    unsigned: frozenset[str] = frozenset()
    spoiled: frozenset[str] = frozenset()
    by_type: dict[str, tuple[Signer, ...]] = field(default_factory=dict)
    nsec_next: str = "example.ch."

    def _defaults(self) -> dict[str, list[str]]:
        keys = self.published if self.published is not None else self.signers
        asked = self.requested if self.requested is not None else self.signers[:1]
        return {
            "SOA": ["ns1.operator.net. hostmaster.example.ch. 1 7200 3600 86400 300"],
            "NS": ["ns1.operator.net.", "ns2.operator.org."],
            "DNSKEY": [signer.dnskey.to_text() for signer in keys],
            "CDS": [signer.ds().to_text() for signer in asked],
            "CDNSKEY": [signer.dnskey.to_text() for signer in asked],
            "A": ["192.0.2.80"],
            "NSEC": [f"{self.nsec_next} A NS SOA RRSIG NSEC DNSKEY CDS CDNSKEY"],
        }

    def rrset(self, rdtype: str):
        lines = {**self._defaults(), **self.records}.get(rdtype)
        if not lines:
            return None
        return dns.rrset.from_text_list(CHILD, self.ttl, "IN", rdtype, lines)

    def signatures(self, rrset):
        rdtype = dns.rdatatype.to_text(rrset.rdtype)
        signers = self.by_type.get(rdtype, self.signers)
        if rdtype == "DNSKEY" and self.key_signers is not None:
            signers = self.key_signers
        if rdtype in self.unsigned or not signers:
            return None
        made = [self._sign(rrset, signer) for signer in signers]
        if rdtype in self.spoiled:
            made = [
                rrsig.replace(signature=bytes(len(rrsig.signature))) for rrsig in made
            ]
        return dns.rrset.from_rdata_list(CHILD, rrset.ttl, made)

    def _sign(self, rrset, signer):
        return dns.dnssec.sign(
            rrset,
            signer.private,
            CHILD,
            signer.dnskey,
            inception=self.inception,
            expiration=self.expiration,
            deterministic=False,
        )

    def put(self, section: list[dns.rrset.RRset], rdtype: str) -> None:
        rrset = self.rrset(rdtype)
        if rrset is None:
            return
        section.append(rrset)
        signatures = self.signatures(rrset)
        if signatures is not None:
            section.append(signatures)

    def respond(self, name, rdtype: RdataType) -> bytes:
        """Return the packet of an authoritative server with this zone."""
        response = blank(name, rdtype)
        text = dns.rdatatype.to_text(rdtype)
        if name == CHILD and self.rrset(text) is not None:
            self.put(response.answer, text)
        else:
            self.put(response.authority, "SOA")
            self.put(response.authority, "NSEC")
            if name != CHILD:
                response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire(max_size=65535)


def blank(name, rdtype: RdataType) -> dns.message.Message:
    """Return an empty authoritative response with EDNS and DO."""
    query = dns.message.make_query(name, rdtype, use_edns=0, want_dnssec=True, id=4711)
    query.flags &= ~dns.flags.RD
    response = dns.message.make_response(query, our_payload=1232)
    response.use_edns(0, dns.flags.DO, 1232)
    response.flags |= dns.flags.AA
    return response


def an_observation(
    server: str, rdtype: RdataType, received: bytes | Trouble, *, name=CHILD, **rest
) -> Observation:
    """Return what `server` said by TCP; `received` may be a trouble."""
    trouble = received if isinstance(received, Trouble) else None
    packet = received if isinstance(received, bytes) else None
    made = Observation(
        Query(server, CHILD, name, rdtype, Carrier.TCP),
        at=NOW,
        sent=b"",
        received=packet,
        trouble=trouble,
        transport="tcp",
    )
    return replace(made, **rest)


def a_delegation(**spoiled) -> Delegation:
    """Return an unsigned delegation to two out-of-domain nameservers."""
    return replace(Delegation(CHILD, PARENT, (NS1, NS2)), **spoiled)


def a_case(
    *,
    delegation=None,
    zones=None,
    spoiled=None,
    policy=None,
    probes=True,
    uses=True,
    **rest,
) -> Case:
    """Return a case in which every server has answered.

    Without `uses` nobody asked for what people use: evidence of before P-3.13.

    `zones` maps an address to the `Zone` served there (default: one good zone
    everywhere); `spoiled` maps (address, type or "probe") to a packet or trouble.
    """
    delegation = delegation or a_delegation()
    case = Case(
        delegation,
        observations=(),
        anchors=(ANCHOR,),
        policy=policy or AcceptancePolicy(),
        now=rest.pop("now", NOW),
        **rest,
    )
    zones = zones or {}
    addresses = zones or {a: None for found in SERVERS.values() for a in found}
    made: list[Observation] = []
    for address in addresses:
        zone = zones.get(address) or Zone()
        made += _server(address, zone, case, spoiled or {}, probes=probes, uses=uses)
    return replace(case, observations=tuple(made))


def _server(address, zone, case, spoiled, *, probes, uses):
    for rdtype in (*APEX_TYPES, *(USED_TYPES if uses else ())):
        packet = zone.respond(CHILD, rdtype)
        yield an_observation(
            address, rdtype, spoiled.get((address, rdtype.name), packet)
        )
    if probes:
        name = probe_name(case)
        packet = spoiled.get((address, "probe"), zone.respond(name, RdataType.A))
        yield an_observation(address, RdataType.A, packet, name=name)


def observed(case: Case, *more: Observation) -> Case:
    """Return `case` with more observations."""
    return replace(case, observations=(*case.observations, *more))


class Proofs(dict[tuple[Name, RdataType], Proof]):
    """Hand-made proofs by (name, type); what is not there is still needed."""

    def __call__(self, name, rdtype):
        missing = Needs((Question(name, name, rdtype),))
        return self.get((name, rdtype), missing)

    def put(self, proof: Proof) -> None:
        self[proof.name, proof.rdtype] = proof


def found(name, rdtype, rdatas, **spoiled) -> Proof:
    """Return a secure proof that the records exist."""
    rrset = RRset(name, rdtype, 300, tuple(sorted(rdatas)))
    proof = Proof(
        name,
        rdtype,
        Security.SECURE,
        answer=Signed(rrset),
        not_before=NOW - timedelta(days=1),
        not_after=NOW + timedelta(days=7),
    )
    return replace(proof, **spoiled)


def absent(name, rdtype, absence=Absence.NODATA, **spoiled) -> Proof:
    """Return a secure proof that there are no such records."""
    proof = Proof(
        name,
        rdtype,
        Security.SECURE,
        absence=absence,
        not_before=NOW - timedelta(days=1),
        not_after=NOW + timedelta(days=7),
    )
    return replace(proof, **spoiled)


def failed(name, rdtype, security=Security.BOGUS, flaw=Flaw.SIGNATURE_WRONG) -> Proof:
    """Return a proof that failed."""
    return Proof(name, rdtype, security, flaw=flaw)


def addresses(servers=None) -> Proofs:
    """Return proofs of the addresses of all nameservers, IPv4 only."""
    proofs = Proofs()
    for host, texts in (servers or SERVERS).items():
        octets = [bytes(int(part) for part in text.split(".")) for text in texts]
        proofs.put(found(host, RdataType.A, octets))
        proofs.put(absent(host, RdataType.AAAA))
    proofs.put(no_ds())
    return proofs


def no_ds(**spoiled) -> Proof:
    """Return the parent's proof that the child has no DS."""
    cuts = (Cut(PARENT.parent(), Security.SECURE), Cut(PARENT, Security.SECURE))
    proof = absent(CHILD, RdataType.DS, zone=PARENT, signer=PARENT, cuts=cuts)
    return replace(proof, **spoiled)


def published(*ds: Ds, **spoiled) -> Proof:
    """Return the parent's proof of the DS that it publishes."""
    cuts = (Cut(PARENT.parent(), Security.SECURE), Cut(PARENT, Security.SECURE))
    rdatas = [record.to_wire() for record in ds]
    proof = found(CHILD, RdataType.DS, rdatas, zone=PARENT, signer=PARENT, cuts=cuts)
    return replace(proof, **spoiled)


def content(zone: Zone, rdtype: RdataType) -> tuple[bytes, ...]:
    """Return the rdata that `zone` serves, as the core sees it."""
    response = read(zone.respond(CHILD, rdtype), CHILD, rdtype)
    signed = response.answered(CHILD, rdtype)
    return signed.rrset.rdatas if signed else ()


def signals(zone: Zone | None = None, hosts=(NS1, NS2)) -> Proofs:
    """Return proofs that every host vouches for what `zone` asks."""
    proofs = Proofs()
    for host in hosts:
        name = signaling_name(CHILD, host)
        for rdtype in (RdataType.CDS, RdataType.CDNSKEY):
            rdatas = content(zone or Zone(), rdtype)
            made = found(name, rdtype, rdatas) if rdatas else absent(name, rdtype)
            proofs.put(replace(made, zone=host, signer=host, cuts=cuts_to(host)))
    return proofs


def cuts_to(host) -> tuple[Cut, ...]:
    """Return a chain of secure cuts, one a label, from the root to `host`."""
    zones = []
    while True:
        zones.append(host)
        if not host.labels[0]:
            break
        host = host.parent()
    return tuple(Cut(zone, Security.SECURE) for zone in reversed(zones))


def all_good(zone: Zone | None = None) -> Proofs:
    """Return addresses, absence of DS, and signals, all in order."""
    proofs = addresses()
    proofs.update(signals(zone))
    return proofs
