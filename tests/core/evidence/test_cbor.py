"""The subset of CBOR: the examples of RFC 8949, and one form for one item."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bootstrap.core.evidence.cbor import MAX_DEPTH, BundleMalformed, decode, encode

# RFC 8949, appendix A, those that lie within the subset
EXAMPLES = [
    (0, "00"),
    (10, "0a"),
    (23, "17"),
    (24, "1818"),
    (100, "1864"),
    (1000, "1903e8"),
    (1000000, "1a000f4240"),
    (1000000000000, "1b000000e8d4a51000"),
    (18446744073709551615, "1bffffffffffffffff"),
    (-18446744073709551616, "3bffffffffffffffff"),
    (-1, "20"),
    (-100, "3863"),
    (-1000, "3903e7"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    (b"", "40"),
    (bytes.fromhex("01020304"), "4401020304"),
    ("", "60"),
    ("IETF", "6449455446"),
    ("ü", "62c3bc"),
    ("水", "63e6b0b4"),
    ([], "80"),
    ([1, [2, 3], [4, 5]], "8301820203820405"),
    (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
    ({}, "a0"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
]


@pytest.mark.parametrize(("item", "octets"), EXAMPLES, ids=[e[1] for e in EXAMPLES])
def test_the_examples_of_the_standard_hold_both_ways(item, octets):
    assert encode(item).hex() == octets
    assert decode(bytes.fromhex(octets)) == item


REFUSED = {
    "a longer form of 23": "1817",
    "two octets for 255": "1900ff",
    "eight octets for 2^32-1": "1b00000000ffffffff",
    "an indefinite array": "9f01ff",
    "a reserved length": "1c",
    "a tag": "c074323031332d30332d32315432303a30343a30305a",
    "a tag numbered like false": "d4",
    "a half-precision float": "f90000",
    "undefined": "f7",
    "a two-octet simple value": "f8ff",
    "an integer as key": "a10102",
    "keys in the wrong order": "a2616201616101",
    "a key twice": "a2616101616101",
    "text that is no UTF-8": "61ff",
    "text that ends early": "6261",
    "an array longer than the octets": "9b00ffffffffffffff00",
    "a map longer than the octets": "ba7fffffff6161",
    "something after the item": "0000",
    "nothing": "",
    "a nest too deep": "81" * (MAX_DEPTH + 1) + "00",
}


@pytest.mark.parametrize("octets", REFUSED.values(), ids=REFUSED)
def test_every_other_form_is_refused(octets):
    with pytest.raises(BundleMalformed, match="octet"):
        decode(bytes.fromhex(octets))


ITEMS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.binary(max_size=8)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abc\u00fc", max_size=4), inner, max_size=4)
    ),
)


@given(ITEMS)
def test_every_item_survives_the_way(item):
    assert decode(encode(item)) == item


@given(st.binary(max_size=40))
def test_what_is_read_encodes_to_the_same_octets(octets):
    try:
        item = decode(octets)
    except BundleMalformed:
        return
    assert encode(item) == octets


def test_what_the_subset_lacks_is_not_written():
    with pytest.raises(TypeError, match="float"):
        encode([1.5])  # type: ignore[list-item]
    with pytest.raises(OverflowError):
        encode(2**64)


def test_only_plain_types_are_written():
    class Loud(str):
        __slots__ = ()

    with pytest.raises(TypeError, match="Loud"):
        encode(Loud("x"))
