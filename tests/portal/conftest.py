"""People at the door: a signed-in browser for each role, the small registry."""

from __future__ import annotations

import time

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.test import Client, RequestFactory

from tests.support import rows


def enter(user, *, ago: int = 0) -> Client:
    """Return a browser that showed its second factor `ago` seconds since."""
    client = Client()
    client.force_login(user)
    Authenticator.objects.get_or_create(user=user, type="totp", defaults={"data": {}})
    request = RequestFactory().get("/")
    request.session, request.user = client.session, user
    record_authentication(request, user, "mfa", type="totp")
    for record in request.session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] = time.time() - ago
    request.session.save()
    return client


@pytest.fixture(autouse=True)
def _quick_hashes(settings):
    """Let accounts be made quickly; what guards passwords is not tested here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def people(db):
    """One account for each role, by its name."""
    return {role: rows.a_person(role, role) for role in rows.ROLES}


@pytest.fixture
def browsers(people):
    """A signed-in browser for each role, and one that is nobody's."""
    found = {role: enter(user) for role, user in people.items()}
    return found | {"nobody": Client()}


@pytest.fixture
def registry(db, monkeypatch):
    """The small registry around this moment."""
    from bootstrap import clock  # noqa: PLC0415 - after Django's setup

    monkeypatch.setattr(rows, "NOW", clock.now())
    return rows.a_registry()


@pytest.fixture(autouse=True)
def _visitors_in_a_hurry(settings):
    """Let tests open as many public pages as they like; one file says how many else."""
    settings.PUBLIC_BURST, settings.PUBLIC_PER_MINUTE = 10_000, 10_000
