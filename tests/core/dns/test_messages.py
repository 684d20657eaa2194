"""From raw packets to values (P-9.2, S-16, P-7.24)."""

from __future__ import annotations

import struct

import dns.exception
import dns.flags
import dns.message
import dns.rdatatype
import pytest
from hypothesis import given, settings, strategies as st

from bootstrap.core.dns.messages import Malformed, Rcode, find, read
from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import DELETE_CDS, Ds, RdataType
from tests.core.dns.test_guard import HOSTILE, SEEDS
from tests.support.wires import OPT, a_packet, a_record, a_response

CHILD = parse_name("example.ch")
DIGEST = "ab" * 32


def ask(wire, name=CHILD, rdtype=RdataType.CDS):
    return read(wire, name, rdtype)


def test_a_response_is_read_whole():
    response = ask(SEEDS[0])

    assert response.rcode is Rcode.NOERROR
    assert (response.aa, response.tc, response.ad) == (True, False, False)
    assert (response.edns, response.dnssec_ok) == (True, True)
    assert response.size == len(SEEDS[0])
    cds = response.answered(CHILD, RdataType.CDS)
    assert cds.rrset.rdatas == (Ds(1, 13, 2, bytes.fromhex(DIGEST)).to_wire(),)
    (rrsig,) = cds.rrsigs
    assert (rrsig.signer, rrsig.key_tag, rrsig.labels) == (parse_name("ch"), 7, 2)
    assert rrsig.signature == bytes(3)
    assert {str(s.rrset.owner) for s in response.authority} == {
        "example.ch.",
        "ch.",
        "a.ch.",
        "b.ch.",
    }


def test_names_in_rdata_lose_their_case_but_in_nsec():
    authority = ask(SEEDS[0]).authority

    ns = find(authority, CHILD, RdataType.NS)
    nsec = find(authority, parse_name("a.ch"), RdataType.NSEC)

    assert ns is not None
    assert nsec is not None
    assert ns.rrset.rdatas == (b"\3ns1\7example\3net\0",)
    assert nsec.rrset.rdatas[0].startswith(b"\1Z\2ch\0")  # RFC 6840, section 5.1


def test_records_of_one_rrset_are_sorted_and_single():
    first, second = a_record(rdata=b"\2\0\0\0"), a_record(rdata=b"\1\0\0\0", ttl=30)
    response = ask(a_packet(first, second, first))
    address = response.answered(CHILD, RdataType.A)
    assert address.rrset.rdatas == (b"\1\0\0\0", b"\2\0\0\0")
    assert address.rrset.ttl == 30


def test_owners_that_differ_in_case_are_one_rrset():
    shouted = a_record(owner=b"\x07EXAMPLE\x02cH\0", rdata=b"\2\0\0\0")
    response = ask(a_packet(a_record(), shouted))
    assert len(response.answer) == 1
    assert response.answer[0].rrset.owner == CHILD


def test_what_is_not_there_is_not_found():
    assert ask(SEEDS[0]).answered(CHILD, RdataType.CDNSKEY) is None
    assert ask(SEEDS[0]).answered(parse_name("ch"), RdataType.CDS) is None


def test_signatures_without_their_rrset_are_left_out():
    line = "example.ch. 300 RRSIG A 13 2 300 20261201000000 20261101000000 7 ch. AAAA"
    assert ask(a_response(line)).answer == ()


SENTINELS = {
    "the exact one": DELETE_CDS,
    "digest of two octets": DELETE_CDS + b"\0",
    "wrong digest length": b"\0\1\x0d\2ab",
}


@pytest.mark.parametrize("rdata", SENTINELS.values(), ids=SENTINELS)
def test_p_9_1_odd_cds_content_is_kept_for_others_to_judge(rdata):
    response = ask(a_packet(a_record(rdtype=59, rdata=rdata)))
    assert response.answered(CHILD, RdataType.CDS).rrset.rdatas == (rdata,)


@pytest.mark.parametrize("rdtype", [43, 48, 59, 60])
def test_p_9_2_rdata_shorter_than_its_fields_spoils_the_message(rdtype):
    good = a_record(rdtype=rdtype, rdata=b"\0\1\x0d\2ab")
    with pytest.raises(Malformed):
        ask(a_packet(good, a_record(rdtype=rdtype, rdata=b"\0\1\x0d")))


ELSEWHERE = {
    "a query": a_packet(flags=0x0400),
    "an update": a_packet(flags=0xAC00),
    "another name": a_packet(question=b"\x07example\x02se\x00"),
    "another type": a_packet(rdtype=60),
    "another class": a_packet()[:-1] + b"\3",
}


@pytest.mark.parametrize("wire", ELSEWHERE.values(), ids=ELSEWHERE)
def test_an_answer_to_another_question_is_malformed(wire):
    with pytest.raises(Malformed):
        ask(wire)


@pytest.mark.parametrize("wire", HOSTILE.values(), ids=HOSTILE)
def test_what_the_guard_refuses_is_malformed(wire):
    with pytest.raises(Malformed):
        ask(wire)


def test_a_question_echoed_in_mixed_case_is_the_same():
    assert ask(a_packet(question=b"\x07eXaMpLe\x02Ch\x00")).name == CHILD


def an_opt(ttl, *options):
    rdata = b"".join(
        struct.pack("!HH", code, len(data)) + data for code, data in options
    )
    return a_packet(a_record(b"\0", 41, 1232, ttl, rdata), counts=(1, 0, 0, 1))


def test_edns_carries_errors_and_the_servers_name():
    response = ask(an_opt(0x8000, (15, b"\0\x09bogus"), (15, b"\0\x16"), (3, b"fra1")))
    assert response.edes == (9, 22)
    assert response.nsid == b"fra1"
    assert response.dnssec_ok


def test_a_response_without_edns_says_so():
    response = ask(a_response(edns=False))
    assert (response.edns, response.dnssec_ok, response.edes) == (False, False, ())


def test_an_extended_error_without_code_is_malformed():
    with pytest.raises(Malformed):
        ask(an_opt(0, (15, b"\0")))


@given(st.integers(0, 255), st.integers(0, 15))
def test_every_extended_rcode_is_read_known_or_not(high, low):
    wire = bytearray(an_opt(high << 24))
    wire[3] |= low
    assert ask(bytes(wire)).rcode == high << 4 | low


@pytest.mark.parametrize("flag", ["aa", "tc", "ad"])
def test_each_flag_is_its_own(flag):
    bit = {"aa": dns.flags.AA, "tc": dns.flags.TC, "ad": dns.flags.AD}[flag]
    response = ask(a_packet(flags=0x8000 | bit))
    assert [f for f in ("aa", "tc", "ad") if getattr(response, f)] == [flag]


@settings(max_examples=800, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(24, 400), st.integers(0, 255)), max_size=4),
)
def test_no_mutation_raises_anything_but_malformed(seed, changes):
    mutated = bytearray(seed)
    for position, octet in changes:
        mutated[position % len(mutated)] = octet
    try:
        response = ask(bytes(mutated))
    except Malformed:
        return
    repr(response)  # every value in it has a printed form


@settings(max_examples=800, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(24, 400), st.integers(0, 255)), max_size=3),
)
def test_s_16_content_is_what_dnspython_reads_where_both_do(seed, changes):
    mutated = bytearray(seed)
    for position, octet in changes:
        mutated[position % len(mutated)] = octet
    try:
        ours = ask(bytes(mutated))
        theirs = dns.message.from_wire(bytes(mutated))
    except (Malformed, dns.exception.DNSException):
        return
    for section in ("answer", "authority", "additional"):
        foreign = {
            (rrset.name.canonicalize(), int(rrset.rdtype), rdata.to_digestable())
            for rrset in getattr(theirs, section)
            for rdata in rrset
            if rrset.rdtype != RdataType.RRSIG
        }
        own = {
            (signed.rrset.owner, int(signed.rrset.rdtype), rdata)
            for signed in getattr(ours, section)
            for rdata in signed.rrset.rdatas
        }
        # dnspython keeps the last record only of a type that should be single.
        assert foreign <= own
        single = {int(t) for t in dns.rdatatype._singletons}
        assert {f for f in own if f[1] not in single} <= foreign


def test_opt_alone_is_no_record():
    response = ask(a_packet(OPT, counts=(1, 0, 0, 1)))
    assert (response.answer, response.authority, response.additional) == ((), (), ())
