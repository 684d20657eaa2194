"""Names as sortable bytes agree with dnspython's names in every respect."""

from __future__ import annotations

import dns.name
import pytest
from hypothesis import given, strategies as st

from bootstrap.core.dns.names import InvalidName, Name, parse_name
from bootstrap.registry.keys import (
    ROOT_KEY,
    MalformedWire,
    is_below,
    key_from_text,
    key_from_wire,
    key_of,
    name_of,
)

labels = st.binary(min_size=1, max_size=12)
names = st.lists(labels, max_size=8).map(lambda parts: Name((*parts, b"")))


@given(names)
def test_a_key_stands_for_the_canonical_name(name):
    assert name_of(key_of(name)) == name
    assert name_of(key_of(name)).labels == name.canonicalize().labels


@given(names, names)
def test_keys_sort_as_names_do(one, other):
    assert (key_of(one) < key_of(other)) == (one < other)
    assert (key_of(one) == key_of(other)) == (one == other)


@given(names, names)
def test_below_means_strictly_below(one, other):
    expected = one.is_subdomain(other) and one != other
    assert is_below(key_of(one), key_of(other)) == expected


@given(names)
def test_text_and_wire_lead_to_the_same_key(name):
    assert key_from_text(name.to_text(), ROOT_KEY) == key_of(name)
    wire = name.to_wire()
    assert key_from_wire(wire + b"tail", 0, {}) == (key_of(name), len(wire))


@given(st.lists(names, min_size=1, max_size=6))
def test_compressed_names_are_read_as_they_were_written(many):
    wire, places = bytearray(b"\x00" * 12), []
    table: dict[tuple[bytes, ...], int] = {}
    for name in many:
        places.append(len(wire))
        offset = len(wire)
        part = bytearray()
        parts = name.canonicalize().labels
        for index in range(len(parts)):
            suffix = parts[index:]
            if suffix in table:
                part += (0xC000 | table[suffix]).to_bytes(2, "big")
                break
            if suffix != (b"",):
                table[suffix] = offset + len(part)
            part += bytes([len(parts[index])]) + parts[index]
        wire += part
    known: dict[int, bytes] = {}
    for name, place in zip(many, places, strict=True):
        assert key_from_wire(bytes(wire), place, known)[0] == key_of(name)


@given(st.binary(max_size=60), st.integers(0, 59))
def test_any_octets_are_a_name_or_malformed(wire, at):
    try:
        key, end = key_from_wire(wire, at, {})
    except MalformedWire:
        return
    assert at < end <= len(wire)
    assert name_of(key).is_absolute()


def test_a_pointer_to_itself_or_forward_is_malformed():
    for wire in (b"\xc0\x00", b"\xc0\x02\x00\x00", b"\x01a\xc0\x00"):
        with pytest.raises(MalformedWire):
            key_from_wire(wire, 0, {})


BAD = ["", "a..b.", ".a.", "x" * 64, ".".join(["abcdefghi"] * 26), "ü.example.", "a\\"]


@pytest.mark.parametrize("text", BAD)
def test_text_that_is_no_name_is_refused(text):
    with pytest.raises(InvalidName):
        key_from_text(text, ROOT_KEY)


def test_relative_names_and_the_origin_are_completed():
    origin = key_of(parse_name("ch"))

    assert key_from_text("@", origin) == origin
    assert name_of(key_from_text("Sub.Example", origin)) == parse_name("sub.example.ch")
    assert name_of(key_from_text("example.org.", origin)) == parse_name("example.org")
    assert name_of(key_from_text("a\\.b", origin)) == dns.name.from_text("a\\.b.ch.")
    assert key_from_text(".", origin) == ROOT_KEY
