"""Laws that hold for any zone, any question and any octets."""

from __future__ import annotations

import contextlib
import string
from datetime import UTC, datetime, timedelta

import dns.dnssec
import dns.exception
import dns.name
import dns.rrset
import pytest
from dns.rdatatype import RdataType
from hypothesis import given, settings, strategies as st

from bootstrap.lab.answers import answer
from bootstrap.lab.behaviours import Reaction
from bootstrap.lab.defects import Denial, Signing
from bootstrap.lab.denial import Denier
from bootstrap.lab.keys import Keyring, Role
from bootstrap.lab.recipes import InvalidRecipe, Recipe, read
from bootstrap.lab.servers import NameServer
from bootstrap.lab.situations import InvalidCatalogue, _situation
from bootstrap.lab.zones import Zone

NOW = datetime(2026, 11, 24, tzinfo=UTC)
APEX = dns.name.from_text("zone.test.")
RING = Keyring(b"properties")
LABEL = st.text(string.ascii_lowercase + string.digits + "_-*", min_size=1, max_size=4)
NAME = st.lists(LABEL, min_size=1, max_size=4).map(
    lambda labels: dns.name.Name([*(x.encode() for x in labels), *APEX.labels])
)
PLAIN = NAME.filter(lambda name: b"*" not in name.labels)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["zone", "at", "signals", "behaviours", "ds", "a1", "form", "keys", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


def zone_of(names, cuts, denial, *, opt_out=False):
    key = RING.key("zone", 15, Role.CSK)
    signing = Signing(denial=denial, opt_out=opt_out)
    zone = Zone(APEX, signed_at=NOW, keys=(key,), signing=signing)
    zone.put_text(APEX, RdataType.SOA, "ns. admin. 1 60 60 60 60")
    zone.put_text(APEX, RdataType.NS, "ns.other.")
    for name in names:
        zone.put_text(name, RdataType.TXT, '"text"')
    for cut in cuts:
        zone.put_text(cut, RdataType.NS, "ns.other.")
    return zone


def canonical_order(name):
    return name.canonicalize().labels[::-1]


@given(names=st.sets(NAME, max_size=8), cuts=st.sets(PLAIN, max_size=3), asked=NAME)
def test_the_nsec_given_for_a_name_matches_or_covers_it(names, cuts, asked):
    denier = Denier.of(zone_of(names, cuts, Denial.NSEC))
    record = denier.record_of(asked)
    owner, after = canonical_order(record.name), canonical_order(record[0].next)
    name = canonical_order(asked)

    wraps = after <= owner
    assert owner <= name
    assert wraps or name < after


@given(names=st.sets(NAME, max_size=8), cuts=st.sets(PLAIN, max_size=3), asked=NAME)
def test_the_nsec3_given_for_a_name_matches_or_covers_its_hash(names, cuts, asked):
    denier = Denier.of(zone_of(names, cuts, Denial.NSEC3, opt_out=True))
    record = denier.record_of(asked)
    owner = record.name.labels[0].upper().decode()
    after = record[0].to_text().split()[4].upper()
    hashed = dns.dnssec.nsec3_hash(asked, b"", 0, 1)

    inside = owner <= hashed < after
    wraps = after <= owner and (hashed >= owner or hashed < after)
    assert inside or wraps


@settings(max_examples=60)
@given(
    names=st.sets(NAME, max_size=6),
    cuts=st.sets(PLAIN, max_size=2),
    asked=NAME | st.just(APEX),
    rdtype=st.sampled_from([RdataType.TXT, RdataType.CDS, RdataType.DS, RdataType.NS]),
    denial=st.sampled_from(Denial),
)
def test_all_that_an_answer_claims_to_be_ours_is_validly_signed(
    names, cuts, asked, rdtype, denial
):
    zone = zone_of(names, cuts, denial)
    reply = answer({APEX: Denier.of(zone)}, asked, rdtype, do=True)
    sections = [*reply.answer, *reply.authority]
    keys = zone.rrset(APEX, RdataType.DNSKEY)
    signatures = {
        (r.name, r[0].type_covered): r for r in sections if r.rdtype == RdataType.RRSIG
    }
    plain = [r for r in sections if r.rdtype != RdataType.RRSIG]

    assert plain
    for rrset in plain:
        if not reply.aa and rrset.rdtype == RdataType.NS:
            continue
        rrsigs = signatures[rrset.name, rrset.rdtype]
        dns.dnssec.validate(rrset, rrsigs, {APEX: keys}, now=NOW.timestamp())


@pytest.mark.parametrize("algorithm", [8, 10, 13, 14, 15, 16])
def test_every_supported_algorithm_signs_what_dnspython_verifies(algorithm):
    key = RING.key("each", algorithm, Role.CSK)
    zone = Zone(APEX, signed_at=NOW, keys=(key,))
    zone.put_text(APEX, RdataType.TXT, '"b"', '"a"')
    rrset, rrsigs = zone.rrset(APEX, RdataType.TXT), zone.rrsigs(APEX, RdataType.TXT)
    keys = zone.rrset(APEX, RdataType.DNSKEY)
    assert rrset
    assert rrsigs
    assert keys

    dns.dnssec.validate(rrset, rrsigs, {APEX: keys}, now=NOW.timestamp())
    late = (NOW + timedelta(days=15)).timestamp()
    with pytest.raises(dns.exception.ValidationFailure):
        dns.dnssec.validate(rrset, rrsigs, {APEX: keys}, now=late)


@given(names=st.sets(NAME, min_size=1, max_size=6), data=st.data())
def test_names_come_and_go_without_leaving_ghosts(names, data):
    zone = zone_of(names, (), Denial.NSEC)
    gone = data.draw(st.sets(st.sampled_from(sorted(names))))
    for name in gone:
        zone.put(name, RdataType.TXT, ())
    fresh = zone_of(names - gone, (), Denial.NSEC)

    for name in {a for n in names for a in (n, n.parent())}:
        assert zone.exists(name) == fresh.exists(name)
    assert Denier.of(zone).chain_names() == Denier.of(fresh).chain_names()


@given(wire=st.binary(max_size=80), tcp=st.booleans())
def test_a_server_survives_any_octets(wire, tcp):
    server = NameServer("127.0.0.1")
    server.contents[APEX] = Denier.of(zone_of((), (), Denial.NSEC))

    assert isinstance(server.respond(wire, tcp=tcp), Reaction)


@given(
    flags=st.binary(min_size=2, max_size=2),
    counts=st.lists(st.integers(0, 2), min_size=4, max_size=4),
    rest=st.binary(max_size=60),
)
def test_a_server_survives_any_message_with_a_likely_header(flags, counts, rest):
    server = NameServer("127.0.0.1")
    server.contents[APEX] = Denier.of(zone_of((), (), Denial.NSEC))
    header = b"\0\1" + flags + b"".join(c.to_bytes(2, "big") for c in counts)

    assert isinstance(server.respond(header + rest, tcp=True), Reaction)


@given(table=VALUES)
def test_any_recipe_is_read_or_refused(table):
    if not isinstance(table, dict):
        return
    with contextlib.suppress(InvalidRecipe):
        assert isinstance(read(table, "here"), Recipe)


@given(table=VALUES)
def test_any_situation_is_read_or_refused(table):
    with pytest.raises(InvalidCatalogue, match=r"a\.toml: F1"):
        _situation("F1", table, "a.toml")
