"""Sign-in: second factor, lock-out, limits of a session (S-102 to S-104)."""

from __future__ import annotations

import time

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bootstrap.models import ZoneRole
from bootstrap.services import powers
from portal.accounts.backend import Accounts
from tests.support import rows
from tests.support.factors import code_of

from .conftest import enter

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _fresh_limits(db):
    cache.clear()


def send(client, name, password):
    url = reverse("account_login")
    return client.post(url, {"login": name, "password": password})


def test_the_page_of_sign_in_offers_no_account(client):
    assert client.get(reverse("account_signup")).status_code == 200
    answer = client.post(
        reverse("account_signup"),
        {"username": "me", "password1": PASSWORD, "password2": PASSWORD},
    )

    assert "me" not in User.objects.values_list("username", flat=True)
    assert answer.status_code == 200
    assert "sign up" not in client.get(reverse("account_login")).text.lower()


def test_password_and_code_together_open_the_door(client):
    person = rows.a_person("person")
    secret = generate_totp_secret()
    TOTP.activate(person, secret)

    first = send(client, "person", PASSWORD)
    assert first["Location"] == reverse("mfa_authenticate")
    assert client.get("/queue/").status_code == 302
    second = client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})

    assert second.status_code == 302
    assert client.get("/queue/").status_code == 200


def test_a_fresh_code_is_what_a_decision_asks_for(client, registry):
    person = rows.a_person("person", "approver")
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    send(client, "person", PASSWORD)
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    page = reverse("dashboard:proposal", args=[registry.proposals["candidate"].pk])

    assert "second factor shown in the last ten minutes" not in client.get(page).text
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 700
    session.save()
    assert "second factor shown in the last ten minutes" in client.get(page).text


def test_five_wrong_passwords_lock_the_name_for_a_while(client):
    rows.a_person("person")
    for _ in range(5):
        assert send(client, "person", "wrong").status_code == 200

    answer = send(client, "person", PASSWORD)

    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_wrong_password_and_an_unknown_name_read_the_same(client):
    rows.a_person("person")

    known = send(client, "person", "wrong").text
    unknown = send(client, "nobody", "wrong").text

    assert known.count("errorlist") == unknown.count("errorlist") == 1


@pytest.mark.parametrize(("key", "ago"), [("seen", 1801), ("began", 28801)])
def test_a_session_ends_when_idle_or_old(key, ago, registry):
    browser = enter(rows.a_person("person"))
    browser.get("/")
    session = browser.session
    session[key] = int(time.time()) - ago
    session.save()

    answer = browser.get("/")

    assert answer.status_code == 302
    assert "_auth_user_id" not in browser.session


def test_a_page_that_refreshes_itself_does_not_keep_a_session_alive(registry):
    browser = enter(rows.a_person("person"))
    browser.get("/")
    session = browser.session
    session["seen"] -= 120
    session.save()
    before = browser.session["seen"]

    browser.get("/", headers={"HX-Request": "true"})
    assert browser.session["seen"] == before
    browser.get("/")
    assert browser.session["seen"] > before


def test_the_picture_of_the_secret_is_allowed_on_its_page_alone(client):
    browser = enter(rows.a_person("person"))
    other = rows.a_person("other")
    client.force_login(other)

    page = client.get(reverse("mfa_index"))

    assert "data:" not in page["Content-Security-Policy"]
    assert "data:" not in browser.get("/accounts/2fa/")["Content-Security-Policy"]


def test_a_reauthentication_is_asked_before_a_factor_is_added(client):
    person = rows.a_person("person")
    client.force_login(person)

    answer = client.get("/accounts/2fa/totp/activate/")

    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]


def test_the_demo_says_on_every_page_that_it_is_one(client, settings):
    assert "Demonstration." not in client.get("/status/").text
    settings.PORTAL_DEMO = True
    assert "Demonstration." in client.get("/status/").text
    assert "Demonstration." in client.get(reverse("account_login")).text


@pytest.mark.parametrize("path", ["password/reset/", "email/", "login/code/"])
def test_nothing_sends_mail_to_what_is_typed_in(path, client):
    answer = client.post(f"/accounts/{path}", {"email": "victim@example.net"})

    assert answer.status_code == 404


def test_what_one_may_do_is_what_django_says_asked_once(people, registry):
    """One question for permissions everywhere and in zones, and the same answer."""
    django, ours = ModelBackend(), Accounts()
    role = Group.objects.get(name="approver")
    told = role.permissions.values_list("content_type__app_label", "codename")
    there = {(registry.zone.pk, f"{app}.{code}") for app, code in told}
    for name, person in people.items():
        own = Permission.objects.get(codename="view_audit")
        person.user_permissions.add(own)
        ZoneRole.objects.create(
            user=person, role=role, zone=registry.zone, since=rows.NOW
        )
        known = User.objects.get(pk=person.pk)
        wanted = django.get_all_permissions(known), frozenset(there)

        fresh = User.objects.get(pk=person.pk)
        with CaptureQueriesContext(connection) as asked:
            got = ours.get_all_permissions(fresh), powers.grants_of(fresh)

        assert got == wanted, name
        assert len(asked) == 1


def test_who_is_inactive_or_nobody_may_nothing_and_a_superuser_all(people):
    ours, person = Accounts(), people["approver"]
    person.is_active = False

    assert ours.get_all_permissions(person) == set()
    assert ours.get_all_permissions(AnonymousUser()) == set()
    root = rows.a_person("root", is_superuser=True)
    assert ours.get_all_permissions(root) == ModelBackend().get_all_permissions(root)
