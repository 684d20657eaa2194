"""One walk from a trust anchor down to a name, and what is learnt on the way.

A step looks at the answers to one question. It moves on, or says what is
missing (`Needs`), or ends the walk (`Proof`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple, Protocol, TypeVar, assert_never

from bootstrap.core.dns.messages import Rcode, Response
from bootstrap.core.dns.names import Name, is_within, tail
from bootstrap.core.dns.records import Ds, RdataType

from . import algorithms
from .budget import BudgetSpent
from .delegations import CutProof, Cutting, begins_at, cut_at, keys_of
from .proofs import Cut, Needs, Proof, Question, Seen
from .security import Flaw, Security
from .signatures import GRAVITY, Context, Unverified, Verified, ZoneKeys, moment


class Ordered(Protocol):
    """A finding that can be compared with the same of another server."""

    @property
    def order(self) -> tuple[object, ...]:
        """The first one counts."""
        ...


Found = TypeVar("Found", bound=Ordered)

ANSWERING: Final = frozenset({Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.YXDOMAIN})
SEVERITY: Final = (
    Flaw.LIMIT,
    Flaw.SIGNER_ABOVE_CUT,
    Flaw.NSEC3_ITERATIONS,
    Flaw.DENIAL_CONTRADICTION,
    Flaw.WILDCARD_UNPROVEN,
    Flaw.NO_DNSKEY,
    *GRAVITY[2:],
    Flaw.DENIAL_WRONG,
    Flaw.DENIAL_MISSING,
)
"""Which flaw speaks when several servers fail in different ways."""

_UNPROVEN: Final = {
    Flaw.LIMIT: Security.INDETERMINATE,
    Flaw.NSEC3_ITERATIONS: Security.INSECURE,  # RFC 9276, section 3.2
}


class Place(NamedTuple):
    """Where a walk stands: the deepest cut so far, and how it got there.

    `keys` is None in insecure territory, whose cause is `flaw`. `ended` says
    that no cut can follow in this zone. `refuted` says that a server denied a
    name above (P-1.25), `doubt` that it did so without proof.
    """

    zone: Name
    keys: ZoneKeys | None = None
    cuts: tuple[Cut, ...] = ()
    used: tuple[Verified, ...] = ()
    mixed: bool = False
    flaw: Flaw | None = None
    ended: bool = False
    refuted: bool = False
    doubt: Proof | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """One name and type, what has been seen, and how much may be spent."""

    name: Name
    rdtype: RdataType
    seen: Seen
    context: Context
    last: Name = field(init=False)
    """The deepest name that may be a cut; DS belongs to the side above."""

    def __post_init__(self) -> None:
        above = self.rdtype == RdataType.DS and len(self.name.labels) > 1
        object.__setattr__(self, "last", self.name.parent() if above else self.name)

    def below(self, zone: Name) -> Iterator[Name]:
        """Yield the names under `zone` on the way to `last`, one label at a time."""
        for count in range(len(zone.labels) + 1, len(self.last.labels) + 1):
            yield tail(self.last, count)

    def fail(self, place: Place, flawed: Unverified, blame: Question) -> Proof:
        """Return the end of a walk whose answers were no proof."""
        return self.end(
            place,
            _UNPROVEN.get(flawed.flaw, Security.BOGUS),
            flaw=flawed.flaw,
            detail=flawed.detail,
            blame=blame,
        )

    def end(
        self,
        place: Place,
        security: Security,
        *,
        flaw: Flaw | None = None,
        detail: str = "",
        blame: Question | None = None,
    ) -> Proof:
        """Return what a walk that ends at `place` says."""
        not_before, not_after = window(place.used)
        return Proof(
            name=self.name,
            rdtype=self.rdtype,
            security=security,
            zone=place.zone,
            cuts=place.cuts,
            mixed_servers=place.mixed,
            not_before=not_before,
            not_after=not_after,
            flaw=flaw,
            detail=detail,
            blame=blame,
        )

    def look(
        self,
        place: Place,
        question: Question,
        judged: Callable[[Response], Found | Unverified],
    ) -> tuple[Found, bool] | Needs | Proof:
        """Return the best finding of all servers' answers, and whether one failed.

        Each answer is judged alone: one that proves is enough (P-7.92), and
        the order of the answers plays no part.
        """
        responses = self.seen.get(question)
        if responses is None:
            return Needs((question,))
        usable = [r for r in responses if self._answers(r, place)]
        if not usable:
            silent = "no server of the zone gave an answer"
            return self.end(
                place,
                Security.INDETERMINATE,
                flaw=Flaw.UNREACHABLE,
                detail=silent,
                blame=question,
            )
        try:
            outcomes = [judged(response) for response in usable]
        except BudgetSpent as spent:
            return self.fail(place, Unverified(Flaw.LIMIT, str(spent)), question)
        good = [found for found in outcomes if not isinstance(found, Unverified)]
        bad = [found for found in outcomes if isinstance(found, Unverified)]
        if not good:
            worst = min(bad, key=lambda b: (SEVERITY.index(b.flaw), b.detail))
            return self.fail(place, worst, question)
        best = min(good, key=lambda found: found.order) if len(good) > 1 else good[0]
        return best, bool(bad)

    def _answers(self, response: Response, place: Place) -> bool:
        """Say whether a server spoke at all: no failure, no torso, not lame."""
        if response.rcode not in ANSWERING or response.tc:
            return False
        if response.aa or (response.answer and place.keys is not None):
            return True
        return any(
            signed.rrset.rdtype == RdataType.NS
            and signed.rrset.owner.labels != place.zone.labels
            and is_within(signed.rrset.owner, place.zone)
            for signed in response.authority
        )


def window(
    used: tuple[Verified, ...],
) -> tuple[datetime | None, datetime | None]:
    """Return from when and until when all of these signatures are in force."""
    if not used:
        return None, None
    start = max(verified.starts for verified in used)
    end = min(verified.ends for verified in used)
    return moment(start), moment(end)


def enter(
    walk: Walk, place: Place, zone: Name, ds: tuple[Ds, ...]
) -> Place | Needs | Proof:
    """Step into a signed zone: its DNSKEY RRset must fit the DS RRset (P-7.5).

    A DS RRset that we cannot use at all leaves the zone insecure (P-7.8).
    """
    if not any(map(algorithms.is_usable, ds)):
        flaw = Flaw.UNSUPPORTED_ALGORITHM
        cut = Cut(zone, Security.INSECURE, ds, flaw=flaw)
        return place._replace(zone=zone, keys=None, cuts=(*place.cuts, cut), flaw=flaw)
    question = Question(zone, zone, RdataType.DNSKEY)
    inside = place._replace(zone=zone)
    found = walk.look(inside, question, lambda r: keys_of(r, zone, ds, walk.context))
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
    is_new = question not in walk.seen and question.rdtype != RdataType.DNSKEY
    return (question,) if is_new else ()


def descend(walk: Walk, place: Place) -> Place | Needs | Proof:
    """Go down label by label to the deepest cut at or above the last name."""
    for name in walk.below(place.zone):
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
    found = walk.look(place, question, lambda r: cut_at(r, name, zone, walk.context))
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
    """Look for a cut where nothing is signed; at the very name the answer tells."""
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
