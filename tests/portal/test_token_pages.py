"""Keys of machines on pages: made, shown once, ended, never more than their owner."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from bootstrap import clock
from bootstrap.models import AuditEntry, Token
from bootstrap.services import tokens
from tests.support import apart, rows

from .conftest import enter

FORM = {"name": "monitor", "scopes": ["domains:read"], "days": "30"}


@pytest.fixture
def owner(registry):
    return rows.a_person("owner", "reviewer")


def issue(browser, **typed):
    return browser.post(reverse("dashboard:token-issue"), FORM | typed)


def secret_in(answer) -> str:
    found = re.search(r'id="secret">([^<]*)<', answer.text)
    return found[1] if found else ""


def machine(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_a_token_is_shown_once_and_works(owner):
    browser = enter(owner)

    answer = issue(browser)

    assert answer.status_code == 201
    secret = secret_in(answer)
    assert machine(secret).get("/api/v1/domains").status_code == 200
    later = browser.get(reverse("dashboard:tokens")).text
    assert secret.split("_", 2)[2] not in later
    assert Token.objects.get().prefix in later
    assert "no-store" in answer["Cache-Control"]


def test_a_token_says_when_it_was_last_used(owner):
    browser = enter(owner)
    secret = secret_in(issue(browser))
    assert ">never<" in browser.get(reverse("dashboard:tokens")).text

    machine(secret).get("/api/v1/domains")

    assert ">never<" not in browser.get(reverse("dashboard:tokens")).text


def test_an_ended_token_opens_nothing_and_both_acts_are_recorded(owner):
    browser = enter(owner)
    secret = secret_in(issue(browser))
    row = Token.objects.get()

    browser.post(reverse("dashboard:token-revoke", args=[row.pk]))

    assert machine(secret).get("/api/v1/domains").status_code == 401
    kinds = AuditEntry.objects.filter(type__startswith="token.").order_by("pk")
    assert [entry.type for entry in kinds] == ["token.issued", "token.revoked"]


REFUSED = {
    "a scope beyond the owner": {"scopes": ["audit:read"]},
    "no such scope": {"scopes": ["decide"]},
    "no scope": {"scopes": []},
    "no name": {"name": ""},
    "no life": {"days": "0"},
    "too long a life": {"days": "367"},
    "no such zone": {"zones": ["nowhere"]},
}


@pytest.mark.parametrize("typed", REFUSED.values(), ids=REFUSED)
def test_what_a_token_may_not_be_is_refused(typed, owner):
    answer = issue(enter(owner), **typed)

    assert answer.status_code == 422
    assert re.search("errorlist|field-error", answer.text)
    assert not Token.objects.exists()


def test_a_token_asks_for_a_fresh_second_factor(owner):
    answer = issue(enter(owner, ago=700))

    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    assert not Token.objects.exists()


def test_nobody_ends_the_token_of_another_by_its_number(owner):
    issue(enter(owner))
    row = Token.objects.get()
    other = enter(rows.a_person("other", "approver"))

    answer = other.post(reverse("dashboard:token-revoke", args=[row.pk]))

    assert answer.status_code == 404
    row.refresh_from_db()
    assert row.revoked_at is None
    assert row.prefix not in other.get(reverse("dashboard:tokens")).text


def test_an_administrator_sees_and_ends_anybodys_token(owner):
    issue(enter(owner))
    row = Token.objects.get()
    boss = enter(rows.a_person("boss", "administrator"))
    page = reverse("dashboard:person", args=[owner.pk])
    assert row.prefix in boss.get(page).text

    boss.post(reverse("dashboard:person-token", args=[row.pk]))

    row.refresh_from_db()
    assert row.revoked_at is not None


def test_a_token_that_ran_out_has_no_button(owner):
    browser = enter(owner)
    issue(browser)
    Token.objects.update(expires_at=clock.now() - timedelta(days=1))

    text = browser.get(reverse("dashboard:tokens")).text

    assert "ran out" in text
    assert reverse("dashboard:token-revoke", args=[Token.objects.get().pk]) not in text


def test_who_belongs_to_one_zone_is_offered_no_other(registry):
    there = apart.elsewhere()
    browser = enter(apart.a_limited_person(there.zone, "reviewer"))

    page = browser.get(reverse("dashboard:tokens")).text
    assert 'value="elsewhere"' in page
    assert 'value="example"' not in page
    assert issue(browser, zones=["example"]).status_code == 422
    secret = secret_in(issue(browser))

    told = machine(secret).get("/api/v1/domains").json()["items"]
    assert [item["name"] for item in told] == ["home.elsewhere"]


def test_the_page_offers_exactly_what_the_owner_may(owner):
    text = enter(owner).get(reverse("dashboard:tokens")).text

    offered = set(re.findall(r'name="scopes" value="([^"]*)"', text))
    assert offered == tokens.granted(owner, tokens.SCOPES)
