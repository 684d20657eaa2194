"""Old routine evaluations shrink; what a change rests on never does (P-8.36)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from bootstrap import bell
from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.evaluation.observations import Observation
from bootstrap.core.evaluation.queries import Query
from bootstrap.core.evaluation.verdict import judge
from bootstrap.core.evidence.bundle import Bundle
from bootstrap.models import Evidence, EvidencePiece, ScanAttempt, ScanFinding
from bootstrap.services import compaction, evidence, rejudging
from tests.support.cases import a_case

from .builders import NOW, a_domain, a_proposal, a_scan

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
CHILD = parse_name("child.test")
ABOVE = parse_name("test")


def kept_evidence(number: int, *packets: bytes) -> Evidence:
    """Store a bundle with these packets in it."""
    query = Query("192.0.2.1", ABOVE, ABOVE, RdataType.SOA)
    seen = tuple(Observation(query, NOW, b"asked", packet) for packet in packets)
    case = replace(a_case(), observations=seen, now=NOW + timedelta(seconds=number))
    (digest,) = evidence.store([Bundle(case, judge(case))], now=NOW)
    return Evidence.objects.get(pk=digest)


def routine(domain, days: int, *packets: bytes, **changes) -> ScanAttempt:
    """Store an uneventful evaluation of so many days ago."""
    scan: ScanAttempt = a_scan(
        domain,
        kept_evidence(-days, *packets or (b"root", b"child %d" % days)),
        started_at=NOW - days * DAY,
        findings=[{"reason": "APEX_NO_CDS", "kind": "I", "subject": "", "detail": ""}],
        **{"outcome": "nothing", "primary_reason": "APEX_NO_CDS", "ds": [], **changes},
    )
    ScanFinding.objects.create(scan=scan, reason="APEX_UNSIGNED", kind="C")
    return scan


def compact() -> int:
    return compaction.compact(now=NOW, ticks=lambda: 0.0)


def is_whole(scan: ScanAttempt) -> bool:
    try:
        evidence.octets_of(str(scan.evidence_id))
    except evidence.EvidenceCompacted:
        return False
    return True


def test_old_routine_scans_keep_code_and_hash_and_nothing_else():  # P-8.3
    domain = a_domain()
    scans = [routine(domain, days) for days in (200, 150, 100, 1)]
    before = [scan.evidence_id for scan in scans]

    assert compact() == 2

    for scan in scans:
        scan.refresh_from_db()
    assert [is_whole(scan) for scan in scans] == [True, False, False, True]
    assert [scan.evidence_id for scan in scans] == before
    assert scans[1].primary_reason == "APEX_NO_CDS"
    assert scans[1].checks == []
    assert scans[1].findings == []
    assert not scans[1].marks.exists()
    assert compact() == 0


def pieces() -> int:
    return EvidencePiece.objects.count()


def test_pieces_that_others_need_stay_and_the_others_go():
    domain = a_domain()
    routine(domain, 200)
    routine(domain, 1)
    others = pieces()
    routine(domain, 150, b"root", b"seen by nobody else")
    assert pieces() > others

    compact()

    assert pieces() == others


SPARED = {
    "an accepted one": {"outcome": "accept", "primary_reason": "ACC_OK"},
    "one that was held": {"outcome": "hold"},
    "an own fault": {"outcome": "error", "kind": "X"},
    "a class A verdict": {"outcome": "reject", "kind": "A"},
    "one that staff asked for": {"trigger": "staff"},
    "one by name": {"trigger": "command"},
    "one after a publication": {"trigger": "publication"},
    "one that the holder asked for": {"trigger": "owner"},
}


@pytest.mark.parametrize("changes", SPARED.values(), ids=SPARED)
def test_what_somebody_may_want_to_see_again_is_spared(changes):
    domain = a_domain()
    routine(domain, 200, **changes)
    spared = routine(domain, 150, **changes)
    routine(domain, 1)

    assert compact() == 0
    assert is_whole(spared)


def test_a_class_a_finding_among_others_spares_its_evidence():
    domain = a_domain()
    routine(domain, 200)
    spared = routine(domain, 150)
    ScanFinding.objects.create(scan=spared, reason="SIG_STALE", kind="A")
    routine(domain, 1)

    assert compact() == 0
    assert is_whole(spared)


@pytest.mark.parametrize("by", ["scan", "evidence"])
def test_what_a_proposal_rests_on_is_spared(by):
    """A proposal names two: the evaluation that made it, and newer evidence."""
    domain = a_domain()
    routine(domain, 200)
    spared = routine(domain, 150)
    proposal = a_proposal(domain, state="settled")
    if by == "scan":
        type(proposal).objects.update(scan=spared)
    else:
        type(proposal).objects.update(evidence=spared.evidence)
    routine(domain, 1)

    assert compact() == 0
    assert is_whole(spared)


def test_the_first_of_each_new_verdict_is_spared():
    domain = a_domain()
    first = routine(domain, 200)
    again = routine(domain, 190)
    other = routine(domain, 150, primary_reason="APEX_UNSIGNED")
    back = routine(domain, 120)
    routine(domain, 1)

    assert compact() == 1
    assert [is_whole(s) for s in (first, again, other, back)] == [
        True,
        False,
        True,
        True,
    ]


def test_evidence_of_two_evaluations_stays_for_both():
    domain = a_domain()
    routine(domain, 200)
    shared = routine(domain, 150)
    a_scan(domain, shared.evidence, started_at=NOW - 140 * DAY, trigger="staff")
    routine(domain, 1)

    compact()

    assert is_whole(shared)


def test_a_crash_in_a_slice_leaves_all_before_it_done_and_nothing_half_done(
    monkeypatch,
):
    domain = a_domain()
    scans = [routine(domain, days) for days in (200, 190, 180, 170, 1)]
    monkeypatch.setattr(compaction, "SLICE", 1)
    ticks = iter([0.0, 0.0])

    def crashing() -> float:
        return next(ticks)  # fails when it is asked after the second slice

    with pytest.raises(StopIteration):
        compaction.compact(now=NOW, ticks=crashing)

    assert [is_whole(scan) for scan in scans] == [True, False, False, True, True]
    assert compact() == 1


def test_what_is_left_when_time_is_over_is_rung_for(monkeypatch):
    domain = a_domain()
    for days in (200, 190, 180, 1):
        routine(domain, days)
    rung: list[bell.Work] = []
    monkeypatch.setattr(compaction, "SLICE", 1)
    monkeypatch.setattr(bell, "ring", rung.append)
    ticks = iter([0.0, 1e9])

    assert compaction.compact(now=NOW, ticks=lambda: next(ticks)) == 1
    assert rung == [bell.Work.COMPACTION]


def test_how_long_details_stay_is_a_setting(settings):
    settings.BOOTSTRAP = {**settings.BOOTSTRAP, "SCAN_DETAIL_DAYS": "180"}
    domain = a_domain()
    for days in (300, 200, 150, 1):
        routine(domain, days)

    assert compact() == 1


def test_a_piece_comes_back_with_the_next_bundle_that_has_it():
    domain = a_domain()
    routine(domain, 200, b"seen before")
    routine(domain, 150, b"once more")
    routine(domain, 1, b"new")
    before = pieces()
    compact()
    assert pieces() < before

    again = routine(domain, 0, b"once more")

    assert is_whole(again)


def test_what_is_compacted_is_left_out_of_rejudging_and_export_says_so(tmp_path):
    domain = a_domain()
    scans = [routine(domain, days) for days in (200, 150, 1)]
    compact()

    judged = [each.scan for each in rejudging.rejudge(rejudging.since(NOW - 365 * DAY))]

    assert judged == [scans[0], scans[2]]
    with pytest.raises(Exception, match="compacted"):
        call_command("evidence", "export", str(scans[1].pk), "-o", str(tmp_path / "x"))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
@pytest.mark.django_db(transaction=True)
def test_a_piece_that_is_being_counted_on_does_not_go():
    """A writer that found a piece commits while compaction is about to remove it."""
    domain = a_domain()
    for days in (200, 150, 1):
        routine(domain, days, b"counted on" if days == 150 else b"%d" % days)
    found, compacted = threading.Event(), threading.Event()
    stored: list[str] = []

    def writer() -> None:
        with closing(connection), transaction.atomic():
            stored.append(kept_evidence(7, b"counted on").digest)
            found.set()
            assert not compacted.wait(1)  # it waits for us

    def compactor() -> None:
        with closing(connection):
            compact()
            compacted.set()

    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(writer)
        assert found.wait(30)
        compacting = pool.submit(compactor)
        writing.result(30)
        compacting.result(30)

    assert len(evidence.octets_of(stored[0])) > 0
    assert Evidence.objects.filter(compacted=True).count() == 1
