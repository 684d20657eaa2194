"""Scans that stage one ended: one row and one entry for many, and leases as ever."""

from __future__ import annotations

import hashlib
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bootstrap.core.evaluation import glance as stage_one
from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.glance import Glance
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.models import AuditEntry, Domain, ScanAttempt, ScanBatch, WorkItem
from bootstrap.services import glances, leasing, recording, scanning
from bootstrap.services.evaluating import Judged, Site
from bootstrap.services.snapshots import snapshots
from tests.support.cases import a_case

from .builders import NOW, a_domain, a_zone
from .test_recording import judged as judged_as, leased

pytestmark = pytest.mark.django_db
LOOK = Glance(is_signed=False, digest="ab" * 32)
SILENT = {"last_outcome": "nothing", "last_reason": "APEX_NO_CDS"}
HOUR = timedelta(hours=1)


def looked_at(domain, look=LOOK) -> Judged:
    (snapshot,) = snapshots([domain])
    case = replace(a_case(), delegation=snapshot.delegation, observations=(), now=NOW)
    return Judged(domain.pk, case, stage_one.verdict(case), timedelta(0), look)


def children(count=3, **changes):
    zone = a_zone()
    return [
        a_domain(zone, f"child{number}.test", **{**SILENT, **changes})
        for number in range(count)
    ]


def record(domains, look=LOOK, now=NOW):
    leases = leased(*domains, now=now)
    return glances.record([looked_at(d, look) for d in domains], leases, now=now)


def test_p_8_3_code_time_and_hash_are_kept_and_the_trail_has_their_hash():
    domains = children()

    recorded = record(domains)

    assert [each.address for each in recorded] == [None] * 3
    assert ScanAttempt.objects.count() == 0
    batch = ScanBatch.objects.get()
    lines = glances.lines_of(batch)
    assert [json.loads(line) for line in lines.splitlines()] == [
        {
            "answers": "ab" * 32,
            "at": "2026-11-24T13:00:00.000000Z",
            "child": domain.name,
            "code": "APEX_NO_CDS",
            "signed": False,
        }
        for domain in domains
    ]
    entry = AuditEntry.objects.get()
    data = json.loads(bytes(entry.body))["data"]
    assert (entry.type, batch.count) == ("scan.batch", 3)
    assert data == {
        "batch": str(batch.pk),
        "count": 3,
        "sha256": hashlib.sha256(lines).hexdigest(),
        "via": "worker",
    }


def test_the_child_was_looked_at_and_is_due_again_after_the_cadence():
    (domain,) = children(1, signed_since=NOW - HOUR)

    record([domain])

    domain.refresh_from_db()
    assert domain.last_scan_at == NOW
    assert domain.signed_since == NOW - HOUR
    item = WorkItem.objects.get()
    cadence = timedelta(seconds=domain.zone.scan_every_seconds)
    assert NOW + cadence <= item.due_at <= NOW + cadence * 1.1
    assert (item.lease_until, item.attempts, item.trigger) == (None, 0, "schedule")


@pytest.mark.parametrize(("signed", "state"), [(True, "signed"), (False, "unsigned")])
def test_a_first_look_says_what_the_child_is(signed, state):
    (domain,) = children(1, last_outcome="", last_reason="")

    record([domain], Glance(signed, "cd" * 32))

    domain.refresh_from_db()
    assert (domain.last_outcome, domain.last_reason) == ("nothing", "APEX_NO_CDS")
    assert (domain.state, domain.signed_since) == (state, NOW if signed else None)


def test_a_late_writer_leaves_nothing_behind():
    (domain,) = children(1)
    leases = leased(domain)
    later = NOW + HOUR
    assert leasing.claim(1, holder="b", now=later, term=HOUR)

    assert glances.record([looked_at(domain)], leases, now=later) == []

    assert not ScanBatch.objects.exists()
    assert not AuditEntry.objects.exists()
    domain.refresh_from_db()
    assert domain.last_scan_at is None


def test_a_child_that_changed_meanwhile_is_due_at_once_and_nothing_is_said():
    (domain,) = children(1)
    leases, look = leased(domain), looked_at(domain)
    Domain.objects.update(version=2)

    assert glances.record([look], leases, now=NOW) == []

    assert WorkItem.objects.get().due_at == NOW
    assert not ScanBatch.objects.exists()


def test_a_child_that_is_gone_is_left_out():
    (domain,) = children(1)
    leases, look = leased(domain), looked_at(domain)
    domain.delete()

    assert glances.record([look], leases, now=NOW) == []


def test_a_whole_scan_is_none_of_its():
    (domain,) = children(1)
    whole = judged_as(domain, stage_one.verdict(a_case()))

    with pytest.raises(ValueError, match="whole"):
        glances.record([whole], leased(domain), now=NOW)


# ── which scans may end there ───────────────────────────


@dataclass
class Eyes:
    """Sees silent children in stage one, but for those of the names in `doubts`."""

    doubts: frozenset[str] = frozenset()
    glanced: list[str] = field(default_factory=list)
    observed: list[str] = field(default_factory=list)

    async def glance(self, routines):
        names = [str(r.case.delegation.child)[:-1] for r in routines]
        self.glanced += names
        return [None if name in self.doubts else LOOK for name in names]

    async def observe(self, case):
        self.observed.append(str(case.delegation.child)[:-1])
        return a_case().observations

    async def ask(self, queries):
        raise AssertionError("not needed here")

    async def lookup(self, lookups):
        raise AssertionError("not needed here")


def a_site(eyes) -> Site:
    @asynccontextmanager
    async def opened():
        yield eyes

    return Site(
        eyes=opened,
        anchors=a_case().anchors,
        control=(),
        clock=lambda: NOW,
        ticks=lambda: 100.0,
    )


def drain(eyes, domains, trigger=Trigger.SCHEDULE):
    leasing.request([d.pk for d in domains], trigger=trigger, now=NOW)
    return list(scanning.drain(holder="a", at=a_site(eyes)))


@pytest.fixture(autouse=True)
def _no_whole_days(settings):
    settings.BOOTSTRAP = {**settings.BOOTSTRAP, "SCAN_FULL_DAYS": "365"}


def test_a_routine_scan_ends_with_the_first_look():
    eyes, domains = Eyes(), children(130)

    recorded = drain(eyes, domains)

    assert len(recorded) == 130
    assert (len(eyes.glanced), eyes.observed) == (130, [])
    (line, *_) = map(scanning.as_json, recorded)
    assert (line["outcome"], line["evidence"], line["checks"]) == ("nothing", None, [])
    assert sum(ScanBatch.objects.values_list("count", flat=True)) == 130
    assert not WorkItem.objects.claimable(NOW).exists()


def test_doubts_are_evaluated_as_a_whole():
    domains = children(3)
    eyes = Eyes(doubts=frozenset({"child1.test"}))

    drain(eyes, domains)

    assert eyes.observed == ["child1.test"]
    assert ScanAttempt.objects.get().domain == domains[1]
    assert ScanBatch.objects.get().count == 2


def test_where_nobody_is_silent_the_rest_is_not_asked_first():
    domains = children(130)
    eyes = Eyes(doubts=frozenset(domain.name for domain in domains))

    drain(eyes, domains)

    assert len(eyes.glanced) == 64
    assert len(eyes.observed) == 130


@pytest.mark.parametrize("trigger", [Trigger.STAFF, Trigger.OWNER, Trigger.NOTIFY])
def test_whatever_somebody_asked_for_is_whole(trigger):
    eyes = Eyes()

    drain(eyes, children(1), trigger)

    assert (eyes.glanced, eyes.observed) == ([], ["child0.test"])


def test_scans_by_name_are_whole():
    eyes, domains = Eyes(), children(1)

    list(scanning.evaluate(domains, trigger=Trigger.COMMAND, at=a_site(eyes)))

    assert (eyes.glanced, eyes.observed) == ([], ["child0.test"])


def test_a_child_that_said_something_is_evaluated_as_a_whole():
    eyes = Eyes()

    drain(eyes, children(1, last_outcome="reject", last_reason="APEX_PARTIAL"))

    assert (eyes.glanced, eyes.observed) == ([], ["child0.test"])


def test_one_day_switches_stage_one_off(settings):
    settings.BOOTSTRAP = {**settings.BOOTSTRAP, "SCAN_FULL_DAYS": "1"}
    eyes = Eyes()

    drain(eyes, children(2))

    assert eyes.glanced == []
    assert ScanAttempt.objects.count() == 2


def test_a_fault_of_the_eyes_ends_the_drain_and_loses_nothing():
    class Blind(Eyes):
        async def glance(self, routines):
            raise RuntimeError("no eyes")

    domains = children(1)
    with pytest.raises(RuntimeError, match="no eyes"):
        drain(Blind(), domains)

    item = WorkItem.objects.get()
    assert item.lease_until is not None  # it runs out, and the item is taken up again
    assert not ScanBatch.objects.exists()


def test_recording_counts_them_as_nothing():
    recorded = record(children(2))

    assert recording.count(recorded) == {"nothing": 2}
    assert recorded[0].judged.verdict.findings == (
        Finding(Reason.APEX_NO_CDS, "child0.test"),
    )
