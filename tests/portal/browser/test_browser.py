"""Journeys in Chromium: no violation of the policy, no barrier, no script needed."""

from __future__ import annotations

import pytest
from django.urls import reverse

from bootstrap.models import Proposal, Zone
from tests.support import rows

from .conftest import sign_in
from .looks import watched

pytestmark = pytest.mark.system


def test_a_reviewer_holds_and_an_approver_approves(chromium, site):
    registry = rows.a_registry()
    proposal = registry.proposals["candidate"]
    url = reverse("dashboard:proposal", args=[proposal.pk])
    for name, verb in (("reviewer", "Hold"), ("approver", "Approve")):
        page = chromium.new_context().new_page()
        heard = watched(page)
        sign_in(page, site, name)
        page.goto(f"{site}{url}")
        page.get_by_label("Why").fill(f"{verb}: looked at every server")
        page.get_by_role("button", name=verb).click()
        page.get_by_role("status").wait_for()
        assert heard == []
        page.context.close()

    proposal.refresh_from_db()
    assert proposal.state == "approved"
    assert [d.verb for d in proposal.decisions.all()] == ["hold", "approve"]


def test_a_stale_page_is_refused_in_the_browser(chromium, site):
    proposal = rows.a_registry().proposals["candidate"]
    page = chromium.new_context().new_page()
    sign_in(page, site, "approver")
    page.goto(f"{site}{reverse('dashboard:proposal', args=[proposal.pk])}")
    Proposal.objects.filter(pk=proposal.pk).update(digest="f" * 64)

    page.get_by_label("Why").fill("As I saw it")
    page.get_by_role("button", name="Approve").click()

    assert "Nothing was decided" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Why").input_value() == "As I saw it"
    page.context.close()


def test_the_queue_is_worked_with_the_keyboard_alone(chromium, site):
    rows.a_registry()
    page = chromium.new_context().new_page()
    sign_in(page, site, "approver")
    page.goto(f"{site}/queue/")

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/proposals/**")
    page.keyboard.press("r")
    page.keyboard.type("The holder asked us to wait")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()

    assert Proposal.objects.filter(decisions__verb="reject").count() == 2
    page.context.close()


def test_everything_works_without_javascript(chromium, site):
    proposal = rows.a_registry().proposals["candidate"]
    page = chromium.new_context(java_script_enabled=False).new_page()
    sign_in(page, site, "approver")
    page.get_by_role("button", name="Dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.goto(f"{site}/queue/?state=candidate")
    page.get_by_role("link", name="candidate.example").click()
    page.get_by_label("Why").fill("Without any script")
    page.get_by_role("button", name="Approve").click()

    proposal.refresh_from_db()
    assert proposal.state == "approved"
    page.context.close()


def test_an_injected_inline_script_does_not_run(chromium, site):
    rows.a_registry()
    page = chromium.new_context().new_page()
    sign_in(page, site, "viewer")

    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "document.title = 'taken over'";
          document.body.append(script);
        }"""
    )

    assert page.title() == "Overview · DS Bootstrapping"
    page.context.close()


def test_many_are_approved_from_the_keyboard_behind_a_preview(chromium, site):
    registry = rows.a_registry()
    page = chromium.new_context().new_page()
    heard = watched(page)
    sign_in(page, site, "approver")
    page.goto(f"{site}/queue/?state=candidate")

    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.locator("input[type=checkbox]:checked").first.wait_for()
    page.keyboard.press("a")
    page.get_by_role("heading", name="Approve 1 change?").wait_for()
    assert registry.proposals["candidate"].decisions.count() == 0
    page.get_by_label("Why").fill("Looked at each of them")
    page.get_by_role("button", name="Approve 1 change").click()
    page.get_by_role("heading", name="1 decided").wait_for()

    registry.proposals["candidate"].refresh_from_db()
    assert registry.proposals["candidate"].state == "approved"
    assert heard == []
    page.context.close()


def test_single_keys_do_nothing_when_they_are_switched_off(chromium, site):
    rows.a_registry()
    page = chromium.new_context().new_page()
    sign_in(page, site, "approver")
    page.goto(f"{site}/queue/")
    page.get_by_role("button", name="Turn single keys off").click()

    page.keyboard.press("j")

    assert page.locator("tr.chosen").count() == 0
    page.context.close()


def test_rules_wait_in_the_browser_for_a_second_person(chromium, site):
    registry = rows.a_registry()
    zone = Zone.objects.get(name="test")
    rows.a_person("second", "zone manager")
    page = chromium.new_context().new_page()
    sign_in(page, site, "zone manager")
    page.goto(f"{site}{reverse('dashboard:rules-edit', args=[zone.pk])}")
    page.get_by_label("Max records").fill("4")
    page.get_by_label("Why").fill("Fewer are enough")
    page.get_by_role("button", name="Show the effect").click()
    page.get_by_role("heading", name="Under the new policy").wait_for()
    page.get_by_role("button", name="Ask for it").click()
    page.get_by_text("You asked for it").wait_for()
    address = page.url
    page.context.close()

    page = chromium.new_context().new_page()
    sign_in(page, site, "second")
    page.goto(address)
    page.get_by_label("Comment").fill("Agreed")
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("status").wait_for()

    assert zone.policies.order_by("-number")[0].text["max_records"] == 4
    assert registry.rules.stand == "open"
    page.context.close()


def test_an_auditor_makes_the_report_and_takes_it_away(chromium, site):
    rows.a_registry()
    page = chromium.new_context(accept_downloads=True).new_page()
    sign_in(page, site, "auditor")
    page.goto(f"{site}/audit/")
    page.get_by_role("link", name="Report of a period").click()
    page.get_by_role("heading", name="Four eyes").wait_for()

    with page.expect_download() as caught:
        page.get_by_role("button", name="JSON").click()

    assert caught.value.suggested_filename.startswith("report-")
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation", name="Main").is_visible()
    page.context.close()
