"""One server of a zone is bad in all that it says; the other one is good (P-7.92)."""

from __future__ import annotations

import secrets

import pytest

from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.kit import cases_of
from bootstrap.lab.situations import catalogue, world_for
from bootstrap.services import conformance

from .conftest import SEED, real_time

pytestmark = pytest.mark.system
EXPIRED = {"S-mixed-expired": catalogue()["S-mixed-expired"]}
DRAWS = {"first": lambda count: 0, "last": lambda count: count - 1}


@pytest.mark.parametrize("draw", DRAWS)
def test_p_7_92_everything_that_one_expired_server_spoils_is_asked_of_the_other(
    draw, tmp_path, monkeypatch
):
    """With one of the two draws the expired server is asked all questions first."""
    monkeypatch.setattr(secrets, "randbelow", DRAWS[draw])
    world = world_for(EXPIRED)
    with Lab(
        world, clock=real_time, folder=tmp_path, seed=SEED, prefix="127.68"
    ) as lab:
        ((_, verdict),) = conformance.verdicts(lab, cases_of(lab, EXPIRED))

    assert verdict.outcome is Outcome.ACCEPT
