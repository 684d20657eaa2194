"""Denials written out record by record: what the words make."""

from __future__ import annotations

import dns.name
import pytest
from dns.rdatatype import RdataType

from bootstrap.core.dnssec.budget import DEFAULT_LIMITS
from bootstrap.core.dnssec.nsec3 import hash_name
from bootstrap.lab.crafted import Crafted, proof

APEX = dns.name.from_text("zone.test.")
HERE = dns.name.from_text("a.b.zone.test.")


def crafted(text):
    return Crafted.parse(text, HERE, APEX)


def record(text):
    (rrset,) = crafted(text).rrsets()
    return rrset


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("@", "a.b.zone.test."),
        ("^", "zone.test."),
        ("x.^", "x.zone.test."),
        ("x", "x.a.b.zone.test."),
        ("x.test.", "x.test."),
    ],
)
def test_a_name_is_here_at_the_apex_below_either_or_absolute(word, meant):
    rrset = record(f"@: nsec {word} {word} NS")

    assert rrset.name == rrset[0].next == dns.name.from_text(meant)


def test_a_record_lists_its_types_and_those_of_every_denial():
    assert record("@: nsec @ ^ CDS SOA")[0].to_text() == "zone.test. SOA RRSIG NSEC CDS"


@pytest.mark.parametrize(("word", "step"), [("^", 0), ("+^", 1), ("--^", -2)])
def test_signs_before_a_name_move_its_hash(word, step):
    rdata = record(f"@: nsec3 {word} ^ NS iterations=1 salt=ab flags=2")[0]
    hashed = hash_name(APEX.to_wire(), b"\xab", 1)
    owner = record(f"@: nsec3 ^ {word} NS iterations=1 salt=ab")[0].next

    assert rdata.next == hashed
    assert (rdata.flags, rdata.iterations, rdata.salt) == (2, 1, b"\xab")
    assert int.from_bytes(owner) - int.from_bytes(hashed) == step


def test_a_hash_may_stand_below_another_name():
    owner = record("@: nsec3 ^ ^ NS under=sub.^").name

    assert owner.parent() == dns.name.from_text("sub.zone.test.")


def test_a_flood_is_more_than_one_response_may_have():
    assert len(list(crafted("@: flood").rrsets())) > DEFAULT_LIMITS.denials


def test_records_answer_the_question_that_they_are_written_for():
    records = [crafted("@/CDS: nsec @ ^ NS"), crafted("^: nsec ^ ^ NS")]

    assert proof(records, HERE, RdataType.CDNSKEY) is None
    for name, rdtype in ((HERE, RdataType.CDS), (APEX, RdataType.DS)):
        assert [r.name for r in proof(records, name, rdtype) or ()] == [name]


@pytest.mark.parametrize(
    "text",
    ["@: nsec5 @ ^", "@: nsec @ ^ ODD", "@/ODD: nsec @ ^", "@: nsec3 @ ^ size=1"],
)
def test_words_that_mean_nothing_are_refused(text):
    with pytest.raises((ValueError, dns.exception.DNSException)):
        crafted(text)
