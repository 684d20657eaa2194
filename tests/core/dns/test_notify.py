"""NOTIFY(CDS): one child, no content believed, never a longer answer (RFC 9859)."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rrset
import pytest
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from hypothesis import given, strategies as st

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.notify import NoNotification, hear


def a_notify(name="Child.Example", rdtype="CDS", rdclass="IN", **options):
    message = dns.message.make_query(name, rdtype, rdclass, **options)
    message.flags = 0
    message.set_opcode(dns.opcode.NOTIFY)
    return message


def test_p_6_13_it_is_acknowledged_with_its_id_opcode_and_question():
    message = a_notify()

    heard = hear(message.to_wire())

    assert heard.child == parse_name("child.example")
    answer = dns.message.from_wire(heard.answer)
    assert answer.id == message.id
    assert answer.opcode() == dns.opcode.NOTIFY
    assert answer.flags & dns.flags.QR
    assert answer.rcode() == dns.rcode.NOERROR
    assert answer.question == message.question


def test_p_6_12_what_else_it_carries_is_not_looked_at():
    plain, loaded = a_notify(), a_notify(use_edns=0)
    loaded.answer.append(
        dns.rrset.from_text("child.example.", 1, "IN", "CDS", "1 13 2 " + "00" * 32)
    )

    assert hear(loaded.to_wire()).child == hear(plain.to_wire()).child


def test_p_6_1_cds_speaks_for_both_types_of_request():
    assert hear(a_notify(rdtype=59).to_wire()).child == parse_name("child.example")
    assert hear(a_notify(rdtype=60).to_wire()).child is None


@pytest.mark.parametrize(
    ("rdtype", "rdclass"),
    [("SOA", "IN"), ("CDNSKEY", "IN"), ("CSYNC", "IN"), ("CDS", "CH")],
)
def test_p_6_10_other_types_and_classes_are_refused(rdtype, rdclass):
    heard = hear(a_notify(rdtype=rdtype, rdclass=rdclass).to_wire())

    assert heard.child is None
    assert dns.message.from_wire(heard.answer).rcode() == dns.rcode.REFUSED


def test_p_6_11_more_than_one_child_is_discarded():
    message = a_notify()
    message.question.append(
        dns.rrset.RRset(
            dns.name.from_text("other.example"), RdataClass.IN, RdataType.CDS
        )
    )

    with pytest.raises(NoNotification):
        hear(message.to_wire())


def test_queries_updates_and_responses_are_no_notifications():
    query = dns.message.make_query("child.example", "CDS")
    response = a_notify()
    response.flags |= dns.flags.QR

    for message in (query, response):
        with pytest.raises(NoNotification):
            hear(message.to_wire())


@pytest.mark.parametrize("octets", [0, 11, 12, 26, 30])
def test_a_notification_that_is_cut_off_is_discarded(octets):
    with pytest.raises(NoNotification):
        hear(a_notify().to_wire()[:octets])


@given(st.data())
def test_p_6_18_whatever_comes_the_answer_is_not_longer(data):
    wire = bytearray(a_notify(use_edns=0).to_wire())
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(wire) - 1))
        wire[at] = data.draw(st.integers(0, 255))
    octets = bytes(wire[: data.draw(st.integers(0, len(wire)))])

    try:
        heard = hear(octets)
    except NoNotification:
        return
    assert len(heard.answer) <= len(octets)
    answer = dns.message.from_wire(heard.answer)
    assert len(answer.question) == 1
    if heard.child is not None:
        assert answer.question[0].name.canonicalize() == heard.child


@given(st.binary(max_size=600))
def test_octets_of_any_kind_raise_nothing_else(octets):
    header = b"\x12\x34\x20\x00\x00\x01" + bytes(6)
    for wire in (octets, header + octets):
        try:
            hear(wire)
        except NoNotification:
            continue


def test_a_name_longer_than_255_octets_is_discarded():
    header = b"\x12\x34\x20\x00\x00\x01" + bytes(6)
    name = (b"\x3f" + b"a" * 63) * 4 + b"\x00"

    with pytest.raises(NoNotification):
        hear(header + name + b"\x00\x3b\x00\x01")
    with pytest.raises(NoNotification):
        hear(header + b"\xc0\x0c" + b"\x00\x3b\x00\x01")
