"""Every page in Chromium: both schemes, four widths; no barrier, nothing cut, our policy.

Which pages there are is `looked_at`'s to say, and a test holds it to the addresses.
"""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from tests.portal import looked_at
from tests.support import rows

from .conftest import PASSWORD, sign_in
from .looks import Gaze

pytestmark = pytest.mark.system


@pytest.fixture
def page(chromium):
    """One page of a browser without a session."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_public_page_is_whole(language, chromium, site, shots, rf):
    pages = looked_at.open_pages(rows.a_registry(), rf)
    context = chromium.new_context(locale=language)
    gaze = Gaze(context.new_page(), site, shots, f"public-{language}-")

    for name, url in pages.items():
        gaze.at(name, url)

    context.close()
    assert not gaze.wrong, gaze.told()


def test_every_page_of_staff_is_whole(page, site, shots):
    pages = looked_at.staff_pages(rows.a_registry())
    sign_in(page, site, "reader")
    gaze = Gaze(page, site, shots)

    for name, url in pages.items():
        gaze.at(name, url)

    assert not gaze.wrong, gaze.told()


def test_every_page_of_the_second_factor_is_whole(page, site, shots):
    rows.a_registry()
    sign_in(page, site, "reader")
    gaze = Gaze(page, site, shots, "factor-")

    for name in looked_at.FACTORS:
        gaze.at(f"none-{name}", reverse(name))
    single = looked_at.give_factors(User.objects.get(username="reader"))
    for name in looked_at.HELD_FACTORS:
        gaze.at(name, reverse(name))
    for name, url in single.items():
        gaze.at(name, url)

    assert not gaze.wrong, gaze.told()


def test_the_second_step_of_signing_in_is_whole(page, site, shots):
    looked_at.give_factors(User.objects.get(username="reader"))
    page.goto(f"{site}/accounts/login/")
    page.get_by_label("Username").fill("reader")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/accounts/2fa/authenticate/**")

    gaze = Gaze(page, site, shots)
    gaze.here("second-step")

    assert not gaze.wrong, gaze.told()


def test_the_preview_of_many_decisions_is_whole(page, site, shots):
    rows.a_registry()
    sign_in(page, site, "approver")
    page.goto(f"{site}/queue/")
    for box in page.locator('input[name="chosen"]').all():
        box.check()
    page.get_by_role("button", name="Approve the chosen").click()
    page.get_by_role("heading", level=1).wait_for()

    gaze = Gaze(page, site, shots)
    gaze.here("batch")
    page.get_by_label("Why").fill("Looked at each of them")
    page.get_by_role("button", name="Approve").click()
    gaze.here("batch-done")

    assert not gaze.wrong, gaze.told()


def test_every_page_of_the_admin_is_whole(page, site, shots):
    pages = looked_at.admin_pages(rows.a_registry())
    rows.a_person("root", is_superuser=True)
    sign_in(page, site, "root")
    gaze = Gaze(page, site, shots, "admin-")

    for name, url in pages.items():
        gaze.at(name, url)

    assert not gaze.wrong, gaze.told()
