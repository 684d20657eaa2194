"""The laboratory's honest servers, asked over real sockets."""

from __future__ import annotations

import dns.dnssec
import dns.flags
import dns.rcode
import dns.rrset
import pytest
from dns.rdatatype import RdataType

from .asking import ask, servers_of, types

SIGNAL = "_dsboot.good.alpha.test._signal.ns1.lantern.example."


@pytest.fixture
def parent(lab):
    return servers_of(lab, "ns1.alpha.test.")[0]


@pytest.fixture
def operator(lab):
    return servers_of(lab, "ns1.lantern.example.")[0]


def test_a_child_answers_its_cds_with_aa_and_a_signature(lab, operator):
    response = ask(lab, operator, "good.alpha.test.", "CDS")

    assert response.flags & dns.flags.AA
    assert types(response.answer) == [RdataType.CDS]
    assert len(response.answer) == 2


def test_without_do_there_are_no_signatures(lab, operator):
    response = ask(lab, operator, "good.alpha.test.", "CDS", do=False)

    assert [r.rdtype for r in response.answer] == [RdataType.CDS]


def test_the_signal_is_signed_by_the_signaling_zone(lab, operator):
    answer = ask(lab, operator, SIGNAL, "CDS").answer
    keys = ask(lab, operator, "_signal.ns1.lantern.example.", "DNSKEY").answer

    dns.dnssec.validate(answer[0], answer[1], {keys[0].name: keys[0]})


def test_a_signal_has_the_content_of_the_childs_apex(lab, operator):
    for rdtype in ("CDS", "CDNSKEY"):
        signal = ask(lab, operator, SIGNAL, rdtype).answer[0]
        apex = ask(lab, operator, "good.alpha.test.", rdtype).answer[0]

        assert set(signal) == set(apex)


def test_names_between_signal_and_zone_exist_without_records(lab, operator):
    response = ask(lab, operator, "alpha.test._signal.ns1.lantern.example.", "CDS")

    assert response.rcode() == dns.rcode.NOERROR
    assert types(response.authority) == [RdataType.SOA, RdataType.NSEC]


@pytest.mark.parametrize("zone", ["alpha.test.", "beta.test."])
def test_a_referral_to_an_insecure_child_proves_that_it_is_insecure(lab, zone):
    server = servers_of(lab, f"ns1.{zone}")[0]
    response = ask(lab, server, f"www.good.{zone}", "A")

    assert not response.flags & dns.flags.AA
    assert not response.answer
    assert types(response.authority)[0] == RdataType.NS
    assert set(types(response.authority)) <= {
        RdataType.NS,
        RdataType.NSEC,
        RdataType.NSEC3,
    }
    assert len(response.authority) >= 3


def test_a_referral_to_a_secure_child_carries_its_ds(lab, parent):
    response = ask(lab, parent, "www.secured.alpha.test.", "A")

    assert types(response.authority) == [RdataType.NS, RdataType.DS]


def test_ds_is_answered_by_the_parent_side_of_the_cut(lab, parent):
    response = ask(lab, parent, "secured.alpha.test.", "DS")

    assert response.flags & dns.flags.AA
    assert types(response.answer) == [RdataType.DS]
    assert response.answer[1][0].signer == dns.name.from_text("alpha.test.")


def test_a_server_without_the_zone_refuses(lab, parent):
    response = ask(lab, parent, "good.beta.test.", "SOA")

    assert response.rcode() == dns.rcode.REFUSED


def test_udp_and_tcp_give_the_same_answer(lab, operator):
    over_udp = ask(lab, operator, SIGNAL, "CDS", tcp=False)
    over_tcp = ask(lab, operator, SIGNAL, "CDS")

    assert over_udp.answer == over_tcp.answer
