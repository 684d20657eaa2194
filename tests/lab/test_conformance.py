"""Each situation of the catalogue, scanned and judged: what the product must find.

One laboratory has them all, so one scan meets everything that a child, its
servers, its operators and its registry can do wrong.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bootstrap.core.evaluation.reasons import Reason
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.kit import cases_of
from bootstrap.lab.network import has_ipv6
from bootstrap.lab.situations import CATALOGUE, catalogue, world_for
from bootstrap.services import conformance

from .conftest import SEED, real_time

pytestmark = [pytest.mark.slow, pytest.mark.system]
SITUATIONS = {i: s for i, s in catalogue().items() if has_ipv6() or not s.ipv6}
AT_LEAST = 250

NOT_BY_THE_KIT = {
    "whether to evaluate at all": {Reason.PRE_RATE_LIMITED},
    "who may approve": {Reason.POL_MANUAL_REVIEW},
    "the registrar's channel": {Reason.UPD_REGISTRAR_STALE_PUSH},
}
"""Codes that no evaluation brings about, by what does."""
OTHER_STAGES = ("PUB_", "POST_", "NTF_")
"""Codes of publication, of the look afterwards, and of notifications."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conformance")
    world = world_for(SITUATIONS)
    with Lab(world, clock=real_time, folder=folder, seed=SEED, prefix="127.65") as lab:
        found = conformance.verdicts(lab, cases_of(lab, SITUATIONS))
        return {case.id: (case, conformance.seen(verdict)) for case, verdict in found}


@pytest.mark.parametrize("identifier", SITUATIONS)
def test_a_situation_is_judged_as_the_catalogue_says(seen, identifier):
    case, found = seen[identifier]

    assert case.faults(found) == (), found


def test_there_are_as_many_cases_as_were_promised():
    assert len(SITUATIONS) >= AT_LEAST


def test_the_manual_counts_the_cases_that_there_are():
    manual = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text()

    assert f"{len(catalogue())} children" in manual
    for path in CATALOGUE.glob("*.toml"):
        count = len(tomllib.loads(path.read_text()))
        assert f"| `{path.name}` | {count} |" in manual


def test_every_case_refers_to_a_clause():
    for situation in SITUATIONS.values():
        assert situation.reference.startswith(("RFC ", "P-", "S-", "protocol.md", "F-"))


def test_every_code_of_an_evaluation_has_a_case_or_a_reason_why_not():
    cased = {code for s in SITUATIONS.values() for code in s.codes}
    excused = {reason for reasons in NOT_BY_THE_KIT.values() for reason in reasons}
    lacking = {
        reason
        for reason in Reason
        if reason not in cased | excused and not reason.startswith(OTHER_STAGES)
    }

    assert lacking == set()
    assert not excused & cased
