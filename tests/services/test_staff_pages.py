"""What the pages of staff need beside decisions: notes, views, figures, zone scans."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bootstrap.core.evaluation.delegation import Suspension
from bootstrap.models import AuditEntry, DailyFigures, Note, SavedView, WorkItem
from bootstrap.services import (
    leasing,
    notes,
    requests,
    savedviews,
    scanruns,
    statistics,
    suspension,
)

from .builders import HOLD, NOW, a_domain, a_person, a_proposal, a_zone

pytestmark = pytest.mark.django_db
SCANNER = a_person("rita", requests.REQUEST_SCAN)


def test_a_note_is_kept_and_its_text_can_be_erased_from_the_trail():
    domain = a_domain()

    notes.write(domain, "Called them", actor=a_person("rita", notes.COMMENT), now=NOW)

    assert Note.objects.get().author == "rita"
    body = bytes(AuditEntry.objects.get(type="note.written").body)
    assert b"Called them" not in body
    with pytest.raises(notes.NoteRefused):
        notes.write(domain, "x", actor=a_person("vic", HOLD), now=NOW)
    assert Note.objects.count() == 1


def test_automation_is_turned_off_only_by_who_may_hold():
    domain = a_domain()
    with pytest.raises(suspension.SuspensionRefused):
        suspension.suspend(
            domain, Suspension.SECURITY_ALARM, actor=SCANNER, now=NOW, note="x"
        )
    domain.refresh_from_db()
    assert domain.suspension == ""


def test_a_view_is_ones_own_unless_shared():
    ada, bob = a_person("ada"), a_person("bob")
    savedviews.save("Mine", {"q": "x"}, shared=False, actor=ada, now=NOW)
    savedviews.save("Ours", {"q": "y"}, shared=True, actor=ada, now=NOW)

    def names(person):
        return {view.slug for view in savedviews.known_to(person)}

    assert {"mine", "ours", "needs-review"} <= names("ada")
    assert "mine" not in names("bob")
    assert "ours" in names("bob")
    assert not savedviews.delete("ours", actor=bob)
    with pytest.raises(savedviews.ViewRefused):
        savedviews.save("ours", {}, shared=True, actor=bob, now=NOW)
    with pytest.raises(savedviews.ViewRefused):
        savedviews.save("Needs review", {}, shared=True, actor=ada, now=NOW)
    assert savedviews.delete("ours", actor=ada)
    assert SavedView.objects.count() == 1


def test_figures_of_a_day_are_counted_by_zone_and_kept_for_the_days_before():
    zone = a_zone()
    a_domain(zone, state="secured", last_scan_at=NOW)
    blocked = a_domain(
        zone, name="b.test", state="blocked", last_reason="SIG_BOGUS", last_scan_at=None
    )
    a_proposal(blocked, sent_at=NOW)
    statistics.count(now=NOW - timedelta(days=1))

    assert statistics.count(now=NOW) == 1

    today = DailyFigures.objects.get(day=NOW.date())
    assert today.states == {"secured": 1, "blocked": 1}
    assert today.reasons == {"SIG_BOGUS": 1}
    assert (today.total, today.secured, today.bootstraps) == (2, 1, 1)
    assert (today.stalest, today.unseen) == (NOW, 1)
    assert [d["bootstraps"] for d in statistics.days(NOW - timedelta(days=9))] == [0, 1]
    assert [row.day for row in statistics.newest()] == [NOW.date()]


def test_a_zone_is_scanned_at_once_and_called_back():
    zone = a_zone()
    for number in range(3):
        a_domain(zone, name=f"c{number}.test")
    other = a_domain(a_zone("other"), name="d.other")

    assert scanruns.start(zone, actor=SCANNER, now=NOW) == 3

    (lease,) = leasing.claim(1, holder="w", now=NOW, term=timedelta(minutes=4))
    assert scanruns.waiting(zone, NOW).count() == 2
    assert scanruns.stop(zone, actor=SCANNER, now=NOW) == 2
    assert WorkItem.objects.claimable(NOW).count() == 0
    assert WorkItem.objects.get(pk=lease.domain_id).lease_until is not None
    assert not WorkItem.objects.filter(domain=other).exists()
    kinds = AuditEntry.objects.values_list("type", flat=True)
    assert {"scans.started", "scans.stopped"} <= set(kinds)


def test_who_may_not_ask_for_scans_starts_and_stops_none():
    zone = a_zone()
    for verb in (scanruns.start, scanruns.stop):
        with pytest.raises(requests.RequestRefused):
            verb(zone, actor=a_person("vic", HOLD), now=NOW)


def test_what_concerns_one_child_alone_keeps_its_turn_before_a_whole_zone():
    zone = a_zone()
    one = a_domain(zone)
    requests.request_scan(one, actor=SCANNER, now=NOW)

    scanruns.start(zone, actor=SCANNER, now=NOW)

    assert WorkItem.objects.get(pk=one.pk).priority == 3
