"""What walks leave behind: found again by the very same answers, and bounded."""

from __future__ import annotations

import pytest

from bootstrap.core.dns.names import ROOT
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.budget import Budget
from bootstrap.core.dnssec.memory import Kept, Memory, Price, Trace
from bootstrap.core.dnssec.proofs import Needs, Proof, Question

KEYS = Question(ROOT, ROOT, RdataType.DNSKEY)
NAMES = Question(ROOT, ROOT, RdataType.NS)
FREE = Price(0, 0)
NOTHING: Kept[Proof | Needs] = Kept(Needs(()), FREE)


def test_a_walk_that_asked_for_nothing_is_not_remembered():
    memory = Memory()

    memory.keep_walk("key", Trace({}), NOTHING)

    assert memory.walked("key", {}) is None


def test_a_walk_is_found_by_the_very_answers_that_it_looked_at():
    memory, answers = Memory(), {KEYS: (), NAMES: ()}
    trace = Trace(answers)
    assert trace[KEYS] == ()
    assert trace.get(NAMES) == ()
    memory.keep_walk("key", trace, NOTHING)

    assert memory.walked("key", answers) is NOTHING
    assert memory.walked("another", answers) is None
    assert memory.walked("key", {KEYS: ()}) is None


def test_a_walk_that_missed_an_answer_is_found_while_it_is_missing():
    memory = Memory()
    trace = Trace({})
    assert trace.get(KEYS) is None
    memory.keep_walk("key", trace, NOTHING)

    assert memory.walked("key", {}) is NOTHING
    assert memory.walked("key", {KEYS: ()}) is None


def test_a_trace_shows_the_answers_as_they_are_and_keeps_the_order_of_looking():
    answers = {KEYS: (), NAMES: ()}
    trace = Trace(answers)

    assert len(trace) == 2
    assert list(trace) == [KEYS, NAMES]
    assert not trace.looked
    assert trace[NAMES] == trace[KEYS] == ()
    assert list(trace.looked) == [NAMES, KEYS]
    with pytest.raises(KeyError):
        trace[Question(ROOT, ROOT, RdataType.DS)]


def test_walks_beyond_the_limit_drop_the_older_ones():
    memory, answers = Memory(walks=1), {KEYS: ()}
    for key in ("first", "second"):
        trace = Trace(answers)
        assert trace[KEYS] == ()
        memory.keep_walk(key, trace, NOTHING)

    assert memory.walked("first", answers) is None
    assert memory.walked("second", answers) is NOTHING


def test_a_look_is_judged_once_while_it_can_be_paid_for():
    memory, judged = Memory(looks=2), []

    def look(key, budget):
        def judge():
            judged.append(key)
            budget.spend_verification()
            return key

        return memory.look(key, judge, budget=budget, holds=())

    budget = Budget()
    assert look("a", budget) == look("a", budget) == "a"
    assert judged == ["a"]
    assert budget.verifications == Budget().verifications - 2
    look("b", budget)
    look("c", budget)  # the third: what was there is forgotten
    assert look("a", budget) == "a"
    assert judged == ["a", "b", "c", "a"]
