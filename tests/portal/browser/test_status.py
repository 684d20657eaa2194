"""Owners and operators in Chromium: every look, German, no script, copying."""

from __future__ import annotations

import threading
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connections

from bootstrap import clock, tasks
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.scenes import demo_world
from bootstrap.models import Domain, WorkItem
from tests.support import rows

from .looks import watched

pytestmark = pytest.mark.system


def test_a_record_and_the_letter_are_copied_by_one_press(chromium, site):
    rows.a_registry()
    context = chromium.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{site}/status/lonely.example")

    page.get_by_role("button", name="Copy").first.click()
    page.wait_for_selector(".copy.copied")
    copied = page.evaluate("navigator.clipboard.readText()")

    assert copied.startswith("_dsboot.lonely.example._signal.ns1.operator.net. CDS ")
    context.close()


def test_without_javascript_a_german_owner_asks_for_a_check(chromium, site):
    rows.a_registry()
    context = chromium.new_context(java_script_enabled=False, locale="de")
    page = context.new_page()
    page.goto(f"{site}/status/")
    page.get_by_label("Domainname").fill("lonely.example")
    page.get_by_role("button", name="Nachsehen").click()
    page.get_by_role("button", name="Jetzt prüfen").click()

    assert "Eine Prüfung läuft" in page.get_by_role("status").inner_text()
    assert page.locator("button.copy:visible").count() == 0
    page.get_by_text("Knot DNS").click()
    assert page.get_by_text("knotc zone-begin").first.is_visible()
    assert WorkItem.objects.get().trigger == "owner"
    context.close()


def test_the_language_is_switched_by_a_button(chromium, site):
    page = chromium.new_context(locale="en").new_page()
    page.goto(f"{site}/status/")

    page.get_by_role("button", name="DE").click()

    assert page.locator("html").get_attribute("lang") == "de"
    assert page.get_by_role("heading", level=1).inner_text() == (
        "Wie steht es um einen Namen?"
    )
    page.context.close()


@pytest.fixture
def laboratory(tmp_path, site, settings):
    """A fake Internet, and the registry's view of its parent zone."""
    with Lab(
        demo_world(), clock=clock.now, folder=tmp_path, prefix="127.66"
    ) as running:
        settings.BOOTSTRAP = {
            **settings.BOOTSTRAP,
            "DNS_ROOT_HINTS": str(running.root_hints),
            "DNS_TRUST_ANCHORS": str(running.anchors),
            "DNS_PORT": str(running.port),
            "DNS_ALLOWED_NETWORKS": "127.66.0.0/16",
            "DNS_LAB_PACE": "unlimited",
            "DNS_SKIP_FAMILIES": "6",
        }
        parent = running.manifest()["parents"][0]
        out = StringIO()
        call_command(
            "zone", "add", parent["name"], primary=parent["primary"], stdout=out
        )
        call_command(
            "import_delegations",
            parent["name"],
            axfr=parent["primary"],
            tsig_key=running.tsig_key_file,
            stdout=out,
        )
        yield running


def work():
    """Let a worker do what is due, in a thread of its own as in life."""
    ours = connections["default"]
    raised = []

    def run():
        if ours.vendor == "sqlite":
            connections["default"] = ours  # a database in memory has one connection
        try:
            tasks.drain_scans()
        except BaseException as fault:  # noqa: BLE001 - shown to whoever waits
            raised.append(fault)
        if ours.vendor != "sqlite":
            connections.close_all()

    ours.inc_thread_sharing()
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    ours.dec_thread_sharing()
    assert raised == []


def test_an_owner_finds_out_and_a_check_after_the_operators_mending_helps(
    chromium, site, laboratory
):
    """The whole way: what is wrong, what to change, mended, checked, accepted."""
    name = "bakery.alpha.test"
    laboratory.withdraw_signal(name, "b1")
    work()
    child = Domain.objects.get(name=name)
    page = chromium.new_context().new_page()
    heard = watched(page)
    page.goto(f"{site}/status/")
    page.get_by_label("Domain name").fill(name)
    page.get_by_role("button", name="Look up").click()

    assert page.get_by_text("Only some nameservers vouch").first.is_visible()
    (records,) = page.locator(".to-change code").all_inner_texts()
    lacking = [host for host in child.nameservers if f"_signal.{host}." in records]
    assert len(lacking) == 1
    assert {line.split()[0] for line in records.splitlines()} == {
        f"_dsboot.{name}._signal.{lacking[0]}."
    }

    laboratory.publish_signal(name, "b1")
    # answered by this thread alone, so that no page is asked for while a worker works
    page.route("**/look", lambda route: route.continue_())
    page.get_by_role("button", name="Check now").click()
    page.get_by_text("A look is under way").wait_for()
    work()
    page.get_by_text("Everything was found as it must be").wait_for(timeout=15_000)

    child.refresh_from_db()
    assert child.state == "pending"
    assert heard == []
    page.context.close()
