"""The bundle: one encoding, exact round trip, nothing damaged is ever read."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings, strategies as st

from bootstrap.core.evidence import bundle, cbor
from bootstrap.core.evidence.bundle import BundleMalformed

from .making import BUNDLES


@given(BUNDLES)
@settings(max_examples=60)
def test_what_is_read_is_what_was_written(evidence):
    assert bundle.decode(bundle.encode(evidence)) == evidence


@given(BUNDLES)
@settings(max_examples=60)
def test_one_content_has_one_encoding(evidence):
    octets = bundle.encode(evidence)

    assert bundle.encode(bundle.decode(octets)) == octets


@given(BUNDLES)
@settings(max_examples=30)
def test_manifest_and_packets_give_back_the_identical_octets(evidence):
    octets = bundle.encode(evidence)

    found = bundle.parts(octets)

    assert bundle.join(found) == octets
    assert bundle.split(evidence) == found
    assert all(
        hashlib.sha256(packet).hexdigest() == digest
        for digest, packet in found.packets.items()
    )


@given(BUNDLES, st.data())
@settings(max_examples=60)
def test_no_flipped_bit_goes_unseen(evidence, data):
    octets = bytearray(bundle.encode(evidence))
    bit = data.draw(st.integers(0, 8 * len(octets) - 1))
    octets[bit // 8] ^= 1 << bit % 8

    with pytest.raises(BundleMalformed):
        bundle.decode(bytes(octets))


def resealed(octets: bytes) -> bytes:
    opened = octets[: -bundle.SEAL]
    return opened + hashlib.sha256(opened).digest()


@given(BUNDLES, st.data())
@settings(max_examples=60)
def test_a_resealed_change_is_refused_or_is_another_content(evidence, data):
    octets = bytearray(bundle.encode(evidence))
    bit = data.draw(st.integers(0, 8 * (len(octets) - bundle.SEAL) - 1))
    octets[bit // 8] ^= 1 << bit % 8
    changed = resealed(bytes(octets))

    try:
        read = bundle.decode(changed)
    except BundleMalformed:
        return
    assert bundle.encode(read) == changed
    assert bundle.address(changed) != bundle.address(bundle.encode(evidence))


@given(st.binary(max_size=60))
def test_junk_is_malformed_and_never_another_error(junk):
    with pytest.raises(BundleMalformed):
        bundle.decode(resealed(junk + bytes(bundle.SEAL)))


def test_a_bundle_beyond_the_limit_is_not_even_hashed():
    with pytest.raises(BundleMalformed, match="larger"):
        bundle.decode(bytes(bundle.MAX_OCTETS + 1))


def framed(body: cbor.Item, packets: cbor.Item, version: cbor.Item = 1) -> bytes:
    items: list[cbor.Item] = [bundle.FORMAT, version, body, packets, bytes(32)]
    return resealed(cbor.encode(items))


FRAMES = {
    "another version": (framed({}, [], 2), "version"),
    "packets that are no list": (framed({}, {}), "packets"),
    "a packet that is no octets": (framed({}, ["x"]), r"packets\[0\]"),
    "a packet twice": (framed({}, [b"x", b"x"]), r"packets\[1\]"),
    "a packet that nothing refers to": (framed({}, [b"x"]), "packets"),
    "no case": (framed({}, []), "case"),
    "a field that nobody knows": (framed({"colour": 1}, []), "colour"),
    "an observation that is none": (
        framed({"case": {"observations": [1]}}, []),
        r"case\.observations\[0\]",
    ),
    "a packet that is missing": (
        framed({"case": {"observations": [{"sent": bytes(32)}]}}, []),
        r"case\.observations\[0\]\.sent",
    ),
    "another number of parts": (
        resealed(cbor.encode([bundle.FORMAT, 1, {}, bytes(32)])),
        "does not begin",
    ),
    "no seal": (resealed(cbor.encode([bundle.FORMAT, 1, {}, [], "x" * 32])), "seal"),
}


@pytest.mark.parametrize(("octets", "where"), FRAMES.values(), ids=FRAMES)
def test_a_complaint_says_where(octets, where):
    with pytest.raises(BundleMalformed, match=where):
        bundle.decode(octets)


def test_a_packet_named_by_something_else_than_octets_is_refused():
    observation: dict[str, cbor.Item] = {"query": {}, "at": 0, "sent": 7}
    body = framed({"case": {"observations": [observation]}}, [])
    parts = bundle.parts(body)

    with pytest.raises(BundleMalformed, match="case"):
        bundle.merge(parts)
