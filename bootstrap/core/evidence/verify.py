"""Judge again from a bundle alone, and say what that proves.

No clock and no network: the moment of judging is the recorded one (P-8.23). A
verdict that comes out the same shows that the recorded packets support it; what
of it DNSSEC proves, and what rests on our word, are two lists (P-8.20, P-8.21).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace

from bootstrap.core.dns.names import (
    UnusableSignalingName,
    canonical,
    out_of_domain,
    signaling_name,
    unrooted,
)
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.dnssec.budget import Budget, BudgetSpent
from bootstrap.core.dnssec.chain import NoTrustAnchor, Proof, validate
from bootstrap.core.dnssec.security import Security
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.inputs import inputs_of, places
from bootstrap.core.evaluation.observations import Observation, seen
from bootstrap.core.evaluation.verdict import Verdict, judge

from . import bundle
from .bundle import Bundle, BundleMalformed

LATER = frozenset({"not_before", "not_after"})
"""What verdicts did not say at first: one that leaves it empty claims nothing."""
SIGNAL_TYPES = (RdataType.CDS, RdataType.CDNSKEY)
CHILD_TYPES = (RdataType.DS, RdataType.DNSKEY, *SIGNAL_TYPES)


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of the verdict that came out otherwise."""

    part: str
    stored: str
    again: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of judging a bundle again.

    `damage` says why the octets are no bundle; then there is nothing else.
    `proofs` are all that DNSSEC proves of the names that matter, `attested` what
    rests on the word of whoever made the bundle.
    """

    address: str
    second: str
    """SHA-512 of the same octets (P-8.25)."""
    damage: str = ""
    evidence: Bundle | None = None
    differences: tuple[Difference, ...] = ()
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By check, the SHA-256 of the messages that it rests on (P-8.8)."""
    proofs: tuple[Proof, ...] = ()
    attested: tuple[str, ...] = ()

    @property
    def reproduced(self) -> bool:
        """Every hash, the verdict and the candidate DS are what was stored."""
        return self.evidence is not None and not self.differences

    def is_named(self, digest: str) -> bool:
        """Say whether `digest` is a hash of these octets, by its length."""
        return digest.lower() in {self.address, self.second}


def verify(octets: bytes, *, anchors: tuple[Anchor, ...] = ()) -> Verification:
    """Return what judging the bundle in `octets` again gives.

    `anchors`, when given, replace those in the bundle: then nothing that is
    proven rests on the bundle's own choice of them.
    """
    names = bundle.address(octets), bundle.second_hash(octets)
    try:
        evidence = bundle.decode(octets)
    except BundleMalformed as exc:
        return Verification(*names, damage=str(exc))
    case = evidence.case
    if anchors:
        case = replace(case, anchors=anchors)
    again = judge(case)
    inputs = inputs_of(case, again.checks)
    return Verification(
        *names,
        evidence=evidence,
        differences=(
            *compare(evidence.verdict, again),
            *_named(evidence.inputs, inputs),
        ),
        inputs={
            check.id: _messages(case, bits)
            for check, bits in zip(again.checks, inputs, strict=True)
        },
        proofs=tuple(_proofs(case)),
        attested=tuple(_attested(evidence)),
    )


def compare(stored: Verdict, again: Verdict) -> tuple[Difference, ...]:
    """Return every part in which two verdicts differ; nothing when they are equal."""
    return tuple(
        Difference(part.name, repr(before), repr(after))
        for part in fields(Verdict)
        if (before := getattr(stored, part.name))
        != (after := getattr(again, part.name))
        and not (before is None and part.name in LATER)
    )


def _named(
    stored: tuple[bytes, ...], wanted: tuple[bytes, ...]
) -> Iterator[Difference]:
    """Hold the inputs of each check to what it rests on, where they are named (P-8.8)."""
    if stored and stored != wanted:
        before, after = (
            ", ".join(bits.hex() or "none" for bits in each)
            for each in (stored, wanted)
        )
        yield Difference("inputs", before, after)


def _messages(case: Case, bits: bytes) -> tuple[str, ...]:
    """Return the SHA-256 of the messages that a check rests on, each once, sorted."""
    seen = [case.observations[place] for place in places(bits)]
    packets = {each.sent for each in seen} | {each.received for each in seen}
    return tuple(sorted(hashlib.sha256(each).hexdigest() for each in packets if each))


def _proofs(case: Case) -> Iterator[Proof]:
    """Validate anew what the chains in the bundle reach (P-8.20)."""
    child = case.delegation.child
    wanted = [(child, rdtype) for rdtype in CHILD_TYPES]
    for nameserver in out_of_domain(child, case.delegation.nameservers):
        try:
            name = signaling_name(child, nameserver)
        except UnusableSignalingName:
            continue  # there is no such name to prove anything of (P-1.5)
        wanted += [(name, rdtype) for rdtype in SIGNAL_TYPES]
    answers = seen(case.observations)
    for name, rdtype in wanted:
        try:
            found = validate(
                canonical(name),
                rdtype,
                seen=answers,
                anchors=case.anchors,
                now=case.now,
                budget=Budget(),
            )
        except (BudgetSpent, NoTrustAnchor):
            continue  # nothing is proven; the verdict says the same
        if isinstance(found, Proof) and found.security is Security.SECURE:
            yield found


def _attested(evidence: Bundle) -> Iterator[str]:
    """List what no signature covers (P-8.21)."""
    case = evidence.case
    delegation = case.delegation
    yield (
        f"what the registry held of {unrooted(delegation.child)}: its nameservers,"
        f" glue, DS, statuses (version {delegation.version}), and its history"
    )
    yield f"that the evaluation took place at {case.now:%Y-%m-%dT%H:%M:%SZ}"
    yield _clock(evidence)
    silent = sum(seen.received is None for seen in case.observations)
    yield (
        f"that {len(case.observations)} queries were sent, when and where to, and that"
        f" {silent} of them got no answer"
    )
    if any(_is_unsigned(seen, delegation.child) for seen in case.observations):
        yield "what the child's servers answered: no DS vouched for it yet"
    if case.own_faults:
        yield "faults of the observer's own: " + ", ".join(
            fault.reason.value for fault in case.own_faults
        )
    if evidence.made_by:
        yield "what made it: " + ", ".join(f"{a} {b}" for a, b in evidence.made_by)


def _clock(evidence: Bundle) -> str:
    """Say how far the moment of judging can be relied on (P-8.7)."""
    clock = evidence.clock
    if clock is None:
        return "the clock by which it was judged: nothing is recorded of its offset"
    if not clock.synchronised:
        return f"that nothing corrected the clock by NTP, as its {clock.source} told"
    offset, error = clock.offset.total_seconds(), clock.error.total_seconds()
    return (
        f"that {offset:+.6f} s were still to be added to the clock, and that it was off"
        f" by {error:.6f} s at most, as its {clock.source} told"
    )


def _is_unsigned(observation: Observation, child: object) -> bool:
    return observation.received is not None and observation.query.zone == child
