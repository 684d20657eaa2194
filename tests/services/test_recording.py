"""What is written of an evaluation: all of it or nothing, and only by its holder."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bootstrap.core.dns.records import Ds
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.paths import AuthMethod, Path
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome, Verdict
from bootstrap.core.evidence.bundle import Clock
from bootstrap.models import (
    Alarm,
    AuditEntry,
    Evidence,
    Proposal,
    ScanAttempt,
    WorkItem,
)
from bootstrap.services import evidence, leasing, recording
from bootstrap.services.evaluating import Judged
from bootstrap.services.snapshots import snapshots
from tests.support.cases import a_case

from .builders import DS, NOW, a_domain, a_zone

pytestmark = pytest.mark.django_db
TERM = timedelta(minutes=4)


def a_verdict(outcome: Outcome, *findings: Finding, **changes) -> Verdict:
    return replace(Verdict(None, outcome, findings[0].reason, findings, ()), **changes)


ACCEPTED = a_verdict(
    Outcome.ACCEPT,
    Finding(Reason.ACC_OK),
    path=Path.BOOTSTRAP,
    auth_method=AuthMethod.RFC9615,
    candidate=(Ds.from_text(DS),),
    inception=NOW - timedelta(days=1),
    expires=NOW + timedelta(days=7),
)
NOTHING = a_verdict(Outcome.NOTHING, Finding(Reason.APEX_NO_CDS))


def judged(domain, verdict: Verdict) -> Judged:
    (snapshot,) = snapshots([domain])
    case = Case(
        delegation=snapshot.delegation,
        observations=a_case().observations,
        anchors=(),
        policy=AcceptancePolicy(),
        now=NOW,
        history=snapshot.history,
    )
    return Judged(domain.pk, case, verdict, timedelta(milliseconds=12))


def leased(*domains, now=NOW):
    leasing.request([d.pk for d in domains], trigger=Trigger.SCHEDULE, now=now)
    claimed = leasing.claim(100, holder="a", now=now, term=TERM)
    return {lease.domain_id: lease for lease in claimed}


def record(domain, verdict, now=NOW):
    return recording.record([judged(domain, verdict)], leased(domain, now=now), now=now)


def types():
    return list(AuditEntry.objects.order_by("pk").values_list("type", flat=True))


def test_an_accepted_verdict_leaves_attempt_evidence_proposal_and_entry():  # P-5.17
    domain = a_domain(a_zone(routing="review"))

    (recorded,) = record(domain, ACCEPTED)

    scan = ScanAttempt.objects.get()
    assert recorded.scan == scan
    assert scan.ds == [DS]
    assert scan.inception == ACCEPTED.inception
    assert evidence.load(recorded.address).verdict == ACCEPTED
    assert Proposal.objects.get().evidence_id == recorded.address
    assert types()[0] == "scan.verdict"
    domain.refresh_from_db()
    assert (domain.last_outcome, domain.last_reason) == ("accept", "ACC_OK")


def test_every_finding_is_told_and_only_what_is_looked_for_has_a_row():
    fine, bad = Finding(Reason.ACC_OK, "child"), Finding(Reason.SIG_BOGUS, "ns", "old")
    verdict = replace(ACCEPTED, findings=(fine, bad))

    (recorded,) = record(a_domain(), verdict)

    scan = ScanAttempt.objects.get(pk=recorded.scan.pk)
    assert [(f["reason"], f["kind"]) for f in scan.findings] == [
        ("ACC_OK", "I"),
        ("SIG_BOGUS", bad.kind.value),
    ]
    assert scan.findings[1] | {"subject": "ns", "detail": "old"} == scan.findings[1]
    assert [mark.reason for mark in scan.marks.all()] == ["SIG_BOGUS"]


def test_a_scan_without_news_is_one_entry_for_all():
    """S-99: routine scans do not drown decisions."""
    domains = [a_domain(name=f"child{number}.test") for number in range(3)]
    for domain in domains:
        domain.last_outcome, domain.last_reason = "nothing", "APEX_NO_CDS"
        domain.save()

    recording.record([judged(d, NOTHING) for d in domains], leased(*domains), now=NOW)

    assert types() == ["scan.batch"]
    assert ScanAttempt.objects.count() == 3


def test_a_late_writer_leaves_nothing_behind():
    domain = a_domain()
    leases = leased(domain)
    leasing.claim(1, holder="b", now=NOW + 2 * TERM, term=TERM)

    assert recording.record([judged(domain, ACCEPTED)], leases, now=NOW) == []
    assert not ScanAttempt.objects.exists()
    assert not Evidence.objects.exists()
    assert not Proposal.objects.exists()


def test_a_delegation_that_changed_meanwhile_is_looked_at_again_and_not_proposed():  # P-2.1
    domain = a_domain()
    found, leases = judged(domain, ACCEPTED), leased(domain)
    domain.version += 1
    domain.save()

    recording.record([found], leases, now=NOW)

    scan = ScanAttempt.objects.get()
    assert (scan.outcome, scan.primary_reason) == ("retry", "UPD_OOB_CONFLICT")
    assert not Proposal.objects.exists()
    assert evidence.load(scan.evidence_id).verdict == ACCEPTED  # P-8.23: as judged
    assert WorkItem.objects.get().due_at == NOW


def test_p_8_7_evidence_says_how_the_clock_stood():
    domain = a_domain()
    stood = Clock("kernel", synchronised=True, error=timedelta(milliseconds=3))
    found = replace(judged(domain, ACCEPTED), clock=stood)

    recording.record([found], leased(domain), now=NOW)

    assert evidence.load(ScanAttempt.objects.get().evidence_id).clock == stood


def test_trouble_is_remembered_since_when_and_forgotten_when_over():
    domain = a_domain()
    trouble = a_verdict(Outcome.RETRY, Finding(Reason.NS_TIMEOUT, "192.0.2.1"))
    record(domain, trouble)
    domain.refresh_from_db()
    first = dict(domain.troubled_since)

    later = NOW + timedelta(hours=1)
    record(domain, trouble, now=later)
    domain.refresh_from_db()
    assert domain.troubled_since == first == {"NS_TIMEOUT": NOW.isoformat()}

    record(domain, NOTHING, now=later + timedelta(days=2))
    domain.refresh_from_db()
    assert domain.troubled_since == {}


def test_the_retry_schedule_is_walked_down():
    domain = a_domain()
    trouble = a_verdict(Outcome.RETRY, Finding(Reason.NS_TIMEOUT))
    now, waits = NOW, []
    for _ in range(6):
        record(domain, trouble, now=now)
        due = WorkItem.objects.get().due_at
        waits.append((due - now) / timedelta(minutes=1))
        now = due

    for wait, least in zip(waits, [5, 10, 20, 40, 80, 1440], strict=True):
        assert least <= wait <= least * 1.1
    (snapshot,) = snapshots([domain])
    assert snapshot.history.retries_spent


def test_our_own_fault_changes_nothing_that_we_say_of_the_child():
    """S-46: no timers reset, no word about the child, one alarm for all."""
    domains = [
        a_domain(
            name=f"child{number}.test",
            last_outcome="retry",
            last_reason="NS_TIMEOUT",
            troubled_since={"NS_TIMEOUT": NOW.isoformat()},
            signed_since=NOW,
        )
        for number in range(2)
    ]
    fault = a_verdict(Outcome.ERROR, Finding(Reason.X_EGRESS, "", "silence"))

    recording.record([judged(d, fault) for d in domains], leased(*domains), now=NOW)

    for domain in domains:
        domain.refresh_from_db()
        assert (domain.last_outcome, domain.last_reason) == ("retry", "NS_TIMEOUT")
        assert domain.troubled_since == {"NS_TIMEOUT": NOW.isoformat()}
        assert domain.signed_since == NOW
    assert [alarm.subject for alarm in Alarm.objects.open()] == ["scanner"]


def test_the_alarm_about_ourselves_ends_with_the_fault():
    domain = a_domain()
    record(domain, a_verdict(Outcome.ERROR, Finding(Reason.X_EGRESS)))

    record(domain, NOTHING, now=NOW + timedelta(hours=1))

    assert not Alarm.objects.open().exists()


def test_a_class_a_finding_is_an_alarm_until_its_cause_is_gone():
    domain = a_domain()
    alarming = Finding(Reason.SIG_BOGUS, "child.test", escalated=True)
    record(domain, a_verdict(Outcome.REJECT, alarming))
    assert Alarm.objects.open().get().code == "SIG_BOGUS"

    later = NOW + timedelta(days=2)
    record(domain, a_verdict(Outcome.RETRY, Finding(Reason.NS_TIMEOUT)), now=later)
    assert Alarm.objects.open().exists()
    record(domain, NOTHING, now=later + timedelta(days=2))
    assert not Alarm.objects.open().exists()


def test_the_request_that_went_to_the_parent_guards_against_replay():  # P-0.16
    """P-4.5: what counts is the newest request that was acted upon."""
    domain = a_domain(a_zone(routing="review"))
    record(domain, ACCEPTED)
    assert snapshots([domain])[0].history.newest_inception is None

    Proposal.objects.update(sent_at=NOW)

    assert snapshots([domain])[0].history.newest_inception == ACCEPTED.inception


def test_a_crash_while_saving_leaves_the_lease_and_nothing_else():
    domain = a_domain()
    leases = leased(domain)
    broken = replace(ACCEPTED, auth_method=None)  # no proposal can be made of it

    with pytest.raises(ValueError, match="path and method"):
        recording.record([judged(domain, broken)], leases, now=NOW)

    assert not ScanAttempt.objects.exists()
    assert leasing.claim(1, holder="b", now=NOW + 2 * TERM, term=TERM)


def test_a_child_is_signed_when_any_server_shows_a_key():
    case = a_case()
    unanswered = replace(case, observations=())

    assert recording.is_signed(case)
    assert recording.is_signed(unanswered) is None
