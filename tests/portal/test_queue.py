"""The queue: filters in the address, saved views, many decisions behind a preview."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.html import escape

from bootstrap import clock
from bootstrap.models import AuditEntry, Domain, Proposal, SavedView
from bootstrap.services import batches
from tests.support import rows

from .conftest import enter

PAIRS = re.compile(r'name="chosen" value="([0-9a-f-]{36}:[0-9a-f]{64})"')
BATCH = {"verb": "approve", "via": "dashboard", "comment": "Same operator, same keys"}


@pytest.fixture
def reader(registry):
    return enter(rows.a_reader())


@pytest.fixture
def chosen(registry):
    """Two changes that can be approved, and one whose delegation has moved on."""
    found = []
    for number in range(3):
        domain = rows.a_domain(registry.zone, f"many-{number}.example")
        found.append(rows.a_proposal(domain, rows.a_scan(domain)))
    Domain.objects.filter(name="many-2.example").update(version=8)
    return found


def preview(browser, changes, verb="approve"):
    form = {"verb": verb, "chosen": [str(change.pk) for change in changes]}
    return browser.post(reverse("dashboard:batch"), form)


QUERIES = {
    f"?operator={'cd' * 32}": "own.example",
    "?registrar=Mine": "own.example",
    "?reason=SIG_BOGUS": "own.example",
    "?age=week": "own.example",
    "?zone=example&state=candidate&path=update": "own.example",
}


@pytest.mark.parametrize("query", QUERIES)
def test_every_filter_of_the_queue_lives_in_its_address(query, reader, registry):
    domain = rows.a_domain(
        registry.zone, "own.example", registrar="Mine Ltd", ns_key="cd" * 32
    )
    rows.a_proposal(
        domain,
        rows.a_scan(domain),
        path="update",
        reason="SIG_BOGUS",
        created_at=rows.NOW - timedelta(days=9),
    )

    text = reader.get(f"/queue/{query}").text

    assert QUERIES[query] in text
    assert "candidate.example" not in text


@pytest.mark.parametrize("query", ["?age=eternal", "?zone=nowhere", "?state=done"])
def test_a_filter_without_sense_finds_nothing(query, reader):
    assert "Nothing waits here." in reader.get(f"/queue/{query}").text


def test_filters_are_kept_under_a_name_and_found_by_it(reader, registry):
    form = {"name": "Candidates only", "state": "candidate", "q": "", "shared": "on"}

    answer = reader.post(reverse("dashboard:save-view"), form)

    assert answer["Location"] == "/queue/?view=candidates-only"
    text = reader.get(answer["Location"]).text
    assert "candidate.example" in text
    assert "held.example" not in text
    assert SavedView.objects.get().params == {"state": "candidate"}
    reader.post(reverse("dashboard:delete-view", args=["candidates-only"]))
    assert not SavedView.objects.exists()


def test_a_name_of_a_view_is_letters_and_nothing_else(reader):
    reader.post(reverse("dashboard:save-view"), {"name": rows.HOSTILE, "q": "x"})

    text = reader.get("/queue/").text

    assert rows.HOSTILE not in text
    assert escape(rows.HOSTILE) in text


def test_the_queue_tells_how_many_are_new_and_moves_no_row(reader, registry):
    since = (clock.now() - timedelta(minutes=1)).isoformat()
    domain = rows.a_domain(registry.zone, "fresh.example")
    rows.a_proposal(domain, rows.a_scan(domain), created_at=clock.now())

    part = reader.get("/queue/", {"since": since}, headers={"HX-Request": "true"}).text

    assert "1 new change:" in part
    assert "fresh.example" not in part
    assert "since" not in part
    later = clock.now().isoformat()
    again = reader.get("/queue/", {"since": later}, headers={"HX-Request": "true"})
    assert again.text.strip() == ""


def test_a_preview_says_what_changes_and_what_is_skipped_and_decides_nothing(
    reader, chosen
):
    answer = preview(reader, chosen)

    assert answer.status_code == 200
    assert len(PAIRS.findall(answer.text)) == 2
    assert "the registry&#x27;s data changed" in answer.text
    assert not Proposal.objects.filter(pk__in=[c.pk for c in chosen]).exclude(
        state="candidate"
    )


def test_a_batch_decides_each_with_its_own_entry_and_one_for_all(reader, chosen):
    pairs = PAIRS.findall(preview(reader, chosen).text)
    Proposal.objects.filter(pk=chosen[1].pk).update(digest="e" * 64)

    page = reader.post(reverse("dashboard:batch-decide"), {**BATCH, "chosen": pairs})

    states = {c.pk: Proposal.objects.get(pk=c.pk).state for c in chosen}
    assert states[chosen[0].pk] == "approved"
    assert states[chosen[1].pk] == "candidate"
    assert "changed since you looked" in page.text
    assert AuditEntry.objects.filter(type="proposal.approved").count() == 1
    assert AuditEntry.objects.filter(type="batch.decided").count() == 1


def test_a_batch_without_a_reason_decides_nothing(reader, chosen):
    pairs = PAIRS.findall(preview(reader, chosen, "reject").text)
    form = {**BATCH, "verb": "reject", "comment": " ", "chosen": pairs}

    reader.post(reverse("dashboard:batch-decide"), form)

    assert not AuditEntry.objects.filter(type="batch.decided").exists()
    assert Proposal.objects.get(pk=chosen[0].pk).state == "candidate"


def test_a_batch_asks_for_a_fresh_second_factor(registry, chosen):
    stale = enter(rows.a_person("slow", "approver"), ago=700)
    pairs = PAIRS.findall(preview(stale, chosen).text)

    answer = stale.post(reverse("dashboard:batch-decide"), {**BATCH, "chosen": pairs})

    assert "reauthenticate" in answer["Location"]
    assert Proposal.objects.get(pk=chosen[0].pk).state == "candidate"


@pytest.mark.parametrize("value", ["", "x", "' OR 1=1", "0" * 36])
def test_choices_that_make_no_sense_choose_nothing(value, reader):
    form = {"verb": "approve", "chosen": [value]}

    assert reader.post(reverse("dashboard:batch"), form).status_code in {200, 302}
    assert not AuditEntry.objects.filter(type="batch.decided").exists()


def test_the_action_of_the_admin_leads_to_the_same_preview(reader, chosen):
    form = {
        "action": "approve_chosen",
        "_selected_action": [str(change.pk) for change in chosen],
    }

    answer = reader.post(reverse("admin:bootstrap_proposal_changelist"), form)

    assert "Approve 2 changes?" in answer.text
    assert 'name="via" value="admin"' in answer.text
    viewer = enter(rows.a_person("vic"))
    listing = viewer.get(reverse("admin:bootstrap_proposal_changelist")).text
    assert "approve_chosen" not in listing


def test_single_keys_can_be_switched_off(reader):
    """WCAG 2.2, 2.1.4."""
    reader.post("/keys/", {"keys": "off", "back": "/queue/"})
    assert 'data-keys="off"' in reader.get("/queue/").text

    reader.post("/keys/", {"keys": "on", "back": "/queue/"})
    assert "data-keys" not in reader.get("/queue/").text


def test_a_note_is_seen_on_both_pages_and_never_by_the_public(reader, registry):
    proposal = registry.proposals["candidate"]
    url = reverse("dashboard:note-proposal", args=[proposal.pk])

    reader.post(url, {"comment": rows.HOSTILE})

    for page in ("proposal", "domain"):
        key = proposal.pk if page == "proposal" else proposal.domain_id
        text = reader.get(reverse(f"dashboard:{page}", args=[key])).text
        assert escape(rows.HOSTILE) in text
        assert rows.HOSTILE not in text
    public = reader.get(reverse("status:name", args=[proposal.domain.name])).text
    assert "alert(1)" not in public


def test_automation_of_one_child_goes_off_and_on_with_a_reason(reader, registry):
    domain = registry.domains["blocked"]
    off, on = (
        reverse(f"dashboard:{v}", args=[domain.pk]) for v in ("suspend", "resume")
    )
    reader.post(off, {"cause": "NONSENSE", "comment": "x"})
    reader.post(off, {"cause": "SECURITY_ALARM", "comment": ""})
    domain.refresh_from_db()
    assert domain.suspension == ""

    reader.post(off, {"cause": "SECURITY_ALARM", "comment": "Keys were stolen"})
    domain.refresh_from_db()
    assert domain.suspension == "SECURITY_ALARM"
    text = reader.get(reverse("dashboard:domain", args=[domain.pk])).text
    assert "Automation was turned off." in text

    reader.post(on, {"comment": "New keys"})
    domain.refresh_from_db()
    assert domain.suspension == ""


def test_two_evaluations_are_compared_part_by_part(reader, registry):
    domain = rows.a_domain(registry.zone, "twice.example")
    before = rows.a_scan(domain, outcome="retry", reason="SIG_BOGUS")
    after = rows.a_scan(domain)

    text = reader.get(reverse("dashboard:compare", args=[after.pk, before.pk])).text

    assert "<del>SIG_BOGUS</del>" in text
    same = reader.get(reverse("dashboard:compare", args=[after.pk, after.pk])).text
    assert "Both say the same." in same
    other = registry.scans["alarm"]
    mixed = reverse("dashboard:compare", args=[after.pk, other.pk])
    assert reader.get(mixed).status_code == 404


def test_all_that_match_go_to_the_preview_and_no_others(reader, registry):
    waiting = registry.proposals["candidate"]
    rows.a_proposal(
        other := rows.a_domain(registry.zone, "other.example"), rows.a_scan(other)
    )
    url = f"{reverse('dashboard:batch')}?q=candidate"

    text = reader.post(url, {"verb": "approve", "every": "on"}).text

    assert "Approve 1 change?" in text
    assert f"{waiting.pk}:{waiting.digest}" in text
    assert "other.example" not in text


def test_all_that_match_end_at_the_limit_and_the_page_says_so(
    reader, registry, monkeypatch
):
    monkeypatch.setattr(batches, "MOST", 2)
    for number in range(4):
        domain = rows.a_domain(registry.zone, f"many-{number}.example")
        rows.a_proposal(domain, rows.a_scan(domain))
    url = f"{reverse('dashboard:batch')}?state=candidate"

    text = reader.post(url, {"verb": "reject", "every": "on"}).text

    assert "Reject 2 changes?" in text
    assert "3 more were chosen than the limit of 2" in text
