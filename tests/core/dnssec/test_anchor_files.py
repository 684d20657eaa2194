"""Trust anchors from text: both forms, and nothing half understood."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from bootstrap.core.dns.names import ROOT, parse_name
from bootstrap.core.dns.records import Ds
from bootstrap.core.dnssec.anchor_files import AnchorsMalformed, read_anchors
from bootstrap.core.dnssec.anchors import Anchor, at

DIGEST = "49AAC11D7B6F6446702E54A1607371607A1A41855200FD2CE1CDDE32F24E8FB5"
XML = f"""<?xml version="1.0" encoding="UTF-8"?>
<TrustAnchor id="0" source="http://data.iana.org/root-anchors/root-anchors.xml">
<Zone>.</Zone>
<KeyDigest id="1" validFrom="2010-07-15T00:00:00+00:00" validUntil="2019-01-11T00:00:00+00:00">
<KeyTag>19036</KeyTag><Algorithm>8</Algorithm>
<DigestType>2</DigestType><Digest>{DIGEST}</Digest>
</KeyDigest>
</TrustAnchor>"""


def test_the_form_of_iana_gives_digest_and_validity():
    (anchor,) = read_anchors(XML)

    assert anchor.ds == Ds(19036, 8, 2, bytes.fromhex(DIGEST))
    assert anchor.zone == ROOT
    assert anchor.valid_until == datetime(2019, 1, 11, tzinfo=UTC)


def test_an_anchor_that_has_ended_is_read_and_not_trusted():
    anchors = read_anchors(XML)

    assert at(anchors, ROOT, datetime(2018, 1, 1, tzinfo=UTC))
    assert not at(anchors, ROOT, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_ds_line_is_an_anchor_of_its_owner():
    found = read_anchors(f"; lab\nParent.Example. IN DS 19036 8 2 {DIGEST}\n")

    ds = Ds(19036, 8, 2, bytes.fromhex(DIGEST))
    assert found == (Anchor(ds, parse_name("parent.example")),)


def test_a_dnskey_line_is_an_anchor_by_its_sha_256():
    # RFC 6605, section 6.1
    found = read_anchors(
        "example.net. 3600 IN DNSKEY 257 3 13 ("
        " GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edb"
        " krSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA== )\n"
    )

    assert [anchor.zone for anchor in found] == [parse_name("example.net")]
    assert [anchor.ds.to_text() for anchor in found] == [
        "55648 13 2 B4C8C1FE2E7477127B27115656AD6256F424625BF5C1E2770CE6D6E37DF61D17"
    ]


REFUSED = {
    "nothing": ("", "there is no trust anchor in it"),
    "a file without a digest": (
        "<TrustAnchor><Zone>.</Zone></TrustAnchor>",
        "there is no trust anchor in it",
    ),
    "another kind of XML": ("<html/>", "not the form of RFC 9718: the name is empty"),
    "a digest without a number": (
        XML.replace("19036", ""),
        "not the form of RFC 9718: ",
    ),
    "a moment without a zone": (
        XML.replace("T00:00:00+00:00", "T00:00:00"),
        "not the form of RFC 9718: 2010-07-15T00:00:00 has no time zone",
    ),
    "an entity": (
        '<!DOCTYPE x [<!ENTITY a "b">]>' + XML,
        "declarations are not welcome",
    ),
    "another type": (". IN A 192.0.2.1\n", "a record of type A"),
    "no zone file": ("hello\n", "not lines of a zone file: "),
    "an included file": ("$INCLUDE /etc/passwd\n", "not lines of a zone file: "),
}


@pytest.mark.parametrize(("text", "why"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_not_understood_is_refused(text, why):
    with pytest.raises(AnchorsMalformed) as refused:
        read_anchors(text)

    assert str(refused.value).startswith(why)


def test_space_before_the_first_element_changes_nothing():
    body = XML.partition("?>")[2]

    assert read_anchors(f"\n  {body}") == read_anchors(XML)


@given(st.text(max_size=60))
def test_no_text_raises_anything_else(text):
    with contextlib.suppress(AnchorsMalformed):
        assert read_anchors(text)
