"""What a referral may say, whoever says it (S-17, S-21)."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given, strategies as st

from bootstrap.core.dns.messages import read
from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import RdataType
from bootstrap.scanner.referrals import is_useful, referral

ZONE = parse_name("test")
ASKED = parse_name("www.shop.test")


def a_response(*records, section="authority", aa=False, rcode=dns.rcode.NOERROR):
    """Return what a server says when asked for `www.shop.test A`."""
    message = dns.message.make_response(dns.message.make_query(ASKED, "A"))
    message.set_rcode(rcode)
    if aa:
        message.flags |= dns.flags.AA
    for owner, rdtype, *values in records:
        rrset = dns.rrset.from_text(owner, 60, "IN", rdtype, *values)
        kind = (
            "additional" if rdtype in {"A", "AAAA"} and section != "answer" else section
        )
        getattr(message, kind).append(rrset)
    return read(message.to_wire(max_size=65535), ASKED, RdataType.A)


def test_a_referral_has_glue_and_hosts_that_need_a_look_up():
    told = referral(
        a_response(
            ("shop.test.", "NS", "ns.shop.test.", "b.shop.test.", "ns.other.example."),
            ("ns.shop.test.", "A", "192.0.2.1"),
            ("ns.shop.test.", "AAAA", "2001:db8::1"),
        ),
        ZONE,
    )

    assert told is not None
    assert told.zone == parse_name("shop.test")
    assert told.glue == ((parse_name("ns.shop.test"), ("192.0.2.1", "2001:db8::1")),)
    assert told.needed == (parse_name("ns.other.example"),)
    assert told.ttl == 60


NO_REFERRAL = {
    "upward": [(".", "NS", "a.root.")],
    "to itself": [("test.", "NS", "ns.test.")],
    "sideways": [("example.", "NS", "ns.example.")],
    "to a sibling": [("bank.test.", "NS", "ns.bank.test.")],
    "below the name": [("a.www.shop.test.", "NS", "ns.test.")],
    "nowhere": [],
}


@pytest.mark.parametrize("records", NO_REFERRAL.values(), ids=NO_REFERRAL)
def test_no_referral_leads(records):
    response = a_response(*records)

    assert referral(response, ZONE) is None
    assert not is_useful(response, ZONE)


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "NXDOMAIN"])
def test_an_error_refers_to_nobody(rcode):
    response = a_response(
        ("shop.test.", "NS", "ns.shop.test."), rcode=dns.rcode.from_text(rcode)
    )

    assert referral(response, ZONE) is None


def test_only_thirteen_hosts_with_eight_addresses_each_are_looked_at():
    hosts = [f"n{number}.shop.test." for number in range(14)]
    addresses = [f"192.0.2.{number}" for number in range(9)]
    response = a_response(
        ("shop.test.", "NS", *hosts), *((host, "A", *addresses) for host in hosts)
    )

    told = referral(response, ZONE)

    assert told is not None
    assert len(told.glue) == 13
    assert {len(found) for _host, found in told.glue} == {8}


LABELS = st.sampled_from(["www", "shop", "test", "a", "example"])
NAMES = st.lists(LABELS, max_size=4).map(lambda ls: ".".join([*ls, ""]) or ".")
CUTS = st.tuples(NAMES, st.just("NS"), NAMES)
GLUE = st.tuples(NAMES, st.just("A"), st.just("192.0.2.1"))


@given(
    st.lists(CUTS, max_size=4),
    st.lists(GLUE, max_size=4),
    st.sampled_from(["authority", "answer"]),
)
def test_whatever_is_said_stays_within_the_bailiwick(cuts, glue, section):
    told = referral(a_response(*cuts, *glue, section=section), ZONE)

    if told is not None:
        assert told.zone != ZONE
        assert told.zone.is_subdomain(ZONE)
        assert ASKED.is_subdomain(told.zone)
        assert all(host.is_subdomain(ZONE) for host, _found in told.glue)
        assert not any(host.is_subdomain(told.zone) for host in told.needed)
