"""What each check rests on: enough to find the same, and no more than its part (P-8.8)."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from functools import cache

import pytest

from bootstrap.core.dns.names import Name, parse_name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.evaluation import notes
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.decision import collect
from bootstrap.core.evaluation.facts import Facts
from bootstrap.core.evaluation.inputs import BASIS, Part, inputs_of, parts_of, places
from bootstrap.core.evaluation.observations import Observation
from bootstrap.core.evaluation.proofs import proving
from bootstrap.core.evaluation.queries import Query
from bootstrap.core.evaluation.steps import STAGES
from bootstrap.core.evaluation.verdict import Check, Mark, Outcome, judge
from bootstrap.lab.assembly import assemble
from bootstrap.lab.keys import Keyring
from bootstrap.lab.network import Network
from bootstrap.lab.scenes import demo_world
from tests.support.cases import (
    CHILD,
    NOW as CASE_NOW,
    a_case as a_simple_case,
    observed,
)
from tests.support.rehearsal import NOW, Rehearsal, delegation_of

STEPS = {stage.id: stage for stage in STAGES}


@cache
def cases() -> dict[Name, Case]:
    """Return every child of the demo's world as a case, with all its walks."""
    network = Network(Keyring(b"inputs"), NOW)
    rehearsal = Rehearsal(assemble(demo_world(), network, clock=lambda: NOW))
    return {
        name: rehearsal.evaluate(delegation_of(rehearsal, placer))
        for name, placer in rehearsal.built.children.items()
    }


def accepted() -> Case:
    """Return a bootstrap that is accepted."""
    for case in cases().values():
        verdict = judge(case)
        if verdict.outcome is Outcome.ACCEPT and verdict.signals:
            return case
    raise AssertionError("nobody in this world is bootstrapped")


def inputs(case: Case) -> dict[str, tuple[int, ...]]:
    """Return by check the places of the observations that it rests on."""
    checks = judge(case).checks
    found = inputs_of(case, checks)
    return {c.id: places(bits) for c, bits in zip(checks, found, strict=True)}


def only(case: Case, chosen) -> Case:
    return replace(case, observations=tuple(case.observations[at] for at in chosen))


def without(case: Case, part: Part) -> Case:
    """Return the case without what belongs to one part."""
    bits = parts_of(case)[part]
    left = range(len(case.observations))
    return only(case, [at for at in left if not bits >> at & 1])


def findings(case: Case, check: str):
    facts = Facts(case, proving(case))
    return tuple(dict.fromkeys(STEPS[check].step(facts)))


def test_p_8_8_every_check_and_note_says_what_it_rests_on():
    noted = set(re.findall(r'Note\("(check_\w+)"', inspect.getsource(notes)))

    assert noted
    assert set(BASIS) == {*STEPS, *noted}


def test_p_8_8_a_check_finds_the_same_on_its_inputs_alone():
    seen: set[str] = set()
    for name, case in cases().items():
        named = inputs(case)
        for part in collect(Facts(case, proving(case))):
            check = part.stage.id
            if part.findings is not None:
                again = findings(only(case, named[check]), check)
                assert again == part.findings, (name, check)
                seen.add(check)
    assert seen >= {"check_signals", "check_apex", "check_denial", "check_replay"}


@pytest.mark.parametrize(
    ("check", "part"),
    [
        ("check_published_ds", Part.PARENT),
        ("check_nameservers", Part.SERVERS),
        ("check_responses", Part.SERVERS),
        ("check_apex", Part.SERVERS),
        ("check_signals", Part.SIGNALS),
    ],
)
def test_p_8_8_without_one_of_its_parts_a_check_finds_something_else(check, part):
    case = accepted()

    assert findings(without(case, part), check) != findings(case, check)


def test_p_8_8_signals_do_not_rest_on_what_the_child_says():
    case = accepted()
    child = case.delegation.child
    named = inputs(case)

    zones = {case.observations[at].query.zone for at in named["check_signals"]}
    assert child not in zones
    assert child in {case.observations[at].query.zone for at in named["check_path"]}
    assert len(named["check_published_ds"]) < len(named["check_signals"])
    assert named["check_preconditions"] == ()


def test_what_does_not_apply_rests_on_nothing():
    case = accepted()
    skipped = [c.id for c in judge(case).checks if c.mark is Mark.SKIPPED]

    assert skipped
    assert {inputs(case)[check] for check in skipped} == {()}


def test_a_check_that_is_not_known_may_rest_on_everything():
    case = accepted()

    (bits,) = inputs_of(case, [Check("check_weather", Mark.PASS)])

    assert places(bits) == tuple(range(len(case.observations)))


def test_what_belongs_nowhere_belongs_everywhere():
    stray = parse_name("stray.example.org")
    query = Query("192.0.2.53", stray, stray, RdataType.DNSKEY)
    case = observed(a_simple_case(), Observation(query, CASE_NOW, b""))
    last = 1 << len(case.observations) - 1

    parts = parts_of(case)

    assert all(bits & last for bits in parts.values())
    assert parts[Part.PARENT] == last
    assert parts[Part.SERVERS] == (last << 1) - 1


def test_a_look_up_of_the_childs_ds_is_the_parents_word_whoever_else_needs_it():
    parent = CHILD.parent()
    asked = Observation(Query("192.0.2.53", parent, CHILD, RdataType.DS), CASE_NOW, b"")
    case = observed(a_simple_case(), asked)
    last = 1 << len(case.observations) - 1

    assert parts_of(case)[Part.PARENT] == last
    # servers of the child were asked for A of the child's own name (P-3.13)
    assert parts_of(case)[Part.SERVERS] & last
    assert not parts_of(case)[Part.SIGNALS] & last


@pytest.mark.parametrize(
    ("bits", "found"), [(b"", ()), (b"\x05", (0, 2)), (b"\x00\x81", (8, 15))]
)
def test_bits_are_places_the_lowest_of_the_first_octet_first(bits, found):
    assert places(bits) == found
