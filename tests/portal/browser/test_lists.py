"""Lists in Chromium: search as one types, columns, live parts, narrow screens."""

from __future__ import annotations

import pytest
from django.urls import reverse

from bootstrap import clock
from bootstrap.models import Proposal
from tests.support import rows

from .conftest import sign_in
from .looks import watched

pytestmark = pytest.mark.system


@pytest.fixture
def registry(site):
    """The small registry behind the running site."""
    return rows.a_registry()


def opened(chromium, site, name, **options):
    """Return a page of somebody who has signed in."""
    page = chromium.new_context(**options).new_page()
    sign_in(page, site, name)
    return page


def test_a_list_follows_what_is_typed_and_so_does_its_address(chromium, site, registry):
    page = opened(chromium, site, "viewer")
    heard = watched(page)
    asked = []
    page.goto(f"{site}/domains/")
    page.on("request", lambda r: asked.append(r.url) if "/domains/?" in r.url else None)
    field = page.get_by_label("Name contains")

    field.press_sequentially("b")
    page.wait_for_timeout(600)
    assert asked == []  # one letter says too little
    field.press_sequentially("ücher", delay=30)
    page.locator("#list").get_by_text("xn--bcher-kva.example").wait_for()
    page.wait_for_url("**/domains/?q=b%C3%BCcher")

    assert page.get_by_role("status").filter(has_text="1 found").count() == 1
    assert page.locator("#list tbody tr").count() == 1
    assert page.evaluate("document.activeElement.name") == "q"
    assert len(asked) == 1
    page.get_by_label("Name contains").fill("")
    page.locator("#id_state").select_option("blocked")
    page.wait_for_url("**/domains/?state=blocked")
    page.go_back()
    page.locator("#list").get_by_text("xn--bcher-kva.example").wait_for()
    assert heard == []
    page.context.close()


def test_columns_are_chosen_and_remembered_without_javascript(chromium, site, registry):
    page = opened(chromium, site, "viewer", java_script_enabled=False)
    page.goto(f"{site}/domains/?state=blocked")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Nameservers").check()
    page.get_by_label("Last look").uncheck()

    page.get_by_role("button", name="Show", exact=True).click()

    page.wait_for_url("**/domains/?state=blocked&columns=*")
    heads = page.locator("#list thead th").all_inner_texts()
    assert "Nameservers" in heads
    assert "Last look" not in heads
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("button", name="Always show so").click()
    page.goto(f"{site}/domains/")
    assert page.locator("#list thead th").all_inner_texts() == heads
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("button", name="Reset").click()
    assert "Last look" in page.locator("#list thead th").all_inner_texts()
    page.context.close()


def test_all_of_a_page_are_chosen_by_one_press(chromium, site, registry):
    page = opened(chromium, site, "approver")
    page.goto(f"{site}/queue/")
    boxes = page.locator('input[name="chosen"]')

    page.get_by_label("Choose all on this page").check()

    assert page.locator('input[name="chosen"]:checked').count() == boxes.count() > 2
    page.context.close()


def test_what_is_new_in_the_queue_is_a_link_and_moves_no_row(chromium, site, registry):
    page = opened(chromium, site, "approver")
    page.clock.install()
    page.goto(f"{site}/queue/")
    before = page.locator("#list tbody tr").count()
    domain = rows.a_domain(registry.zone, "fresh.example")
    rows.a_proposal(domain, rows.a_scan(domain), created_at=clock.now())

    page.clock.run_for(16_000)
    page.get_by_role("link", name="1 new change: show").wait_for()
    assert page.locator("#list tbody tr").count() == before
    page.get_by_role("link", name="1 new change: show").click()
    page.get_by_role("link", name="fresh.example").wait_for()
    page.context.close()


def test_running_scans_are_told_without_reloading_until_somebody_pauses(
    chromium, site, registry
):
    page = opened(chromium, site, "reviewer")
    page.clock.install()
    page.goto(f"{site}/scans/running/")
    due = page.locator("#live .figure b").first
    assert due.inner_text() == "0"

    page.get_by_role("button", name="Pause live updates").click()
    page.get_by_role("heading", level=1).click()
    url = reverse("dashboard:scan-again", args=[registry.domains["blocked"].pk])
    page.evaluate(
        """async (url) => {
          const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
          await fetch(url, {method: "POST", headers: {"X-CSRFToken": token}});
        }""",
        url,
    )
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(12_000)
    assert due.inner_text() == "0"
    assert asked == []
    page.get_by_role("button", name="Go on with live updates").click()
    page.get_by_role("heading", level=1).hover()
    page.clock.run_for(6_000)
    page.locator("#live .figure b").first.filter(has_text="1").wait_for()
    page.context.close()


def test_the_queue_itself_is_in_sight_on_a_telephone(chromium, site, registry):
    """Filters are folded away there, with and without JavaScript."""
    for script in (True, False):
        page = opened(
            chromium,
            site,
            "approver",
            viewport={"width": 390, "height": 844},
            java_script_enabled=script,
        )
        page.goto(f"{site}/queue/")

        first = page.locator("#list tbody tr").first.bounding_box()
        assert first["y"] < 844
        assert not page.locator("#id_registrar").is_visible()
        page.get_by_text("All filters").click()
        page.locator("#id_registrar").fill("Registrar One")
        page.get_by_role("button", name="Filter", exact=True).click()
        page.wait_for_url("**registrar=Registrar*")
        page.get_by_text("(1 set)").wait_for()
        page.context.close()


def test_k_goes_back_and_slash_searches(chromium, site, registry):
    page = opened(chromium, site, "approver")
    page.goto(f"{site}/queue/")
    names = page.locator("#list tbody th a").all_inner_texts()

    for key in ("j", "j", "j", "k"):
        page.keyboard.press(key)
    chosen = page.locator("tr.chosen th a").first.inner_text()
    page.keyboard.press("/")

    assert chosen == names[1] != names[0]
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("j")
    assert page.get_by_label("Name contains").input_value() == "j"
    page.context.close()


def test_a_begins_and_the_reason_ends_an_approval_by_keyboard(chromium, site, registry):
    proposal = registry.proposals["candidate"]
    page = opened(chromium, site, "approver")
    page.goto(f"{site}{reverse('dashboard:proposal', args=[proposal.pk])}")

    page.keyboard.press("a")
    page.keyboard.type("Looked at every server")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()

    assert Proposal.objects.get(pk=proposal.pk).state == "approved"
    page.context.close()


def test_a_report_is_printed_with_its_checkpoint_and_whole_addresses(
    chromium, site, registry, shots
):
    page = opened(chromium, site, "auditor")
    page.goto(f"{site}/audit/report/")
    page.emulate_media(media="print")

    assert not page.get_by_role("navigation", name="Main").is_visible()
    assert not page.get_by_role("search").is_visible()
    assert page.locator("tfoot .report-foot").is_visible()
    for link in page.locator("main table a").all():
        assert site in link.locator("xpath=..").inner_text()
    octets = page.pdf(path=shots / "report.pdf", prefer_css_page_size=True)
    assert octets.startswith(b"%PDF")
    page.context.close()
