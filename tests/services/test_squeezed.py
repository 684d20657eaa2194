"""Octets made small: opened under a limit, with dictionaries that never change."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, strategies as st

from bootstrap.models import squeezed
from bootstrap.models.squeezed import EVIDENCE, PLAIN, VIEWS, CannotOpen

DICTIONARIES = {
    EVIDENCE: "72c6342c73712a491b32d0b1c12eb0b6922485813f7a93a28b50bc96934b3b2f",
    VIEWS: "f8ed3071d1edfa71f9130423c73c590d8ab2aec928baf9aeac7681e743bc792b",
}
"""SHA-256 of each: what was written with one cannot be read with another."""


@pytest.mark.parametrize("number", DICTIONARIES)
def test_a_dictionary_is_what_it_was_when_rows_were_written_with_it(number):
    found = squeezed.words(number)

    assert hashlib.sha256(found).hexdigest() == DICTIONARIES[number]
    assert len(found) <= 2**15  # deflate looks no further back


def test_every_dictionary_that_is_there_is_frozen_here():
    files = {int(path.stem) for path in squeezed.FOLDER.glob("*.bin")}

    assert files == DICTIONARIES.keys()


@given(st.binary(max_size=200), st.sampled_from([PLAIN, EVIDENCE, VIEWS]))
def test_the_same_octets_come_back(octets, dictionary):
    blob = squeezed.squeeze(octets, dictionary)

    assert squeezed.unsqueeze(blob, len(octets)) == octets


def test_a_bomb_is_opened_no_further_than_its_limit():  # S-24
    bomb = squeezed.squeeze(bytes(10_000_001))

    with pytest.raises(CannotOpen, match="larger"):
        squeezed.unsqueeze(bomb, 10_000_000)


WRONG = {
    "nothing": b"",
    "no stream": b"\x00xyz",
    "another dictionary": b"\xc8" + squeezed.squeeze(b"x")[1:],
    "the half of it": squeezed.squeeze(bytes(range(200)))[:-5],
    "more after its end": squeezed.squeeze(b"x") + b"y",
}


@pytest.mark.parametrize("blob", WRONG.values(), ids=WRONG)
def test_what_is_not_whole_is_not_opened(blob):
    with pytest.raises(CannotOpen):
        squeezed.unsqueeze(blob, 1_000)


@given(st.binary(max_size=60))
def test_junk_is_refused_and_never_another_error(junk):
    try:
        squeezed.unsqueeze(junk, 1_000)
    except CannotOpen:
        return
