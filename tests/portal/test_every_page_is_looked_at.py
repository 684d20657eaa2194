"""No page escapes: what the portal answers to is looked at, or is no page."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import resolve

from tests.support import rows

from . import looked_at
from .conftest import enter

BY_ITS_WAY = {
    "account_signup": "closed, and leads to signing in",
    "dashboard:batch": "the preview, behind a press in the queue",
    "dashboard:rules-ask": "the effect of other rules, behind a press",
    "mfa_authenticate": "the second step of signing in",
    "mfa_reauthenticate_webauthn": "asks a key that one holds in the hand",
}
"""Pages that have no address of their own to be opened by; each has its journey."""


@pytest.fixture
def reader(db):
    """Somebody who may open every page."""
    return rows.a_reader()


def names_of(pages):
    return {resolve(url.partition("?")[0]).view_name for url in pages.values()}


def test_every_address_is_looked_at_or_is_no_page(registry, reader, rf):
    """A new page must come into `looked_at`, where browsers find all of them."""
    pages = looked_at.open_pages(registry, rf) | looked_at.staff_pages(registry)
    single = looked_at.give_factors(reader)
    factors = {*looked_at.FACTORS, *looked_at.HELD_FACTORS, *single}
    looked = names_of({k: v for k, v in pages.items() if k != "missing"}) | factors
    none = set().union(*looked_at.NO_PAGE.values())

    names = looked_at.all_names()
    assert names - looked_at.for_programs() - looked - none - BY_ITS_WAY.keys() == set()
    assert (none | BY_ITS_WAY.keys()) - names == set(), "no such address any more"


def test_every_table_of_the_admin_is_looked_at(registry, reader):
    looked = names_of(looked_at.admin_pages(registry))

    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert f"{name}_changelist" in looked


def test_every_page_in_the_tables_opens(registry, reader, rf):
    """What is looked at is the page itself, and not a refusal."""
    browser = enter(reader)
    expected = {"wrong": 400, "unknown": 404, "missing": 404}
    pages = looked_at.open_pages(registry, rf) | looked_at.staff_pages(registry)

    ends = {name: browser.get(url).status_code for name, url in pages.items()}

    ends.pop("login")  # leads on whoever has signed in
    ends.pop("oidc-out")
    assert {n: e for n, e in ends.items() if e != expected.get(n, 200)} == {}
