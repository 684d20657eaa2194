from __future__ import annotations

from itertools import product

import pytest

from bootstrap.core.workflow.lifecycle import (
    OPEN,
    TRANSITIONS,
    Event,
    State,
    TransitionRefused,
    advance,
)

ENDS = {State.SETTLED, State.REJECTED, State.STALE, State.CONFLICT}
BEFORE_THE_PACKET = {State.CANDIDATE, State.HELD, State.APPROVED, State.FAILED}


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_a_state_moves_by_an_arrow_of_the_table_or_not_at_all(state, event):
    if (state, event) in TRANSITIONS:
        assert advance(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(TransitionRefused) as refused:
            advance(state, event)
        assert (refused.value.state, refused.value.event) == (state, event)


def test_only_the_ends_are_closed():
    assert set(State) - OPEN == ENDS


def test_nothing_is_sent_that_was_not_approved_and_begun():
    ways = {
        (old, event)
        for (old, event), new in TRANSITIONS.items()
        if new is State.SENDING
    }
    assert ways == {(State.APPROVED, Event.BEGIN)}


def test_what_may_have_left_for_the_parent_cannot_lapse_or_be_rejected():
    for state, event in TRANSITIONS:
        if event in {Event.LAPSE, Event.REJECT}:
            assert state in BEFORE_THE_PACKET


def test_every_open_state_has_a_way_to_an_end():
    leads_to_an_end = set(ENDS)
    for _ in State:
        leads_to_an_end |= {
            old for (old, _event), new in TRANSITIONS.items() if new in leads_to_an_end
        }
    assert leads_to_an_end == set(State)
