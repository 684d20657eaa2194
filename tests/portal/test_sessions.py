"""Sessions: listed, ended by their owner or an administrator, recorded (S-103)."""

from __future__ import annotations

import json

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.core.cache import cache
from django.urls import reverse

from bootstrap.models import AuditDisclosure, AuditEntry
from portal import visits
from tests.support import rows

from .conftest import enter

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _fresh_limits(db):
    cache.clear()


@pytest.fixture
def person(db):
    return rows.a_person("person")


def browser_of(person, agent=FIREFOX, address="192.0.2.1"):
    """Return a browser that has opened a page."""
    browser = enter(person)
    browser.defaults.update({"HTTP_USER_AGENT": agent, "REMOTE_ADDR": address})
    browser.get("/")
    return browser


def row_of(browser):
    return UserSession.objects.get(session_key=browser.session.session_key)


def is_in(browser):
    return browser.get("/").status_code == 200


def endings():
    found = AuditEntry.objects.filter(type="session.ended").order_by("pk")
    return [json.loads(bytes(entry.body))["data"] for entry in found]


def test_the_page_says_where_one_is_signed_in(person, registry):
    here = browser_of(person)
    browser_of(person, "curl/8.5.0", "2001:db8::7")

    text = here.get(reverse("sessions")).text

    assert text.count('<li class="card">') == 2
    assert "Firefox, Linux" in text
    assert "192.0.2.1" in text
    assert "2001:db8::7" in text
    assert text.count("this session</span>") == 1


def test_what_a_browser_says_of_itself_stays_text(person, registry):
    browser = browser_of(person, "<script>alert(1)</script>\u202e")

    text = browser.get(reverse("sessions")).text

    assert "<script>alert" not in text
    assert "\u202e" not in text


def test_an_ended_session_is_out_at_its_next_request_and_recorded(person, registry):
    here, there = browser_of(person), browser_of(person)

    here.post(reverse("session-end", args=[row_of(there).pk]))

    assert is_in(here)
    assert not is_in(there)
    assert [told["count"] for told in endings()] == [1]
    told = AuditDisclosure.objects.filter(name="person").values_list("value", flat=True)
    assert list(told) == ["person"]


def test_all_others_end_and_this_one_stays(person, registry):
    here, *there = (browser_of(person) for _ in range(3))

    here.post(reverse("sessions-end-others"))

    assert is_in(here)
    assert not any(is_in(each) for each in there)
    assert [told["count"] for told in endings()] == [2]


def test_ending_the_session_in_hand_is_a_sign_out(person, registry):
    here = browser_of(person)

    answer = here.post(reverse("session-end", args=[row_of(here).pk]))

    assert answer["Location"] == reverse("account_login")
    assert not is_in(here)


def test_nobody_ends_the_session_of_another_by_its_number(person, registry):
    theirs = browser_of(rows.a_person("another"))
    mine = browser_of(person)

    answer = mine.post(reverse("session-end", args=[row_of(theirs).pk]))

    assert answer.status_code == 404
    assert is_in(theirs)
    assert endings() == []


def test_a_sign_out_leaves_no_row(person, registry):
    here = browser_of(person)
    key = here.session.session_key

    here.post(reverse("account_logout"))

    assert not UserSession.objects.filter(session_key=key).exists()


@pytest.mark.parametrize("page", ["session-end", "sessions-end-others"])
def test_looking_ends_nothing(page, person, registry):
    here = browser_of(person)
    args = [row_of(here).pk] if page == "session-end" else []

    assert here.get(reverse(page, args=args)).status_code == 405


def test_a_new_password_ends_every_other_session(person, registry):
    here, there = browser_of(person), browser_of(person)
    new = "a staple battery of horses"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}

    assert here.post(reverse("account_change_password"), form).status_code == 302

    assert is_in(here)
    assert not is_in(there)
    assert [(told["why"], told["count"]) for told in endings()] == [("password", 1)]
    assert UserSession.objects.filter(user=person).count() == 1


def test_a_password_set_by_an_administrator_ends_all_sessions(person, registry):
    theirs = browser_of(person)
    boss = enter(rows.a_person("boss", "administrator"))
    new = "a staple battery of horses"
    form = {"password1": new, "password2": new, "usable_password": "true"}

    url = reverse("admin:auth_user_password_change", args=[person.pk])
    assert boss.post(url, form).status_code == 302

    assert User.objects.get(pk=person.pk).check_password(new)
    assert not is_in(theirs)
    assert [told["why"] for told in endings()] == ["password"]


def test_last_seen_is_written_once_a_minute_and_not_by_pages_that_refresh(
    person, registry
):
    browser = browser_of(person)
    before = row_of(browser).last_seen_at
    browser.get("/")
    assert row_of(browser).last_seen_at == before
    session = browser.session
    session["seen"] -= 120
    session.save()

    browser.get("/", headers={"HX-Request": "true"})
    assert row_of(browser).last_seen_at == before
    browser.get("/")

    assert row_of(browser).last_seen_at > before


DEVICES = {
    FIREFOX: "Firefox, Linux",
    "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140": "Edge, Windows",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1": "Safari, iOS",
    "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Safari/537": "Chrome, Android",
    "curl/8.5.0": "curl",
    "": "",
}


@pytest.mark.parametrize("agent", DEVICES)
def test_a_browser_is_named_in_two_words(agent):
    assert visits.device(agent) == DEVICES[agent]


def test_an_administrator_ends_one_session_of_somebody_else(person, registry):
    one, two = browser_of(person), browser_of(person)
    boss = enter(rows.a_person("boss", "administrator"))
    url = reverse("dashboard:person-sessions", args=[person.pk])
    page = boss.get(reverse("dashboard:person", args=[person.pk])).text
    assert page.count('<button name="session"') == 2

    boss.post(url, {"session": row_of(one).pk})

    assert not is_in(one)
    assert is_in(two)
    told = AuditDisclosure.objects.filter(name="actor").values_list("value", flat=True)
    assert "boss" in told
    assert len(endings()) == 1


def test_an_administrator_ends_all_sessions_of_a_person_but_not_their_own(
    person, registry
):
    theirs = [browser_of(person), browser_of(person)]
    boss = rows.a_person("boss", "administrator")
    here, there = browser_of(boss), browser_of(boss)

    for someone in (person, boss):
        here.post(reverse("dashboard:person-sessions", args=[someone.pk]))

    assert not any(is_in(each) for each in [*theirs, there])
    assert is_in(here)
