"""One walk from a trust anchor down to a name: where it stands, how it looks.

To look is to judge the answers of all servers to one question, each alone. The
best finding counts; without any, the walk ends in a `Proof` that says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, Protocol, TypeVar

from bootstrap.core.dns.messages import Rcode, Response
from bootstrap.core.dns.names import Name, is_within, tail
from bootstrap.core.dns.records import RdataType

from .budget import BudgetSpent
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
        *,
        under: tuple[str, object] | None = None,
    ) -> tuple[Found, bool] | Needs | Proof:
        """Return the best finding of all servers' answers, and whether one failed.

        Each answer is judged alone: one that proves is enough (P-7.92), and
        the order of the answers plays no part. `under` names the judgement and
        what it goes by beside question and answer: then it may be remembered.
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
            outcomes = self._judged(question, usable, judged, under)
        except BudgetSpent as spent:
            return self.fail(place, Unverified(Flaw.LIMIT, str(spent)), question)
        good = [found for found in outcomes if not isinstance(found, Unverified)]
        bad = [found for found in outcomes if isinstance(found, Unverified)]
        if not good:
            worst = min(bad, key=lambda b: (SEVERITY.index(b.flaw), b.detail))
            return self.fail(place, worst, question)
        best = min(good, key=lambda found: found.order) if len(good) > 1 else good[0]
        return best, bool(bad)

    def _judged(
        self,
        question: Question,
        responses: list[Response],
        judged: Callable[[Response], Found | Unverified],
        under: tuple[str, object] | None,
    ) -> list[Found | Unverified]:
        context = self.context
        memory = context.memory
        if memory is None or under is None:
            return [judged(response) for response in responses]
        what, given = under
        by = given if isinstance(given, tuple) else id(given)
        key = (what, by, question, context.second, id(context.limits))
        return memory.look(
            (*key, *map(id, responses)),
            lambda: [judged(response) for response in responses],
            budget=context.budget,
            holds=(given, context.limits, responses),
        )

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
