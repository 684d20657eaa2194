"""The guard: what is refused before anything is made of a packet (S-15 to S-19)."""

from __future__ import annotations

import struct
import time

import dns.exception
import dns.message
import pytest
from hypothesis import given, settings, strategies as st

from bootstrap.core.dns import guard
from bootstrap.core.dns.guard import Refused, inspect
from tests.support.wires import OPT, a_packet, a_record, a_response

LONG = b"".join(b"\x01a" for _ in range(126)) + b"\0"  # 253 octets, 126 labels
"""Longest name in labels that still is a name, less one."""

HOSTILE = {
    "shorter than a header": b"\0" * 11,
    "larger than 16 KiB": a_packet(tail=b"\0" * guard.MAX_OCTETS),
    "no question": struct.pack("!6H", 1, 0x8400, 0, 0, 0, 0),
    "two questions": a_packet(counts=(2, 0, 0, 0), tail=b"\xc0\x0c\0\1\0\1"),
    "more records than 160": a_packet(*[a_record()] * 161),
    "counts that lie": a_packet(a_record(), counts=(1, 2, 0, 0)),
    "octets after the last record": a_packet(a_record(), tail=b"\0"),
    "question cut short": struct.pack("!6H", 1, 0x8400, 1, 0, 0, 0) + b"\x07exa",
    "question without type": struct.pack("!6H", 1, 0x8400, 1, 0, 0, 0) + b"\0\0",
    "record header cut short": a_packet(a_record()[:8], counts=(1, 1, 0, 0)),
    "rdata past the end": a_packet(a_record()[:-1], counts=(1, 1, 0, 0)),
    "label of kind 0x40": a_packet(a_record(owner=b"\x41a\0")),
    "label of kind 0x80": a_packet(a_record(owner=b"\x81a\0")),
    "pointer to itself": a_packet(a_record(owner=b"\xc0\x1c")),
    "pointer forward": a_packet(a_record(owner=b"\xc0\x30")),
    "pointers in a circle": a_packet(a_record(owner=b"\x01a\xc0\x20\xc0\x1c")),
    "pointer into the header": a_packet(a_record(owner=b"\xc0\x04")),
    "pointer cut in half": a_packet(b"\xc0", counts=(1, 1, 0, 0)),
    "pointer in the question": a_packet(question=b"\xc0\x0c"),
    "name of more than 255 octets": a_packet(question=b"\x3f" + b"a" * 63 + LONG),
    "several OPT": a_packet(OPT, OPT, counts=(1, 0, 0, 2)),
    "OPT in the answer": a_packet(OPT),
    "OPT with an owner": a_packet(a_record(rdtype=41, rdata=b""), counts=(1, 0, 0, 1)),
    "EDNS option without length": a_packet(
        a_record(owner=b"\0", rdtype=41, rdata=b"\0\x0f\0"), counts=(1, 0, 0, 1)
    ),
    "EDNS option past its record": a_packet(
        a_record(owner=b"\0", rdtype=41, rdata=b"\0\x0f\0\x09ab"), counts=(1, 0, 0, 1)
    ),
    "TSIG": a_packet(a_record(rdtype=250, rdata=b""), counts=(1, 0, 0, 1)),
    "another class": a_packet(a_record(rdclass=3)),
    "an address of three octets": a_packet(a_record(rdata=b"\1\2\3")),
    "an address of five octets": a_packet(a_record(rdata=b"\1\2\3\4\5")),
    "a name that leaves its rdata": a_packet(
        a_record(rdtype=2, rdata=b"\x03ab"), tail=b"c\0"
    ),
    "a name that fills its rdata only in part": a_packet(
        a_record(rdtype=2, rdata=b"\x01a\0b")
    ),
    "a string without length": a_packet(a_record(rdtype=51, rdata=b"\1\0\0\0")),
    "a string past its rdata": a_packet(a_record(rdtype=51, rdata=b"\1\0\0\0\4ab")),
    "101 records in one RRset": a_packet(
        *[a_record(rdata=bytes((1, 2, 3, i))) for i in range(101)]
    ),
}


@pytest.mark.parametrize("wire", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_packet_is_refused(wire):  # P-7.83
    with pytest.raises(Refused):
        inspect(wire)


BITMAPS = {
    "empty": (b"", set()),
    "one type": (b"\0\1\x40", {1}),
    "CDS and CDNSKEY sit in window 0": (b"\0\x08" + b"\0" * 7 + b"\x18", {59, 60}),
    "two windows": (b"\0\1\x40\1\1\x40", {1, 257}),
    "NXNAME": (b"\0\x11" + b"\0" * 16 + b"\x80", {128}),
}


@pytest.mark.parametrize(("bitmap", "types"), BITMAPS.values(), ids=BITMAPS)
def test_a_bitmap_lists_its_types(bitmap, types):
    packet = inspect(a_packet(a_record(rdtype=47, rdata=b"\0" + bitmap)))
    assert packet.records[0].rdata == b"\0" + bitmap
    assert guard.types(bitmap) == types


BAD_BITMAPS = {
    "window without length": b"\0",
    "length zero": b"\0\0",
    "length 33": b"\0\x21" + b"\1" * 33,
    "length past the end": b"\0\2\x40",
    "trailing zero octet": b"\0\2\x40\0",
    "window twice": b"\0\1\x40\0\1\x40",
    "windows out of order": b"\1\1\x40\0\1\x40",
}


@pytest.mark.parametrize("bitmap", BAD_BITMAPS.values(), ids=BAD_BITMAPS)
def test_p_7_46_a_malformed_bitmap_is_refused(bitmap):
    with pytest.raises(Refused, match="bitmap"):
        inspect(a_packet(a_record(rdtype=47, rdata=b"\0" + bitmap)))


def bombs():
    """The bombs of F-1: legal messages that are dear to parse."""
    records = [a_record(rdtype=2, rdata=LONG)]
    first = 12 + 12 + 4 + 12  # where the rdata of the first record begins
    pointed = struct.pack("!H", 0xC000 | first)
    yield a_packet(*records, *[a_record(pointed, 2, rdata=pointed)] * 4_000)
    yield a_packet(*records, *[a_record(pointed, 2, rdata=pointed)] * 250)
    yield a_packet(*records, *[a_record(pointed, 2, rdata=pointed)] * 72)
    options = b"\0\x0c\0\0" * 16_000
    yield a_packet(a_record(b"\0", 41, rdata=options), counts=(1, 0, 0, 1))
    hops = b"".join(struct.pack("!BcH", 1, b"a", 0xC000 | at) for at in range(12, 400))
    yield a_packet(*records, *[a_record(hops, 2, rdata=hops)] * 8)


@pytest.mark.parametrize(
    "wire", list(bombs()), ids=["64K", "4K", "1232", "options", "hops"]
)
def test_a_bomb_is_refused_within_five_milliseconds(wire):
    started = time.process_time()
    with pytest.raises(Refused):
        inspect(wire)
    assert time.process_time() - started < 0.005


def test_a_loop_costs_nothing():
    started = time.process_time()
    for name, wire in HOSTILE.items():
        if "pointer" in name:
            with pytest.raises(Refused):
                inspect(wire)
    assert time.process_time() - started < 0.006


def test_an_ordinary_referral_passes():
    servers = [f"authority example.ch. 3600 NS ns{i}.example.ch." for i in range(13)]
    glue = [f"additional ns{i}.example.ch. 3600 A 192.0.2.{i}" for i in range(13)]
    packet = inspect(a_response(*servers, *glue))
    assert len(packet.records) == 26
    assert packet.opt is not None


def test_the_limit_of_one_rrset_counts_no_two_rrsets_together():
    records = [
        a_record(rdtype=t, rdata=bytes((1, 2, 3, i)))
        for i in range(60)
        for t in (1, 9999)
    ]
    assert len(inspect(a_packet(*records)).records) == 120


def test_a_ttl_with_its_highest_bit_set_is_zero():
    assert inspect(a_packet(a_record(ttl=1 << 31))).records[0].ttl == 0
    assert (
        inspect(a_packet(a_record(ttl=(1 << 31) - 1))).records[0].ttl == (1 << 31) - 1
    )


SEEDS = [
    a_response(
        "example.ch. 300 CDS 1 13 2 " + "ab" * 32,
        "example.ch. 300 RRSIG CDS 13 2 300 20261201000000 20261101000000 7 ch. AAAA",
        "authority example.ch. 300 NS NS1.Example.NET.",
        "authority ch. 300 SOA a.nic.ch. host.nic.ch. 1 2 3 4 5",
        "authority a.ch. 300 NSEC Z.ch. NS DS RRSIG NSEC CDS",
        "authority b.ch. 300 NSEC3 1 1 5 aabb 0123456789ABCDEFGHIJKLMNOPQRSTUV NS DS",
        "additional ns1.example.net. 300 AAAA 2001:db8::1",
    ),
    a_response("example.ch. 300 CNAME a.example.ch.", "a.example.ch. 9 TXT hello"),
    a_response(
        "example.ch. 300 MX 10 Mail.example.ch.",
        "example.ch. 300 SRV 1 2 3 Srv.example.ch.",
        'example.ch. 300 NAPTR 1 2 "u" "e" "!a!b!" Nap.example.ch.',
        "example.ch. 300 RP A.b.ch. C.d.ch.",
        "example.ch. 300 DNAME X.example.ch.",
        "example.ch. 300 PX 1 A.b.ch. C.d.ch.",
        "example.ch. 300 NSEC3PARAM 1 0 5 aabb",
        "example.ch. 300 SVCB 1 Svc.example.ch. port=53",
        "example.ch. 300 CSYNC 1 3 A NS AAAA",
        "example.ch. 300 DNSKEY 257 3 13 " + "A" * 88,
    ),
]


@settings(max_examples=1_500, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 255), st.sampled_from("=+-")),
        min_size=1,
        max_size=6,
    ),
)
def test_s_16_whatever_the_guard_accepts_the_parser_parses_or_refuses(seed, changes):
    mutated = bytearray(seed)
    for position, octet, kind in changes:
        at = position % len(mutated)
        if kind == "=":
            mutated[at] = octet
        elif kind == "+":
            mutated.insert(at, octet)
        else:
            del mutated[at]
    try:
        inspect(bytes(mutated))
    except Refused:
        return
    try:
        dns.message.from_wire(bytes(mutated))
    except dns.exception.DNSException:
        return


@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_but_refused(wire):
    for candidate in (wire, a_packet(a_record(rdata=wire)), a_packet(tail=wire)):
        try:
            inspect(candidate)
        except Refused:
            continue
