"""Pure functions behind pages: escaping, Unicode names, differences, stages, pictures."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from bootstrap.core.dns.signaling import Ending
from bootstrap.core.dnssec.security import Security
from bootstrap.core.evaluation.reasons import Kind, Reason
from bootstrap.core.evaluation.verdict import Mark, Outcome, judge
from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import DomainState
from bootstrap.services.proofs import Proof
from portal import idn, words
from portal.dashboard import presenters, svg
from portal.dashboard.packets import in_hex, in_words
from portal.status import presenters as status
from portal.templatetags import dns
from tests.support import cases, rows

FAMILIES: dict[str, type[StrEnum]] = {
    "proposal": State,
    "outcome": Outcome,
    "mark": Mark,
    "kind": Kind,
    "security": Security,
    "proof": Proof,
    "listed": Ending,
}


@pytest.mark.parametrize("family", words.FAMILIES)
def test_every_state_has_icon_word_and_tone(family):
    badges = words.FAMILIES[family]
    states = DomainState.values if family == "domain" else list(FAMILIES[family])

    assert set(badges) == set(states)
    assert all(b.icon and b.word and b.tone for b in badges.values())


def test_no_two_states_of_a_domain_share_an_icon():
    icons = [badge.icon for badge in words.DOMAIN.values()]

    assert len(set(icons)) == len(icons)


@pytest.mark.parametrize("code", list(Reason))
def test_every_reason_has_words(code):
    found = words.reason(code.value)

    assert found.title != found.code
    assert found.who


def test_a_code_of_another_release_is_shown_as_it_is():
    assert words.reason("SOME_FUTURE_CODE").title == "SOME_FUTURE_CODE"


def test_the_public_has_a_sentence_for_every_state_but_alarms():
    assert set(status.STANDINGS) == set(DomainState) - {DomainState.ALARM}


@given(st.text())
def test_shown_text_is_printable_ascii_and_nothing_else(text):  # S-53
    assert all(0x20 <= ord(letter) < 0x7F for letter in dns.shown(text))


@given(st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_printable_ascii_is_shown_as_it_is(text):
    assert dns.shown(text) == text


UNICODE = {
    "xn--bcher-kva.example": "bücher.example",
    "bücher.example": None,
    "plain.example": None,
    "xn--pple-43d.example": None,  # Cyrillic а before Latin
    "xn--80ak6aa92e.example": None,  # all Cyrillic, looks like "apple"
    "xn--abcdef-dm0c.example": None,
    "xn--.example": None,
    "xn--zckzah.example": "テスト.example",
}


@pytest.mark.parametrize("name", UNICODE)
def test_a_name_is_shown_in_unicode_only_where_nobody_is_fooled(name):
    """S-56."""
    assert idn.safe_unicode(name) == UNICODE[name]


@given(st.text(alphabet="abcxyz-.é0123", max_size=40))
def test_asking_for_unicode_never_fails(tail):
    idn.safe_unicode(f"xn--{tail}")


def test_the_difference_names_each_record_once():
    kept, old, new = rows.ds(1), rows.ds(2), rows.ds(3)

    lines = presenters.ds_diff([kept, old], [new, kept])

    assert [(line.change, line.tag) for line in lines] == [
        ("removed", "2"),
        ("kept", "1"),
        ("added", "3"),
    ]


def test_the_server_that_differs_is_marked_and_no_other():
    table = presenters.server_table(rows.four_servers(rows.ds(), odd=rows.ds(999)))

    odd = [row.server for row in table.rows if any(cell.odd for cell in row.cells)]
    assert odd == ["2001:db8::20"]
    assert table.differing == ("CDS",)


def test_a_type_that_one_server_was_not_asked_is_no_difference():
    views = [
        rows.server("ns1.a", "192.0.2.1", CDS=("NS_OK_DATA", ["x"])),
        rows.server("ns2.a", "192.0.2.2"),
    ]

    table = presenters.server_table(views)

    assert not table.rows[1].cells[0].asked
    assert table.differing == ()


MARKS = {
    "candidate": "now next next next next",
    "held": "stopped next next next next",
    "approved": "done now next next next",
    "failed": "done stopped next next next",
    "visible": "done done done now next",
    "settled": "done done done done done",
}


@pytest.mark.parametrize("state", MARKS)
def test_the_stage_bar_says_how_far_and_whether_stopped(state):
    stages = presenters.stage_bar(state, [None] * 5)

    assert " ".join(stage.mark for stage in stages) == MARKS[state]


def test_every_state_of_a_change_has_its_place_on_the_road():
    assert set(presenters.REACHED) == set(State)


def test_the_picture_ends_in_the_records_and_shows_where_the_chain_breaks():
    picture = svg.chain(rows.proof("a.example", "ns1.operator.net", "bogus"))

    assert [node.security for node in picture.nodes] == [
        "secure",
        "secure",
        "bogus",
        "bogus",
        "bogus",
    ]
    assert picture.nodes[-1].link == "no proof"
    assert picture.height > picture.nodes[-1].bottom


def test_boxes_of_a_picture_never_overlap():
    nodes = svg.chain(rows.proof("a.example", "ns1.operator.net")).nodes

    assert all(a.bottom < b.y for a, b in pairwise(nodes))


def test_bars_are_scaled_to_the_longest():
    assert [bar.width for bar in svg.bars({"a": 4, "b": 1, "c": 0})] == [100, 25, 0]


DURATIONS = {
    timedelta(0): "a moment",
    timedelta(seconds=1): "1 second",
    timedelta(hours=3, minutes=7, seconds=5): "3 hours 7 minutes",
    timedelta(days=1, minutes=1): "1 day",
}


@pytest.mark.parametrize("length", DURATIONS)
def test_a_duration_is_said_in_its_two_largest_units(length):
    assert dns.duration(length) == DURATIONS[length]


@given(st.binary(max_size=80))
def test_any_octets_can_be_shown_as_a_message_and_in_hex(wire):
    text = in_words(wire) + in_hex(wire)

    assert all(0x20 <= ord(letter) < 0x7F or letter == "\n" for letter in text)


def test_a_road_without_stop_shows_where_it_goes_on():
    marks = [step.mark for step in status.road(status.STANDINGS["signed"])]

    assert marks == ["done", "now", "next", "next", "next"]


def test_every_step_of_an_evaluation_has_a_name_for_people():
    steps = {check.id for check in judge(cases.a_case()).checks}

    assert set(words.STEPS) == steps


def test_a_proof_by_the_same_chain_is_pictured_once():
    signal = rows.signals("a.example", "secure")[0]
    signal["cdnskey"] = signal["cds"] | {"type": "CDNSKEY"}

    (shown,) = svg.chains([signal])

    assert [picture is None for _proof, picture in shown.shown] == [False, True]
