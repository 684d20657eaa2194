"""What a run remembers and for how long (S-22, S-26; P-1.43)."""

from __future__ import annotations

import dns.message
import dns.rrset
import pytest

from bootstrap import clock
from bootstrap.core.dns.messages import read
from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.chain import Question
from bootstrap.core.evaluation.observations import Observation
from bootstrap.core.evaluation.queries import Query
from bootstrap.scanner.cache import (
    MAX_ENTRIES_OF_ZONE,
    Answers,
    Entry,
    View,
    may_be_kept,
)


def a_question(name="www.test", rdtype=RdataType.A, zone="test"):
    return Question(parse_name(zone), parse_name(name), rdtype)


def an_entry(question, ttl=60):
    message = dns.message.make_response(
        dns.message.make_query(question.name, question.rdtype)
    )
    message.answer.append(
        dns.rrset.from_text(question.name, ttl, "IN", "TXT", f'"{ttl}"')
    )
    wire = message.to_wire()
    seen = Observation(Query("192.0.2.1", *question), clock.now(), b"", wire)
    return Entry((seen,), (read(wire, question.name, question.rdtype),))


class Watch:
    time = 0.0

    def __call__(self) -> float:
        return self.time


def test_an_answer_lives_as_long_as_its_ttl():
    watch = Watch()
    answers = Answers(watch)
    question = a_question()
    answers.put(question, entry := an_entry(question, ttl=60))

    watch.time = 59.9
    assert answers.get(question) is entry
    watch.time = 60.0
    assert answers.get(question) is None
    assert len(answers) == 0


def test_no_ttl_is_longer_than_an_hour():
    watch = Watch()
    answers = Answers(watch)
    question = a_question()
    answers.put(question, an_entry(question, ttl=86_400))
    watch.time = 3600.0

    assert answers.get(question) is None


def test_a_failure_is_not_kept():
    answers = Answers(Watch())
    question = a_question()
    seen = an_entry(question).observations
    answers.put(question, Entry(seen))

    assert answers.get(question) is None


KEPT = {
    "an address": (a_question(), True),
    "a DS": (a_question(rdtype=RdataType.DS), True),
    "a CDS": (a_question(rdtype=RdataType.CDS), False),
    "a CDNSKEY": (a_question(rdtype=RdataType.CDNSKEY), False),
    "a signaling domain": (a_question("_signal.ns1.test", RdataType.DS), True),
    "a parent in it": (a_question("ch._signal.ns1.test", RdataType.DS), True),
    "a child in it": (a_question("a.ch._signal.ns1.test", RdataType.DS), False),
}


@pytest.mark.parametrize(("question", "kept"), KEPT.values(), ids=KEPT)
def test_what_speaks_of_one_child_is_not_kept_for_others(question, kept):
    assert may_be_kept(question) is kept


def test_a_zone_with_many_names_pushes_out_its_own():
    answers = Answers(Watch())
    other = a_question("www.example", zone="example")
    answers.put(other, an_entry(other))
    questions = [a_question(f"n{n}.test") for n in range(MAX_ENTRIES_OF_ZONE + 5)]
    entry = an_entry(questions[0])
    for question in questions:
        answers.put(question, entry)

    assert answers.get(other) is not None
    assert answers.get(questions[4]) is None
    assert answers.get(questions[5]) is not None
    assert len(answers) == MAX_ENTRIES_OF_ZONE + 1


def test_big_answers_of_a_zone_push_out_its_own(monkeypatch):
    monkeypatch.setattr("bootstrap.scanner.cache.MAX_OCTETS", 300)
    answers = Answers(Watch())
    other = a_question("www.example", zone="example")
    answers.put(other, an_entry(other))
    for number in range(50):
        question = a_question(f"n{number}.test")
        answers.put(question, an_entry(question))

    assert answers.get(other) is not None
    assert len(answers) < 8


def test_a_view_shows_own_answers_first_and_remembers_what_was_looked_at():
    answers = Answers(Watch())
    question, unseen = a_question(), a_question("other.test")
    own, shared = an_entry(question), an_entry(question)
    answers.put(question, shared)
    view = View({question: own}, answers, private=None)

    assert view[question] is own.responses
    assert unseen not in view
    assert view.used == {question: own}


def test_of_the_private_zone_nothing_is_shared():
    answers = Answers(Watch())
    question = a_question()
    answers.put(question, an_entry(question))

    assert question not in View({}, answers, private=parse_name("test"))
    assert question in View({}, answers, private=parse_name("example"))


def test_joining_the_same_answers_changes_nothing():
    question = a_question()
    one, two = an_entry(question), an_entry(question)

    assert one.joined(one) is one
    assert len(one.joined(two).responses) == 2
    assert one.joined(two).joined(two) == one.joined(two)
