"""The gate: which literal addresses may be asked (S-1, S-2, S-4; F-4)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_network

import pytest
from hypothesis import given, strategies as st

from bootstrap.scanner import egress
from bootstrap.scanner.egress import SPECIAL, Egress, networks

OPEN = Egress()

FORBIDDEN = (
    # what Python 3.11 calls global (F-4)
    "224.0.0.1 239.1.1.1 ff02::1 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1"
    " 2002:7f00:1::1 fec0::1 3fff::1 5f00::1"
    # first and last of the networks of S-1
    " 0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255"
    " 127.0.0.0 127.255.255.255 169.254.0.0 169.254.255.255 172.16.0.0"
    " 172.31.255.255 192.0.0.0 192.0.0.255 192.0.2.0 192.0.2.255 192.88.99.0"
    " 192.88.99.255 192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255"
    " 198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255 224.0.0.0"
    " 239.255.255.255 240.0.0.0 255.255.255.255"
    " 2001:: 2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8:: 2001:db8:ffff::1"
    " 2002:: 2002:ffff::1 3fff:fff:ffff::1 :: ::1 ::ffff:192.33.4.12 ::192.33.4.12"
    " 64:ff9b::192.33.4.12 1fff:ffff::1 4000:: fc00::1 fe80::1 fe80::1%eth0"
)

PERMITTED = (
    # first − 1 and last + 1 of the same networks
    "1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255"
    " 128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0"
    " 191.255.255.255 192.0.1.0 192.0.1.255 192.0.3.0 192.88.98.255 192.88.100.0"
    " 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255"
    " 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255"
    " 2000:: 2000:ffff:: 2001:200:: 2001:db7:ffff::1 2001:db9:: 2001:ffff::1 2003::"
    " 3ffe:ffff::1 3fff:1000:: 2001:500:2::c"
)


@pytest.mark.parametrize("address", FORBIDDEN.split())
def test_special_purpose_addresses_are_never_asked(address):
    assert OPEN.objection(address) is not None


@pytest.mark.parametrize("address", PERMITTED.split())
def test_the_neighbours_of_special_networks_may_be_asked(address):
    assert OPEN.objection(address) is None


@pytest.mark.parametrize(
    "text", ["", "example.net", "127.1", "0x7f000001", "2130706433", "::1.2.3", "1.1.1"]
)
def test_what_is_no_literal_address_is_refused(text):
    assert OPEN.objection(text) is not None


def test_the_table_is_the_one_that_was_reviewed():
    assert egress.table_digest() == (
        "cf83ea0da68b802e2d9107b43b571daf131b60f24ddf10ce9928ad33a3340647"
    )


def test_an_objection_says_what_the_address_is():
    assert OPEN.objection("127.0.0.1") == "127.0.0.1 is loopback (127.0.0.0/8)"


def test_a_laboratory_opens_its_own_range_and_nothing_else():
    lab = Egress(allowed=networks(["127.53.0.0/16", "::1"]))

    assert lab.objection("127.53.9.9") is None
    assert lab.objection("::1") is None
    assert lab.objection("127.54.0.1") is not None
    assert lab.objection("::ffff:127.53.0.1") is not None
    assert lab.is_laboratory("127.53.0.1")
    assert not lab.is_laboratory("192.33.4.12")


def test_own_infrastructure_is_refused_though_it_is_global():
    gate = Egress(denied=networks(["9.9.9.0/24"]))

    assert gate.objection("9.9.9.9") == "9.9.9.9 is own infrastructure"
    assert gate.objection("9.9.8.9") is None


def test_one_own_server_can_be_allowed_within_denied_infrastructure():
    gate = Egress(denied=networks(["9.9.9.0/24"]), allowed=networks(["9.9.9.53/32"]))

    assert gate.objection("9.9.9.53") is None
    assert gate.objection("9.9.9.54") is not None


def test_a_network_both_allowed_and_denied_is_denied():
    both = networks(["127.0.0.0/8"])

    assert Egress(allowed=both, denied=both).objection("127.0.0.1") is not None


def test_networks_with_host_bits_are_refused():
    with pytest.raises(ValueError, match="host bits"):
        networks(["127.0.0.1/8"])


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_is_forbidden_exactly_when_the_table_holds_it(number):
    address = IPv4Address(number)
    held = any(
        address in network
        for text, _why in SPECIAL
        if isinstance(network := ip_network(text), IPv4Network)
    )

    assert (OPEN.objection(str(address)) is not None) == held
