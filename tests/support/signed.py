"""Tiny signed zones that answer like a server, and the trees they form.

Records are signed by dnspython, so that the validator is measured against
another reading of the standard. Everything is right until a test spoils it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.RRSIG
import dns.rrset
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from dns.rdatatype import RdataType

from bootstrap.core.dns.messages import Response, read
from bootstrap.core.dns.names import Name, parse_name
from bootstrap.core.dns.records import Ds, Key
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.dnssec.budget import Budget
from bootstrap.core.dnssec.chain import Needs, Proof, Question, validate

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TTL = 300
KSK, ZSK = 257, 256


def n(text: str) -> Name:
    return parse_name(text)


@dataclass(frozen=True)
class Signer:
    """A private key and its DNSKEY."""

    algorithm: int
    private: object = field(repr=False)
    key: Key

    def sign(self, data: bytes) -> bytes:
        private = self.private
        if isinstance(private, rsa.RSAPrivateKey):
            digest = {8: hashes.SHA256(), 10: hashes.SHA512()}[self.algorithm]
            return private.sign(data, padding.PKCS1v15(), digest)
        if isinstance(private, ec.EllipticCurvePrivateKey):
            digest = {13: hashes.SHA256(), 14: hashes.SHA384()}[self.algorithm]
            size = {13: 32, 14: 48}[self.algorithm]
            r, s = decode_dss_signature(private.sign(data, ec.ECDSA(digest)))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        assert isinstance(private, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
        return private.sign(data)

    def with_key(self, **changes) -> Signer:
        return replace(self, key=replace(self.key, **changes))

    @property
    def rdata(self):
        return from_wire(RdataType.DNSKEY, self.key.to_wire())


def _made(algorithm, bits):
    """Return a new private key, and its public one as DNSKEY has it."""
    if algorithm in (8, 10):
        rsa_key = rsa.generate_private_key(65537, bits)
        return rsa_key, b"\3\1\0\1" + rsa_key.public_key().public_numbers().n.to_bytes(
            bits // 8, "big"
        )
    if algorithm in (13, 14):
        ec_key = ec.generate_private_key(
            {13: ec.SECP256R1(), 14: ec.SECP384R1()}[algorithm]
        )
        point, size = ec_key.public_key().public_numbers(), ec_key.curve.key_size // 8
        return ec_key, point.x.to_bytes(size, "big") + point.y.to_bytes(size, "big")
    if algorithm == 15:
        short = ed25519.Ed25519PrivateKey.generate()
        return short, short.public_key().public_bytes_raw()
    long = ed448.Ed448PrivateKey.generate()
    return long, long.public_key().public_bytes_raw()


@cache
def a_signer(algorithm: int = 13, label: str = "", flags: int = KSK) -> Signer:
    """Return the key of this algorithm and label: always the same in one run."""
    private, public = _made(algorithm, 1024 if label == "small" else 2048)
    return Signer(algorithm, private, Key(flags, 3, algorithm, public))


def from_wire(rdtype, wire):
    return dns.rdata.from_wire(dns.rdataclass.IN, rdtype, wire, 0, len(wire))


def an_rrset(owner, rdtype, *texts, ttl=TTL):
    return dns.rrset.from_text(owner, ttl, "IN", RdataType.to_text(rdtype), *texts)


def an_rrsig(rrset, signer: Signer, zone: Name, **changes):
    """Return an RRSIG over `rrset`, its fields as in `changes`, truly signed."""
    owner = rrset.name
    fields = {
        "type_covered": rrset.rdtype,
        "algorithm": signer.algorithm,
        "labels": len(owner.labels) - 1 - (owner.labels[0] == b"*"),
        "original_ttl": rrset.ttl,
        "expiration": int((NOW + 7 * DAY).timestamp()),
        "inception": int((NOW - DAY).timestamp()),
        "key_tag": signer.key.key_tag,
        "signer": zone,
        "signature": b"",
    } | changes
    made = dns.rdtypes.ANY.RRSIG.RRSIG(
        dns.rdataclass.IN, RdataType.RRSIG, **{**fields, "signature": b""}
    )
    data = dns.dnssec._make_rrsig_signature_data(rrset, made)
    return made.replace(signature=changes.get("signature") or signer.sign(data))


def signature_set(rrset, *rrsigs):
    return dns.rrset.from_rdata(rrset.name, rrset.ttl, *rrsigs)


@dataclass
class SignedZone:
    """A zone that signs and answers. `denial`: nsec, nsec3, compact, none."""

    apex: Name
    signers: tuple[Signer, ...] = ()
    denial: str = "nsec"
    opt_out: bool = False
    iterations: int = 0
    salt: bytes = b""
    nodes: dict[Name, dict[RdataType, dns.rrset.RRset]] = field(default_factory=dict)
    changes: dict[tuple[Name, RdataType], dict[str, object]] = field(
        default_factory=dict
    )
    """How the RRSIGs of an RRset differ from good ones."""
    key_signers: tuple[Signer, ...] | None = None
    """Who signs the DNSKEY RRset; None: those with the SEP flag."""

    def __post_init__(self):
        self.put(self.apex, "SOA", "ns.invalid. host.invalid. 1 2 3 4 5")
        self.put(self.apex, "NS", "ns.invalid.")
        self._signed = {}
        if self.signers:
            self.publish(*self.signers)

    def publish(self, *signers):
        texts = [signer.rdata.to_text() for signer in signers]
        self.put(self.apex, "DNSKEY", *texts)

    def put(self, owner, rdtype, *texts, ttl=TTL):
        rdtype = RdataType.make(rdtype)
        owner = n(owner) if isinstance(owner, str) else owner
        rrset = an_rrset(owner, rdtype, *texts, ttl=ttl)
        self.nodes.setdefault(owner, {})[rdtype] = rrset

    def drop(self, owner, rdtype):
        owner = n(owner) if isinstance(owner, str) else owner
        del self.nodes[owner][RdataType.make(rdtype)]

    def spoil(self, owner, rdtype, **changes):
        owner = n(owner) if isinstance(owner, str) else owner
        self.changes[owner, RdataType.make(rdtype)] = changes

    @property
    def ds(self) -> tuple[Ds, ...]:
        entry = [s for s in self.signers if s.key.is_sep]
        return tuple(signer.key.ds(self.apex) for signer in entry)

    # What exists, and what does not.

    def _cut_above(self, name):
        """Return the highest delegation at or above `name`."""
        for count in range(len(self.apex.labels) + 1, len(name.labels) + 1):
            ancestor = Name(name.labels[-count:])
            if RdataType.NS in self.nodes.get(ancestor, {}):
                return ancestor
        return None

    def _exists(self, name):
        return any(node.is_subdomain(name) for node in self.nodes)

    def _encloser(self, name):
        while not self._exists(name):
            name = name.parent()
        return name

    def _signers_for(self, rdtype):
        if rdtype == RdataType.DNSKEY:
            if self.key_signers is not None:
                return self.key_signers
            return [s for s in self.signers if s.key.is_sep]
        zone_only = [s for s in self.signers if not s.key.is_sep]
        return zone_only or self.signers

    def sign(self, rrset, source=None):
        """Return the RRset and its signatures; `source` is the wildcard."""
        changes = self.changes.get((source or rrset.name, rrset.rdtype), {})
        if source is not None:
            changes = {"labels": len(source.labels) - 2} | changes
        if not self.signers or changes.get("unsigned"):
            return [rrset]
        rrsigs = [
            an_rrsig(rrset, signer, self.apex, **changes)
            for signer in self._signers_for(rrset.rdtype)
        ]
        return [rrset, signature_set(rrset, *rrsigs)]

    def _types(self, owner):
        types = {RdataType(t) for t in self.nodes.get(owner, {})}
        is_cut = owner != self.apex and RdataType.NS in types
        if is_cut:
            types &= {RdataType.NS, RdataType.DS}
        if types and (not is_cut or RdataType.DS in types):
            types.add(RdataType.RRSIG)
        return types

    def _owners(self):
        """Return the names with authoritative data, or a delegation."""
        return sorted(
            owner
            for owner in self.nodes
            if self._cut_above(owner) in (None, owner) and self.nodes[owner]
        )

    def nsec(self, owner, next_name, types):
        bitmap = " ".join(RdataType.to_text(t) for t in sorted(types))
        return self.sign(an_rrset(owner, RdataType.NSEC, f"{next_name} {bitmap}"))

    def _nsec_chain(self):
        owners = self._owners()
        return [
            (
                owner,
                owners[(i + 1) % len(owners)],
                self._types(owner) | {RdataType.NSEC, RdataType.RRSIG},
            )
            for i, owner in enumerate(owners)
        ]

    def hash(self, name):
        text = dns.dnssec.nsec3_hash(name, self.salt.hex() or None, self.iterations, 1)
        return text.lower()

    def _nsec3_chain(self):
        names = {
            Name(owner.labels[i:])
            for owner in self._owners()
            for i in range(len(owner.labels) - len(self.apex.labels) + 1)
        }
        if self.opt_out:
            names = {
                name
                for name in names
                if any(
                    self._types(o) and self._types(o) != {RdataType.NS}
                    for o in self._owners()
                    if o.is_subdomain(name)
                )
            }
        hashes_ = sorted((self.hash(name), name) for name in names)
        return [
            (h, hashes_[(i + 1) % len(hashes_)][0], self._types(name))
            for i, (h, name) in enumerate(hashes_)
        ]

    def nsec3(self, owner, next_hash, types):
        bitmap = " ".join(RdataType.to_text(t) for t in sorted(types))
        salt = self.salt.hex() or "-"
        text = f"1 {int(self.opt_out)} {self.iterations} {salt} {next_hash} {bitmap}"
        name = Name((owner.encode(), *self.apex.labels))
        return self.sign(an_rrset(name, RdataType.NSEC3, text))

    def _nsec_for(self, name):
        for owner, next_name, types in self._nsec_chain():
            covers = owner < name and (name < next_name or next_name == self.apex)
            if owner == name or covers:
                return self.nsec(owner, next_name, types)
        raise LookupError(name)

    def _nsec3_for(self, name):
        hashed = self.hash(name)
        chain = self._nsec3_chain()
        for owner, next_hash, types in chain:
            if owner == hashed:
                return self.nsec3(owner, next_hash, types)
        for owner, next_hash, types in chain:
            if owner < hashed < next_hash or (
                next_hash <= owner and (hashed > owner or hashed < next_hash)
            ):
                return self.nsec3(owner, next_hash, types)
        raise LookupError(name)

    def deny(self, *names):
        """Return the records at or around each of these names, once each."""
        if not self.signers or self.denial == "none":
            return []
        one = self._nsec3_for if self.denial == "nsec3" else self._nsec_for
        found = {}
        for name in names:
            for rrset in one(name):
                found[rrset.name, rrset.rdtype, rrset.covers] = rrset
        return list(found.values())

    def _compact(self, name, types):
        next_name = Name((b"\0", *name.labels))
        base = {RdataType.RRSIG, RdataType.NSEC}
        return self.nsec(name, next_name, base | types)

    def absence(self, name):
        """Return the proof that the type, or the name, is not there."""
        if self.denial == "compact" and self.signers:
            gone = {RdataType.make(128)} if not self._exists(name) else set()
            return self._compact(name, gone | self._types(name))
        if self._exists(name) and (self.denial != "nsec3" or not self._hidden(name)):
            return self.deny(name)
        encloser = self._encloser(name)
        closer = Name(name.labels[-1 - len(encloser.labels) :])
        wildcard = Name((b"*", *encloser.labels))
        if self.denial == "nsec3":
            if self._hidden(encloser):
                encloser, closer = encloser.parent(), encloser
            if self._exists(name):
                encloser, closer = name.parent(), name
            return self.deny(encloser, closer, wildcard)
        return self.deny(name, wildcard)

    def _hidden(self, name):
        return self.hash(name) not in {h for h, _n, _t in self._nsec3_chain()}

    # Answers.

    def answer(self, name: Name, rdtype) -> dns.message.Message:
        rdtype = RdataType.make(rdtype)
        query = dns.message.make_query(name, rdtype, want_dnssec=True)
        response = dns.message.make_response(query)
        response.use_edns(0, dns.flags.DO, 1232)
        response.flags |= dns.flags.AA
        self._fill(response, name, rdtype)
        return response

    def _fill(self, response, name, rdtype):
        for owner, node in self.nodes.items():
            if RdataType.DNAME in node and name != owner and name.is_subdomain(owner):
                return self._dname(response, name, node[RdataType.DNAME])
        cut = self._cut_above(name)
        if cut is not None and not (cut == name and rdtype == RdataType.DS):
            return self._referral(response, cut)
        source = None
        if not self._exists(name):
            source = Name((b"*", *self._encloser(name).labels))
        node = self.nodes.get(source or name, {})
        if not node:
            return self._nothing(response, name)
        rrset = node.get(rdtype) or node.get(RdataType.CNAME)
        if rrset is None:
            return self._nodata(response, name, source)
        if source is not None:
            rrset = an_rrset(name, rrset.rdtype, *[r.to_text() for r in rrset])
            encloser = source.parent()
            closer = Name(name.labels[-1 - len(encloser.labels) :])
            response.authority += self.deny(closer if self.denial == "nsec3" else name)
        response.answer += self.sign(rrset, source)
        return None

    def _dname(self, response, name, dname):
        response.answer += self.sign(dname)
        kept = name.labels[: -len(dname.name.labels)]
        try:
            target = Name((*kept, *dname[0].target.labels))
        except dns.name.NameTooLong:
            response.set_rcode(dns.rcode.YXDOMAIN)
            return
        response.answer.append(an_rrset(name, RdataType.CNAME, target.to_text()))

    def _referral(self, response, cut):
        response.flags &= ~dns.flags.AA
        response.authority.append(self.nodes[cut][RdataType.NS])
        ds = self.nodes[cut].get(RdataType.DS)
        response.authority += self.sign(ds) if ds else self.absence(cut)

    def _soa(self, response):
        response.authority += self.sign(self.nodes[self.apex][RdataType.SOA])

    def _nothing(self, response, name):
        self._soa(response)
        if not self._exists(name) and self.denial != "compact":
            response.set_rcode(dns.rcode.NXDOMAIN)
        response.authority += self.absence(name)

    def _nodata(self, response, name, source):
        self._soa(response)
        if source is None:
            response.authority += self.absence(name)
        elif self.denial == "nsec3":
            encloser = source.parent()
            closer = Name(name.labels[-1 - len(encloser.labels) :])
            response.authority += self.deny(encloser, closer, source)
        else:
            response.authority += self.deny(name, source)


def a_view(message: dns.message.Message) -> Response:
    question = message.question[0]
    return read(message.to_wire(max_size=65535), question.name, question.rdtype)


@dataclass
class Tree:
    """Zones by apex; a question to a zone goes to that zone, unless tampered with."""

    zones: dict[Name, SignedZone] = field(default_factory=dict)
    tampering: dict[tuple[Name, Name, RdataType], Callable[[Any], Any]] = field(
        default_factory=dict
    )
    questions: list[Question] = field(default_factory=list)
    seen: dict[Question, tuple[Response, ...]] = field(default_factory=dict)

    def zone(self, apex, *signers, ds=True, **options) -> SignedZone:
        """Add a zone and delegate it from the deepest zone above."""
        name = n(apex)
        zone = SignedZone(name, signers, **options)
        above = [z for z in self.zones.values() if name.is_subdomain(z.apex)]
        self.zones[name] = zone
        if above:
            parent = max(above, key=lambda z: len(z.apex.labels))
            parent.put(name, "NS", "ns.invalid.")
            if signers and ds:
                parent.put(name, "DS", *[d.to_text() for d in zone.ds])
        return zone

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        return tuple(Anchor(ds) for ds in self.zones[n(".")].ds)

    def tamper(self, zone, name, rdtype, change):
        """Let `change(message)` return what the servers of `zone` answer.

        It may return a message, or several, or none at all.
        """
        self.tampering[n(zone), n(name), RdataType.make(rdtype)] = change

    def responses(self, question: Question) -> tuple[Response, ...]:
        message = self.zones[question.zone].answer(question.name, question.rdtype)
        change = self.tampering.get((question.zone, question.name, question.rdtype))
        messages = change(message) if change else message
        if isinstance(messages, dns.message.Message):
            messages = (messages,)
        return tuple(m if isinstance(m, Response) else a_view(m) for m in messages)

    def prove(self, name, rdtype, *, now=NOW, anchors=None, **options) -> Proof:
        """Ask until the validator is content; every question is asked once."""
        name = n(name) if isinstance(name, str) else name
        self.seen = {}
        self.questions = []
        for _ in range(60):
            found = validate(
                name,
                RdataType.make(rdtype),
                seen=self.seen,
                anchors=self.anchors if anchors is None else anchors,
                now=now,
                budget=options.get("budget") or Budget(),
                **{k: v for k, v in options.items() if k != "budget"},
            )
            if not isinstance(found, Needs):
                return found
            assert found.questions
            for question in found.questions:
                assert question not in self.seen
                self.questions.append(question)
                self.seen[question] = self.responses(question)
        raise AssertionError("the validator never has enough")


def a_tree(algorithm: int = 13, **options) -> Tree:
    """Return root, ch. and net., example.net., _signal.ns1.example.net., signed.

    The signaling zone holds a CDS RRset for example.ch; plain.net is unsigned.
    """
    tree = Tree()
    tree.zone(".", a_signer(algorithm, "root"), a_signer(algorithm, "rz", ZSK))
    tree.zone("net", a_signer(algorithm, "net"), **options)
    operator = tree.zone("example.net", a_signer(algorithm, "operator"), **options)
    operator.put("ns1.example.net", "A", "192.0.2.1")
    signal = tree.zone("_signal.ns1.example.net", a_signer(algorithm, "sig"), **options)
    signal.put(SIGNAL, "CDS", CDS)
    return tree


SIGNAL = "_dsboot.example.ch._signal.ns1.example.net"
CDS = "12345 13 2 " + "AB" * 32


def octets(text: str) -> bytes:
    return base64.b64decode(text)


def forward(message, rdtype):
    """Return the RRsets of a message that have or cover `rdtype`."""
    rdtype = RdataType.make(rdtype)
    return [
        rrset
        for section in (message.answer, message.authority)
        for rrset in section
        if rdtype in (rrset.rdtype, rrset.covers)
    ]


def without(message, rdtype):
    """Strip the RRsets of one type, and their signatures, from a message."""
    gone = forward(message, rdtype)
    message.answer = [r for r in message.answer if not any(r is g for g in gone)]
    message.authority = [r for r in message.authority if not any(r is g for g in gone)]
    return message


def stripped(message):
    """Strip every signature."""
    for section in ("answer", "authority"):
        kept = [r for r in getattr(message, section) if r.rdtype != RdataType.RRSIG]
        setattr(message, section, kept)
    return message


def without_aa(message):
    message.flags &= ~dns.flags.AA
    return message


def truncated(message):
    message.flags |= dns.flags.TC
    return message


def coded(rcode):
    """Return a tampering that sets the response code."""

    def change(message):
        message.set_rcode(rcode)
        return message

    return change


def q(zone: str, name: str, rdtype: str) -> Question:
    return Question(n(zone), n(name), RdataType.make(rdtype))
