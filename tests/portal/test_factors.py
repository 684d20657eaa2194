"""Second factors leave their trace: added, removed, shown, not shown (S-87, P-8.31)."""

from __future__ import annotations

import json

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import IntegrityError
from django.urls import resolve, reverse

from bootstrap.core.tlog.types import EntryType
from bootstrap.models import AuditDisclosure, AuditEntry
from portal.accounts import factors
from tests.services.test_every_entry import refusing
from tests.support import rows
from tests.support.factors import code_of

from .conftest import enter

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _fresh_limits(db):
    cache.clear()


@pytest.fixture
def person(db):
    return rows.a_person("ada", "approver")


@pytest.fixture
def secret(person):
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    return secret


def told(kind):
    """Return what the entries of one kind say, and whom each names."""
    found = []
    for entry in AuditEntry.objects.filter(type=kind).order_by("pk"):
        named = AuditDisclosure.objects.filter(entry_uid=entry.uid)
        data = json.loads(bytes(entry.body))["data"]
        found.append((data, dict(named.values_list("name", "value"))))
    return found


def changes():
    return [
        (data["added"], data["removed"], names["person"], names["actor"])
        for data, names in told("user.changed")
    ]


def add_a_totp(client):
    page = reverse("mfa_activate_totp")
    secret = client.get(page).context["form"].secret
    return client.post(page, {"code": code_of(secret)})


def come(client):
    form = {"login": "ada", "password": PASSWORD}
    client.post(reverse("account_login"), form)


def again(browser):
    """Show the password again, as pages that change factors want it."""
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return browser


def test_a_factor_that_is_added_is_named_by_its_kind(client, person):
    come(client)
    again(client)

    assert add_a_totp(client).status_code == 302

    assert changes() == [(["recovery_codes", "totp"], [], "ada", "ada")]


def test_a_wrong_code_adds_no_factor_and_says_nothing(client, person):
    come(client)
    again(client)
    page = reverse("mfa_activate_totp")
    client.get(page)

    assert client.post(page, {"code": "000000"}).status_code == 200

    assert changes() == []
    assert not Authenticator.objects.exists()


def test_no_factor_is_added_without_its_entry(client, person):  # S-85
    come(client)
    again(client)

    with refusing(EntryType.USER_CHANGED), pytest.raises(IntegrityError):
        add_a_totp(client)

    assert not Authenticator.objects.exists()


def test_a_factor_that_is_taken_away_is_named(person, secret):
    RecoveryCodes.activate(person)
    browser = again(enter(person))

    browser.post(reverse("mfa_deactivate_totp"))

    assert changes() == [([], ["recovery_codes", "totp"], "ada", "ada")]


def test_new_recovery_codes_take_the_place_of_the_old(person, secret):
    RecoveryCodes.activate(person)
    browser = again(enter(person))

    browser.post(reverse("mfa_generate_recovery_codes"))

    (found,) = changes()
    assert found[:2] == (["recovery_codes"], ["recovery_codes"])


def test_a_security_key_that_goes_is_named(person, secret):
    key = Authenticator.objects.create(user=person, type="webauthn", data={})
    browser = again(enter(person))

    browser.post(reverse("mfa_remove_webauthn", args=[key.pk]))

    assert changes() == [([], ["webauthn"], "ada", "ada")]


@pytest.mark.parametrize("name", sorted(factors.AROUND))
def test_the_trail_is_around_every_page_of_factors(name):
    args = [1] if name == "mfa_remove_webauthn" else []

    view = resolve(reverse(name, args=args)).func

    assert "recording" in view.__code__.co_name or name == "mfa_activate_totp"


def test_a_wrong_code_after_the_password_is_a_failed_sign_in(client, person, secret):
    come(client)

    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})

    ((data, names),) = told("user.sign-in-failed")
    assert (data["factor"], data["known"]) == ("second factor", True)
    assert names == {"person": "ada"}
    assert len(told("user.signed-in")) == 1
    assert told("user.stepped-up") == []


def test_who_shows_a_factor_before_a_decision_is_on_record(person, secret):
    browser = enter(person, ago=900)
    page = reverse("mfa_reauthenticate")

    browser.post(page, {"code": "000000"})
    assert told("user.stepped-up") == []
    browser.post(page, {"code": code_of(secret)})

    ((_, names),) = told("user.stepped-up")
    assert names == {"actor": "ada"}
    ((data, names),) = told("user.sign-in-failed")
    assert (data["factor"], names) == ("second factor", {"person": "ada"})


def test_a_passkey_that_is_none_is_a_failed_sign_in_of_nobody(client, person):
    client.post(reverse("mfa_login_webauthn"), {"credential": "{}"})

    ((data, names),) = told("user.sign-in-failed")
    assert (data["known"], names) == (False, {})


def test_a_password_set_by_an_administrator_is_on_record(person):
    boss = User.objects.create_superuser("boss", password=PASSWORD)
    new = "another horse battery"
    form = {"password1": new, "password2": new, "usable_password": "true"}

    url = reverse("admin:auth_user_password_change", args=[person.pk])
    enter(boss).post(url, form)

    ((data, names),) = told("user.changed")
    assert data["columns"] == ["password"]
    assert names == {"actor": "boss", "person": "ada"}
