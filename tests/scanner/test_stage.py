"""Stage one over a laboratory: silent children end there, all others do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bootstrap import clock
from bootstrap.core.dns.names import parse_name
from bootstrap.core.dnssec.anchors import NoTrustAnchor
from bootstrap.core.evaluation.glance import Routine
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.recipes import UNSIGNED, Recipe, ZoneRecipe
from bootstrap.lab.worlds import Child, Operator, Parent, World
from bootstrap.scanner.replay import Replay

from .support import run
from .test_scanner import a_case, a_scanner

BOTH = ("lantern.example", "harbour.test")
RECIPES = {
    "unsigned": Recipe(zone=UNSIGNED),
    "silent": Recipe(zone=ZoneRecipe(cds=(), cdnskey=())),
    "asking": Recipe(),
    "half": Recipe(zone=ZoneRecipe(cds=())),
    "odd": Recipe(zone=UNSIGNED, at={"a1": ZoneRecipe(cds=(), cdnskey=())}),
}
NAMES = [f"{label}.alpha.test" for label in RECIPES]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    world = World(
        parents=(Parent(name="alpha.test"),),
        operators=(
            Operator(zone="lantern.example"),
            Operator(zone="harbour.test", algorithm=15),
        ),
        children=tuple(
            Child(name=f"{label}.alpha.test", operators=BOTH, recipe=recipe)
            for label, recipe in RECIPES.items()
        ),
    )
    folder = tmp_path_factory.mktemp("glanced")
    with Lab(
        world, clock=clock.now, folder=folder, seed=b"stage", prefix="127.56"
    ) as running:
        yield running


def routine(lab, name, **changes):
    return Routine(replace(a_case(lab, name), trigger=Trigger.SCHEDULE, **changes))


def glance(lab, names, **changes):
    """Return what is kept of each child; children share their nameservers."""

    async def scene():
        async with a_scanner(lab, **changes) as eyes:
            found = {}
            for name in names:
                (found[name],) = await eyes.glance([routine(lab, name)])
            return found

    return run(scene)


def test_silent_children_end_there_and_no_others(lab):
    found = glance(lab, NAMES)

    assert [name for name, look in found.items() if look] == NAMES[:2]
    assert found["unsigned.alpha.test"].is_signed is False
    assert found["silent.alpha.test"].is_signed is True


def test_children_of_one_set_of_nameservers_are_looked_at_together(lab):
    hosts = a_case(lab, NAMES[0]).delegation.nameservers
    names = [
        name for name in NAMES if a_case(lab, name).delegation.nameservers == hosts
    ]
    assert len(names) >= 3

    async def scene():
        async with a_scanner(lab) as eyes:
            return await eyes.glance([routine(lab, name) for name in names])

    together = run(scene)
    alone = glance(lab, names)
    assert [bool(look) for look in together] == [bool(alone[name]) for name in names]


def test_hosts_without_addresses_leave_a_doubt(lab):
    async def scene():
        async with a_scanner(lab) as eyes:
            wanted = routine(lab, NAMES[0])
            nowhere = (parse_name("ns1.nowhere.test"),)
            delegation = replace(wanted.case.delegation, nameservers=nowhere)
            case = replace(wanted.case, delegation=delegation)
            return await eyes.glance([Routine(case), Routine(case)])

    assert run(scene) == [None, None]


def test_without_an_anchor_it_says_so(lab):
    with pytest.raises(NoTrustAnchor):
        glance(lab, NAMES[:1], anchors=())


def test_a_replay_has_nobody_to_look_at(lab):
    with pytest.raises(TypeError, match="replay"):
        glance(lab, NAMES[:1], transport=Replay((), clock=clock.now))
