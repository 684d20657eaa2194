"""Each setting broken in turn is refused by its name (S-100)."""

from __future__ import annotations

import pytest

from portal import checks

GOOD = {
    "DEBUG": False,
    "PORTAL_DEMO": False,
    "ALLOWED_HOSTS": ["portal.example"],
    "SECURE_HSTS_SECONDS": 31_536_000,
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
}
BROKEN = [
    ("DEBUG", True),
    ("PORTAL_DEMO", True),
    ("ALLOWED_HOSTS", []),
    ("ALLOWED_HOSTS", ["*"]),
    ("CONTENT_SECURITY_POLICY", None),
    ("CONTENT_SECURITY_POLICY", {"DIRECTIVES": {"default-src": ["'none'"]}}),
    ("SESSION_ENGINE", "django.contrib.sessions.backends.signed_cookies"),
    ("SECURE_HSTS_SECONDS", 31_535_999),
    ("SESSION_COOKIE_SECURE", False),
    ("CSRF_COOKIE_SECURE", False),
    ("SESSION_COOKIE_HTTPONLY", False),
    ("SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https")),
    ("X_FRAME_OPTIONS", "SAMEORIGIN"),
]


@pytest.fixture(autouse=True)
def _good(settings):
    for name, value in GOOD.items():
        setattr(settings, name, value)


def test_a_good_deployment_lacks_nothing():
    assert checks.deployment() == []


@pytest.mark.parametrize(("name", "value"), BROKEN, ids=str)
def test_a_broken_setting_is_refused_by_its_name(name, value, settings):
    setattr(settings, name, value)

    assert [error.id for error in checks.deployment()] == [f"portal.{name}"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"init_command": "PRAGMA journal_mode=WAL"},
        {"transaction_mode": "IMMEDIATE"},
    ],
    ids=str,
)
def test_sqlite_without_its_settings_is_refused(options, settings, monkeypatch):
    database = settings.DATABASES["default"]
    monkeypatch.setitem(database, "ENGINE", "django.db.backends.sqlite3")
    monkeypatch.setitem(database, "OPTIONS", options)

    assert [error.id for error in checks.deployment()] == ["portal.DATABASES"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("issuer", "http://id.registry.example"),
        ("client_id", ""),
        ("client_secret", ""),
    ],
)
def test_half_an_identity_provider_is_refused(column, value, settings):
    whole = {
        "issuer": "https://id.registry.example",
        "client_id": "portal",
        "client_secret": "secret",
    }
    settings.OIDC = settings.OIDC | whole
    assert checks.deployment() == []

    settings.OIDC = settings.OIDC | {column: value}

    assert [error.id for error in checks.deployment()] == ["portal.OIDC_ISSUER"]


def test_every_rule_is_tried():
    tried = {name for name, _ in BROKEN} | {"DATABASES", "OIDC_ISSUER"}
    assert {rule.setting for rule in checks.RULES} == tried
