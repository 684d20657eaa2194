"""Every rule of the decision has a mutant, and the conformance kit catches it.

`make conformance-mutants` tries all and writes docs/conformance-mutants.md; here the
table is held to the source, and some of the mutants are tried anew.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping

import pytest

from bootstrap.core.evaluation.verdict import Outcome, judge
from omissions import rules, table
from omissions.kit import record, remembered
from omissions.rules import Kind, Rule
from omissions.surgery import without
from omissions.survivors import REDUNDANT
from omissions.tables import NO_RULES, TABLES
from omissions.trial import attempts

EVERY = {rule.id: rule for rule in rules.every()}
FEW = 24
STALE = "docs/conformance-mutants.md is out of date: python -m omissions --new"


def written() -> Mapping[str, str]:
    return table.read()


def test_every_rule_has_its_row():
    assert written().keys() == {table.cell(rule) for rule in EVERY}, STALE


def test_only_what_is_known_to_be_redundant_is_caught_by_no_case():
    survivors = {
        rule for rule, said in written().items() if said.startswith(table.NONE)
    }

    assert survivors == {table.cell(rule) for rule in REDUNDANT}, STALE
    assert REDUNDANT.keys() <= EVERY.keys()
    assert all(REDUNDANT.values())


def test_every_step_is_caught():
    assert [i for i in REDUNDANT if EVERY[i].kind is Kind.STEP] == []


def test_rules_are_of_every_kind_and_each_has_a_reference():
    assert {rule.kind for rule in EVERY.values()} == set(Kind)
    assert all(rule.reference for rule in EVERY.values())
    assert len(EVERY) == len(rules.every())


def test_every_module_decides_or_is_excused():
    excused = {f"bootstrap.core.{name}" for name in rules.WITHOUT_RULES}

    assert not excused & set(rules.modules())
    for name in excused:
        assert importlib.import_module(name).__doc__


def test_every_table_of_the_engine_is_a_list_of_rules_or_excused():
    """A new table has to be looked at: are its rows rules?"""
    known = {f"{one.module}.{one.name}" for one in TABLES} | NO_RULES.keys()
    found = {
        f"{rules.short(name)}.{constant}"
        for name in rules.modules()
        for constant, value in vars(importlib.import_module(name)).items()
        if isinstance(value, Mapping | frozenset | tuple)
        and constant.lstrip("_").isupper()
        and is_home(name, constant)
    }

    assert found == known


def is_home(name: str, constant: str) -> bool:
    """Say whether the constant is made in that module and not imported."""
    source = rules.source(name)
    return f"\n{constant}: Final" in source or f"\n{constant} = " in source


@pytest.fixture(scope="module")
def some(long_trials) -> list[Rule]:
    """Rules whose mutants are tried: all in a long trial, else a fixed choice."""
    if long_trials:
        return list(EVERY.values())
    caught = [rule for rule in EVERY.values() if rule.id not in REDUNDANT]
    return sorted(caught, key=lambda rule: hashlib.sha256(rule.id.encode()).digest())[
        :FEW
    ]


@pytest.fixture(scope="module")
def kit(some, long_trials):
    """The cases that the table names for them, scanned; in a long trial all."""
    if long_trials:
        return record()
    rows = written()
    named = {case for rule in some for case in rows[table.cell(rule.id)].split(", ")}
    return record({*named, "F90", "F76"})


@pytest.mark.slow
@pytest.mark.system
def test_the_kit_catches_each_mutant_as_the_table_says(some, kit):
    with remembered(kit):
        found = list(attempts(tuple(some), kit))

    assert table.faults(found) == []


@pytest.mark.slow
@pytest.mark.system
def test_what_a_step_should_have_found_is_asked_for_once_more(kit):
    """`_earned` alone changes nothing; it is what holds where a step is broken."""
    (one,) = (one for one in kit if one.id == "F90")
    (earned,) = (rule for rule in EVERY.values() if "decision._earned" in rule.id)

    with without(EVERY["step check_signer"]), without(earned):
        assert judge(one.case).outcome is Outcome.ACCEPT


@pytest.mark.slow
@pytest.mark.system
@pytest.mark.parametrize(
    ("step", "case", "outcome"),
    [
        ("check_windows", "F76", Outcome.ACCEPT),
        ("check_signer", "F90", Outcome.ERROR),  # acceptance is earned (P-2.51)
    ],
)
def test_without_a_step_the_engine_errs_and_is_whole_afterwards(
    kit, step, case, outcome
):
    (one,) = (one for one in kit if one.id == case)

    with without(EVERY[f"step {step}"]):
        assert judge(one.case).outcome is outcome

    assert not one.catches()
