"""What a deployment must not be without; `check --deploy` refuses each by name (S-100)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.core.checks import Error

YEAR: Final = 31_536_000
NEEDED: Final = ("default-src", "form-action", "base-uri", "frame-ancestors")


@dataclass(frozen=True, slots=True)
class Rule:
    """`holds` looks at the settings; `setting` is what to change when it does not."""

    setting: str
    words: str
    holds: Callable[[], bool]


def _policy() -> Mapping[str, Any]:
    policy = getattr(settings, "CONTENT_SECURITY_POLICY", None) or {}
    found: Mapping[str, Any] = policy.get("DIRECTIVES", {})
    return found


def _strict_policy() -> bool:
    policy = _policy()
    texts = [str(value) for value in policy.values()]
    loose = any("unsafe" in text or "*" in text for text in texts)
    return all(name in policy for name in NEEDED) and not loose


def _sqlite_is_safe() -> bool:
    database = settings.DATABASES["default"]
    if "sqlite" not in database["ENGINE"]:
        return True
    options = database.get("OPTIONS", {})
    wal = "journal_mode=wal" in str(options.get("init_command", "")).lower()
    return wal and options.get("transaction_mode") == "IMMEDIATE"


def _proxy_is_counted() -> bool:
    header: object = getattr(settings, "SECURE_PROXY_SSL_HEADER", None)
    return header is None or settings.TRUSTED_PROXIES > 0


def _provider_is_whole() -> bool:
    told = settings.OIDC
    whole = told["issuer"].startswith("https://") and told["client_secret"]
    return not told["issuer"] or bool(whole and told["client_id"])


RULES: Final = (
    Rule("DEBUG", "errors would be shown to all", lambda: not settings.DEBUG),
    Rule(
        "PORTAL_DEMO",
        "staff would need no second factor",
        lambda: not settings.PORTAL_DEMO,
    ),
    Rule(
        "ALLOWED_HOSTS",
        "name the hosts, without an asterisk",
        lambda: bool(settings.ALLOWED_HOSTS) and "*" not in settings.ALLOWED_HOSTS,
    ),
    Rule("CONTENT_SECURITY_POLICY", "it must be there, and strict", _strict_policy),
    Rule(
        "SESSION_ENGINE",
        "sessions in cookies cannot be ended",
        lambda: "signed_cookies" not in settings.SESSION_ENGINE,
    ),
    Rule(
        "SECURE_HSTS_SECONDS",
        "a year at least",
        lambda: settings.SECURE_HSTS_SECONDS >= YEAR,
    ),
    Rule(
        "SESSION_COOKIE_SECURE",
        "the session would travel in the clear",
        lambda: settings.SESSION_COOKIE_SECURE,
    ),
    Rule(
        "CSRF_COOKIE_SECURE",
        "the token would travel in the clear",
        lambda: settings.CSRF_COOKIE_SECURE,
    ),
    Rule(
        "SESSION_COOKIE_HTTPONLY",
        "scripts could read the session",
        lambda: settings.SESSION_COOKIE_HTTPONLY,
    ),
    Rule(
        "SECURE_PROXY_SSL_HEADER",
        "believed only from counted proxies: set TRUSTED_PROXIES",
        _proxy_is_counted,
    ),
    Rule(
        "OIDC_ISSUER",
        "the provider is asked over TLS, with an id and a secret of ours",
        _provider_is_whole,
    ),
    Rule("DATABASES", "SQLite needs WAL and IMMEDIATE transactions", _sqlite_is_safe),
    Rule(
        "X_FRAME_OPTIONS",
        "pages could be framed",
        lambda: settings.X_FRAME_OPTIONS == "DENY",
    ),
)
"""What is asked of every deployment."""


def deployment(**_: object) -> list[Error]:
    """Return what this deployment lacks, each under the setting's name."""
    return [
        Error(f"{rule.setting}: {rule.words}", id=f"portal.{rule.setting}")
        for rule in RULES
        if not rule.holds()
    ]
