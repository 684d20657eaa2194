"""The steps of a walk: into signed zones, across cuts, label by label.

A step looks at the answers to one question. It moves on, or says what is
missing (`Needs`), or ends the walk (`Proof`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from bootstrap.core.dns.messages import Rcode
from bootstrap.core.dns.names import ROOT, Name
from bootstrap.core.dns.records import Ds, RdataType

from . import algorithms
from .budget import Budget
from .delegations import CutProof, Cutting, begins_at, cut_at, keys_of
from .memory import Kept, Memory, Trace, Way, price
from .proofs import Cut, Needs, Proof, Question
from .security import Flaw, Security
from .walk import Place, Walk


def enter(
    walk: Walk, place: Place, zone: Name, ds: tuple[Ds, ...]
) -> Place | Needs | Proof:
    """Step into a signed zone: its DNSKEY RRset must fit the DS RRset (P-7.5, P-7.11).

    A DS RRset that we cannot use at all leaves the zone insecure (P-7.8).
    """
    if not any(map(algorithms.is_usable, ds)):
        flaw = Flaw.UNSUPPORTED_ALGORITHM
        cut = Cut(zone, Security.INSECURE, ds, flaw=flaw)
        return place._replace(zone=zone, keys=None, cuts=(*place.cuts, cut), flaw=flaw)
    question = Question(zone, zone, RdataType.DNSKEY)
    inside = place._replace(zone=zone)
    found = walk.look(
        inside,
        question,
        lambda r: keys_of(r, zone, ds, walk.context),
        under=("keys", ds),
    )
    if isinstance(found, Needs):
        return Needs((*found.questions, *_ahead(walk, zone)))
    if isinstance(found, Proof):
        cut = Cut(zone, found.security, ds, flaw=found.flaw)
        return replace(found, cuts=(*place.cuts, cut))
    proof, mixed = found
    cut = Cut(zone, Security.SECURE, ds, proof.keys.keys)
    return inside._replace(
        keys=proof.keys,
        cuts=(*place.cuts, cut),
        used=(*place.used, *proof.used),
        mixed=place.mixed or mixed,
    )


def _ahead(walk: Walk, zone: Name) -> tuple[Question, ...]:
    """Return what will be asked of `zone` next if it is signed: saves a round."""
    following = next(walk.below(zone), None)
    question = Question(zone, walk.name, walk.rdtype)
    if following is not None:
        question = Question(zone, following, RdataType.DS)
    is_new = walk.seen.get(question) is None and question.rdtype != RdataType.DNSKEY
    return (question,) if is_new else ()


def travel(walk: Walk, zone: Name, ds: tuple[Ds, ...]) -> Place | Needs | Proof:
    """Go from an anchored zone to the deepest cut at or above the last name.

    Meets P-1.23, P-1.44. The way to a name above the walk's own is the same for all names below it, so
    a memory may know where it leads (`Place`).
    """
    memory, trace = walk.context.memory, walk.seen
    if memory is None or not isinstance(trace, Trace) or trace.looked:
        place = enter(walk, Place(zone), zone, ds)
        return descend(walk, place, zone) if isinstance(place, Place) else place
    return _remembering(walk, memory, trace, zone, ds)


def _remembering(
    walk: Walk, memory: Memory, trace: Trace, zone: Name, ds: tuple[Ds, ...]
) -> Place | Needs | Proof:
    context = walk.context
    budget, limits = context.budget, context.limits
    before = budget.verifications, budget.nsec3_hashes
    base = zone, ds, context.second, id(limits), before
    above = [name for name in walk.below(zone) if name != walk.name]
    place, name = _known_place(memory.ways(base), above, trace, budget)
    if place is None:
        place, name = enter(walk, Place(zone), zone, ds), zone
    for following in above[len(name.labels) - len(zone.labels) :]:
        if not isinstance(place, Place) or place.ended:
            return place
        place = _step(walk, place, following)
        if isinstance(place, Place) and place.doubt is None:
            held = Kept(place, price(before, budget), (limits,))
            memory.keep_way(base, following, trace, held)
    if isinstance(place, Place):
        return descend(walk, place, above[-1] if above else zone)
    return place


def _known_place(
    ways: Mapping[Name, Way], above: list[Name], trace: Trace, budget: Budget
) -> tuple[Place | Needs | Proof | None, Name]:
    """Return the deepest place that is known on the way, and the name it is at."""
    for name in reversed(above):
        way = ways.get(name)
        place: Place | None = way.taken(trace, budget) if way else None
        if place is not None:
            return place, name
    return None, ROOT


def descend(walk: Walk, place: Place, above: Name) -> Place | Needs | Proof:
    """Go down label by label from `above` to the deepest cut, or the last name."""
    for name in walk.below(above):
        if place.ended:
            break
        moved = _step(walk, place, name)
        if not isinstance(moved, Place):
            return moved
        place = moved
    return place


def _step(walk: Walk, place: Place, name: Name) -> Place | Needs | Proof:
    if place.keys is None:
        return _insecure_step(walk, place, name)
    question = Question(place.zone, name, RdataType.DS)
    zone = place.keys
    found = walk.look(
        place,
        question,
        lambda r: cut_at(r, name, zone, walk.context),
        under=("cut", zone),
    )
    if isinstance(found, Proof):
        return _doubted(walk, place, question, found)
    if isinstance(found, Needs):
        return found
    proof, mixed = found
    place = place._replace(used=(*place.used, *proof.used), mixed=place.mixed or mixed)
    return _crossed(walk, place, name, proof)


def _crossed(
    walk: Walk, place: Place, name: Name, proof: CutProof
) -> Place | Needs | Proof:
    match proof.cutting:
        case Cutting.SIGNED:
            return enter(walk, place, name, proof.ds)
        case Cutting.UNSIGNED:
            cut = Cut(name, Security.INSECURE, flaw=Flaw.NO_DS)
            cuts = (*place.cuts, cut)
            return place._replace(zone=name, keys=None, cuts=cuts, flaw=Flaw.NO_DS)
        case Cutting.HIDDEN:
            place = place._replace(keys=None, flaw=Flaw.OPT_OUT)
            return _insecure_step(walk, place, name)
        case Cutting.NOTHING_BELOW:
            return place._replace(ended=True, refuted=True)
        case Cutting.ALIASED:
            return place._replace(ended=True)
        case Cutting.NONE:
            return place._replace(refuted=place.refuted or proof.contradicted)
        case _:
            assert_never(proof.cutting)


def _doubted(
    walk: Walk, place: Place, question: Question, failed: Proof
) -> Place | Proof:
    """Let an unproven NXDOMAIN stand until the full name was asked (P-1.25)."""
    nxdomain = any(r.rcode == Rcode.NXDOMAIN for r in walk.seen[question])
    if failed.security is Security.BOGUS and nxdomain and question.name != walk.name:
        return place._replace(ended=True, doubt=failed)
    return failed


def _insecure_step(walk: Walk, place: Place, name: Name) -> Place | Needs | Proof:
    """Look for a cut where nothing is signed; at the very name the answer tells.

    Meets P-7.15, P-7.62.
    """
    if name == walk.name:
        return place
    question = Question(place.zone, name, RdataType.NS)
    found = walk.look(place, question, lambda r: _Begins(begins_at(r, name)))
    if not isinstance(found, tuple):
        return found
    if not found[0].here:
        return place
    return cross_insecurely(place, name)


def cross_insecurely(place: Place, name: Name) -> Place:
    """Return the place after an unsigned cut at `name`."""
    flaw = Flaw.NO_DS if place.flaw is Flaw.OPT_OUT else place.flaw
    cut = Cut(name, Security.INSECURE, flaw=flaw)
    return place._replace(zone=name, cuts=(*place.cuts, cut), flaw=flaw)


@dataclass(frozen=True, slots=True)
class _Begins:
    here: bool

    @property
    def order(self) -> tuple[object, ...]:
        return (not self.here,)
