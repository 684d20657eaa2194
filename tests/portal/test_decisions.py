"""The decision, through both doors: one form, one service (architecture.md 2.6)."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from django.urls import reverse

from bootstrap.models import AuditEntry, Proposal
from tests.support import rows

from .conftest import enter


@dataclass(frozen=True)
class Door:
    """Where a change is shown, and where its form goes."""

    via: str
    page: str
    action: str

    def show(self, browser, proposal):
        return browser.get(self._url(self.page, proposal))

    def press(self, browser, proposal, verb, **changes):
        """Fill in the form that the page shows, and send it."""
        html = self.show(browser, proposal).text
        fields = dict(re.findall(r'name="(digest|shown|back)" value="([^"]*)"', html))
        form = fields | {"verb": verb, "comment": "Seen and understood"} | changes
        return browser.post(self._url(self.action, proposal), form)

    def _url(self, name, proposal):
        key = "proposal_id" if name.startswith("dashboard") else "object_id"
        if name.endswith("_decide"):
            key = "proposal_id"
        return reverse(name, kwargs={key: proposal.pk})


DOORS = (
    Door("dashboard", "dashboard:proposal", "dashboard:decide"),
    Door(
        "admin",
        "admin:bootstrap_proposal_change",
        "admin:bootstrap_proposal_decide",
    ),
)


@pytest.fixture(params=DOORS, ids=[door.via for door in DOORS])
def door(request):
    return request.param


def said(proposal):
    """Return what was said about a proposal: verb, actor, door."""
    return list(proposal.decisions.values_list("verb", "actor", "via"))


OUTCOMES = {
    "approve": ("candidate", "approved"),
    "reject": ("candidate", "rejected"),
    "hold": ("candidate", "held"),
    "release": ("held", "candidate"),
}


@pytest.mark.parametrize("verb", OUTCOMES)
def test_a_decision_moves_the_change_and_is_recorded(verb, door, browsers, registry):
    before, after = OUTCOMES[verb]
    proposal = registry.proposals[before]

    answer = door.press(browsers["approver"], proposal, verb)

    proposal.refresh_from_db()
    assert answer.status_code == 302
    assert proposal.state == after
    assert said(proposal) == [(verb, "approver", door.via)]
    assert AuditEntry.objects.filter(about=proposal.pk).count() == 1


def test_a_decision_without_a_comment_is_asked_for_one(door, browsers, registry):
    proposal = registry.proposals["candidate"]

    answer = door.press(browsers["approver"], proposal, "approve", comment=" ")

    assert answer.status_code == 422
    assert "a decision needs a comment" in answer.text
    assert said(proposal) == []


def test_a_stale_page_is_refused_and_told_what_changed(door, browsers, registry):
    proposal = registry.proposals["candidate"]
    html = door.show(browsers["approver"], proposal).text
    (shown,) = re.findall(r'name="shown" value="([^"]*)"', html)
    seen = proposal.digest
    renewed = "f" * 64
    Proposal.objects.filter(pk=proposal.pk).update(
        digest=renewed, new_ds=[rows.ds(54321)]
    )

    answer = door.press(
        browsers["approver"], proposal, "approve", digest=seen, shown=shown
    )

    assert answer.status_code == 409
    assert "Nothing was decided" in answer.text
    assert "54321 13 2" in answer.text
    assert "new DS" in answer.text
    assert said(proposal) == []
    assert AuditEntry.objects.filter(type="approval.stale").count() == 1


def test_the_refused_form_carries_the_new_digest_and_the_old_comment(
    door, browsers, registry
):
    proposal = registry.proposals["candidate"]

    answer = door.press(
        browsers["approver"], proposal, "approve", digest="e" * 64, comment="My reasons"
    )

    assert f'name="digest" value="{proposal.digest}"' in answer.text
    assert "My reasons" in answer.text


def test_who_comes_second_learns_that_it_is_decided(door, browsers, registry):
    proposal = registry.proposals["candidate"]
    other = enter(rows.a_person("second", "approver"))
    html = door.show(other, proposal).text
    fields = dict(re.findall(r'name="(digest|shown|back)" value="([^"]*)"', html))
    door.press(browsers["approver"], proposal, "reject")

    answer = other.post(
        door._url(door.action, proposal),
        fields | {"verb": "approve", "comment": "Too late"},
    )

    assert answer.status_code == 409
    assert said(proposal) == [("reject", "approver", door.via)]


def test_two_persons_are_needed_where_the_route_says_so(door, browsers, registry):
    proposal = registry.proposals["candidate"]
    Proposal.objects.filter(pk=proposal.pk).update(approvals_needed=2)
    second = enter(rows.a_person("second", "approver"))

    door.press(browsers["approver"], proposal, "approve")
    proposal.refresh_from_db()
    assert proposal.state == "candidate"
    again = door.press(browsers["approver"], proposal, "approve")
    assert again.status_code == 409
    door.press(second, proposal, "approve")

    proposal.refresh_from_db()
    assert proposal.state == "approved"
    assert [actor for _, actor, _ in said(proposal)] == ["approver", "second"]


def test_who_asked_for_a_change_cannot_approve_it(door, browsers, registry):
    proposal = registry.proposals["candidate"]
    Proposal.objects.filter(pk=proposal.pk).update(requested_by="approver")

    answer = door.press(browsers["approver"], proposal, "approve")

    assert answer.status_code == 409
    assert "cannot approve" in answer.text
    assert "somebody else must approve it" in answer.text


def test_a_reviewer_may_hold_but_not_approve(door, browsers, registry):
    proposal = registry.proposals["candidate"]

    page = door.show(browsers["reviewer"], proposal).text
    refused = door.press(browsers["reviewer"], proposal, "approve")
    held = door.press(browsers["reviewer"], proposal, "hold")

    assert 'value="hold"' in page
    assert 'value="approve"' not in page
    assert refused.status_code == 403
    assert held.status_code == 302


def test_an_auditor_sees_the_same_page_without_a_button(door, browsers, registry):
    page = door.show(browsers["auditor"], registry.proposals["candidate"])

    assert page.status_code == 200
    assert 'name="verb"' not in page.text
    assert rows.DIGEST in page.text


def test_a_second_factor_older_than_ten_minutes_is_asked_for_again(
    door, people, registry
):  # S-66
    proposal = registry.proposals["candidate"]
    browser = enter(people["approver"], ago=660)

    answer = door.press(browser, proposal, "approve")

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("mfa_reauthenticate"))
    assert said(proposal) == []
    assert enter_and_press(door, people["approver"], proposal).status_code == 302
    assert said(proposal) == [("approve", "approver", door.via)]


def enter_and_press(door, person, proposal):
    """Return the answer to a decision nine minutes after the second factor."""
    return door.press(enter(person, ago=540), proposal, "approve")


def test_facts_that_changed_at_the_registry_end_the_change(door, browsers, registry):
    proposal = registry.proposals["candidate"]
    proposal.domain.nameservers = ["ns.elsewhere.net"]
    proposal.domain.version += 1
    proposal.domain.save()

    answer = door.press(browsers["approver"], proposal, "approve")

    proposal.refresh_from_db()
    assert answer.status_code == 409
    assert proposal.state == "stale"


def test_no_page_of_the_admin_changes_a_guarded_row(registry, db):  # S-107
    root = rows.a_person("root", "approver", is_superuser=True)
    browser = enter(root)
    proposal = registry.proposals["candidate"]
    for model, row in (
        ("proposal", proposal),
        ("domain", proposal.domain),
        ("scanattempt", proposal.scan),
        ("auditentry", registry.entries[0]),
        ("zone", registry.zone),
    ):
        change = reverse(f"admin:bootstrap_{model}_change", args=[row.pk])
        delete = reverse(f"admin:bootstrap_{model}_delete", args=[row.pk])

        assert browser.get(change).status_code == 200, model
        assert browser.post(change, {"state": "approved"}).status_code == 403, model
        assert browser.post(delete, {"post": "yes"}).status_code == 403, model

    proposal.refresh_from_db()
    assert proposal.state == "candidate"


def test_a_superuser_administers_and_never_decides(door, registry):
    """S-67: who can make accounts cannot approve, not even by being root."""
    root = enter(rows.a_person("root", "approver", is_superuser=True))
    proposal = registry.proposals["candidate"]

    page = door.show(root, proposal)
    answer = door.press(root, proposal, "approve", digest=proposal.digest)

    assert page.status_code == 200
    assert 'value="approve"' not in page.text
    assert answer.status_code == 403


def test_the_way_back_is_asked_for_at_both_doors_and_approved_by_another(
    door, browsers, registry
):  # S-77
    published = registry.proposals["settled"]
    published.domain.ds = published.new_ds
    published.domain.save()
    published.scan.evidence = published.evidence
    published.scan.save()
    page = door.show(browsers["approver"], published).text
    (url,) = re.findall(r'action="([^"]*/rollback/)"', page)

    browsers["approver"].post(url, {"comment": "It broke validation"})

    back = Proposal.objects.open().get(domain=published.domain)
    assert back.new_ds == published.old_ds
    assert (back.requested_by, back.approvals_needed) == ("approver", 1)
    assert door.press(browsers["approver"], back, "approve").status_code == 409


def test_no_way_back_is_offered_where_nothing_was_published_or_nobody_decides(
    door, browsers, registry
):
    assert (
        "/rollback/"
        not in door.show(browsers["approver"], registry.proposals["candidate"]).text
    )
    assert (
        "/rollback/"
        not in door.show(browsers["reviewer"], registry.proposals["settled"]).text
    )


def test_a_refused_way_back_says_why_and_changes_nothing(door, browsers, registry):
    published = registry.proposals["settled"]
    page = door.show(browsers["approver"], published).text
    (url,) = re.findall(r'action="([^"]*/rollback/)"', page)

    answer = browsers["approver"].post(url, {"comment": "Too late"}, follow=True)

    assert "another DS set by now" in answer.text
    assert not Proposal.objects.open().filter(domain=published.domain).exists()
