"""`judge`: recorded observations in, a verdict out. No clock, no network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Final

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import Ds
from bootstrap.core.dnssec.chain import Proof

from .answers import REQUEST_TYPES
from .apex import ApexState
from .case import Case
from .decision import Decision, Found, Outcome, collect, decide
from .facts import Facts
from .findings import Finding
from .notes import notes
from .paths import AuthMethod, Path
from .proofs import proving
from .reasons import MEANINGS, Kind, Reason, precedence
from .signals import Signal
from .windows import window

__all__ = ["Outcome"]

PLAIN: Final = frozenset(
    {
        Reason.NS_OK_DATA,
        Reason.NS_OK_NODATA,
        Reason.PRE_DS_PRESENT,
        Reason.APEX_NO_CDS,
        Reason.APEX_CONSISTENT,
        Reason.SIG_OK,
        Reason.SIG_DENIED,
        Reason.UPD_IN_SYNC,
    }
)
"""Findings that a check may have and still simply pass."""
PLACES: Final = {reason: place for place, reason in enumerate(Reason)}
"""Where a code stands in the catalogue."""
DETAILS: Final = 3
"""How many findings a check's one line quotes."""


@unique
class Mark(StrEnum):
    """The result of one check."""

    PASS = "pass"  # noqa: S105 - a word of the command line's contract
    FAIL = "fail"
    NOTE = "note"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One step of the standard: its function's name, and what it found."""

    id: str
    mark: Mark
    findings: tuple[Finding, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ServerView:
    """What one address said, by type: text for tables, nothing is decided by it."""

    nameserver: Name
    server: str
    answers: tuple[tuple[str, str, tuple[str, ...]], ...]
    """(type, NS_* code, presentation rdata sorted)."""


@dataclass(frozen=True, slots=True)
class SignalView:
    """One signaling name and what DNSSEC says of its two types."""

    nameserver: Name
    name: Name | None
    cds: Proof | None
    cdnskey: Proof | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the evidence supports."""

    path: Path | None
    outcome: Outcome
    primary: Reason
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
    candidate: tuple[Ds, ...] = ()
    auth_method: AuthMethod | None = None
    required: frozenset[Finding] = frozenset()
    nameservers: tuple[ServerView, ...] = ()
    signals: tuple[SignalView, ...] = ()
    inception: datetime | None = None
    """Newest inception relied on, the replay guard of the next one (P-4.5)."""
    expires: datetime | None = None
    """Earliest expiration relied on: the proof holds no longer (P-1.62)."""
    not_before: datetime | None = None
    """Latest inception over all signatures relied on, the parent's included (P-8.7)."""
    not_after: datetime | None = None
    """Earliest expiration over the same; never later than `expires`."""

    @property
    def kind(self) -> Kind:
        """The class of the primary reason, as it counts here."""
        found = (f.kind for f in self.findings if f.reason is self.primary)
        return next(found, MEANINGS[self.primary].kind)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Each code once, primary first, then in catalogue order."""
        codes = {finding.reason for finding in self.findings} - {self.primary}
        return (self.primary, *sorted(codes, key=PLACES.__getitem__))


def judge(case: Case) -> Verdict:
    """Return what the evidence of `case` supports; never raises for a child's fault."""
    return conclude(Facts(case, proving(case)))


def conclude(facts: Facts) -> Verdict:
    """Run all steps over the facts, and say where they lead."""
    found = collect(facts)
    decision = decide(facts, found)
    accepted = decision.outcome in {Outcome.ACCEPT, Outcome.HOLD}
    start, end = window(facts) if accepted else (None, None)
    return Verdict(
        path=_path(facts),
        outcome=decision.outcome,
        primary=decision.primary,
        findings=decision.findings,
        checks=(*_checks(found, decision), *_notes(facts)),
        candidate=facts.candidate if accepted else (),
        auth_method=_auth_method(facts) if accepted else None,
        required=decision.required,
        nameservers=views_of_servers(facts),
        signals=views_of_signals(facts),
        inception=facts.inception if accepted else None,
        expires=facts.expires if accepted else None,
        not_before=start,
        not_after=end,
    )


def _path(facts: Facts) -> Path | None:
    if facts.has_ds and facts.apex.state is ApexState.DELETE:
        return Path.REMOVAL
    return facts.choice.path


def _auth_method(facts: Facts) -> AuthMethod:
    return AuthMethod.RFC7344_CHAIN if facts.has_ds else AuthMethod.RFC9615


def _checks(found: tuple[Found, ...], decision: Decision) -> Iterator[Check]:
    for part in found:
        if part.findings is None:
            yield Check(part.stage.id, Mark.SKIPPED)
            continue
        shown = tuple(f for f in part.findings if f in decision.findings)
        yield Check(part.stage.id, _mark(part, shown, decision), shown, _detail(shown))


def _mark(part: Found, shown: tuple[Finding, ...], decision: Decision) -> Mark:
    if part.findings and not shown:
        return Mark.SKIPPED  # what it saw rests on a fault of our own (S-46)
    objections = [finding for finding in shown if finding.kind is not Kind.INFO]
    if any(finding in decision.counted for finding in objections):
        return Mark.FAIL
    noted = any(finding.reason not in PLAIN for finding in shown)
    return Mark.NOTE if objections or noted else Mark.PASS


def _detail(findings: tuple[Finding, ...]) -> str:
    """Return what stands out, in a line: objections first, then notes."""
    telling = [finding for finding in findings if finding.reason not in PLAIN]
    telling.sort(key=lambda f: precedence(f.reason, f.kind))
    lines = [f"{f.subject}: {f.detail}" if f.detail else f.subject for f in telling]
    return "; ".join(dict.fromkeys(line for line in lines[:DETAILS] if line))


def _notes(facts: Facts) -> Iterator[Check]:
    for note in notes(facts):
        yield Check(note.id, Mark.NOTE, note.findings, note.detail)


def views_of_servers(facts: Facts) -> tuple[ServerView, ...]:
    """Return what each address said, for tables."""
    if facts.choice.path is None:
        return ()
    answers: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {}
    for answer in facts.all_answers:
        row = (answer.rdtype.name, answer.reason.value, answer.presentation)
        answers.setdefault(answer.address, []).append(row)
    return tuple(
        ServerView(s.nameserver, s.address, tuple(answers.get(s.address, ())))
        for s in facts.reach.servers
    )


def views_of_signals(facts: Facts) -> tuple[SignalView, ...]:
    """Return what DNSSEC says of each signal, for tables and pictures."""
    if facts.choice.path is not Path.BOOTSTRAP:
        return ()
    return tuple(_signal_view(signal) for signal in facts.signals)


def _signal_view(signal: Signal) -> SignalView:
    proofs = {proof.rdtype: proof for proof in signal.proofs}
    cds, cdnskey = (proofs.get(rdtype) for rdtype in REQUEST_TYPES)
    return SignalView(signal.nameserver, signal.name, cds, cdnskey, signal.reasons)
