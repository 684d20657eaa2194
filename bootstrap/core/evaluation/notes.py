"""What is worth a line beside a verdict and decides nothing: no codes, no refusals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bootstrap.core.dns.names import unrooted
from bootstrap.core.dns.records import RdataType, Signed

from .facts import Facts
from .findings import Finding
from .reasons import Reason

SAFE_OCTETS: Final = 1_232
"""What an answer by UDP may hold without being broken up (P-2.22, RFC 9715)."""
HEADER: Final = 12
QUESTION: Final = 4
EDNS: Final = 11
RECORD: Final = 12
"""Octets of a record without its rdata, its owner a pointer."""
ITERATIONS: Final = slice(2, 4)
"""Where an NSEC3 record says how often it is hashed (RFC 5155, 3.2)."""


@dataclass(frozen=True, slots=True)
class Note:
    """A line among the checks: its id, its text, and what it points to."""

    id: str
    detail: str
    findings: tuple[Finding, ...] = ()


def notes(facts: Facts) -> Iterator[Note]:
    """Yield what is worth telling, whatever the outcome."""
    yield from quiet_time(facts)
    if facts.candidate and not facts.in_sync:
        yield from large_keys(facts)
        yield from iterations(facts)


def quiet_time(facts: Facts) -> Iterator[Note]:
    """Say what delays a publication and never refuses it (S-63)."""
    changed = facts.delegation.ns_changed_at
    if changed is None or facts.choice.path is None:
        return
    until = changed + facts.policy.quiet_after_ns_change
    if facts.case.now < until:
        finding = Finding(Reason.PRE_RECENT_NS_CHANGE, unrooted(facts.child))
        detail = f"published no sooner than {until:%Y-%m-%dT%H:%M:%SZ}"
        yield Note("check_quiet_time", detail, (finding,))


def large_keys(facts: Facts) -> Iterator[Note]:
    """Say where the keys take TCP: without it the child is then out (P-3.21)."""
    sizes = {
        copy.address: size
        for copy in facts.copies
        for signed in copy.of_type(RdataType.DNSKEY)
        if (size := octets(signed)) > SAFE_OCTETS
    }
    if sizes:
        told = ", ".join(f"{size} octets at {who}" for who, size in sizes.items())
        yield Note("check_size_of_keys", f"answers with the keys need TCP: {told}")


def octets(signed: Signed) -> int:
    """Return how large an answer with one RRset and its signatures is."""
    rdatas = [len(rdata) for rdata in signed.rrset.rdatas]
    rdatas += [len(rrsig.prefix()) + len(rrsig.signature) for rrsig in signed.rrsigs]
    question = len(signed.rrset.owner.to_wire() or b"") + QUESTION
    return HEADER + question + EDNS + sum(RECORD + rdata for rdata in rdatas)


def iterations(facts: Facts) -> Iterator[Note]:
    """Say where NSEC3 hashes more than once; beyond the cap is a refusal (P-3.24)."""
    most = max(
        (
            int.from_bytes(rdata[ITERATIONS])
            for copy in facts.copies
            for _, response in copy.negatives
            for signed in response.authority
            if signed.rrset.rdtype == RdataType.NSEC3
            for rdata in signed.rrset.rdatas
        ),
        default=0,
    )
    if 0 < most <= facts.policy.nsec3_iterations:
        detail = f"NSEC3 with {most} iterations; RFC 9276, 3.1 wants none"
        yield Note("check_nsec3_iterations", detail)
