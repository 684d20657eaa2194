"""Queries on the wire, and which packets belong to them (S-6, S-7; P-2.22)."""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given, strategies as st

from bootstrap.core.dns.names import Name, canonical, parse_name
from bootstrap.core.dns.records import RdataType
from bootstrap.scanner import wire
from tests.support import hostile

NAME = parse_name("_dsboot.example.co.uk._signal.ns1.example.net")
ASKED = wire.question(NAME, RdataType.CDS)


def test_a_query_is_what_the_protocol_document_asks_for():  # P-2.24
    message = dns.message.from_wire(ASKED.message(4711))

    assert message.id == 4711
    assert message.question[0].name == NAME
    assert message.question[0].rdtype == RdataType.CDS
    assert not message.flags & dns.flags.RD
    assert message.edns == 0
    assert message.payload == 1232
    assert message.ednsflags & dns.flags.DO
    assert [option.otype for option in message.options] == [dns.edns.OptionType.NSID]


def test_letters_are_mixed_anew_each_time_and_the_name_stays_the_same():
    mixed = {ASKED.mixed().qname for _ in range(50)}

    assert len(mixed) > 45
    assert {name.lower() for name in mixed} == {ASKED.qname}


@given(st.lists(st.binary(min_size=1, max_size=63), max_size=3))
def test_mixing_touches_letters_only(labels):
    name = Name((*labels, b"")).canonicalize()
    asked = wire.question(name, RdataType.A)

    assert (
        canonical(dns.message.from_wire(asked.mixed().message(1)).question[0].name)
        == name
    )


def test_ids_come_from_the_whole_range():
    ids = [wire.new_id() for _ in range(4000)]

    buckets = [sum(1 for i in ids if i >> 12 == bucket) for bucket in range(16)]
    chi_square = sum((count - 250) ** 2 / 250 for count in buckets)
    assert chi_square < 60  # 15 degrees of freedom: less than one in a million


def _spoil(query: bytes) -> dict[str, bytes]:
    good = hostile.answer(query)
    return {
        "another id": hostile.with_id(good),
        "no header": good[:11],
        "nothing": b"",
        "a query": hostile.with_flags(good, clear=0x8000),
        "another opcode": hostile.with_flags(good, set_=0x2800),
        "another question": hostile.other_question(query),
        "another type": good.replace(b"\x00\x3b\x00\x01", b"\x00\x3c\x00\x01", 1),
        "another class": good.replace(b"\x00\x3b\x00\x01", b"\x00\x3b\x00\x03", 1),
        "two questions": good[:4] + b"\x00\x02" + good[6:],
        "no question": hostile.bare_error(query, 0),
    }


@pytest.mark.parametrize("spoilt", list(_spoil(ASKED.message(1))))
@pytest.mark.parametrize("exact", [True, False])
def test_a_packet_does_not_belong_with(spoilt, exact):
    packet = _spoil(ASKED.message(7))[spoilt]

    assert wire.match(packet, 7, ASKED, exact=exact) is wire.Match.FOREIGN


def test_the_right_packet_belongs():
    packet = hostile.answer(ASKED.message(7))

    assert wire.match(packet, 7, ASKED, exact=True) is wire.Match.ANSWER


def test_letter_case_counts_over_udp_alone():
    asked = wire.Question(ASKED.qname.upper(), ASKED.tail)
    packet = hostile.other_case(asked.message(7))

    assert wire.match(packet, 7, asked, exact=True) is wire.Match.FOREIGN
    assert wire.match(packet, 7, ASKED, exact=False) is wire.Match.ANSWER


def test_an_error_without_question_is_taken_on_a_connection_alone():
    packet = hostile.bare_error(ASKED.message(7), dns.rcode.FORMERR)

    assert wire.match(packet, 7, ASKED, exact=True) is wire.Match.FOREIGN
    assert wire.match(packet, 7, ASKED, exact=False) is wire.Match.ANSWER


@given(st.binary(max_size=200))
def test_arbitrary_octets_never_belong(octets):
    packet = octets if octets[:2] != b"\x00\x07" else b""

    assert wire.match(packet, 7, ASKED, exact=False) is wire.Match.FOREIGN
