"""What walks leave behind: found again by the very same answers, and bounded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bootstrap.core.dns.names import ROOT
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.budget import Budget
from bootstrap.core.dnssec.chain import validate
from bootstrap.core.dnssec.memory import Kept, Memory, Price, Trace, Way
from bootstrap.core.dnssec.proofs import Needs, Proof, Question
from bootstrap.core.dnssec.security import Flaw, Security
from tests.support.signed import NOW, SIGNAL, a_tree, n

KEYS = Question(ROOT, ROOT, RdataType.DNSKEY)
NAMES = Question(ROOT, ROOT, RdataType.NS)
FREE = Price(0, 0)
NOTHING: Kept[Proof | Needs] = Kept(Needs(()), FREE)


@pytest.mark.parametrize(
    ("verifications", "hashes", "paid"),
    [(2, 3, True), (1, 3, False), (2, 2, False)],
)
def test_p_7_80_a_remembered_outcome_costs_what_it_cost_or_nothing(
    verifications, hashes, paid
):
    budget = Budget(verifications, hashes)

    assert Price(verifications=2, hashes=3).paid_from(budget) is paid
    left = (0, 0) if paid else (verifications, hashes)
    assert (budget.verifications, budget.nsec3_hashes) == left


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


class Asked:
    """A signal whose chain was asked for, to be proven again and again."""

    def __init__(self) -> None:
        tree = a_tree()
        self.anchors = tree.anchors
        tree.prove(SIGNAL, "CDS")
        self.seen = tree.seen

    def proved(self, budget=None, memory=None, *, now=NOW, anchors=None) -> Proof:
        found = validate(
            n(SIGNAL),
            RdataType.CDS,
            seen=self.seen,
            anchors=anchors or self.anchors,
            now=now,
            budget=budget or Budget(),
            memory=memory,
        )
        assert isinstance(found, Proof)
        return found


def test_a_proof_is_the_same_with_memory_and_costs_the_same():
    asked, memory = Asked(), Memory()
    plain, first, second = Budget(), Budget(), Budget()

    without = asked.proved(plain)

    assert without.security is Security.SECURE
    assert asked.proved(first, memory) == without
    assert asked.proved(second, memory) == without
    assert plain == first == second
    assert plain.verifications < Budget().verifications


def test_a_remembered_proof_is_the_very_same_object():
    asked, memory = Asked(), Memory()

    assert asked.proved(memory=memory) is asked.proved(memory=memory)
    assert asked.proved() is not asked.proved()


def test_what_is_remembered_holds_for_that_second_and_those_anchors_alone():
    asked, memory = Asked(), Memory()
    found = asked.proved(memory=memory)
    others = tuple(replace(anchor) for anchor in asked.anchors)

    later = asked.proved(memory=memory, now=NOW + timedelta(seconds=1))
    elsewhere = asked.proved(memory=memory, anchors=others)

    assert later == elsewhere == found
    assert found is not later
    assert found is not elsewhere
    expired = asked.proved(memory=memory, now=NOW + timedelta(days=30))
    assert expired.security is Security.BOGUS


def test_a_remembered_proof_that_cannot_be_paid_ends_as_it_would_have():
    asked, memory = Asked(), Memory()
    asked.proved(memory=memory)

    poor = asked.proved(Budget(verifications=2), memory)

    assert poor == asked.proved(Budget(verifications=2))
    assert poor.flaw is Flaw.LIMIT


def test_a_memo_spares_signatures_and_no_allowance():
    asked = Asked()
    memo: dict[bytes, bool] = {}
    first, second = Budget(), Budget()

    for budget in (first, second):
        validate(
            n(SIGNAL),
            RdataType.CDS,
            seen=asked.seen,
            anchors=asked.anchors,
            now=NOW,
            budget=budget,
            memo=memo,
        )

    assert memo
    assert set(memo.values()) == {True}
    assert first == second


def test_a_way_that_matches_is_not_taken_where_the_budget_cannot_pay_for_it():
    way = Way(((KEYS, None),), Kept("its end", Price(verifications=2)))
    trace = Trace({})

    assert way.taken(trace, replace(Budget(), verifications=1)) is None
    assert not trace.looked
    assert way.taken(trace, Budget()) == "its end"
    assert list(trace.looked) == [KEYS]
