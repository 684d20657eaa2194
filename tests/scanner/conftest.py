from __future__ import annotations

import pytest

from bootstrap import clock
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.recipes import Recipe
from bootstrap.lab.worlds import Child, Operator, Parent, World

BOTH = ("lantern.example", "harbour.test")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A root, two parents, two operators and some children, on loopback."""
    recipes = {"good": Recipe(), "secured": Recipe(ds=("k1:2",))}
    world = World(
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
    folder = tmp_path_factory.mktemp("scanned")
    with Lab(
        world, clock=clock.now, folder=folder, seed=b"scanner", prefix="127.55"
    ) as running:
        yield running
