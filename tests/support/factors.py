"""What an authenticator app shows: the second factor of a test's person."""

from __future__ import annotations

from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)


def code_of(secret: str) -> str:
    """Return what the app shows now."""
    counter = next(iter(yield_hotp_counters_from_time()))
    shown: str = format_hotp_value(hotp_value(secret, counter))
    return shown
