"""Journeys in Chromium: no violation of the policy, no barrier, no script needed."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.urls import reverse

from bootstrap.models import Proposal, Zone
from tests.support import rows

from .conftest import sign_in

pytestmark = pytest.mark.system


def addresses(registry):
    """Return every page by name."""

    def to(name, *args):
        return reverse(name, args=args)

    proposals, scans = registry.proposals, registry.scans
    pages = {
        "login": "/accounts/login/",
        "status": "/status/",
        "status-waiting": "/status/lonely.example",
        "status-secured": "/status/xn--bcher-kva.example",
        "status-unknown": "/status/unknown.example",
        "overview": "/",
        "queue": "/queue/",
        "domains": "/domains/",
        "scans": "/scans/",
        "scan": to("dashboard:scan", scans["alarm"].pk),
        "compare": to("dashboard:compare", scans["alarm"].pk, scans["alarm"].pk),
        "running": "/scans/running/",
        "system": "/system/",
        "rules": to("dashboard:rules", registry.rules.pk),
        "rules-edit": to("dashboard:rules-edit", registry.zone.pk),
        "report": "/audit/report/",
        "operators": "/operators/",
        "operator": to("dashboard:operator", registry.finding.ns_key),
        "readiness": to("dashboard:readiness", registry.zone.pk),
        "zones": "/zones/",
        "zone": to("dashboard:zone", registry.zone.pk),
        "alarms": "/alarms/",
        "trail": "/audit/",
        "entry": to("dashboard:entry", registry.entries[0].uid),
        "second-factor": "/accounts/2fa/",
        "totp": "/accounts/2fa/totp/activate/",
        "password": "/accounts/password/change/",
        "sessions": "/accounts/sessions/",
        "tokens": "/tokens/",
        "people": "/people/",
        "person": to("dashboard:person", User.objects.order_by("pk")[0].pk),
        "not-found": "/nothing-here",
        "admin": "/admin/",
        "admin-proposals": "/admin/bootstrap/proposal/",
        "admin-proposal": to(
            "admin:bootstrap_proposal_change", proposals["candidate"].pk
        ),
    }
    for state in ("candidate", "held", "failed", "visible", "hostile"):
        pages[f"proposal-{state}"] = to("dashboard:proposal", proposals[state].pk)
    for state in ("blocked", "alarm", "secured", "hostile"):
        pages[f"domain-{state}"] = to("dashboard:domain", registry.domains[state].pk)
    return pages


def watched(page):
    """Collect what the browser complains about: policy, scripts, dialogs."""
    heard = []

    def on_console(message):
        if message.type == "error" and "404" not in message.text:
            heard.append(f"{page.url}: {message.text}")

    def on_dialog(dialog):
        heard.append("dialog")
        dialog.dismiss()

    page.on("console", on_console)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", on_dialog)
    return heard


LOOKS: dict[str, dict[str, Any]] = {
    "light-1440": {"color_scheme": "light", "width": 1440},
    "dark-1440": {"color_scheme": "dark", "width": 1440},
    "light-390": {"color_scheme": "light", "width": 390},
    "dark-390": {"color_scheme": "dark", "width": 390},
}


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_fits_keeps_the_policy_and_has_no_barrier(
    look, chromium, site, shots
):
    pages = addresses(rows.a_registry())
    scheme, width = LOOKS[look]["color_scheme"], LOOKS[look]["width"]
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    page = context.new_page()
    heard = watched(page)
    barriers, wide, complaints = {}, {}, []

    for name, url in pages.items():
        page.goto(f"{site}{url}")
        if name == "status":  # the sign-in page is seen before, all others after
            sign_in(page, site, "reader")
            page.goto(f"{site}{url}")
        page.screenshot(path=shots / f"{name}-{look}.png", full_page=True)
        complaints += heard
        if serious := serious_barriers(page):
            barriers[name] = serious
        heard.clear()  # the examiner itself sets styles
        if not name.startswith("admin") and is_too_wide(page):
            wide[name] = width

    context.close()
    assert (complaints, barriers, wide) == ([], {}, {})


def serious_barriers(page):
    """Return what axe-core calls serious or critical, and where."""
    found = Axe().run(page).response["violations"]
    return {
        rule["id"]: [node["target"] for node in rule["nodes"][:3]]
        for rule in found
        if rule["impact"] in {"serious", "critical"}
    }


def is_too_wide(page):
    root = "document.documentElement"
    return page.evaluate(f"{root}.scrollWidth > {root}.clientWidth")


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
