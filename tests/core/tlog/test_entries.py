from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given, strategies as st

from bootstrap.core.tlog.entries import (
    MAX_BYTES,
    MAX_INTEGER,
    Attachment,
    Disclosure,
    Entry,
    NotCanonical,
    digest,
    leaf_hash,
    plain,
    timestamp,
    uuid7,
)
from bootstrap.core.tlog.types import EntryType

NOW = datetime(2026, 11, 24, 13, 0, 0, 123456, tzinfo=UTC)
UID = uuid7(NOW, bytes(10))

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | texts,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=12,
)


def an_entry(**changes):
    defaults = {
        "id": UID,
        "type": EntryType.PROPOSAL_APPROVED,
        "stream": "child:example.tld.",
        "number": 17,
        "previous": "ab" * 32,
        "at": NOW,
        "actor_kind": "staff",
        "actor_ref": "p1",
    }
    return Entry(**{**defaults, **changes})


def test_an_entry_has_exactly_the_layout_of_the_specification():
    entry = an_entry(
        evidence=(Attachment("cd" * 32, "application/dns", 1234),),
        software={"pol": "ef", "rev": "1"},
        data={"ds": ("12345 13 2 AB",)},
    )

    assert entry.encode() == (
        b'{"actor":{"kind":"staff","ref":"p1"},"cause":[],'
        b'"data":{"ds":["12345 13 2 AB"]},'
        b'"ev":[{"h":"' + b"cd" * 32 + b'","m":"application/dns","s":1234}],'
        b'"id":"' + str(UID).encode() + b'","n":17,"prev":"' + b"ab" * 32 + b'",'
        b'"sd":[],"stream":"child:example.tld.","sw":{"pol":"ef","rev":"1"},'
        b'"ts":"2026-11-24T13:00:00.123456Z","type":"proposal.approved","v":1}'
    )


def test_the_first_entry_of_a_stream_has_no_predecessor():
    assert json.loads(an_entry(previous="", number=1).encode())["prev"] is None


@given(st.dictionaries(texts, values, max_size=5))
def test_the_bytes_are_what_a_canonical_encoder_makes_of_them_again(data):  # S-89
    body = an_entry(data=data).encode()

    assert rfc8785.dumps(json.loads(body)) == body
    assert json.loads(body)["data"] == data


@pytest.mark.parametrize(
    "value",
    [1.5, 2**53, -(2**53), {1, 2}, "\ud800", {"a": [0.1]}, NOW.replace(tzinfo=None)],
    ids=repr,
)
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(NotCanonical):
        plain({"value": value})


def test_an_entry_of_more_than_16_kib_is_refused():
    room = MAX_BYTES - len(an_entry(data={"x": ""}).encode())
    assert len(an_entry(data={"x": "a" * room}).encode()) == MAX_BYTES

    with pytest.raises(NotCanonical):
        an_entry(data={"x": "a" * (room + 1)}).encode()


def test_nothing_and_the_truth_values_stay():
    assert plain({"a": None, "b": [True, False]}) == {"a": None, "b": [True, False]}


def test_bytes_times_ids_and_sets_become_text():
    found = plain({"b": b"\x01\xff", "t": NOW, "u": UID, "s": frozenset({"b", "a"})})

    assert found == {
        "b": "01ff",
        "t": "2026-11-24T13:00:00.123456Z",
        "u": str(UID),
        "s": ["a", "b"],
    }


def test_a_time_is_spelled_in_utc():
    east = NOW.astimezone(timezone(timedelta(hours=5)))
    assert timestamp(east) == timestamp(NOW)


def test_a_disclosure_is_hashed_in_the_form_that_is_handed_out():
    disclosure = Disclosure.make("comment", "Grüße", bytes(range(16)))

    array = json.loads(base64.urlsafe_b64decode(disclosure.encoded + "=="))
    assert array == [disclosure.salt, "comment", "Grüße"]
    hashed = hashlib.sha256(disclosure.encoded.encode()).digest()
    assert base64.urlsafe_b64decode(disclosure.digest + "=") == hashed


def test_a_personal_value_is_not_in_the_entry():  # S-95, P-8.34
    disclosure = Disclosure.make("comment", "called the holder", bytes(16))
    body = an_entry(disclosures=(disclosure,)).encode()

    assert b"called the holder" not in body
    assert json.loads(body)["sd"] == [disclosure.digest]


def test_the_order_of_disclosures_tells_nothing():
    found = tuple(Disclosure.make("n", v, bytes(16)) for v in "abc")
    one, other = an_entry(disclosures=found), an_entry(disclosures=found[::-1])
    assert one.encode() == other.encode()


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    st.binary(min_size=10, max_size=10),
)
def test_a_uuid_of_version_7_sorts_by_its_moment(at, random):
    found = uuid7(at, random)

    assert (found.version, found.variant) == (7, UUID(int=0x8 << 60).variant)
    assert found.int >> 80 == int(at.timestamp() * 1000)


def test_salts_and_random_parts_have_their_full_length():
    with pytest.raises(ValueError, match="16 octets"):
        Disclosure.make("n", "v", b"short")
    with pytest.raises(ValueError, match="10 random octets"):
        uuid7(NOW, b"short")


def test_a_leaf_is_hashed_apart_from_a_node():
    assert leaf_hash(b"") == hashlib.sha256(b"\x00").digest()


def test_an_entry_is_named_by_the_digest_of_its_octets():
    body = an_entry().encode()

    assert digest(body) == hashlib.sha256(body).hexdigest()
