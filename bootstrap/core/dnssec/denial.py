"""What a response proves by its signatures: absence, and wildcards.

Whatever is not verified is no evidence. The response code is not signed and
plays no part here.
"""

from __future__ import annotations

from dataclasses import dataclass

from bootstrap.core.dns.messages import Response
from bootstrap.core.dns.names import Name, place
from bootstrap.core.dns.records import RdataType, Signed

from . import nsec, nsec3
from .absence import MISSING, Absent, NoCloser
from .security import Flaw
from .signatures import GRAVITY, Context, Unverified, Verified, ZoneKeys, verify


@dataclass(frozen=True, slots=True)
class Denials:
    """The usable NSEC and NSEC3 records of one response, and the best excuse.

    `flaw` says why records that were there could not be used.
    """

    zone: Name
    nsecs: tuple[nsec.Nsec, ...]
    nsec3s: tuple[nsec3.Nsec3, ...]
    context: Context
    flaw: Unverified = MISSING

    def absence(self, name: Name, rdtype: RdataType) -> Absent | Unverified:
        """Return what is proven of `rdtype` at `name`, at or below the apex.

        Raises:
            BudgetSpent: the evaluation has no hash left.
        """
        found = nsec.absence(name, rdtype, self.zone, self.nsecs)
        if isinstance(found, Absent):
            return found
        for chain in nsec3.chains(self.nsec3s, self.zone, self.context):
            if isinstance(chain, Unverified):
                found = _heavier(found, chain)
                continue
            proven = nsec3.absence(name, rdtype, chain)
            if isinstance(proven, Absent):
                return proven
            found = _heavier(found, proven)
        return _heavier(found, self.flaw)

    def no_closer(self, name: Name, encloser: Name) -> NoCloser | Unverified:
        """Return the proof that a wildcard below `encloser` answers for `name`.

        Raises:
            BudgetSpent: the evaluation has no hash left.
        """
        found = nsec.no_closer(name, encloser, self.zone, self.nsecs)
        if isinstance(found, NoCloser):
            return found
        for chain in nsec3.chains(self.nsec3s, self.zone, self.context):
            if isinstance(chain, Unverified):
                found = _heavier(found, chain)
                continue
            proven = nsec3.no_closer(name, encloser, chain)
            if isinstance(proven, NoCloser):
                return proven
        return _heavier(found, self.flaw)


_LIGHT = (Flaw.DENIAL_WRONG, Flaw.DENIAL_MISSING)
_HEAVY = (Flaw.NSEC3_ITERATIONS, Flaw.DENIAL_CONTRADICTION)


def _heavier(first: Unverified, second: Unverified) -> Unverified:
    order = (*_HEAVY, *GRAVITY, *_LIGHT)
    return min(first, second, key=lambda unproven: order.index(unproven.flaw))


def collect(response: Response, zone: ZoneKeys, context: Context) -> Denials:
    """Return the denials of the authority section that `zone` signed (P-7.61, S-39).

    A record expanded from a wildcard says nothing about the name that it bears
    and is left out.

    Raises:
        BudgetSpent: the evaluation has no verification left.
    """
    kinds = (RdataType.NSEC, RdataType.NSEC3)
    candidates = [s for s in response.authority if s.rrset.rdtype in kinds]
    if len(candidates) > context.limits.denials:
        excess = Unverified(Flaw.LIMIT, f"{len(candidates)} denials in one response")
        return Denials(zone.zone, (), (), context, excess)
    nsecs: list[nsec.Nsec] = []
    nsec3s: list[nsec3.Nsec3] = []
    flaw = MISSING
    for signed in sorted(candidates, key=lambda signed: place(signed.rrset.owner)):
        outcome = verify(signed, zone, context)
        if isinstance(outcome, Unverified):
            flaw = _heavier(flaw, outcome)
        elif outcome.encloser is None:
            nsecs += _nsecs(outcome, zone.zone)
            nsec3s += _nsec3s(outcome, zone.zone)
    return Denials(zone.zone, tuple(nsecs), tuple(nsec3s), context, flaw)


def _nsecs(verified: Verified, zone: Name) -> tuple[nsec.Nsec, ...]:
    is_nsec = verified.signed.rrset.rdtype == RdataType.NSEC
    return nsec.parse(verified, zone) if is_nsec else ()


def _nsec3s(verified: Verified, zone: Name) -> tuple[nsec3.Nsec3, ...]:
    is_nsec3 = verified.signed.rrset.rdtype == RdataType.NSEC3
    return nsec3.parse(verified, zone) if is_nsec3 else ()


@dataclass(frozen=True, slots=True)
class Genuine:
    """A verified RRset with all that its genuineness rests on.

    `wildcard` says that it was expanded, and proven to be (P-7.30, P-7.33).
    """

    verified: Verified
    used: tuple[Verified, ...]
    wildcard: bool = False
    opt_out: bool = False


def genuine(
    signed: Signed, response: Response, zone: ZoneKeys, context: Context
) -> Genuine | Unverified:
    """Return the RRset verified, its expansion from a wildcard proven too.

    Raises:
        BudgetSpent: the evaluation's allowance is used up.
    """
    outcome = verify(signed, zone, context)
    if isinstance(outcome, Unverified):
        return outcome
    if outcome.encloser is None:
        return Genuine(outcome, (outcome,))
    denials = collect(response, zone, context)
    proof = denials.no_closer(signed.rrset.owner, outcome.encloser)
    if isinstance(proof, Unverified):
        is_plain = proof.flaw is Flaw.DENIAL_MISSING
        return Unverified(Flaw.WILDCARD_UNPROVEN, proof.detail) if is_plain else proof
    used = (outcome, *proof.used)
    return Genuine(outcome, used, wildcard=True, opt_out=proof.opt_out)
