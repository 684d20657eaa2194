"""The registries as data, and what the product ships of the root (appendices B, E)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import dns.zonefile
import pytest

import bootstrap
from bootstrap.core.dns.names import ROOT
from bootstrap.core.dns.records import DIGEST_LENGTHS, DIGESTS as COMPUTED, Ds
from bootstrap.core.dnssec.algorithms import (
    ALGORITHMS,
    DIGESTS,
    SNAPSHOT,
    VERIFIED_ALGORITHMS,
    VERIFIED_DIGESTS,
    Use,
    is_usable,
    tables_digest,
)
from bootstrap.core.dnssec.anchor_files import read_anchors
from bootstrap.core.dnssec.anchors import Anchor, at

DATA = Path(bootstrap.__file__).parent / "data"
KSK_2017 = Ds.from_text(
    "20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
)
KSK_2024 = Ds.from_text(
    "38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16"
)
KSK_2010 = Ds.from_text(
    "19036 8 2 49AAC11D7B6F6446702E54A1607371607A1A41855200FD2CE1CDDE32F24E8FB5"
)
"""Appendix B."""


def test_p_b_1_the_shipped_anchors_are_exactly_these():
    assert set(read_anchors((DATA / "root-anchors.xml").read_text())) == {
        Anchor(KSK_2017, ROOT, datetime(2017, 2, 2, tzinfo=UTC)),
        Anchor(KSK_2024, ROOT, datetime(2024, 7, 18, tzinfo=UTC)),
        Anchor(
            KSK_2010,
            ROOT,
            datetime(2010, 7, 15, tzinfo=UTC),
            datetime(2019, 1, 11, tzinfo=UTC),
        ),
    }


def test_p_7_2_the_oldest_root_key_is_trusted_no_longer():
    anchors = read_anchors((DATA / "root-anchors.xml").read_text())
    today = set(at(anchors, ROOT, datetime(2026, 11, 24, tzinfo=UTC)))
    assert today == {KSK_2017, KSK_2024}


ROOT_SERVERS = {
    "a": ("198.41.0.4", "2001:503:ba3e::2:30"),
    "b": ("170.247.170.2", "2801:1b8:10::b"),
    "c": ("192.33.4.12", "2001:500:2::c"),
    "d": ("199.7.91.13", "2001:500:2d::d"),
    "e": ("192.203.230.10", "2001:500:a8::e"),
    "f": ("192.5.5.241", "2001:500:2f::f"),
    "g": ("192.112.36.4", "2001:500:12::d0d"),
    "h": ("198.97.190.53", "2001:500:1::53"),
    "i": ("192.36.148.17", "2001:7fe::53"),
    "j": ("192.58.128.30", "2001:503:c27::2:30"),
    "k": ("193.0.14.129", "2001:7fd::1"),
    "l": ("199.7.83.42", "2001:500:9f::42"),
    "m": ("202.12.27.33", "2001:dc3::35"),
}


def test_the_shipped_hints_are_exactly_the_thirteen_root_servers():
    text = (DATA / "named.root").read_text()
    found = set()
    for rrset in dns.zonefile.read_rrsets(text, relativize=False):
        for rdata in rrset:
            owner = rrset.name.canonicalize().to_text()
            found.add((owner, rdata.to_text().lower()))
    expected = {(".", f"{letter}.root-servers.net.") for letter in ROOT_SERVERS}
    for letter, addresses in ROOT_SERVERS.items():
        expected |= {(f"{letter}.root-servers.net.", address) for address in addresses}
    assert found == expected


POLICY = {
    # number: (signing, validation, verified by us); RFC 9904 with 9905 and 9906
    1: (Use.MUST_NOT, Use.MUST_NOT, False),
    3: (Use.MUST_NOT, Use.MUST_NOT, False),
    5: (Use.MUST_NOT, Use.RECOMMENDED, False),
    6: (Use.MUST_NOT, Use.MUST_NOT, False),
    7: (Use.MUST_NOT, Use.RECOMMENDED, False),
    8: (Use.RECOMMENDED, Use.RECOMMENDED, True),
    10: (Use.NOT_RECOMMENDED, Use.RECOMMENDED, True),
    12: (Use.MUST_NOT, Use.MUST_NOT, False),
    13: (Use.RECOMMENDED, Use.RECOMMENDED, True),
    14: (Use.MAY, Use.RECOMMENDED, True),
    15: (Use.RECOMMENDED, Use.RECOMMENDED, True),
    16: (Use.MAY, Use.RECOMMENDED, True),
    17: (Use.MAY, Use.MAY, False),
    23: (Use.MAY, Use.MAY, False),
    253: (Use.MAY, Use.MAY, False),
    254: (Use.MAY, Use.MAY, False),
}


def test_p_e_1_the_algorithms_are_those_of_appendix_e():
    found = {n: (row.sign, row.validate, row.verified) for n, row in ALGORITHMS.items()}
    assert found == POLICY
    assert all(number == row.number for number, row in ALGORITHMS.items())


def test_p_e_1_only_sha_256_must_be_made_and_sha_1_binds_nothing():
    musts = [n for n, row in DIGESTS.items() if row.implement is Use.MUST]
    assert musts == [2]
    assert VERIFIED_DIGESTS == {2, 4} <= COMPUTED.keys()
    assert {n: row.octets for n, row in DIGESTS.items()} == DIGEST_LENGTHS


@pytest.mark.parametrize("use", Use)
def test_advised_are_must_and_recommended(use):
    assert use.is_advised is (use.value in {"MUST", "RECOMMENDED"})


def test_a_ds_is_usable_by_algorithm_and_digest_both():
    for algorithm in (*ALGORITHMS, 0, 99):
        for digest in (*DIGESTS, 0, 99):
            expected = algorithm in VERIFIED_ALGORITHMS and digest in {2, 4}
            assert is_usable(Ds(1, algorithm, digest, b"")) is expected


def test_s_45_the_tables_have_a_date_and_a_digest_that_changes_with_them():
    assert date(2026, 1, 1) < SNAPSHOT <= date(2026, 11, 24)
    # A new digest means a new table: policy, to be decided and not to slip in.
    assert tables_digest() == DIGEST_OF_TABLES


DIGEST_OF_TABLES = "0b54b7c6651f4ddfbd4efafa7114694cccda24a55404e70a7de62394d7bdbef3"
