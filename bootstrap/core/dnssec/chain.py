"""Root to answer: a proof, or what must still be asked.

`validate` walks from the anchor down, one label at a time, over responses that
somebody else fetched. In signed territory each label costs one DS question to
the zone above: a signed DS RRset, a proven absence of one at a cut, or a proof
that there is no cut (RFC 4035, section 5.2; P-1.24). It never asks, it returns
`Needs`. The same call over stored packets reproduces a proof years later.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from bootstrap.core.dns.names import Name, canonical
from bootstrap.core.dns.records import RdataType

from . import answers, descent
from .anchors import Anchor, NoTrustAnchor, deepest
from .answers import Answer, Form
from .budget import DEFAULT_LIMITS, Budget, Limits
from .crypto import Memo
from .memory import Kept, Memory, Trace, price
from .proofs import Cut, Needs, Proof, Question, Seen
from .security import Absence, Flaw, Security
from .signatures import Context, Verified
from .walk import Place, Walk

__all__ = [
    "Absence",
    "Cut",
    "Needs",
    "NoTrustAnchor",
    "Proof",
    "Question",
    "Seen",
    "validate",
]

WEAKEST: Final = (
    Security.BOGUS,
    Security.INDETERMINATE,
    Security.INSECURE,
    Security.SECURE,
)
"""An alias chain is as strong as its weakest link (P-7.70)."""


def validate(  # noqa: PLR0913 - all that a proof may depend on, by name
    name: Name,
    rdtype: RdataType,
    *,
    seen: Seen,
    anchors: tuple[Anchor, ...],
    now: datetime,
    budget: Budget,
    limits: Limits = DEFAULT_LIMITS,
    memo: Memo | None = None,
    memory: Memory | None = None,
) -> Proof | Needs:
    """Return a proof about `name` and `rdtype`, or the questions that it lacks.

    Every call walks from the anchor again and spends from `budget`: give each
    call its own, or its share of one. A `memo` kept between calls spares
    signatures that were checked before, a `memory` walks and steps of them over
    the same answers; neither changes any outcome or spending.

    Raises:
        NoTrustAnchor: no anchor at or above the name is in force (P-7.1); our
            own fault, and never a statement about the name.
    """
    context = Context(now, budget, limits, memo, memory)
    if memory is None:
        return _walked(name, rdtype, seen, anchors, context)
    in_force = tuple(anchor for anchor in anchors if anchor.holds_at(now))
    name = canonical(name)
    before = budget.verifications, budget.nsec3_hashes
    second = context.second
    key = (name, rdtype, second, limits, before, *map(id, in_force))
    known = memory.walked(key, seen)
    if known is not None and known.price.paid_from(budget):
        return known.outcome
    trace = Trace(seen)
    found = _walked(name, rdtype, trace, anchors, context)
    memory.keep_walk(key, trace, Kept(found, price(before, budget), (in_force,)))
    return found


def _walked(
    name: Name,
    rdtype: RdataType,
    seen: Seen,
    anchors: tuple[Anchor, ...],
    context: Context,
) -> Proof | Needs:
    """Walk, link by link where aliases lead on."""
    limits = context.limits
    links: tuple[Proof, ...] = ()
    asked = name = canonical(name)
    while True:
        link = _link(Walk(asked, rdtype, seen, context), anchors)
        if isinstance(link, Needs):
            return link
        proof, target = link
        links = (*links, proof)
        if target is None:
            return _joined(name, links)
        visited = {earlier.name for earlier in links}
        if target in visited or len(links) > limits.aliases:
            return _joined(name, (*links, _endless(proof, target)))
        asked = target


def _link(
    walker: Walk, anchors: tuple[Anchor, ...]
) -> tuple[Proof, Name | None] | Needs:
    """Return the proof of one name and, if it is an alias, where that leads."""
    above = walker.last if walker.rdtype == RdataType.DS else walker.name
    zone, ds = deepest(anchors, above, walker.context.now)
    place = descent.travel(walker, zone, ds)
    if isinstance(place, Place):
        return _answered(walker, place)
    return place if isinstance(place, Needs) else (place, None)


def _answered(walker: Walk, place: Place) -> tuple[Proof, Name | None] | Needs:
    """Put the question itself to the deepest zone."""
    name, rdtype, keys = walker.name, walker.rdtype, place.keys
    question = Question(place.zone, name, rdtype)
    if keys is None:
        found = walker.look(
            place, question, lambda r: answers.plain(r, name, rdtype, place.zone)
        )
    else:
        found = walker.look(
            place,
            question,
            lambda r: answers.proven(r, name, rdtype, keys, walker.context),
            under=("proven", keys),
        )
    if isinstance(found, Needs):
        return found
    if isinstance(found, Proof):
        return place.doubt or found, None
    answer, mixed = found
    if answer.form is Form.REFERRAL:
        return _answered(walker, descent.cross_insecurely(place, name))
    used = (*place.used, *answer.used)
    place = place._replace(used=used, mixed=place.mixed or mixed)
    return _concluded(walker, place, answer, question)


def _concluded(
    walker: Walk, place: Place, answer: Answer, question: Question
) -> tuple[Proof, Name | None]:
    """Return what a proven, or in insecure territory a plain, answer amounts to."""
    exists = answer.form is not Form.ABSENT
    if place.doubt is not None and not exists:
        return place.doubt, None
    security, flaw, detail = Security.SECURE, place.flaw, ""
    if place.keys is None:
        security = Security.INSECURE
    elif (place.refuted or place.doubt is not None) and exists:
        security, flaw = Security.BOGUS, Flaw.ENT_NXDOMAIN
        detail = "a server denies a name above the one that exists"
    elif answer.opt_out:
        security, flaw = Security.INSECURE, Flaw.OPT_OUT
    ended = walker.end(place, security, flaw=flaw, detail=detail)
    proof = replace(
        ended,
        answer=answer.signed,
        absence=answer.absence,
        signer=_signer(answer.used),
        wildcard=answer.wildcard,
        blame=question if security is Security.BOGUS else None,
    )
    return proof, answer.target if security is not Security.BOGUS else None


def _signer(used: tuple[Verified, ...]) -> Name | None:
    return used[0].signer if used else None


def _endless(proof: Proof, target: Name) -> Proof:
    """Return the link that ends a loop, or a chain that is too long (P-7.70)."""
    return replace(
        proof,
        name=target,
        security=Security.INDETERMINATE,
        flaw=Flaw.ALIAS_LOOP,
        detail="the aliases have no end",
        answer=None,
    )


def _joined(name: Name, links: tuple[Proof, ...]) -> Proof:
    """Return one proof for a chain of aliases; the weakest link decides."""
    last = links[-1]
    if len(links) == 1:
        return last
    weakest = min(links, key=lambda link: WEAKEST.index(link.security))
    starts = [link.not_before for link in links if link.not_before is not None]
    ends = [link.not_after for link in links if link.not_after is not None]
    return replace(
        last,
        name=name,
        security=weakest.security,
        cuts=tuple(dict.fromkeys(cut for link in links for cut in link.cuts)),
        aliases=tuple(link.name for link in links[1:]),
        wildcard=any(link.wildcard for link in links),
        mixed_servers=any(link.mixed_servers for link in links),
        not_before=max(starts, default=None),
        not_after=min(ends, default=None),
        flaw=weakest.flaw,
        detail=weakest.detail,
        blame=weakest.blame,
    )
