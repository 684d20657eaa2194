"""A real browser before a real server, in the demo's mode: password only."""

from __future__ import annotations

import os
import shutil
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from tests.support import rows

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def chromium():
    """Debian's Chromium, driven by Playwright; without it the tests are left out."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    api = pytest.importorskip("playwright.sync_api")
    # the driver runs a loop in this thread, which Django takes for a coroutine
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def site(transactional_db, live_server, settings, monkeypatch):
    """The running site over the small registry, as an address."""
    from bootstrap import clock  # noqa: PLC0415 - after Django's setup

    settings.PORTAL_DEMO = True
    make_roles()
    monkeypatch.setattr(rows, "NOW", clock.now())
    for role in rows.ROLES:
        rows.a_person(role, role)
    rows.a_reader()
    return live_server.url


def make_roles():
    """Make the roles again, which the flush between such tests has emptied."""
    migration = import_module("bootstrap.migrations.0007_roles")
    migration.make(apps, SimpleNamespace(connection=connection))


@pytest.fixture
def shots(tmp_path_factory) -> Path:
    """Where screenshots are left for people to look at."""
    kept = os.environ.get("SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path_factory.getbasetemp() / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sign_in(page, site, name):
    """Go through the sign-in form like a person."""
    page.goto(f"{site}/accounts/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{site}/")
