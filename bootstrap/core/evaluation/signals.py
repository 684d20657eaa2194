"""The signals of all out-of-domain nameservers: genuine, absent, or neither.

protocol.md 2.5. A proof becomes one SIG_* reason per nameserver and type; all
of them together one column of the matrix (protocol.md 2.6).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from bootstrap.core.dns.names import (
    Name,
    UnusableSignalingName,
    out_of_domain,
    signaling_name,
    unrooted,
)
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.chain import Absence, Proof
from bootstrap.core.dnssec.security import Flaw, Security
from bootstrap.core.dnssec.signatures import begins

from .answers import REQUEST_TYPES
from .apex import Apex, ApexState
from .findings import Finding
from .proofs import Prove, settled
from .reasons import Reason
from .requests import Content


@unique
class SignalState(StrEnum):
    """The columns of the bootstrap matrix."""

    NONE = "S0"
    EQUAL = "S1"
    PARTIAL = "S2"
    INSECURE = "S3"
    BOGUS = "S4"
    UNREACHABLE = "S5"
    DIFFER = "S6"
    IMPOSSIBLE = "S7"


FLAWS: Final = MappingProxyType(
    {
        Flaw.UNREACHABLE: Reason.SIG_UNREACHABLE,
        Flaw.MALFORMED: Reason.SIG_MALFORMED,
        Flaw.EXPIRED: Reason.SIG_EXPIRED,
        Flaw.NOT_YET_VALID: Reason.SIG_NOT_YET_VALID,
        Flaw.SIGNER_ABOVE_CUT: Reason.SIG_SIGNER_ABOVE_CUT,
        Flaw.UNSUPPORTED_ALGORITHM: Reason.SIG_UNSUPPORTED_ALG,
        Flaw.DENIAL_CONTRADICTION: Reason.SIG_DENIAL_CONTRADICTION,
        Flaw.NSEC3_ITERATIONS: Reason.SIG_NSEC3_ITERATIONS,
        Flaw.ENT_NXDOMAIN: Reason.SIG_ENT_NXDOMAIN,
        Flaw.LIMIT: Reason.VAL_LIMIT,
    }
)
"""Flaws with a reason of their own; the others follow the proof's security."""

UNPROVEN: Final = MappingProxyType(
    {
        Security.INSECURE: Reason.SIG_INSECURE,
        Security.BOGUS: Reason.SIG_BOGUS,
        Security.INDETERMINATE: Reason.SIG_INDETERMINATE,
    }
)
"""Total over all results but SECURE (P-1.20)."""

GENUINE: Final = frozenset({Reason.SIG_OK, Reason.SIG_DENIED, Reason.SIG_WILDCARD})
"""What may be compared: proven content, or proven absence (P-1.28)."""

COLUMNS: Final = MappingProxyType(
    {
        Reason.SIG_INSECURE: SignalState.INSECURE,
        Reason.SIG_UNSUPPORTED_ALG: SignalState.INSECURE,
        Reason.SIG_NSEC3_ITERATIONS: SignalState.INSECURE,
        Reason.SIG_BOGUS: SignalState.BOGUS,
        Reason.SIG_EXPIRED: SignalState.BOGUS,
        Reason.SIG_NOT_YET_VALID: SignalState.BOGUS,
        Reason.SIG_ZONE_CUT_AT_NAME: SignalState.BOGUS,
        Reason.SIG_SIGNER_ABOVE_CUT: SignalState.BOGUS,
        Reason.SIG_ALIASED: SignalState.BOGUS,
        Reason.SIG_ENT_NXDOMAIN: SignalState.BOGUS,
        Reason.SIG_DENIAL_CONTRADICTION: SignalState.BOGUS,
        Reason.SIG_MALFORMED: SignalState.BOGUS,
        Reason.SIG_INDETERMINATE: SignalState.UNREACHABLE,
        Reason.SIG_UNREACHABLE: SignalState.UNREACHABLE,
        Reason.VAL_LIMIT: SignalState.UNREACHABLE,
    }
)
"""The column of a signal that is not genuine."""
WORST: Final = (SignalState.BOGUS, SignalState.INSECURE, SignalState.UNREACHABLE)
"""Which column counts when signals fail in several ways."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One nameserver's word for the child; `name` is None when none can be formed."""

    nameserver: Name
    name: Name | None
    proofs: tuple[Proof, ...] = ()

    @property
    def contents(self) -> tuple[Content, ...]:
        """What DNSSEC proves CDS and CDNSKEY to hold; empty when absent or unproven."""
        return tuple(_rdatas(proof) for proof in self.proofs) or ((), ())

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """One SIG_* reason per type."""
        if self.name is None:
            return (Reason.SIG_NAME_TOO_LONG,)
        return tuple(self._reason(proof) for proof in self.proofs)

    @property
    def genuine(self) -> bool:
        """DNSSEC proves what both types hold."""
        return all(reason in GENUINE for reason in self.reasons)

    def _reason(self, proof: Proof) -> Reason:
        reason = reason_of(proof)
        contradicted = proof.absence is Absence.NXDOMAIN and any(self.contents)
        if reason is Reason.SIG_DENIED and contradicted:
            return Reason.SIG_DENIAL_CONTRADICTION  # P-1.29
        return reason


def _rdatas(proof: Proof) -> Content:
    if proof.security is not Security.SECURE or proof.answer is None:
        return ()
    rrset = proof.answer.rrset
    return rrset.rdatas if rrset.rdtype == proof.rdtype else ()


def read_signals(
    child: Name, nameservers: Iterable[Name], prove: Prove
) -> tuple[Signal, ...]:
    """Return the signal of each nameserver that owes one (P-1.12, P-1.14)."""
    return tuple(
        _signal(child, host, prove) for host in out_of_domain(child, nameservers)
    )


def _signal(child: Name, host: Name, prove: Prove) -> Signal:
    try:
        name = signaling_name(child, host)
    except UnusableSignalingName:
        return Signal(host, None)  # and nothing is skipped for it (P-1.6)
    proofs = tuple(settled(prove, name, rdtype) for rdtype in REQUEST_TYPES)
    return Signal(host, name, proofs)


def reason_of(proof: Proof) -> Reason:
    """Return the one SIG_* reason of a proof about a signaling name."""
    if proof.aliases:
        return Reason.SIG_ALIASED  # trust would move to another zone (P-1.27)
    if proof.flaw is not None and proof.flaw in FLAWS:
        return FLAWS[proof.flaw]
    if proof.security is not Security.SECURE:
        return UNPROVEN[proof.security]
    if proof.name in {proof.zone, proof.signer}:
        return Reason.SIG_ZONE_CUT_AT_NAME  # RFC 9615, 4.1; P-1.22
    return _secure(proof)


def _secure(proof: Proof) -> Reason:
    if proof.answer is None:
        return Reason.SIG_DENIED if proof.absence else Reason.X_UNCLASSIFIED
    if proof.answer.rrset.rdtype != proof.rdtype:
        return Reason.SIG_MALFORMED
    return Reason.SIG_WILDCARD if proof.wildcard else Reason.SIG_OK


def signal_findings(signals: Iterable[Signal]) -> Iterator[Finding]:
    """Yield one reason per signal and type (RFC 9615, 4.2 step 3)."""
    for signal in signals:
        if signal.name is None:
            yield Finding(Reason.SIG_NAME_TOO_LONG, unrooted(signal.nameserver))
            continue
        for proof, reason in zip(signal.proofs, signal.reasons, strict=True):
            subject = signal_subject(signal.nameserver, proof.rdtype)
            detail = "" if reason in GENUINE else proof.detail
            yield Finding(reason, subject, detail)
            if proof.mixed_servers:
                yield Finding(Reason.VAL_MIXED_SERVERS, subject)


def signal_subject(nameserver: Name, rdtype: RdataType) -> str:
    """Return what a finding about one type of one signal is about."""
    return f"{unrooted(nameserver)} {rdtype.name}"


def compare_signals(
    child: Name, signals: tuple[Signal, ...], apex: Apex
) -> Iterator[Finding]:
    """Compare the signals with each other and with the apex (RFC 9615, 4.2 step 4).

    Meets P-1.13.
    """
    subject = unrooted(child)
    if not signals:
        yield Finding(Reason.SIG_NO_OUT_OF_DOMAIN_NS, subject)
    if not signals or not all(signal.genuine for signal in signals):
        return
    present = [signal for signal in signals if any(signal.contents)]
    if not present:
        if apex.state is not ApexState.NONE:
            yield Finding(Reason.SIG_NONE, subject)
    elif apex.state is ApexState.NONE:
        hosts = ", ".join(unrooted(signal.nameserver) for signal in present)
        yield Finding(Reason.CMP_APEX_EMPTY_SIGNAL_NOT, subject, hosts)
    elif len(present) < len(signals):
        silent = [unrooted(s.nameserver) for s in signals if s not in present]
        yield Finding(Reason.SIG_PARTIAL, subject, "none under " + ", ".join(silent))
    else:
        yield from _contents_differ(signals, apex)


def _contents_differ(signals: tuple[Signal, ...], apex: Apex) -> Iterator[Finding]:
    """Compare per type; with the apex only where its servers agree (P-1.21)."""
    agreed = (apex.cds, apex.cdnskey)
    settled_apex = apex.state is ApexState.KEYS
    for index, rdtype in enumerate(REQUEST_TYPES):
        contents = {signal.contents[index] for signal in signals}
        if len(contents) > 1:
            yield Finding(Reason.CMP_SIGNALS_DIFFER, rdtype.name)
        elif settled_apex and (reason := _against_apex(contents.pop(), agreed[index])):
            yield Finding(reason, rdtype.name)


def _against_apex(signal: Content, apex: Content) -> Reason | None:
    if signal == apex:
        return None
    if not signal:
        return Reason.CMP_SIGNAL_EMPTY_APEX_NOT
    if not apex:
        return Reason.CMP_APEX_EMPTY_SIGNAL_NOT
    return Reason.CMP_SIGNAL_APEX_DIFFER


def signal_state(
    signals: tuple[Signal, ...], compared: Iterable[Finding]
) -> SignalState:
    """Return the column of the matrix; `compared` comes from `compare_signals`."""
    if not signals or any(signal.name is None for signal in signals):
        return SignalState.IMPOSSIBLE
    reasons = {reason for signal in signals for reason in signal.reasons}
    columns = {COLUMNS.get(reason, SignalState.BOGUS) for reason in reasons - GENUINE}
    for column in WORST:
        if column in columns:
            return column
    return _genuine_state(signals, {finding.reason for finding in compared})


def _genuine_state(signals: tuple[Signal, ...], compared: set[Reason]) -> SignalState:
    present = [signal for signal in signals if any(signal.contents)]
    if not present:
        return SignalState.NONE
    if len(present) < len(signals):
        return SignalState.PARTIAL
    return SignalState.DIFFER if compared else SignalState.EQUAL


def signal_inceptions(signals: Iterable[Signal], now: datetime) -> tuple[datetime, ...]:
    """Return when the signature of each signal that exists begins (S-40)."""
    return tuple(
        begins(rrsig, now)
        for signal in signals
        for proof in signal.proofs
        if proof.security is Security.SECURE and proof.answer is not None
        for rrsig in proof.answer.rrsigs
    )


def single_path(signals: Iterable[Signal]) -> Name | None:
    """Return the zone on which all trust rests, if it is one alone (P-1.16, P-9.12).

    Either one signaling zone, or one zone directly below a top-level domain.
    """
    proofs = [proof for signal in signals for proof in signal.proofs]
    for zones in (
        {proof.signer for proof in proofs},
        {_below_tld(proof) for proof in proofs},
    ):
        if len(zones) == 1:
            return zones.pop()
    return None


def _below_tld(proof: Proof) -> Name | None:
    """Return the first zone below the top-level domain on the way to the signer."""
    below = [cut.zone for cut in proof.cuts if len(cut.zone.labels) > 2]  # noqa: PLR2004 - root and one label
    return below[0] if below else proof.signer
