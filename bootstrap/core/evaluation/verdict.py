"""`judge`: recorded observations in, a verdict out. No clock, no network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import Ds
from bootstrap.core.dnssec.chain import Proof

from .case import Case
from .findings import Finding
from .paths import AuthMethod, Path
from .reasons import MEANINGS, Kind, Reason


@unique
class Outcome(StrEnum):
    """What an evaluation leads to (protocol.md, section 0)."""

    ACCEPT = "accept"
    NOTHING = "nothing"
    HOLD = "hold"
    REJECT = "reject"
    RETRY = "retry"
    ERROR = "error"


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

    @property
    def kind(self) -> Kind:
        """The class of the primary reason, as it counts here."""
        found = (f.kind for f in self.findings if f.reason is self.primary)
        return next(found, MEANINGS[self.primary].kind)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Each code once, primary first, then in catalogue order."""
        codes = {finding.reason for finding in self.findings} - {self.primary}
        return (self.primary, *(reason for reason in Reason if reason in codes))


def judge(case: Case) -> Verdict:
    """Return what the evidence of `case` supports; never raises for a child's fault."""
    raise NotImplementedError
