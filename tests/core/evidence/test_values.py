"""Values to items and back: one item for a value, and every other one refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple, cast

import pytest
from dns.name import Name

from bootstrap.core.dns.names import packed, parse_name
from bootstrap.core.evidence import cbor, values
from bootstrap.core.evidence.cbor import BundleMalformed


class Colour(Enum):
    RED = "red"


class Pair(NamedTuple):
    first: int
    second: str


@dataclass(frozen=True)
class Thing:
    name: Name
    seen: datetime
    count: int = 0
    tags: frozenset[str] = frozenset()
    pair: tuple[int, str] | None = None


NAME = parse_name("example.ch")
THING = Thing(
    NAME, datetime(2026, 11, 24, tzinfo=UTC), 3, frozenset({"a", "bb"}), (1, "x")
)


def item_of(kind: type, value: object) -> cbor.Item:
    return cbor.decode(values.encode(kind, value))


def test_a_value_becomes_a_map_without_what_is_empty():
    assert item_of(Thing, Thing(NAME, datetime(1970, 1, 1, tzinfo=UTC))) == {
        "name": NAME.to_wire(),
        "seen": 0,
    }


def test_a_value_reads_back():
    assert values.read(Thing, item_of(Thing, THING), "") == THING
    assert values.read(Pair, [1, "x"], "") == Pair(1, "x")


GOOD: dict[str, Any] = dict(cast("dict[str, Any]", item_of(Thing, THING)))
REFUSED: dict[str, tuple[Any, str]] = {
    "no map": ([], "not of type dict"),
    "a name that is text": ({**GOOD, "name": "example.ch"}, "name: not of type bytes"),
    "a name that ends early": ({**GOOD, "name": b"\x07exam"}, "name: no name"),
    "a name with a pointer": ({**GOOD, "name": b"\xc0\x00"}, "name: no name"),
    "octets after a name": (
        {**GOOD, "name": packed(NAME) + b"x"},
        "name: not the one wire form",
    ),
    "a time beyond all calendars": (
        {**GOOD, "seen": 2**63},
        "seen: a time out of range",
    ),
    "true for a number": ({**GOOD, "count": True}, "count: not of type int"),
    "an empty field": ({**GOOD, "count": 0}, "count: is empty"),
    "a field that is missing": ({"name": NAME.to_wire()}, "seen: is missing"),
    "a field that nobody knows": ({**GOOD, "size": 1}, "no field is named 'size'"),
    "elements out of order": ({**GOOD, "tags": ["bb", "a"]}, "tags: elements out of"),
    "an element twice": ({**GOOD, "tags": ["a", "a"]}, "tags: elements out of order"),
    "an element of another type": (
        {**GOOD, "tags": [1]},
        r"tags\[0\]: not of type str",
    ),
    "a pair of three": ({**GOOD, "pair": [1, "x", 2]}, "pair: not 2 elements"),
    "a pair of other types": (
        {**GOOD, "pair": ["x", 1]},
        r"pair\[0\]: not of type int",
    ),
}


@pytest.mark.parametrize(("item", "why"), REFUSED.values(), ids=REFUSED)
def test_an_item_is_refused_with(item, why):
    with pytest.raises(BundleMalformed, match=why):
        values.read(Thing, item, "")


@pytest.mark.parametrize("item", ["blue", 1])
def test_a_word_that_is_no_member_is_refused(item):
    with pytest.raises(BundleMalformed, match="colour"):
        values.read(Colour, item, "colour")
    assert values.read(Colour, "red", "") is Colour.RED


def test_a_span_beyond_all_calendars_is_refused():
    assert values.read(timedelta, 1_000_000, "") == timedelta(seconds=1)
    with pytest.raises(BundleMalformed, match="out of range"):
        values.read(timedelta, 2**70, "span")


@pytest.mark.parametrize("kind", [complex, int | str, list[int]], ids=str)
def test_evidence_has_no_values_of_other_types(kind):
    with pytest.raises(TypeError, match="no evidence of type"):
        values.codec(kind)


class Maybe(NamedTuple):
    first: int
    second: int | None


def test_what_is_absent_within_a_list_keeps_its_place():
    assert item_of(Maybe, Maybe(1, None)) == [1, None]
    assert values.read(Maybe, [1, None], "") == Maybe(1, None)
