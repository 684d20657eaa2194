"""DS and DNSKEY as values (RFC 4034; P-7.4, P-9.1, P-9.4)."""

from __future__ import annotations

import dns.dnssec
import dns.rdata
import dns.rdataclass
import pytest
from hypothesis import given, strategies as st

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import (
    DELETE_CDNSKEY,
    DELETE_CDS,
    Ds,
    Key,
    RdataType,
    RRset,
    UnknownDigest,
)
from tests.support.signed import a_signer

octets = st.binary(max_size=80)
keys = st.builds(
    Key, st.integers(0, 65535), st.integers(0, 255), st.integers(2, 255), octets
)


def theirs(rdtype, wire):
    return dns.rdata.from_wire(dns.rdataclass.IN, rdtype, wire, 0, len(wire))


@given(keys)
def test_keys_read_back_and_have_the_tag_that_dnspython_computes(key):
    assert Key.from_wire(key.to_wire()) == key
    assert key.key_tag == dns.dnssec.key_id(theirs(RdataType.DNSKEY, key.to_wire()))


@pytest.mark.parametrize(("number", "name"), [(2, "SHA256"), (4, "SHA384")])
@pytest.mark.parametrize("algorithm", [8, 13, 15])
def test_digests_are_those_of_dnspython(algorithm, number, name):
    owner = parse_name("Example.NET")
    key = a_signer(algorithm).key
    expected = dns.dnssec.make_ds(owner, theirs(RdataType.DNSKEY, key.to_wire()), name)
    assert key.ds(owner, number).to_wire() == expected.to_wire()


def test_a_digest_that_we_cannot_compute_is_refused():
    with pytest.raises(UnknownDigest, match="digest type 3"):
        a_signer().key.ds(parse_name("example.net"), 3)


def test_flags_are_told_apart():
    key = Key(0x0181, 3, 13, b"")
    assert (key.is_zone_key, key.is_revoked, key.is_sep) == (True, True, True)
    key = Key(0, 3, 13, b"")
    assert (key.is_zone_key, key.is_revoked, key.is_sep) == (False, False, False)


@given(
    st.integers(0, 65535),
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(min_size=1),
)
def test_ds_reads_back_from_octets_and_from_text(tag, algorithm, digest_type, digest):
    ds = Ds(tag, algorithm, digest_type, digest)
    assert Ds.from_wire(ds.to_wire()) == ds
    assert Ds.from_text(ds.to_text()) == ds
    assert ds.to_text() == ds.to_text().upper()


@pytest.mark.parametrize("text", ["1 13 2 AB CD", "1 13 2 abcd"])
def test_ds_text_may_be_spaced_and_in_lower_case(text):
    assert Ds.from_text(text) == Ds(1, 13, 2, b"\xab\xcd")


NO_DS = [
    "",
    "1 13 2",
    "1 13",
    "65536 13 2 AB",
    "1 256 2 AB",
    "1 13 256 AB",
    "-1 1 1 AB",
]


@pytest.mark.parametrize("text", [*NO_DS, "x 13 2 AB", "1 13 2 ABC", "1 13 2 XY"])
def test_text_that_is_no_ds_is_refused(text):
    with pytest.raises(ValueError, match="DS rdata"):
        Ds.from_text(text)


@pytest.mark.parametrize("kind", [Ds, Key])
def test_octets_shorter_than_the_fixed_fields_are_refused(kind):
    with pytest.raises(ValueError, match="shorter than its fixed fields"):
        kind.from_wire(b"\0\1\2")


def test_p_9_1_p_9_4_the_sentinels_are_these_octets():
    assert DELETE_CDS == theirs(RdataType.CDS, DELETE_CDS).to_wire() == bytes(5)
    assert Ds.from_wire(DELETE_CDS) == Ds(0, 0, 0, b"\0")
    assert DELETE_CDNSKEY == b"\0\0\3\0\0"
    assert Key.from_wire(DELETE_CDNSKEY) == Key(0, 3, 0, b"\0")
    assert Key.from_wire(DELETE_CDNSKEY).key_tag == 768


def test_p_1_21_content_is_compared_without_owner_and_ttl():
    one = RRset(parse_name("a.ch"), RdataType.CDS, 60, (b"abcd",))
    same = RRset(parse_name("b.ch"), RdataType.CDS, 300, (b"abcd",))
    other_type = RRset(parse_name("a.ch"), RdataType.DS, 60, (b"abcd",))
    other_data = RRset(parse_name("a.ch"), RdataType.CDS, 60, (b"abce",))
    assert one.same_content(same)
    assert not one.same_content(other_type)
    assert not one.same_content(other_data)


def test_rdata_with_structure_can_be_had_as_objects():
    rrset = RRset(parse_name("a.ch"), RdataType.A, 60, (b"\xc0\0\2\1",))
    assert [rdata.to_text() for rdata in rrset.parsed()] == ["192.0.2.1"]
