"""A plain denial, told from bytes: what it is, and all that makes it a doubt."""

from __future__ import annotations

import struct

import dns.flags
import pytest
from hypothesis import given, strategies as st

from bootstrap.core.dns.denials import is_signed_denial
from bootstrap.core.dns.messages import Malformed, read
from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.evaluation.classify import classify
from bootstrap.core.evaluation.observations import Observation
from bootstrap.core.evaluation.queries import Carrier, Query
from bootstrap.core.evaluation.reasons import Reason
from tests.support.cases import NOW
from tests.support.wires import a_response

CHILD = parse_name("example.ch")
QNAME = CHILD.to_digestable()
SOA = "authority example.ch. 300 SOA ns1.example.ch. hostmaster.example.ch. 1 2 3 4 5"
SIGNATURE = (
    "authority example.ch. 300 RRSIG {} 13 2 300 20270101000000 20260101000000"
    " 1 example.ch. AAAA"
)
NSEC = "authority example.ch. 300 NSEC a.example.ch. NS SOA RRSIG NSEC DNSKEY"
UNSIGNED = a_response(SOA)
SIGNED = a_response(SOA, SIGNATURE.format("SOA"), NSEC, SIGNATURE.format("NSEC"))
OPT = 11
"""Octets of an OPT without options, at the end of a response."""


def told(packet: bytes, qname: bytes = QNAME) -> bool | None:
    return is_signed_denial(packet, qname, RdataType.CDS)


def flagged(flags: int, packet: bytes = UNSIGNED) -> bytes:
    return packet[:2] + struct.pack("!H", flags) + packet[4:]


def test_a_denial_says_whether_signatures_came_with_it():
    assert told(UNSIGNED) is False
    assert told(SIGNED) is True


def test_an_nsec3_denial_is_one_too():
    nsec3 = (
        "authority 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.ch. 300 NSEC3"
        " 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr SOA RRSIG"
    )

    assert told(a_response(SOA, SIGNATURE.format("SOA"), nsec3)) is True


def test_case_and_spelling_of_names_make_no_difference():
    long = UNSIGNED.replace(b"\xc0\x0c\x00\x06", b"\x07ExAmple\x02ch\x00\x00\x06", 1)

    assert long != UNSIGNED
    assert told(long) is False
    assert told(UNSIGNED.replace(b"example", b"eXAMPLe", 1)) is False


def test_recursion_flags_mean_nothing():
    assert told(flagged(0x8400 | dns.flags.RD | dns.flags.RA)) is False


OTHER_SOA = SOA.replace("example.ch. 300", "ch. 300")
DOUBTS = {
    "not authoritative": flagged(0x8000),
    "truncated": flagged(0x8600),
    "a query": flagged(0x0400),
    "another opcode": flagged(0xA400),
    "SERVFAIL": flagged(0x8402),
    "NXDOMAIN": flagged(0x8403),
    "an answer": a_response("example.ch. 300 CDS 0 0 0 00", SOA),
    "nothing at all": a_response(),
    "no SOA": a_response(NSEC),
    "the SOA of the parent": a_response(OTHER_SOA),
    "a second SOA": a_response(SOA, OTHER_SOA),
    "a referral": a_response("authority example.ch. 300 NS ns1.example.ch."),
    "NS beside the SOA": a_response(SOA, "authority example.ch. 300 NS a.example.ch."),
    "without EDNS": a_response(SOA, edns=False),
    "more beside the OPT": a_response(SOA, "additional a.example.ch. 300 A 192.0.2.1"),
    "another question": a_response(SOA, rdtype="CDNSKEY"),
    "another name": a_response(SOA, name="sample.ch."),
    "of another class": UNSIGNED.replace(b"\x00\x06\x00\x01", b"\x00\x06\x00\x03", 1),
    "something at the end": UNSIGNED + b"\x00",
    "BADVERS": UNSIGNED[:-6] + b"\x01" + UNSIGNED[-5:],
    "too many records": a_response(
        SOA, *(f"authority {n}.example.ch. 300 NSEC a.example.ch. A" for n in range(16))
    ),
    "a label of another kind": UNSIGNED.replace(
        b"\xc0\x0c\x00\x06", b"\x41\x00\x00\x06", 1
    ),
    "an OPT of another name": UNSIGNED[:-OPT] + b"\xc0" + UNSIGNED[1 - OPT :],
    "A for OPT": UNSIGNED[: 1 - OPT] + b"\x00\x01" + UNSIGNED[3 - OPT :],
}


@pytest.mark.parametrize("packet", DOUBTS.values(), ids=DOUBTS)
def test_whatever_is_not_plain_is_a_doubt(packet):
    assert told(packet) is None


@pytest.mark.parametrize("packet", [UNSIGNED, SIGNED], ids=["unsigned", "signed"])
def test_what_is_cut_off_is_a_doubt(packet):
    for length in range(len(packet)):
        assert told(packet[:length]) is None


@given(
    st.sampled_from([UNSIGNED, SIGNED]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3),
)
def test_what_is_told_is_what_the_decision_says(packet, changes):
    """Stage one never calls a denial what the whole evaluation could use otherwise."""
    octets = bytearray(packet)
    for place, octet in changes:
        octets[place % len(octets)] = octet
    wire = bytes(octets)
    if told(wire) is None:
        return
    try:
        response = read(wire, CHILD, RdataType.CDS)
    except Malformed:
        return  # rdata that stage one does not look at: nothing to act on either
    query = Query("192.0.2.1", CHILD, CHILD, RdataType.CDS, Carrier.TCP)
    seen = Observation(query, NOW, b"", wire, transport="tcp")
    assert classify(seen, response, CHILD, udp_works=True) is Reason.NS_OK_NODATA
