"""The child's zone as a resolver would see it with a given DS set in place (P-3.13).

Server by server, because a resolver may ask any of them (P-3.4); and RRsets of
one server under the keys of every other, because it mixes them (P-3.6).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from bootstrap.core.dns.messages import Rcode, Response
from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import Ds, Key, RdataType, Signed
from bootstrap.core.dnssec import algorithms, denial
from bootstrap.core.dnssec.absence import Absent, NoCloser
from bootstrap.core.dnssec.budget import BudgetSpent
from bootstrap.core.dnssec.security import Flaw
from bootstrap.core.dnssec.signatures import (
    Context,
    Unverified,
    Verified,
    ZoneKeys,
    is_usable,
    verify,
)

from .answers import USED_TYPES, Answer
from .reasons import Reason
from .requests import cdnskey_records

DATA_TYPES: Final = (
    RdataType.SOA,
    RdataType.NS,
    RdataType.CDS,
    RdataType.CDNSKEY,
    *USED_TYPES,
)
"""What must verify beside DNSKEY, as far as it is there (P-3.5, P-3.13)."""


EMPTY: Final = frozenset({Reason.NS_OK_NODATA, Reason.NS_NODATA_NO_SOA})
"""Answers that say that there is nothing, which must be proven."""

Outcome = Verified | Unverified


class Denied(NamedTuple):
    """What a negative answer is worth: its flaw if any, and what it rests on."""

    flaw: Flaw | None
    used: tuple[Verified, ...] = ()


@dataclass(frozen=True, slots=True)
class Copy:
    """One address's copy of the apex, and its answers about what should not be.

    `negatives` are for the name that should not exist, `lacking` for types that
    people ask the apex for and that it does not have (P-3.13).
    """

    address: str
    rrsets: tuple[Signed, ...] = ()
    negatives: tuple[tuple[Name, Response], ...] = ()
    lacking: tuple[tuple[Name, Response], ...] = ()

    def of_type(self, rdtype: RdataType) -> tuple[Signed, ...]:
        """Return the RRsets of one type; more than one if the server wavers."""
        return tuple(s for s in self.rrsets if s.rrset.rdtype == rdtype)

    @property
    def is_stripped(self) -> bool:
        """There are keys, and no signature on anything (P-7.91)."""
        return bool(self.keys) and not any(signed.rrsigs for signed in self.rrsets)

    @property
    def keys(self) -> tuple[Key, ...]:
        """The DNSKEY RRset, without what only looks like a key."""
        rdatas = {r for s in self.of_type(RdataType.DNSKEY) for r in s.rrset.rdatas}
        return cdnskey_records(tuple(sorted(rdatas)))


def copies_of(
    answers: Collection[Answer], probes: Iterable[Answer]
) -> tuple[Copy, ...]:
    """Return one copy per address that answered anything usable, in their order."""
    rrsets: dict[str, set[Signed]] = {}
    for answer in answers:
        if answer.signed:
            rrsets.setdefault(answer.address, set()).add(answer.signed)
        elif answer.reason is Reason.NS_OK_NODATA:
            rrsets.setdefault(answer.address, set())
    negatives = _by_address(probes)
    lacking = _by_address(
        a for a in answers if a.rdtype in USED_TYPES and a.reason in EMPTY
    )
    return tuple(
        Copy(
            address,
            tuple(sorted(rrsets[address], key=_order)),
            negatives.get(address, ()),
            lacking.get(address, ()),
        )
        for address in sorted(rrsets)
    )


Negatives = tuple[tuple[Name, Response], ...]


def _by_address(answers: Iterable[Answer]) -> dict[str, Negatives]:
    found: dict[str, Negatives] = {}
    for answer in answers:
        if answer.response:
            more = (answer.name, answer.response)
            found[answer.address] = (*found.get(answer.address, ()), more)
    return found


def _order(signed: Signed) -> tuple[int, tuple[bytes, ...], tuple[bytes, ...]]:
    rrset = signed.rrset
    signatures = tuple(sorted(rrsig.signature for rrsig in signed.rrsigs))
    return (rrset.rdtype, rrset.rdatas, signatures)


@dataclass(frozen=True, slots=True)
class Trial:
    """`ds` put to the test against all copies of `child`.

    Work is remembered in `known`, so that equal copies cost no more than one.
    """

    child: Name
    ds: tuple[Ds, ...]
    copies: tuple[Copy, ...]
    context: Context
    known: dict[tuple[Signed, tuple[Key, ...]], Outcome]
    denials: dict[tuple[Copy, Name, RdataType], Denied]

    def matched(self, copy: Copy) -> tuple[Key, ...]:
        """Return the keys of `copy` that a DS names and that may sign (P-3.4)."""
        return tuple(key for key in self.named(copy) if is_usable(key))

    def named(self, copy: Copy) -> tuple[Key, ...]:
        """Return the keys of `copy` that a DS names, usable or not."""
        return tuple(
            key for key in copy.keys if any(self._names(ds, key) for ds in self.ds)
        )

    def _names(self, ds: Ds, key: Key) -> bool:
        if ds.digest_type not in algorithms.VERIFIED_DIGESTS:
            return False
        same = (ds.algorithm, ds.key_tag) == (key.algorithm, key.key_tag)
        return same and key.ds(self.child, ds.digest_type) == ds

    def path(self, copy: Copy) -> tuple[Outcome, ...]:
        """Return what the DNSKEY RRsets of `copy` are worth under the DS."""
        matched = self.matched(copy)
        return tuple(
            self.verified(signed, matched) for signed in copy.of_type(RdataType.DNSKEY)
        )

    def has_path(self, copy: Copy) -> bool:
        """Say whether a validating resolver would accept the keys of `copy`."""
        found = self.path(copy)
        return bool(found) and all(isinstance(one, Verified) for one in found)

    def verified(self, signed: Signed, keys: tuple[Key, ...]) -> Outcome:
        """Return whether one of `keys` signed the RRset; spent work proves nothing."""
        key = (signed, keys)
        if key not in self.known:
            try:
                zone = ZoneKeys(self.child, keys)
                self.known[key] = verify(signed, zone, self.context)
            except BudgetSpent as spent:
                self.known[key] = Unverified(Flaw.LIMIT, str(spent))
        return self.known[key]

    def everywhere(self, signed: Signed) -> Iterator[tuple[Copy, Outcome]]:
        """Yield what an RRset is worth under the keys of every copy (P-3.6, P-4.32)."""
        for copy in self.copies:
            if copy.keys:
                yield copy, self.verified(signed, copy.keys)

    def by_algorithm(
        self, signed: Signed, keys: tuple[Key, ...], algorithm: int
    ) -> bool:
        """Say whether a signature of one algorithm verifies (P-3.11)."""
        rrsigs = tuple(r for r in signed.rrsigs if r.algorithm == algorithm)
        found = self.verified(replace(signed, rrsigs=rrsigs), keys)
        return isinstance(found, Verified)

    def inceptions(self, signed: Signed, keys: tuple[Key, ...]) -> tuple[datetime, ...]:
        """Return when each genuine signature by one of `keys` begins, sorted."""
        outcomes = (
            self.verified(replace(signed, rrsigs=(rrsig,)), keys)
            for rrsig in signed.rrsigs
        )
        return tuple(sorted(o.not_before for o in outcomes if isinstance(o, Verified)))

    def denied(self, copy: Copy, name: Name, response: Response) -> Flaw | None:
        """Return what is wrong with a negative answer; None when it holds (P-3.5).

        Meets P-3.23.

        A positive answer holds if it is a provable expansion of a wildcard, or
        if the name exists after all.
        """
        return self.weighed(copy, name, response).flaw

    def weighed(self, copy: Copy, name: Name, response: Response) -> Denied:
        """Return the same with what it rests on."""
        key = (copy, name, response.rdtype)
        if key not in self.denials:
            self.denials[key] = self._denied(copy, name, response)
        return self.denials[key]

    def _denied(self, copy: Copy, name: Name, response: Response) -> Denied:
        zone = ZoneKeys(self.child, copy.keys)
        try:
            denials = denial.collect(response, zone, self.context)
            positive = response.answered(name, response.rdtype) or response.answered(
                name, RdataType.CNAME
            )
            if response.rcode == Rcode.NOERROR and positive:
                return self._positive(name, positive, copy, denials)
            found = denials.absence(name, response.rdtype)
        except BudgetSpent:
            return Denied(Flaw.LIMIT)
        return _worth(found)

    def _positive(
        self, name: Name, signed: Signed, copy: Copy, denials: denial.Denials
    ) -> Denied:
        found = self.verified(signed, copy.keys)
        if isinstance(found, Unverified):
            return Denied(found.flaw)
        if found.encloser is None:
            return Denied(None, (found,))
        proof = _worth(denials.no_closer(name, found.encloser))
        return proof._replace(used=(found, *proof.used))


def _worth(found: Absent | NoCloser | Unverified) -> Denied:
    return (
        Denied(None, found.used)
        if isinstance(found, Absent | NoCloser)
        else Denied(found.flaw)
    )


def trial_of(
    child: Name, ds: tuple[Ds, ...], copies: tuple[Copy, ...], context: Context
) -> Trial:
    """Return a trial with nothing remembered yet."""
    return Trial(child, ds, copies, context, {}, {})
