"""Three validators agree, or the difference is listed with its reason (S-41, P-7.95)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.situations import catalogue, world_for
from tests.conftest import needs

from . import differential
from .conftest import SEED, real_time
from .oracle import CAN_RUN, unbound

pytestmark = [pytest.mark.slow, CAN_RUN]
LIST = Path(__file__).parents[2] / "docs" / "validator-differences.md"
AT_LEAST = 120
SITUATIONS = catalogue()


def listed() -> dict[tuple[str, str, str], tuple[str, str, str]]:
    """Read the table: situation, what and type; then ours, Unbound's, delv's."""
    found = {}
    for line in LIST.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] in SITUATIONS:
            situation, what, rdtype, ours, others, delvs, reason = cells
            assert reason, f"{situation}: no reason"
            found[situation, what, rdtype] = (ours, others, delvs)
    return found


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    needs("delv")
    folder = tmp_path_factory.mktemp("differential")
    prefix = f"127.{100 + os.getpid() % 100}"
    world = world_for(SITUATIONS)
    with (
        Lab(
            world, clock=real_time, folder=folder, seed=SEED, prefix=prefix, port=53
        ) as lab,
        unbound(lab, folder / "unbound") as resolver,
    ):
        asked = list(differential.questions(lab, SITUATIONS))
        said = zip(
            differential.ours(lab, asked),
            differential.unbound(resolver, asked),
            differential.delv(lab, resolver, asked),
            strict=True,
        )
        return dict(zip(asked, said, strict=True))


def test_three_validators_were_asked_often_enough(answers):
    assert len(answers) >= AT_LEAST


def test_validators_agree_or_the_difference_is_listed_with_its_reason(answers):
    differing = {
        (q.situation, q.what, q.rdtype): said
        for q, said in answers.items()
        if len(set(said)) > 1
    }

    assert differing == listed()


def test_each_word_is_said_often_so_that_agreement_means_something(answers):
    agreed = [said[0] for said in answers.values() if len(set(said)) == 1]

    for word in ("secure", "insecure", "refused"):
        assert agreed.count(word) >= 10


def test_nothing_that_we_call_secure_is_doubted_by_another(answers):
    trusting = [q for q, said in answers.items() if said[0] == "secure"]
    doubted = [q for q in trusting if set(answers[q]) != {"secure"}]

    assert doubted == []
