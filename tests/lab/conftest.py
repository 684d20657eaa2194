from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.recipes import Recipe
from bootstrap.lab.worlds import Child, Operator, Parent, World

SEED = b"tests"
BOTH = ("lantern.example", "harbour.test")


def real_time() -> datetime:
    return datetime.now(UTC)


def small_world(**recipes: Recipe) -> World:
    """Two parents (NSEC, and NSEC3 with opt-out), two operators, named children."""
    return World(
        parents=(
            Parent(name="alpha.test"),
            Parent(name="beta.test", denial="nsec3", opt_out=True),
        ),
        operators=(
            Operator(zone="lantern.example"),
            Operator(zone="harbour.test", algorithm=15),
        ),
        children=tuple(
            Child(name=f"{label}.{parent}", operators=BOTH, recipe=recipe)
            for label, recipe in recipes.items()
            for parent in ("alpha.test", "beta.test")
        ),
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    world = small_world(good=Recipe(), secured=Recipe(ds=("k1:2",)))
    folder = tmp_path_factory.mktemp("lab")
    with Lab(world, clock=real_time, folder=folder, seed=SEED, prefix="127.54") as lab:
        yield lab
