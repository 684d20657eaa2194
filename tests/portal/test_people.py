"""Accounts in the admin: roles by the service, secrets nowhere."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.urls import reverse

from bootstrap.models import AuditEntry, RoleRequest
from tests.support import rows

from .conftest import enter


@pytest.fixture
def administrator(db):
    """A browser whose account administers people."""
    return enter(rows.a_person("boss", "administrator"))


def grant(browser, person, *names):
    url = reverse("admin:auth_user_change", args=[person.pk])
    form = {
        "username": person.username,
        "is_active": "on",
        "is_staff": "on",
        "groups": list(
            Group.objects.filter(name__in=names).values_list("pk", flat=True)
        ),
    }
    return browser.post(url, form)


def roles_of(person):
    return set(person.groups.values_list("name", flat=True))


def test_a_role_chosen_in_the_admin_waits_for_a_second_person(administrator):
    """S-64: taking away is done at once, giving is asked for."""
    person = rows.a_person("person", "viewer")

    answer = grant(administrator, person, "reviewer")

    assert answer.status_code == 302
    assert roles_of(person) == set()
    types = AuditEntry.objects.filter(stream="people").values_list("type", flat=True)
    assert set(types) >= {"role.asked", "role.revoked"}
    second = enter(rows.a_person("second", "administrator"))
    waits = RoleRequest.objects.get(user=person)
    url = reverse("dashboard:role-decide", args=[waits.pk])
    assert second.post(url, {"verb": "confirm"}).status_code == 302
    assert roles_of(person) == {"reviewer"}


@pytest.mark.parametrize("other", ["zone manager", "administrator"])
def test_powers_that_must_stay_apart_are_refused_together(other, administrator):
    person = rows.a_person("person", "viewer")

    answer = grant(administrator, person, "approver", other)

    assert answer.status_code == 200
    assert "nobody may hold" in answer.text
    assert roles_of(person) == {"viewer"}


def test_only_administrators_change_accounts(db):
    person = rows.a_person("person", "viewer")
    for role in set(rows.ROLES) - {"administrator"}:
        browser = enter(rows.a_person(f"the {role}", role))

        assert grant(browser, person, "approver").status_code in {302, 403}
        assert roles_of(person) == {"viewer"}


def test_an_administrator_makes_no_superuser(administrator):
    person = rows.a_person("person", "viewer")
    url = reverse("admin:auth_user_change", args=[person.pk])

    administrator.post(url, {"username": "person", "is_superuser": "on"})

    assert not User.objects.get(pk=person.pk).is_superuser


def test_nobody_deletes_an_account(administrator):
    person = rows.a_person("person")
    url = reverse("admin:auth_user_delete", args=[person.pk])

    assert administrator.post(url, {"post": "yes"}).status_code == 403


def test_machinery_and_secrets_of_persons_have_no_table():
    labels = {model._meta.app_label for model in admin.site._registry}

    assert labels == {"auth", "bootstrap"}


def test_comings_and_failures_are_in_the_trail(client, registry):
    rows.a_person("person")
    url = reverse("account_login")
    client.post(url, {"login": "person", "password": "wrong"})
    client.post(url, {"login": "hunter2", "password": "wrong"})
    client.post(url, {"login": "person", "password": "correct horse battery"})
    client.post(reverse("account_logout"))

    entries = AuditEntry.objects.filter(stream="people").order_by("number")

    assert [entry.type for entry in entries] == [
        "user.sign-in-failed",
        "user.sign-in-failed",
        "user.signed-in",
        "user.signed-out",
    ]
    page = enter(rows.a_person("auditor", "auditor")).get("/audit/?q=people").text
    assert "hunter2" not in page


def test_what_became_of_an_account_is_recorded_by_its_columns(administrator):
    person = rows.a_person("person", "viewer")

    url = reverse("admin:auth_user_change", args=[person.pk])
    administrator.post(url, {"username": "person", "is_staff": "on"})

    assert not User.objects.get(pk=person.pk).is_active
    entry = AuditEntry.objects.get(type="user.changed")
    assert b'"columns":["is_active"]' in bytes(entry.body)
    assert b"person" not in bytes(entry.body)
