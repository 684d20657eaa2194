"""Faults in good evidence, one at a time and by the thousand: never a false yes (R-32)."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.verdict import Outcome, Verdict, judge
from bootstrap.core.evidence import bundle
from bootstrap.core.evidence.bundle import Bundle
from bootstrap.core.evidence.verify import verify
from bootstrap.lab.assembly import assemble
from bootstrap.lab.keys import Keyring
from bootstrap.lab.network import Network
from bootstrap.lab.recipes import Recipe, SignalRecipe, ZoneRecipe
from bootstrap.lab.scenes import BOTH, demo_world
from bootstrap.lab.worlds import Child, Operator, Parent, World
from fuzz.targets import accepted, spoiled
from tests.support.rehearsal import NOW, Rehearsal, delegation_of

IS_LONG = bool(os.environ.get("TEST_LONG"))
QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck))


def small() -> bytes:
    """Return a bundle of a few packets."""
    case = replace(accepted().case, observations=accepted().case.observations[:3])
    return bundle.encode(Bundle(case, judge(case)))


def survivors(octets: bytes, bits) -> list[int]:
    """Return which of these bits can be flipped without being noticed."""
    found = []
    changed = bytearray(octets)
    for bit in bits:
        changed[bit // 8] ^= 1 << bit % 8
        if verify(bytes(changed)).reproduced:
            found.append(bit)
        changed[bit // 8] ^= 1 << bit % 8
    return found


def test_r_32_no_bit_of_a_small_bundle_can_be_flipped():
    octets = small()

    assert verify(octets).reproduced
    assert survivors(octets, range(8 * len(octets))) == []


def test_r_32_no_bit_of_a_large_bundle_can_be_flipped(long_trials):
    octets = bundle.encode(accepted())

    assert survivors(octets, range(0, 8 * len(octets), 1 if long_trials else 97)) == []


# ── 10,000 faults in packets ─────────────────────────────────────────────────


@cache
def worlds() -> list[tuple[Case, Verdict]]:
    """Return every child of the demo's world: accepted ones, and others."""
    network = Network(Keyring(b"faults"), NOW)
    rehearsal = Rehearsal(assemble(demo_world(), network, clock=lambda: NOW))
    cases = [
        rehearsal.evaluate(delegation_of(rehearsal, placer))
        for placer in rehearsal.built.children.values()
    ]
    return [(case, judge(case)) for case in cases]


def gains_nothing(honest: Verdict, again: Verdict) -> bool:
    """Say whether a verdict over faulty packets allows no more than the honest one."""
    if again.outcome is not Outcome.ACCEPT:
        return True
    return (
        honest.outcome is Outcome.ACCEPT
        and again.candidate == honest.candidate
        and again.path is honest.path
        and again.auth_method is honest.auth_method
    )


@pytest.mark.slow
def test_r_32_random_single_faults_never_turn_into_accept(long_trials):
    dice = random.Random(32)  # noqa: S311 - the same faults each time
    changed = 0
    count = 10_000 if long_trials else 500
    for _ in range(count):
        case, honest = dice.choice(worlds())
        fault = dice.randbytes(6)
        again = judge(spoiled(case, fault))
        changed += again != honest
        assert gains_nothing(honest, again), fault.hex()
    assert changed > count // 4  # most faults are noticed, so they are real ones


def dropped(case: Case, at: int, _other: int) -> Case:
    seen = case.observations
    return replace(case, observations=seen[:at] + seen[at + 1 :])


def swapped(case: Case, at: int, other: int) -> Case:
    seen = list(case.observations)
    answers = seen[at].received, seen[other].received
    for place, answer in zip((other, at), answers, strict=True):
        if answer is not None and seen[place].received is not None:
            seen[place] = replace(seen[place], received=answer)
    return replace(case, observations=tuple(seen))


def truncated(case: Case, at: int, other: int) -> Case:
    seen = list(case.observations)
    packet = seen[at].received
    if packet is not None:
        seen[at] = replace(seen[at], received=packet[: other % len(packet)])
    return replace(case, observations=tuple(seen))


@given(
    st.data(),
    st.sampled_from([dropped, swapped, truncated]),
    st.sampled_from(range(14)),
)
@settings(QUIET, max_examples=150)
def test_answers_dropped_swapped_or_cut_never_turn_into_accept(data, fault, which):
    case, honest = worlds()[which % len(worlds())]
    places = st.integers(0, len(case.observations) - 1)

    spoilt = fault(case, data.draw(places), data.draw(places))

    assert gains_nothing(honest, judge(spoilt))


@given(st.sampled_from(range(14)), st.integers(15, 3650), st.booleans())
@settings(QUIET, max_examples=40)
def test_another_time_never_turns_into_accept(which, days, later):
    """Signatures of the laboratory hold for 14 days."""
    case, _honest = worlds()[which % len(worlds())]
    shift = timedelta(days=days if later else -days)

    assert judge(replace(case, now=case.now + shift)).outcome is not Outcome.ACCEPT


# ── generated zones, spoiled where they are signed ────────────────────────────

ALGORITHMS = st.sampled_from([13, 14, 15])
"""RSA is left out: its keys take longer to make than all the rest."""
OTHER_CDS = "raw:" + "0001" + "0d" + "02" + "ab" * 32
OTHER_CDNSKEY = "raw:" + "0101" + "03" + "0d" + "ab" * 64
TYPES = st.sampled_from(["CDS", "CDNSKEY"])
SIGNATURES = st.sampled_from(
    ["expired", "future", "inverted", "stripped", "corrupt", "wrong-key", "foreign"]
)


@st.composite
def recipes(draw) -> Recipe:
    """A child in good order: its algorithm, keys, digests, nameservers."""
    algorithm = draw(ALGORITHMS)
    split = draw(st.booleans())
    keys = (f"k1:ksk:{algorithm}", f"z1:zsk:{algorithm}")
    digest = draw(st.sampled_from([2, 4]))
    zone = ZoneRecipe(
        keys=keys if split else (f"k1:csk:{algorithm}",), cds=(f"k1:{digest}",)
    )
    hosts = draw(
        st.sampled_from([("a1", "b1"), ("a1", "a2"), ("a1", "a2", "b1", "b2")])
    )
    return Recipe(nameservers=hosts, zone=zone)


def spoil(draw, recipe: Recipe) -> Recipe:
    """Spoil one thing that an acceptance cannot do without."""
    where = draw(st.sampled_from(["apex", "signal", "missing", "other key"]))
    flaw = f"{draw(SIGNATURES)}:@:{draw(TYPES)}"
    victim = draw(st.sampled_from(recipe.nameservers))
    match where:
        case "apex":
            zone = replace(recipe.zone, defects=(flaw.replace("foreign", "corrupt"),))
            return replace(recipe, zone=zone)
        case "signal":
            signal = SignalRecipe(defects=(flaw,))
        case "missing":
            signal = SignalRecipe(form="absent")
        case _:
            signal = SignalRecipe(cds=(OTHER_CDS,), cdnskey=(OTHER_CDNSKEY,))
    return replace(recipe, signals={victim: signal})


def judged(recipe: Recipe) -> Verdict:
    world = World(
        parents=(Parent(name="alpha.test"),),
        operators=(Operator(zone=BOTH[0]), Operator(zone=BOTH[1], algorithm=15)),
        children=(
            Child(
                name="child.alpha.test", operators=BOTH, recipe=recipe, own_hosts=True
            ),
        ),
    )
    network = Network(Keyring(b"generated"), NOW)
    rehearsal = Rehearsal(assemble(world, network, clock=lambda: NOW))
    (placer,) = rehearsal.built.children.values()
    return judge(rehearsal.evaluate(delegation_of(rehearsal, placer)))


@given(st.data(), recipes())
@settings(QUIET, max_examples=100 if IS_LONG else 8)
def test_a_generated_zone_is_accepted_and_one_fault_in_it_ends_that(data, recipe):
    assert judged(recipe).outcome is Outcome.ACCEPT

    faulty = judged(spoil(data.draw, recipe))

    assert faulty.outcome is not Outcome.ACCEPT, faulty.reasons
    assert faulty.candidate == ()
