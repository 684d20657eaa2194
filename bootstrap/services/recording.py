"""What is written of an evaluation: one transaction for a small group of them (P-5.17).

Attempt, findings, evidence, what we remember of the child, the work's end, the
proposal, alarms and the trail are there together or not at all.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import randbelow
from typing import Final

from django.db import transaction

from bootstrap import VERSION
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.chain import Question
from bootstrap.core.evaluation import views
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.inputs import inputs_of
from bootstrap.core.evaluation.observations import seen
from bootstrap.core.evaluation.reasons import Kind, Reason
from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.core.evidence.bundle import Bundle
from bootstrap.models import (
    Alarm,
    Domain,
    Evidence,
    Proposal,
    ScanAttempt,
    ScanFinding,
)

from . import alarms, bulk, evidence, leasing, proposals, states
from .evaluating import Judged
from .leasing import Ending, Lease
from .scantrail import Trail

log = logging.getLogger("bootstrap.scanning")

MADE_BY: Final = (("bootstrap", VERSION),)
OURSELVES: Final = "scanner"
"""Subject of alarms about our own faults: one for all children that they hit."""
NOT_OURS_TO_CLOSE: Final = ("POST_", "PUB_", "X_")
"""Alarms that verification, publication and the gates open and close."""
GRAIN: Final = 10_000
REMEMBERED: Final = (
    "last_scan_at",
    "troubled_since",
    "last_outcome",
    "last_reason",
    "signed_since",
)
"""Columns of a domain that an evaluation sets; on own faults all but one stay."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An evaluation with its row; without one where nothing was to be saved."""

    judged: Judged
    address: str | None
    """Of the evidence; None where stage one ended the scan."""
    scan: ScanAttempt | None = None


def bundle_of(judged: Judged) -> Bundle:
    """Return the evidence of an evaluation."""
    case, verdict = judged.case, judged.verdict
    inputs = inputs_of(case, verdict.checks)
    return Bundle(case, verdict, MADE_BY, judged.clock, inputs)


@transaction.atomic
def record(
    group: Sequence[Judged], leases: Mapping[int, Lease], *, now: datetime
) -> list[Recorded]:
    """Write a group of evaluations; whoever lost its lease is left out.

    A child whose registry data changed meanwhile is told to be looked at again,
    and nothing is proposed for it (P-4.44).
    """
    rows = Domain.objects.select_for_update(of=("self",)).select_related("zone")
    domains = rows.in_bulk(sorted(judged.key for judged in group))
    present = [judged for judged in group if judged.key in domains]
    ours = _finish(present, domains, leases, now)
    held = [each for each in present if each.key in ours]
    # As it was judged: what the registry changed meanwhile is no part of the case, and
    # evidence must lead to its verdict again (P-8.23).
    addresses = evidence.store([bundle_of(judged) for judged in held], now=now)
    kept = [_fresh(each, domains[each.key]) for each in held]
    trail = Trail(now)
    recorded: list[Recorded] = []
    for judged, address in zip(kept, addresses, strict=True):
        domain = domains[judged.key]
        scan = _attempt(judged, domain, address, leases)
        trail.add(judged, domain, scan)
        _remember(judged, domain)
        recorded.append(Recorded(judged, address, scan))
    _write(recorded, domains)
    trail.write()
    _follow(recorded, domains, now)
    _own_faults(kept, now)
    states.refresh([domains[judged.key] for judged in kept], now=now)
    return recorded


def _write(recorded: Sequence[Recorded], domains: Mapping[int, Domain]) -> None:
    """Write attempts, findings and what is remembered, each in few statements."""
    scans = [each.scan for each in recorded if each.scan is not None]
    bulk.insert_objects(scans)
    bulk.insert(
        ScanFinding,
        ("scan", "reason", "kind", "subject", "detail"),
        [
            (each.scan.pk, f.reason.value, f.kind.value, f.subject, f.detail)
            for each in recorded
            if each.scan is not None
            for f in each.judged.verdict.findings
            if f.kind is not Kind.INFO
        ],
    )
    remembered = [domains[each.judged.key] for each in recorded]
    bulk.update(
        Domain,
        "id",
        REMEMBERED,
        [
            (domain.pk, *(getattr(domain, name) for name in REMEMBERED))
            for domain in remembered
        ],
    )


def _follow(
    recorded: Sequence[Recorded], domains: Mapping[int, Domain], now: datetime
) -> None:
    """Do what follows from verdicts: alarms, and proposals where they ask for one."""
    keys = [each.judged.key for each in recorded]
    alarmed = defaultdict(list)
    for alarm in Alarm.objects.open().filter(domain__in=keys):
        alarmed[alarm.domain_id].append(alarm)
    changing = set(
        Proposal.objects.open()
        .filter(domain__in=keys)
        .values_list("domain_id", flat=True)
    )
    concerned = [
        each
        for each in recorded
        if each.judged.verdict.outcome in proposals.PROPOSING
        or each.judged.key in changing
    ]
    bundles = Evidence.objects.in_bulk([each.address for each in concerned])
    for each in recorded:
        domain = domains[each.judged.key]
        _alarm(each.judged, domain, alarmed[domain.pk], now)
    proposals.propose_all(
        [
            proposals.Stored(
                scan=each.scan,
                verdict=each.judged.verdict,
                domain=domains[each.judged.key],
                evidence=bundles[each.address],
                delegation=each.judged.case.delegation,
            )
            for each in concerned
            if each.scan is not None
        ],
        now=now,
    )


def _finish(
    group: Sequence[Judged],
    domains: Mapping[int, Domain],
    leases: Mapping[int, Lease],
    now: datetime,
) -> frozenset[int]:
    """End the leases first: a late writer must not leave anything else behind.

    Returns:
        The keys of those that were still ours.
    """
    endings = [
        _ending(each, domains[each.key], leases[each.key], now) for each in group
    ]
    ours = leasing.finish_all(endings, now=now)
    for ending in endings:
        if ending.lease.domain_id not in ours:
            domain = domains[ending.lease.domain_id]
            fence = ending.lease.fence
            log.warning("scan.late", extra={"child": domain.name, "fence": fence})
    return ours


def _ending(judged: Judged, domain: Domain, lease: Lease, now: datetime) -> Ending:
    cadence = timedelta(seconds=domain.zone.scan_every_seconds)
    wait, retries = leasing.next_turn(
        judged.verdict,
        lease.retries,
        cadence=cadence,
        jitter=randbelow(GRAIN) / GRAIN,
    )
    if domain.version != judged.case.delegation.version:
        wait, retries = timedelta(0), lease.retries
    return Ending(lease, now + wait, retries)


def _fresh(judged: Judged, domain: Domain) -> Judged:
    """Say so when the registry's data changed while we looked."""
    if domain.version == judged.case.delegation.version:
        return judged
    moved = Finding(
        Reason.UPD_OOB_CONFLICT, domain.name, "the registry's data changed meanwhile"
    )
    verdict = replace(
        judged.verdict,
        outcome=Outcome.RETRY,
        primary=moved.reason,
        findings=(*judged.verdict.findings, moved),
        candidate=(),
        auth_method=None,
        inception=None,
        expires=None,
        not_before=None,
        not_after=None,
    )
    return replace(judged, verdict=verdict)


def _attempt(
    judged: Judged, domain: Domain, address: str, leases: Mapping[int, Lease]
) -> ScanAttempt:
    verdict, case = judged.verdict, judged.case
    return ScanAttempt(
        domain=domain,
        trigger=leases[judged.key].trigger.value,
        started_at=case.now,
        duration_ms=judged.duration // timedelta(milliseconds=1),
        path=verdict.path.value if verdict.path else "",
        outcome=verdict.outcome.value,
        primary_reason=verdict.primary.value,
        kind=verdict.kind.value,
        reasons=[reason.value for reason in verdict.reasons],
        ds=sorted(ds.to_text() for ds in verdict.candidate),
        checks=[views.check_view(check) for check in verdict.checks],
        nameservers=[views.server_view(view) for view in verdict.nameservers],
        signals=[views.signal_view(view) for view in verdict.signals],
        findings=[_told(finding) for finding in verdict.findings],
        evidence_id=address,
        delegation_version=case.delegation.version,
        software=VERSION,
        queries=len(case.observations),
        inception=verdict.inception,
    )


def _told(finding: Finding) -> dict[str, str]:
    return {
        "reason": finding.reason.value,
        "kind": finding.kind.value,
        "subject": finding.subject,
        "detail": finding.detail,
    }


def _remember(judged: Judged, domain: Domain) -> None:
    """Keep what the next verdict may depend on; own faults touch nothing (S-46)."""
    verdict, now = judged.verdict, judged.case.now
    domain.last_scan_at = now
    if verdict.outcome is not Outcome.ERROR:
        since = domain.troubled_since
        domain.troubled_since = {
            reason.value: since.get(reason.value, now.isoformat())
            for reason in sorted(leasing.troubles(verdict))
        }
        domain.last_outcome = verdict.outcome.value
        domain.last_reason = verdict.primary.value
        signed = is_signed(judged.case)
        if signed is not None:
            domain.signed_since = (domain.signed_since or now) if signed else None


def is_signed(case: Case) -> bool | None:
    """Say whether any server of the child has a DNSKEY; None when none answered."""
    child = case.delegation.child
    question = Question(child, child, RdataType.DNSKEY)
    mine = (o for o in case.observations if o.query.zone == o.query.name == child)
    answers = seen(mine).get(question)
    if not answers:
        return None
    return any(answer.answered(child, RdataType.DNSKEY) for answer in answers)


def _alarm(
    judged: Judged, domain: Domain, known: Iterable[Alarm], now: datetime
) -> None:
    """Open an alarm for each class A finding, and end those whose cause is gone."""
    verdict = judged.verdict
    current = {
        finding.reason.value: finding.detail or finding.subject
        for finding in verdict.findings
        if finding.kind is Kind.ALARM
    }
    for code, detail in sorted(current.items()):
        alarms.open_alarm(
            code, subject=domain.name, domain=domain, detail=detail, now=now
        )
    if verdict.outcome in {Outcome.ERROR, Outcome.RETRY}:
        return  # trouble does not show that something is over
    for alarm in known:
        if alarm.code not in current and not alarm.code.startswith(NOT_OURS_TO_CLOSE):
            alarms.close_alarm(alarm.code, subject=alarm.subject, now=now)


def _own_faults(group: Iterable[Judged], now: datetime) -> None:
    """One alarm for each fault of our own, however many children it hits."""
    faults: dict[str, str] = {}
    well = False
    for judged in group:
        found = [f for f in judged.verdict.findings if f.kind is Kind.OURS]
        faults |= {finding.reason.value: finding.detail for finding in found}
        well |= not found
    for code, detail in sorted(faults.items()):
        alarms.open_alarm(code, subject=OURSELVES, detail=detail, now=now)
    if not well or faults:
        return
    for alarm in Alarm.objects.open().filter(subject=OURSELVES):
        alarms.close_alarm(alarm.code, subject=OURSELVES, now=now)


def count(recorded: Iterable[Recorded]) -> Counter[str]:
    """Return how many ended how."""
    return Counter(each.judged.verdict.outcome.value for each in recorded)
