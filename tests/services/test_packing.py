"""Packed texts: whatever was packed is given back, and nothing else is taken."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings, strategies as st

from bootstrap.core.dns.names import parse_name
from bootstrap.core.evidence import bundle
from bootstrap.services import packing, sharing
from bootstrap.services.packing import NotPacked, Text, Writer
from bootstrap.services.sharing import Shelf, is_own
from tests.core.evidence.making import BUNDLES


def reference(packet: bytes) -> bytes:
    return packing.REFERENCE + hashlib.sha256(packet).digest()


@given(st.lists(BUNDLES, min_size=1, max_size=3))
@settings(max_examples=60)
def test_every_bundle_comes_back_from_its_packed_form_and_its_pieces(bundles):  # P-8.37
    shelf = Shelf()
    split = [bundle.split(each) for each in bundles]
    packed = [
        shelf.pack(each, parts) for each, parts in zip(bundles, split, strict=True)
    ]

    for parts, one in zip(split, packed, strict=True):
        pieces = [packing.opened(shelf.pieces[name].packed) for name in one.pieces]
        text = packing.opened(one.octets, pieces)
        assert bundle.Parts(text.octets, text.packets) == parts


@given(st.binary(max_size=80))
def test_junk_is_refused_and_never_another_error(junk):
    try:
        packing.opened(junk, [Text(b"a piece")])
    except NotPacked:
        return


@given(st.lists(st.integers(0, 2**63 - 1), max_size=6) | st.lists(st.integers(0, 300)))
def test_keys_of_pieces_come_back_in_their_order(keys):
    assert packing.numbers(packing.keys(keys)) == keys


@given(st.binary(max_size=40))
def test_a_column_of_other_octets_is_refused_or_read(column):
    try:
        numbers = packing.numbers(column)
    except NotPacked:
        return
    assert all(number >= 0 for number in numbers)


def test_near_keys_take_an_octet_each():
    assert len(packing.keys(range(10_000_000, 10_000_040))) == 1 + 8 + 40


def test_a_packet_to_which_nothing_refers_would_be_lost_and_is_refused():
    with pytest.raises(NotPacked, match="refers"):
        Writer(b"no reference").packets([b"packet"])


WRONG = {
    "holes beyond the text": bytes([1, 0, 5, 0]),
    "octets at the end": bytes([0, 0, 1]),
    "a piece that is not there": bytes([1, 0, 0, 3]),
    "a number without end": b"\xff" * 12,
    "more holes than octets": bytes([99, 0]),
    "nothing": b"",
    "a packet that ends early": bytes([1, 0, 0, 20, 1]),
}


@pytest.mark.parametrize("octets", WRONG.values(), ids=WRONG)
def test_what_no_writer_makes_is_refused(octets):
    with pytest.raises(NotPacked):
        packing.opened(octets, [Text(b"one")])


def test_one_piece_in_many_places_cannot_fill_the_memory():  # S-24
    piece = Text(bytes(1_000_000))
    bomb = bytes([100, 0]) + bytes([0, 1]) * 100

    with pytest.raises(NotPacked, match="larger"):
        packing.opened(bomb, [piece])


def test_a_packet_stands_for_its_reference():
    text = b"before" + reference(b"packet") + b"after"
    writer = Writer(text)
    writer.packets([b"packet"])
    packed = writer.packed()

    found = packing.opened(packed)

    assert hashlib.sha256(b"packet").digest() not in packed
    assert found.octets == text
    assert list(found.packets.values()) == [b"packet"]


OWN = ["shop.test", "ns1.shop.test", "_dsboot.shop.test._signal.ns.example"]
OTHERS = ["test", "ns.example", "_signal.ns.example", "myshop.test", "shop.example"]


@pytest.mark.parametrize("name", OWN)
def test_names_of_a_child_are_its_own(name):
    assert is_own(parse_name("shop.test"), parse_name(name))


@pytest.mark.parametrize("name", OTHERS)
def test_names_above_and_beside_a_child_are_shared(name):
    assert not is_own(parse_name("shop.test"), parse_name(name))


def test_what_is_small_becomes_no_piece():
    shelf = Shelf()

    assert shelf._plain(sharing.ANCHORS, ()) is None
    assert not shelf.pieces
