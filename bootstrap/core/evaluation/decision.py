"""From findings to an outcome: protocol.md, section 0.

The matrix first, then the order of classes (P-2.50). Acceptance is earned: all
that was required is found, and nothing that counts speaks against it (P-2.51).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum, unique
from typing import Final

from bootstrap.core.dns.names import unrooted
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.signatures import Verified

from .acceptance import DENIAL, proven
from .answers import REQUEST_TYPES, USED_TYPES
from .apex import ApexState
from .delegation import History
from .facts import Facts
from .findings import Finding
from .matrix import ALWAYS, Cell, Group
from .paths import Path
from .reasons import MEANINGS, Kind, Reason, precedence
from .requests import Request
from .signals import signal_subject
from .steps import STAGES, Stage, proves_ds
from .trial import DATA_TYPES


@unique
class Outcome(StrEnum):
    """What an evaluation leads to (protocol.md, section 0)."""

    ACCEPT = "accept"
    NOTHING = "nothing"
    HOLD = "hold"
    REJECT = "reject"
    RETRY = "retry"
    ERROR = "error"


OUTCOMES: Final = {
    Kind.OURS: Outcome.ERROR,
    Kind.ALARM: Outcome.REJECT,
    Kind.POLICY: Outcome.REJECT,
    Kind.CHILD: Outcome.REJECT,
    Kind.RETRY: Outcome.RETRY,
}
"""Where the primary code's class leads, unless only a person may let it pass."""


UNDENIABLE: Final = frozenset({Reason.ACC_NSEC_BROKEN, Reason.ACC_NSEC3_ITERATIONS})
"""Codes that say that absence cannot be proven."""


@dataclass(frozen=True, slots=True)
class Found:
    """A stage and its findings; None when it did not apply."""

    stage: Stage
    findings: tuple[Finding, ...] | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome, the reason that shows first, and what they rest on."""

    outcome: Outcome
    primary: Reason
    findings: tuple[Finding, ...]
    counted: frozenset[Finding] = frozenset()
    required: frozenset[Finding] = frozenset()


def collect(facts: Facts) -> tuple[Found, ...]:
    """Run every stage that applies; none stops another (P-2.50)."""
    history, now = facts.case.history, facts.case.now
    limit = facts.policy.stale_signal_alarm

    def findings(stage: Stage) -> tuple[Finding, ...]:
        made = (
            escalate(finding, history, now - limit) for finding in stage.step(facts)
        )
        return tuple(dict.fromkeys(made))

    return tuple(
        Found(stage, findings(stage) if stage.applies(facts) else None)
        for stage in STAGES
    )


def escalate(finding: Finding, history: History, since: datetime) -> Finding:
    """Return the finding as it weighs after what came before.

    R becomes C when the retries are used up, and A when it has lasted.
    """
    meaning = MEANINGS[finding.reason]
    if finding.escalated or meaning.kind is not Kind.RETRY:
        return finding
    if meaning.then is Kind.CHILD:
        return replace(finding, escalated=history.retries_spent)
    first_seen = dict(history.troubled_since).get(finding.reason.value)
    lasting = first_seen is not None and first_seen <= since
    return replace(finding, escalated=meaning.then is Kind.ALARM and lasting)


def decide(facts: Facts, found: tuple[Found, ...]) -> Decision:
    """Return where the findings lead."""
    findings = tuple(
        dict.fromkeys(finding for part in found for finding in part.findings or ())
    )
    cell = cell_of(facts)
    counted = frozenset(_counted(found, cell, facts))
    against = [finding for finding in counted if finding.kind is not Kind.INFO]
    if against:
        return _refused(facts, findings, counted, against)
    if cell.nothing is not None:
        note = Finding(cell.nothing, unrooted(facts.child))
        findings = findings if _named(findings, cell.nothing) else (*findings, note)
        return Decision(Outcome.NOTHING, cell.nothing, findings, counted)
    return _earned(facts, findings, counted)


def _named(findings: Iterable[Finding], reason: Reason) -> bool:
    return any(finding.reason is reason for finding in findings)


def cell_of(facts: Facts) -> Cell:
    """Return what counts: the matrix for a first DS, else the state of the apex."""
    if facts.choice.path is None:
        return Cell(ALWAYS)
    if facts.choice.path is Path.BOOTSTRAP:
        return facts.cell
    if facts.apex.state is ApexState.NONE:  # no change, ever (P-1.60, P-4.6)
        return Cell(ALWAYS | {Group.CONTENT}, nothing=Reason.APEX_NO_CDS)
    if facts.in_sync:
        return Cell(ALWAYS | {Group.CONTENT}, nothing=Reason.UPD_IN_SYNC)
    return Cell(frozenset(Group), accepts=True)


def _counted(found: Iterable[Found], cell: Cell, facts: Facts) -> Iterable[Finding]:
    """Yield the findings that decide; in a quiet child with DS only alarms do."""
    quiet = facts.has_ds and cell.nothing is not None
    for part in found:
        if part.stage.group in cell.groups:
            only_alarms = quiet and part.stage.group is Group.CONTENT
            for finding in part.findings or ():
                if not only_alarms or finding.kind in {Kind.ALARM, Kind.INFO}:
                    yield finding


def _refused(
    facts: Facts,
    findings: tuple[Finding, ...],
    counted: frozenset[Finding],
    against: list[Finding],
) -> Decision:
    first = min(against, key=lambda f: (*precedence(f.reason, f.kind), f))
    outcome = OUTCOMES[first.kind]
    if outcome is Outcome.ERROR:
        # An own fault says nothing about the child (S-46).
        innocent = {Kind.OURS, Kind.INFO}
        findings = tuple(f for f in findings if f.kind in innocent)
    elif _may_be_held(facts, first, against):
        outcome = Outcome.HOLD
    return Decision(outcome, first.reason, findings, counted)


def _may_be_held(facts: Facts, first: Finding, against: list[Finding]) -> bool:
    """Say whether a person may let it pass.

    The candidate is complete, all codes allow it, no retry is open, and what
    they do not explain was shown to hold.
    """
    if not facts.candidate or not _accepts(facts):
        return False
    if not all(MEANINGS[finding.reason].held for finding in against):
        return False
    lacking = {what for _, what in _open(facts)} - _explained(against)
    open_retry = first.kind is Kind.RETRY and not facts.case.history.retries_spent
    return not lacking and not open_retry


def _explained(against: list[Finding]) -> set[str]:
    """Return what the objections say cannot be shown at present."""
    reasons = {finding.reason for finding in against}
    if Reason.ACC_SIG_INCEPTION_FUTURE in reasons:
        return {DENIAL, *(rdtype.name for rdtype in (RdataType.DNSKEY, *DATA_TYPES))}
    return {DENIAL} if reasons & UNDENIABLE else set()


def _accepts(facts: Facts) -> bool:
    return cell_of(facts).accepts


def _earned(
    facts: Facts, findings: tuple[Finding, ...], counted: frozenset[Finding]
) -> Decision:
    """Accept if all that is required is there; silence accepts nothing (P-3.1)."""
    reason = _accepting_reason(facts)
    required = required_findings(facts, reason)
    lacking = _lacking(facts, reason)
    missing = sorted(required - counted - {Finding(reason, unrooted(facts.child))})
    if lacking or missing or not required:
        texts = [*lacking, *(f"{f.reason} {f.subject}" for f in missing)]
        return _unclassified(facts, findings, counted, texts)
    proof = Finding(reason, unrooted(facts.child))
    return Decision(
        Outcome.ACCEPT, reason, (*findings, proof), counted | {proof}, required
    )


def _unclassified(
    facts: Facts,
    findings: tuple[Finding, ...],
    counted: frozenset[Finding],
    lacking: list[str],
) -> Decision:
    detail = "unproven: " + ", ".join(lacking)
    fault = Finding(Reason.X_UNCLASSIFIED, unrooted(facts.child), detail)
    return Decision(
        Outcome.ERROR, Reason.X_UNCLASSIFIED, (*findings, fault), counted | {fault}
    )


def _accepting_reason(facts: Facts) -> Reason:
    if not facts.has_ds:
        return Reason.ACC_OK
    return Reason.DEL_OK if facts.request is Request.DELETE else Reason.UPD_OK


def required_findings(facts: Facts, reason: Reason) -> frozenset[Finding]:
    """Return the findings that acceptance cannot do without, from the registry's data.

    Every address answered, the servers agree, every nameserver that owes a
    signal gave it (P-1.14), and what follows was shown to hold.
    """
    child = unrooted(facts.child)
    present = set(facts.request_types)
    required = {Finding(reason, child), Finding(Reason.APEX_CONSISTENT, child)}
    for address in facts.addresses:
        for rdtype in (RdataType.SOA, RdataType.DNSKEY, *REQUEST_TYPES):
            there = rdtype in present or rdtype not in REQUEST_TYPES
            answered = Reason.NS_OK_DATA if there else Reason.NS_OK_NODATA
            required.add(Finding(answered, f"{address} {rdtype.name}"))
    if not facts.has_ds:
        for signal in facts.signals:
            for rdtype in REQUEST_TYPES:
                genuine = Reason.SIG_OK if rdtype in present else Reason.SIG_DENIED
                subject = signal_subject(signal.nameserver, rdtype)
                required.add(Finding(genuine, subject))
    return frozenset(required)


def _lacking(facts: Facts, reason: Reason) -> list[str]:
    """Return what is not shown: the published DS, each server's path and data."""
    lacking = [] if proves_ds(facts, facts.published) else ["DS at the parent"]
    if facts.has_ds:
        lacking += _unsigned_requests(facts)
    if reason is Reason.DEL_OK:
        return lacking
    if not facts.candidate:
        lacking.append("a candidate")
    if facts.policy.demand_uses:
        asked = {(answer.address, answer.rdtype) for answer in facts.answers}
        owed = [(a, rdtype) for a in facts.addresses for rdtype in USED_TYPES]
        lacking += [
            f"{a} {t.name} was never asked" for a, t in owed if (a, t) not in asked
        ]
    return lacking + [f"{a} {what}" for a, what in sorted(_open(facts))]


def _open(facts: Facts) -> frozenset[tuple[str, str]]:
    """Return what is still to be shown of the candidate.

    A name that leaves no room for another label has no negative answer.
    """
    lacking = facts.needed - proven(facts.trial)
    if facts.probe is None:
        return frozenset(fact for fact in lacking if fact[1] != DENIAL)
    return lacking


def _unsigned_requests(facts: Facts) -> list[str]:
    """Return the copies of the request that no key of the current DS signed."""
    old = facts.old
    signed = {
        (copy.address, rdtype)
        for copy in old.copies
        for rdtype in facts.request_types
        if copy.of_type(rdtype)
        and all(
            isinstance(old.verified(one, old.matched(copy)), Verified)
            for one in copy.of_type(rdtype)
        )
    }
    return [
        f"{address} {rdtype.name} signed by a key of the DS"
        for address in facts.addresses
        for rdtype in facts.request_types
        if (address, rdtype) not in signed
    ]
