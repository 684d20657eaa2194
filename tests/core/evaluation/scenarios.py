"""Named situations as cases: each spoils one thing, and says what must come of it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from datetime import timedelta

import dns.dnssec
import dns.rcode
import dns.rdata
import dns.rrset

from bootstrap.core.dns.names import Name, parse_name, signaling_name
from bootstrap.core.dns.records import Ds, Key, RdataType, Rrsig, Signed
from bootstrap.core.dnssec.chain import Absence
from bootstrap.core.dnssec.security import Flaw, Security
from bootstrap.core.evaluation.answers import USED_TYPES
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.delegation import History, Suspension
from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.observations import Trouble
from bootstrap.core.evaluation.plan import APEX_TYPES, probe_name
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.queries import Carrier
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome
from tests.support.cases import (
    CHILD,
    CSK,
    DELETE,
    NOW,
    NS1,
    NS2,
    Proofs,
    Signer,
    Zone,
    a_case,
    a_delegation,
    absent,
    addresses,
    all_good,
    an_observation,
    blank,
    failed,
    found,
    no_ds,
    observed,
    published,
    signals,
)

ONE, TWO = BOTH = ("192.0.2.1", "198.51.100.2")
NEW = Signer("new")
EC = Signer("ec", algorithm=13)
ZSK = Signer("zsk", flags=256)
NOTHING: dict[str, list[str] | None] = {"CDS": None, "CDNSKEY": None}
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Scenario:
    """A case with its proofs, the outcome, the primary reason, and further ones."""

    case: Case
    proofs: Proofs
    outcome: Outcome
    primary: Reason
    also: frozenset[Reason] = field(default_factory=frozenset)


SCENARIOS: dict[str, Scenario] = {}


def scenario(name, outcome, primary, *also, case=None, proofs=None):
    assert name not in SCENARIOS
    SCENARIOS[name] = Scenario(
        case or a_case(), proofs or all_good(), outcome, primary, frozenset(also)
    )


def everywhere(zone):
    return dict.fromkeys(BOTH, zone)


def served(zone, other=None, **rest):
    """Return a case in which both servers serve `zone`, or the second one `other`."""
    return a_case(zones={ONE: zone, TWO: other or zone}, **rest)


def secured(*ds, zone=None, other=None, **rest):
    """Return a case with DS at the parent, and its proofs."""
    proofs = addresses()
    proofs.put(published(*ds))
    delegation = a_delegation(ds=ds)
    return {"case": served(zone or Zone(), other, delegation=delegation, **rest)} | {
        "proofs": proofs
    }


def with_proofs(*proofs, base=None):
    made = base or all_good()
    for proof in proofs:
        made.put(proof)
    return made


def signal(host, rdtype):
    return signaling_name(CHILD, host), rdtype


def packet(rdtype, *, rcode=0, aa=True, edns=True, records=(), authority=()):
    """Return a packet about the apex that is wrong in some way."""
    response = blank(CHILD, rdtype)
    if not aa:
        response.flags &= ~dns.flags.AA
    if not edns:
        response.use_edns(edns=-1)
    response.set_rcode(rcode)
    response.answer += list(records)
    response.authority += list(authority)
    return response.to_wire()


def rrset(owner, rdtype, *texts):
    return dns.rrset.from_text(owner, 300, "IN", rdtype, *texts)


def one_wrong(rdtype, wire, **rest):
    return a_case(spoiled={(ONE, rdtype.name): wire}, **rest)


OK, NO, HOLD = Outcome.ACCEPT, Outcome.NOTHING, Outcome.HOLD
REJECT, RETRY, ERROR = Outcome.REJECT, Outcome.RETRY, Outcome.ERROR
R = Reason

# ── accepted ──────────────────────────────────────────────────────────────────

scenario("all in order", OK, R.ACC_OK, R.SIG_OK, R.NS_OK_DATA, R.APEX_CONSISTENT)
cds_only = Zone(records={"CDNSKEY": None})
# P-0.15
scenario(
    "CDS alone", OK, R.ACC_OK, R.SIG_DENIED, R.NS_OK_NODATA,
    case=served(cds_only), proofs=all_good(cds_only),
)  # fmt: skip
# P-0.17, P-5.30
scenario(
    "a locked object", OK, R.ACC_OK, R.PRE_LOCK_IGNORED,
    case=a_case(delegation=a_delegation(statuses=("clientUpdateProhibited",))),
)  # fmt: skip
standby = Zone(signers=(CSK,), requested=(CSK, NEW))
# P-0.13, P-3.9
scenario(
    "a key in reserve", OK, R.ACC_OK, R.ACC_STANDBY_KEY,
    case=served(standby), proofs=all_good(standby),
)  # fmt: skip
sha1_too = Zone(records={"CDS": [CSK.ds(1).to_text(), CSK.ds(2).to_text()]})
scenario(
    "SHA-1 beside SHA-256", OK, R.ACC_OK, R.POL_DIGEST_DROPPED,
    case=served(sha1_too), proofs=all_good(sha1_too),
)  # fmt: skip
no_sep = Zone(signers=(Signer(flags=256),))
scenario(
    "a key without SEP", OK, R.ACC_OK, R.ACC_KEY_NOT_SEP,
    case=served(no_sep), proofs=all_good(no_sep),
)  # fmt: skip
one_ns = Zone(records={"NS": ["ns1.operator.net."]})
scenario("a child that names fewer hosts", OK, R.ACC_OK, R.ACC_NS_SET_DIFFERS_OK,
         case=served(one_ns))  # fmt: skip
# P-3.25
scenario(
    "glue that differs", OK, R.ACC_OK, R.NS_GLUE_MISMATCH,
    case=a_case(
        zones={ONE: Zone(), TWO: Zone(), "192.0.2.99": Zone()},
        delegation=a_delegation(glue=((NS1, "192.0.2.99"),)),
    ),
)  # fmt: skip
single = Proofs()
for (name, rdtype), proof in signals().items():
    single[name, rdtype] = replace(proof, signer=NS1, zone=NS1)
scenario(
    "all signals in one zone", OK, R.ACC_OK, R.SIG_SINGLE_PATH,
    proofs=with_proofs(*single.values()),
)  # fmt: skip
mixed = all_good()
mixed[signal(NS1, RdataType.CDS)] = replace(
    mixed[signal(NS1, RdataType.CDS)], mixed_servers=True
)
scenario(
    "one bad server of the signal", OK, R.ACC_OK, R.VAL_MIXED_SERVERS, proofs=mixed
)

# ── one server ────────────────────────────────────────────────────────────────

NODATA = packet(RdataType.CDS)
SOA_UP = rrset("ch.", "SOA", "a.ch. b.ch. 1 1 1 1 1")
ANSWERS = {
    R.NS_NODATA_NO_SOA: (NODATA, REJECT),
    R.NS_TIMEOUT: (Trouble.TIMEOUT, RETRY),
    R.NS_UNREACHABLE: (Trouble.UNREACHABLE, RETRY),
    R.NS_REFUSED: (packet(RdataType.CDS, rcode=dns.rcode.REFUSED), RETRY),
    R.NS_NOTAUTH: (packet(RdataType.CDS, rcode=dns.rcode.NOTAUTH), RETRY),
    R.NS_SERVFAIL: (packet(RdataType.CDS, rcode=dns.rcode.SERVFAIL), RETRY),
    R.NS_FORMERR: (packet(RdataType.CDS, rcode=dns.rcode.FORMERR), RETRY),
    R.NS_NOTIMP: (packet(RdataType.CDS, rcode=dns.rcode.NOTIMP), RETRY),
    R.NS_NO_EDNS: (packet(RdataType.CDS, rcode=dns.rcode.FORMERR, edns=False), RETRY),
    R.NS_LAME_REFERRAL: (
        packet(RdataType.CDS, aa=False, authority=[rrset("ch.", "NS", "a.nic.ch.")]),
        RETRY,
    ),
    R.NS_LAME_NOT_AA: (
        packet(
            RdataType.CDS,
            aa=False,
            records=[rrset("example.ch.", "CDS", CSK.ds().to_text())],
        ),
        RETRY,
    ),
    R.NS_LAME_NXDOMAIN: (packet(RdataType.CDS, authority=[SOA_UP]), RETRY),
    R.NS_MALFORMED: (b"\x12\x67garbage", RETRY),
    R.NS_APEX_CNAME: (
        packet(RdataType.CDS, records=[rrset("example.ch.", "CNAME", "www.ch.")]),
        RETRY,
    ),
    R.NS_ADDR_FORBIDDEN: (Trouble.FORBIDDEN, RETRY),
}
"""What one server says about CDS; APEX_INCOMPLETE (R) makes the outcome retry."""
for reason, (wire, _) in ANSWERS.items():
    kind_r = reason in {R.NS_TIMEOUT, R.NS_UNREACHABLE, R.NS_REFUSED, R.NS_SERVFAIL}
    first = reason if kind_r or reason is R.NS_MALFORMED else R.APEX_INCOMPLETE
    scenario(
        f"one server says {reason}", RETRY, first, reason, R.APEX_INCOMPLETE,
        case=one_wrong(RdataType.CDS, wire),
    )  # fmt: skip
silent = dict.fromkeys(
    [(ONE, rdtype.name) for rdtype in APEX_TYPES] + [(ONE, "probe")],
    Trouble.UNREACHABLE,
)
scenario(
    "one server without TCP", RETRY, R.NS_TCP_UNAVAILABLE,
    case=observed(
        a_case(spoiled=silent),
        an_observation(ONE, RdataType.SOA, Zone().respond(CHILD, RdataType.SOA),
                       transport="udp").__class__(
            query=replace(
                an_observation(ONE, RdataType.SOA, b"").query, carrier=Carrier.ANY
            ),
            at=NOW, sent=b"", received=b"x", transport="udp",
        ),
    ),
)  # fmt: skip
scenario(
    "a host without address", RETRY, R.APEX_INCOMPLETE, R.NS_NO_ADDRESS,
    proofs=with_proofs(absent(NS2, RdataType.A)),
)  # fmt: skip
TLD = parse_name("org")
gone = [
    absent(NS2, rdtype, Absence.NXDOMAIN, zone=TLD)
    for rdtype in (RdataType.A, RdataType.AAAA)
]
scenario("a host in an unregistered domain", REJECT, R.NS_NO_ADDRESS,
         proofs=with_proofs(*gone))  # fmt: skip
scenario("a host whose address is bogus", RETRY, R.NS_ADDR_BOGUS,
         proofs=with_proofs(failed(NS2, RdataType.A)))  # fmt: skip
dear = failed(NS2, RdataType.A, Security.INSECURE, Flaw.NSEC3_ITERATIONS)
scenario("a host whose address takes too many iterations", RETRY, R.NS_UNREACHABLE,
         proofs=with_proofs(dear))  # fmt: skip
alias = replace(found(NS2, RdataType.A, [b"\xc6\x33\x64\x02"]), aliases=(NS1,))
scenario("a host that is an alias", RETRY, R.APEX_INCOMPLETE, R.NS_TARGET_ALIAS,
         proofs=with_proofs(alias))  # fmt: skip
WILD = parse_name("*.operator.net")
scenario(
    "a host that is a wildcard", RETRY, R.APEX_INCOMPLETE, R.NS_TARGET_INVALID,
    case=a_case(delegation=a_delegation(nameservers=(NS1, NS2, WILD))),
)  # fmt: skip
crowd = {NS1: tuple(f"192.0.2.{n}" for n in range(1, 10)), NS2: (TWO,)}
scenario("too many addresses", RETRY, R.APEX_INCOMPLETE, R.NS_TOO_MANY,
         proofs=with_proofs(*addresses(crowd).values()))  # fmt: skip

# ── before any packet, and our own faults ─────────────────────────────────────

for status, reason, outcome in (
    ("pendingDelete", R.PRE_NOT_DELEGATED, REJECT),
    ("pendingCreate", R.PRE_STATUS_NOT_ACTIVE, REJECT),
    ("pendingUpdate", R.PRE_PENDING_CHANGE, RETRY),
):
    scenario(f"status {status}", outcome, reason,
             case=a_case(delegation=a_delegation(statuses=(status,))))  # fmt: skip
for why, reason in (
    (Suspension.OOB_REMOVAL, R.PRE_AUTOMATION_SUSPENDED),
    (Suspension.SECURITY_ALARM, R.PRE_AUTOMATION_SUSPENDED),
    (Suspension.HOLDER_OPT_OUT, R.PRE_OPTED_OUT),
    (Suspension.REGISTRAR_AUTOMATES, R.PRE_REGISTRAR_AUTOMATES),
    (Suspension.PROPRIETARY_LOCK, R.PRE_PROPRIETARY_LOCK),
):
    scenario(f"suspended: {why}", REJECT, reason,
             case=a_case(delegation=a_delegation(suspended=why)))  # fmt: skip
scenario(
    "a registrar that cannot undo", REJECT, R.PRE_REGISTRAR_NO_DISABLE,
    case=a_case(
        delegation=a_delegation(registrar="R1"),
        policy=AcceptancePolicy(registrars_without_disable=("R1",)),
    ),
)  # fmt: skip
scenario("not in the published zone", REJECT, R.PRE_NOT_DELEGATED,
         proofs=with_proofs(no_ds(absence=Absence.NXDOMAIN)))  # fmt: skip
scenario("a DS that the registry does not know", RETRY, R.PRE_PENDING_CHANGE,
         proofs=with_proofs(published(CSK.ds())))  # fmt: skip
OWN = {
    R.X_CLOCK: no_ds(security=Security.BOGUS, flaw=Flaw.EXPIRED),
    R.X_TRUST_ANCHOR: no_ds(security=Security.BOGUS, flaw=Flaw.NO_MATCHING_KEY),
    R.X_RESOLVER: no_ds(security=Security.INDETERMINATE, flaw=Flaw.UNREACHABLE),
}
for reason, proof in OWN.items():
    scenario(f"our own parent fails: {reason}", ERROR, reason,
             proofs=with_proofs(proof))  # fmt: skip
scenario("no anchor", ERROR, R.X_TRUST_ANCHOR, case=replace(a_case(), anchors=()))
scenario("no way out for a family", ERROR, R.X_EGRESS_FAMILY,
         case=one_wrong(RdataType.NS, Trouble.NO_EGRESS))  # fmt: skip
for reason in (R.X_EGRESS, R.X_VANTAGE, R.X_DB):
    scenario(f"the shell says {reason}", ERROR, reason,
             case=replace(a_case(), own_faults=(Finding(reason),)))  # fmt: skip
whole = a_case()
scenario("a question that was never put", ERROR, R.X_UNCLASSIFIED,
         case=replace(whole, observations=whole.observations[1:]))  # fmt: skip
scenario("no negative answer was asked for", ERROR, R.X_UNCLASSIFIED,
         case=a_case(probes=False))  # fmt: skip

# ── the apex ──────────────────────────────────────────────────────────────────


def apex(name, outcome, primary, *also, zone, other=None, by=None):
    case = served(zone, other)
    scenario(name, outcome, primary, *also, case=case, proofs=all_good(by))


apex("no request", NO, R.APEX_NO_CDS, zone=Zone(records=NOTHING),
     by=Zone(records=NOTHING))  # fmt: skip
apex("one server has no request", RETRY, R.APEX_PARTIAL, zone=Zone(),
     other=Zone(records=NOTHING))  # fmt: skip
stale = Zone(signers=(CSK, NEW), requested=(NEW,))
apex("one server is stale", RETRY, R.APEX_CDS_DIFFER, R.APEX_CDNSKEY_DIFFER,
     zone=Zone(), other=stale)  # fmt: skip
apex("same keys, other digests", RETRY, R.APEX_DIGEST_ONLY_DIFFER, zone=Zone(),
     other=sha1_too)  # fmt: skip
apex("CDS for another key than CDNSKEY", RETRY, R.CMP_CDS_CDNSKEY_MISMATCH,
     zone=Zone(records={"CDS": [NEW.ds().to_text()]}))  # fmt: skip
wrong = replace(CSK.ds(), digest=bytes(32)).to_text()
apex("a wrong digest", REJECT, R.CMP_CDS_DIGEST_WRONG,
     zone=Zone(records={"CDS": [wrong]}))  # fmt: skip
apex("a sentinel beside keys", REJECT, R.CMP_DELETE_MIXED,
     zone=Zone(records={"CDS": ["0 0 0 00"]}))  # fmt: skip
apex("one server wants removal", RETRY, R.CMP_DELETE_PARTIAL, zone=Zone(),
     other=Zone(records=DELETE))  # fmt: skip
apex("nothing to remove", NO, R.DEL_NOTHING_TO_DELETE, zone=Zone(records=DELETE))
apex("almost a sentinel", REJECT, R.CDS_MALFORMED_SENTINEL,
     zone=Zone(records={"CDNSKEY": ["256 3 0 AA=="], "CDS": None}))  # fmt: skip
sha384 = Zone(records={"CDS": [CSK.ds(4).to_text()], "CDNSKEY": None})
apex("SHA-384 alone", REJECT, R.CDS_NO_ELIGIBLE_DIGEST, zone=sha384, by=sha384)
short = Zone(records={"CDS": [CSK.ds().to_text(), "7 15 6 00"]})
apex("a digest too short for its type", REJECT, R.CDS_BAD_DIGEST_LENGTH, zone=short)
for flags, protocol, reason in (
    (257, 4, R.CDNSKEY_BAD_PROTOCOL),
    (1, 3, R.CDNSKEY_NOT_ZONE_KEY),
    (385, 3, R.CDNSKEY_REVOKED),
):
    text = f"{flags} {protocol} 15 {CSK.dnskey.to_text().split(maxsplit=3)[3]}"
    apex(f"CDNSKEY {flags} {protocol}", REJECT, reason,
         zone=Zone(records={"CDS": None, "CDNSKEY": [text]}))  # fmt: skip
many = Zone(requested=tuple(Signer(f"k{n}") for n in range(7)))
apex("seven records", REJECT, R.CDS_TOO_MANY, zone=many)
elsewhere = [
    replace(o, vantage="elsewhere", received=stale.respond(CHILD, o.query.rdtype))
    for o in a_case().observations[:5]
]
scenario("another vantage point sees another zone", RETRY, R.APEX_CDS_DIFFER,
         R.APEX_VANTAGE_DIFFER, case=observed(a_case(), *elsewhere))  # fmt: skip

# ── signals ───────────────────────────────────────────────────────────────────

FIRST: tuple[Name, RdataType] = signal(NS1, RdataType.CDS)
BAD_SIGNALS = {
    R.SIG_INSECURE: (REJECT, failed(*FIRST, Security.INSECURE, Flaw.NO_DS)),
    R.SIG_BOGUS: (RETRY, failed(*FIRST)),
    R.SIG_EXPIRED: (RETRY, failed(*FIRST, flaw=Flaw.EXPIRED)),
    R.SIG_NOT_YET_VALID: (RETRY, failed(*FIRST, flaw=Flaw.NOT_YET_VALID)),
    R.SIG_INDETERMINATE: (
        RETRY, failed(*FIRST, Security.INDETERMINATE, Flaw.NO_DATA_SEEN),
    ),
    R.SIG_UNREACHABLE: (
        RETRY, failed(*FIRST, Security.INDETERMINATE, Flaw.UNREACHABLE),
    ),
    R.SIG_UNSUPPORTED_ALG: (
        REJECT, failed(*FIRST, Security.INSECURE, Flaw.UNSUPPORTED_ALGORITHM),
    ),
    R.SIG_NSEC3_ITERATIONS: (
        REJECT, failed(*FIRST, Security.BOGUS, Flaw.NSEC3_ITERATIONS),
    ),
    R.SIG_ZONE_CUT_AT_NAME: (REJECT, found(*FIRST, [b"x"], zone=FIRST[0])),
    R.SIG_SIGNER_ABOVE_CUT: (REJECT, failed(*FIRST, flaw=Flaw.SIGNER_ABOVE_CUT)),
    R.SIG_ALIASED: (REJECT, found(*FIRST, [b"x"], aliases=(NS2,))),
    R.SIG_ENT_NXDOMAIN: (REJECT, failed(*FIRST, flaw=Flaw.ENT_NXDOMAIN)),
    R.SIG_DENIAL_CONTRADICTION: (REJECT, absent(*FIRST, Absence.NXDOMAIN)),
    R.SIG_MALFORMED: (
        RETRY, failed(*FIRST, Security.INDETERMINATE, Flaw.MALFORMED),
    ),
    R.VAL_LIMIT: (REJECT, failed(*FIRST, Security.INDETERMINATE, Flaw.LIMIT)),
}  # fmt: skip
for reason, (outcome, proof) in BAD_SIGNALS.items():
    scenario(f"a signal is {reason}", outcome, reason, proofs=with_proofs(proof))
none = with_proofs(*signals(Zone(records=NOTHING)).values())
scenario("no signal anywhere", NO, R.SIG_NONE, R.SIG_DENIED, proofs=none)
partial = with_proofs(*signals(Zone(records=NOTHING), hosts=(NS2,)).values())
scenario("a signal under one host only", RETRY, R.SIG_PARTIAL, proofs=partial)
differing = with_proofs(*signals(stale, hosts=(NS2,)).values())
scenario("signals that differ", RETRY, R.CMP_SIGNALS_DIFFER, proofs=differing)
scenario("signals for another key", RETRY, R.CMP_SIGNAL_APEX_DIFFER,
         proofs=all_good(stale))  # fmt: skip
scenario("signals without CDNSKEY", RETRY, R.CMP_SIGNAL_EMPTY_APEX_NOT,
         proofs=all_good(cds_only))  # fmt: skip
scenario("an apex without CDNSKEY", RETRY, R.CMP_APEX_EMPTY_SIGNAL_NOT,
         case=served(cds_only))  # fmt: skip
wild = all_good()
for key, proof in signals().items():
    wild[key] = replace(proof, wildcard=True)
scenario("signals from a wildcard", HOLD, R.SIG_WILDCARD, proofs=wild)
INSIDE = parse_name("ns.example.ch")
scenario(
    "only hosts in the domain", REJECT, R.SIG_NO_OUT_OF_DOMAIN_NS,
    case=a_case(zones={ONE: Zone()}, delegation=a_delegation(nameservers=(INSIDE,))),
    proofs=with_proofs(*addresses({INSIDE: (ONE,)}).values()),
)  # fmt: skip
LONG = parse_name(".".join(["x" * 60] * 4))
long_proofs = with_proofs(*addresses({NS1: (ONE,), LONG: (TWO,)}).values())
scenario(
    "a name too long to signal", REJECT, R.SIG_NAME_TOO_LONG,
    case=a_case(delegation=a_delegation(nameservers=(NS1, LONG))), proofs=long_proofs,
)  # fmt: skip

# ── acceptance ────────────────────────────────────────────────────────────────


def content(name, outcome, primary, *also, zone, other=None, **rest):
    case = served(zone, other, **rest)
    scenario(name, outcome, primary, *also, case=case, proofs=all_good(zone))


content("an unsigned zone with CDS", REJECT, R.ACC_CHILD_UNSIGNED,
        zone=Zone(signers=(), published=(), requested=(CSK,)))  # fmt: skip
content("a request for keys that are not in use", RETRY, R.ACC_NO_MATCHING_DNSKEY,
        zone=Zone(requested=(NEW,)))  # fmt: skip
content("keys signed by another key", RETRY, R.ACC_DNSKEY_NOT_SIGNED_BY_REF,
        zone=Zone(signers=(CSK, NEW), requested=(CSK,), key_signers=(NEW,)))  # fmt: skip
# P-0.14, P-4.10
content("two algorithms, one of which signs", RETRY, R.ACC_ALG_INCOMPLETE,
        zone=Zone(signers=(CSK,), published=(CSK, EC), requested=(CSK, EC)))  # fmt: skip
content("a stale SOA signature", RETRY, R.ACC_SERVER_BOGUS,
        zone=Zone(spoiled=frozenset({"SOA"})))  # fmt: skip
content("an unsigned request", RETRY, R.ACC_APEX_CDS_BOGUS,
        zone=Zone(unsigned=frozenset({"CDS"})))  # fmt: skip
content("signatures that end soon", HOLD, R.ACC_SIG_NEAR_EXPIRY,
        zone=Zone(expiration=NOW + HOUR))  # fmt: skip
content("signatures from the future", RETRY, R.ACC_SIG_INCEPTION_FUTURE,
        zone=Zone(inception=NOW + HOUR))  # fmt: skip
content("a denial that covers nothing", HOLD, R.ACC_NSEC_BROKEN,
        zone=Zone(records={"NSEC": ["!.example.ch. A NS SOA RRSIG NSEC DNSKEY"]}))  # fmt: skip
extra = Zone(records={"NS": ["ns1.operator.net.", "ns3.operator.com."]})
NS3 = parse_name("ns3.operator.com")
three = (found(NS3, RdataType.A, [b"\xcb\0\x71\3"]), absent(NS3, RdataType.AAAA))
scenario("a further host that is silent", HOLD, R.ACC_NS_SET_MISMATCH,
         case=served(extra), proofs=with_proofs(*three))  # fmt: skip
scenario(
    "a further host in order", OK, R.ACC_OK, R.ACC_NS_SET_DIFFERS_OK,
    case=a_case(zones={ONE: extra, TWO: extra, "203.0.113.3": extra}),
    proofs=with_proofs(*three),
)  # fmt: skip
content("more keys than resolvers try", HOLD, R.VAL_LIMIT,
        zone=Zone(published=(*(Signer(f"p{n}") for n in range(8)), CSK)))  # fmt: skip
content("a forbidden algorithm", REJECT, R.POL_ALG_FORBIDDEN,
        zone=Zone(requested=(CSK,)),
        policy=AcceptancePolicy(forbidden_algorithms=(15,)))  # fmt: skip
ODD = "4711 200 2 " + "AB" * 32
odd = Zone(records={"CDS": [CSK.ds().to_text(), ODD], "CDNSKEY": None})
content("an unknown algorithm", REJECT, R.POL_ALG_UNKNOWN, zone=odd)
content("an unknown algorithm that policy tolerates", OK, R.ACC_OK, R.POL_ALG_UNKNOWN,
        zone=odd, policy=AcceptancePolicy(allow_unknown_algorithms=True))  # fmt: skip
content("signed a moment ago", RETRY, R.POL_TOO_YOUNG, zone=Zone(),
        policy=AcceptancePolicy(min_signed_age=HOUR))  # fmt: skip

ODD_KEY = "257 3 200 " + "AAAA" * 8
ODD_DS = Key(257, 3, 200, base64.b64decode("AAAA" * 8)).ds(CHILD)
asked: dict[str, list[str] | None] = {
    "CDS": [CSK.ds().to_text(), ODD_DS.to_text()],
    "CDNSKEY": None,
}
# P-3.6, P-4.36
content("a server with an unknown key alone", RETRY, R.ACC_SERVER_BOGUS,
        R.ACC_NO_USABLE_PATH,
        zone=Zone(records=asked), other=Zone(records={**asked, "DNSKEY": [ODD_KEY]}),
        policy=AcceptancePolicy(allow_unknown_algorithms=True))  # fmt: skip
WEAK = Key(257, 3, 8, b"\3\1\0\1" + b"\xff" * 64)
WEAK_TEXT = f"257 3 8 {base64.b64encode(WEAK.public_key).decode()}"
weak: dict[str, list[str] | None] = {
    "DNSKEY": [CSK.dnskey.to_text(), WEAK_TEXT],
    "CDNSKEY": [CSK.dnskey.to_text(), WEAK_TEXT],
    "CDS": [CSK.ds().to_text(), WEAK.ds(CHILD).to_text()],
}
content("a short RSA key", RETRY, R.ACC_ALG_INCOMPLETE, R.ACC_KEY_WEAK,
        zone=Zone(records=weak))  # fmt: skip


def hashed_denial(iterations):
    """Return a signed NXDOMAIN by a single NSEC3 record that covers all names."""
    case = a_case()
    name = probe_name(case)
    assert name is not None
    label = dns.dnssec.nsec3_hash(CHILD, None, iterations, 1)
    owner = f"{label}.{CHILD}"
    text = f"1 0 {iterations} - {label} A NS SOA RRSIG DNSKEY CDS CDNSKEY NSEC3PARAM"
    record = rrset(owner, "NSEC3", text)
    response = blank(name, RdataType.A)
    response.set_rcode(dns.rcode.NXDOMAIN)
    zone = Zone()
    signature = zone._sign(record, CSK)
    zone.put(response.authority, "SOA")
    response.authority += [
        record,
        dns.rrset.from_rdata_list(record.name, 300, [signature]),
    ]
    return response.to_wire()


# P-3.13
content("an address with a wrong signature", RETRY, R.ACC_SERVER_BOGUS,
        zone=Zone(spoiled=frozenset({"A"})))  # fmt: skip
content("mail that is said to be nowhere, without proof", HOLD, R.ACC_NSEC_BROKEN,
        zone=Zone(), spoiled={(ONE, "MX"): packet(RdataType.MX)})  # fmt: skip
content("servers that know nothing of mail", OK, R.ACC_OK, zone=Zone(),
        spoiled={(a, "MX"): packet(RdataType.MX, rcode=5) for a in BOTH})  # fmt: skip
content("a server that is silent about addresses", OK, R.ACC_OK, zone=Zone(),
        spoiled={(ONE, "AAAA"): Trouble.TIMEOUT})  # fmt: skip
scenario("evidence of before anybody asked for addresses", OK, R.ACC_OK,
         case=a_case(uses=False, policy=AcceptancePolicy(demand_uses=False)))  # fmt: skip
scenario("addresses that nobody asked for", ERROR, R.X_UNCLASSIFIED,
         case=a_case(uses=False))  # fmt: skip
elsewhere_signed = Zone(
    inception=NOW - 3 * HOUR,
    expiration=NOW + timedelta(days=9),
    published=(NEW, CSK),
    records={"SOA": ["ns2.operator.org. host.example.ch. 2026112407 60 60 86400 60"]},
)
# P-4.32
content("two providers with serials, windows and an order of keys of their own",
        OK, R.ACC_OK, zone=Zone(published=(CSK, NEW)), other=elsewhere_signed)  # fmt: skip
renamed = blank(probe_name(a_case()), RdataType.A)
renamed.answer += [
    rrset(CHILD, "DNAME", "elsewhere.example."),
    rrset(probe_name(a_case()), "CNAME", "somewhere.elsewhere.example."),
]
# P-3.23
content("everything below the apex is elsewhere", HOLD, R.ACC_NSEC_BROKEN, zone=Zone(),
        spoiled=dict.fromkeys(((a, "probe") for a in BOTH), renamed.to_wire()))  # fmt: skip
# P-3.24
content("NSEC3 iterations beyond our cap", HOLD, R.ACC_NSEC3_ITERATIONS, zone=Zone(),
        spoiled={(address, "probe"): hashed_denial(100) for address in BOTH})  # fmt: skip
content("NSEC3 without iterations", OK, R.ACC_OK, zone=Zone(),
        spoiled={(address, "probe"): hashed_denial(0) for address in BOTH})  # fmt: skip

# ── change and removal ────────────────────────────────────────────────────────

rolled = Zone(signers=(CSK, NEW), requested=(NEW,))


CURRENT = (CSK.ds(),)


def change(name, outcome, primary, *also, ds=CURRENT, **rest):
    scenario(name, outcome, primary, *also, **secured(*ds, **rest))


change("in sync", NO, R.UPD_IN_SYNC, R.PRE_DS_PRESENT)
# P-1.60, P-4.6
change("secured and quiet", NO, R.APEX_NO_CDS, zone=Zone(records=NOTHING))
change("all keys replaced", OK, R.UPD_OK, R.UPD_REPLACED, zone=rolled)
# P-4.12
change("a key added", OK, R.UPD_OK, R.UPD_ADDED_KEY_ONLY,
       zone=replace(rolled, requested=(CSK, NEW)))  # fmt: skip
change("a key removed", OK, R.UPD_OK, R.UPD_REMOVED_KEY, zone=rolled,
       ds=(CSK.ds(), NEW.ds()))  # fmt: skip
change("an unsigned change", REJECT, R.UPD_UNSIGNED,
       zone=replace(rolled, unsigned=frozenset({"CDS", "CDNSKEY"})))  # fmt: skip
by_zsk: dict[str, tuple[Signer, ...]] = {"CDS": (ZSK,), "CDNSKEY": (ZSK,)}
zsk_only = Zone(signers=(CSK, NEW, ZSK), requested=(NEW,), by_type=by_zsk)
# P-4.2, P-9.5
change("a change signed by the ZSK", REJECT, R.UPD_NOT_SIGNED_BY_DS_KEY, zone=zsk_only)
change("a change with a wrong signature", RETRY, R.UPD_BOGUS,
       zone=replace(rolled, spoiled=frozenset({"CDS"})))  # fmt: skip
change("a change well signed on one server", RETRY, R.UPD_PARTIAL_SIGNER,
       zone=replace(zsk_only, by_type={}), other=zsk_only)  # fmt: skip
STRIPPED = frozenset({"A", "SOA", "NS", "CDS", "CDNSKEY", "DNSKEY", "NSEC"})
stripped = Zone(unsigned=STRIPPED)
# P-7.91
change("signatures lost on one path", NO, R.UPD_IN_SYNC, R.UPD_BOGUS,
       zone=Zone(), other=stripped)  # fmt: skip
change("signatures lost lately", NO, R.UPD_IN_SYNC, R.UPD_BOGUS, zone=stripped,
       history=History(signed_since=NOW - timedelta(days=30)))  # fmt: skip
change("signatures lost for long", REJECT, R.UPD_BOGUS, zone=stripped,
       history=History(
           signed_since=NOW - timedelta(days=30),
           troubled_since=(("UPD_BOGUS", NOW - timedelta(days=2)),),
       ))  # fmt: skip
change("signatures that nobody has seen", REJECT, R.UPD_CHAIN_BOGUS, zone=stripped)
# P-4.8
change("a child that is bogus", REJECT, R.UPD_CHAIN_BOGUS, ds=(NEW.ds(),))
change("a DS that nobody can use", REJECT, R.UPD_DS_UNUSABLE,
       ds=(Ds(4711, 200, 2, bytes(32)),))  # fmt: skip
change("an old request", REJECT, R.UPD_REPLAY, zone=rolled,
       history=History(newest_inception=NOW))  # fmt: skip
change("an old request, again", REJECT, R.UPD_REPLAY, zone=rolled,
       history=History(oob_change_at=NOW, troubled_since=(("UPD_REPLAY", NOW),)))  # fmt: skip


def returning(name, outcome, primary, *, signals_of=NOW - HOUR, **remembered):
    """A first DS again: the child's request was signed a day ago."""
    proofs = all_good()
    for proof in signals().values():
        proofs.put(signed_at(proof, signals_of))
    case = a_case(history=History(**remembered))
    scenario(name, outcome, primary, case=case, proofs=proofs)


def signed_at(proof, moment):
    rrset = proof.answer.rrset
    window = (int(moment.timestamp()) + 1_000_000, int(moment.timestamp()))
    rrsig = Rrsig(rrset.rdtype, 15, 6, 300, *window, 1, proof.signer, b"")
    return replace(proof, answer=Signed(rrset, (rrsig,)))


DAY = timedelta(days=1)
# S-40
returning("DNSSEC again", OK, R.ACC_OK, newest_inception=NOW - 3 * DAY)
returning("DNSSEC again, with signals of before", REJECT, R.UPD_REPLAY,
          signals_of=NOW - 7 * DAY, newest_inception=NOW - 3 * DAY)  # fmt: skip
returning("the last accepted request, seen again", OK, R.ACC_OK,
          newest_inception=NOW - DAY, oob_change_at=NOW - 2 * DAY)  # fmt: skip
returning("a first request as old as a change by hand", REJECT, R.UPD_REPLAY,
          newest_inception=NOW - DAY, oob_change_at=NOW - DAY)  # fmt: skip
returning("the last accepted request, after a removal by hand", REJECT, R.UPD_REPLAY,
          newest_inception=NOW - DAY, oob_change_at=NOW - HOUR)  # fmt: skip
# P-3.2
change("a change to keys that are not there", REJECT, R.UPD_NO_PATH_AFTER,
       zone=Zone(requested=(NEW,)))  # fmt: skip
moved = secured(CSK.ds(), zone=rolled)
moved["proofs"].put(published(NEW.ds()))
scenario("the published DS has moved", RETRY, R.UPD_OOB_CONFLICT, **moved)
change("a removal", OK, R.DEL_OK, zone=Zone(records=DELETE))
change("an unsigned removal", REJECT, R.DEL_NOT_AUTHENTICATED,
       zone=Zone(records=DELETE, unsigned=frozenset({"CDS", "CDNSKEY"})))  # fmt: skip
change("a removal on one server", RETRY, R.CMP_DELETE_PARTIAL, R.DEL_INCONSISTENT,
       zone=Zone(), other=Zone(records=DELETE))  # fmt: skip
dead = {(ONE, rdtype.name): Trouble.TIMEOUT for rdtype in (*APEX_TYPES, *USED_TYPES)}
dead[ONE, "probe"] = Trouble.TIMEOUT
change("a server dead for days", OK, R.UPD_OK, R.NS_EXCLUDED_UNREACHABLE, zone=rolled,
       spoiled=dead,
       history=History(
           retries_spent=True,
           troubled_since=(("NS_TIMEOUT", NOW - timedelta(days=2)),),
       ))  # fmt: skip
change("a server dead for an hour", RETRY, R.NS_TIMEOUT, zone=rolled, spoiled=dead)
change("same keys, other digests, secured", NO, R.UPD_IN_SYNC, zone=Zone(),
       other=sha1_too)  # fmt: skip
