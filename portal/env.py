"""The environment, read once and typed; an error names the variable and the cure."""

from __future__ import annotations

import re
import sys
from typing import Any, Final

import environ
from django.core.exceptions import ImproperlyConfigured

MAX_PORT: Final = 65_535
LABEL: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
HOST: Final = re.compile(rf"{LABEL}(?:\.{LABEL})*\.?")
MIN_SECRET: Final = 50
"""Characters that Django's own deployment check asks for."""


class Env(environ.Env):  # type: ignore[misc]  # the library has no types
    """Typed readers: `env.int("NAME", default=1)`; nonsense is refused by name."""

    def get_value(self, var: str, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - the library's own type
        """Return the value of `var`, cast.

        Raises:
            ImproperlyConfigured: it is not set, or is not of the wanted type.
        """
        try:
            return super().get_value(var, *args, **kwargs)
        except ImproperlyConfigured:
            raise ImproperlyConfigured(
                f"{var} is not set. Set it in the environment; README.md, Settings."
            ) from None
        except (ValueError, TypeError, KeyError) as wrong:
            raise ImproperlyConfigured(
                f"{var} has a value that cannot be used: {wrong}"
            ) from wrong


env: Final = Env()


def flag(name: str, *, default: bool = False) -> bool:
    """Return a yes or no; anything but the usual spellings is refused.

    Raises:
        ImproperlyConfigured: the value is neither yes nor no.
    """
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False}
    text = env.str(name, default="").strip().lower()
    if not text:
        return default
    if text not in words:
        raise ImproperlyConfigured(f"{name} is {text!r}. Write 1 for yes or 0 for no.")
    return words[text]


def examined() -> bool:
    """Say whether a test run or the type checker has loaded the settings."""
    return "pytest" in sys.modules or "mypy" in sys.modules


def secret_key(*, optional: bool) -> str:
    """Return the key of sessions and forms; without one only a demo starts.

    Raises:
        ImproperlyConfigured: missing or short outside the demo.
    """
    key = str(env.str("SECRET_KEY", default=""))
    if optional:
        return key or "a-well-known-key-for-the-demo-and-the-tests-and-nothing-else"
    if not key:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Set it to a long random string that is the same"
            " for all processes, or start the demo with PORTAL_DEMO=1."
        )
    if len(key) < MIN_SECRET:
        raise ImproperlyConfigured(
            f"SECRET_KEY has {len(key)} characters. Use {MIN_SECRET} or more."
        )
    return key


def database(default: str) -> dict[str, Any]:
    """Return Django's description of the database that `DATABASE_URL` names.

    Raises:
        ImproperlyConfigured: it is neither SQLite nor PostgreSQL.
    """
    described: dict[str, Any] = env.db_url("DATABASE_URL", default=default)
    if described["ENGINE"].rpartition(".")[2] not in {"sqlite3", "postgresql"}:
        raise ImproperlyConfigured(
            "DATABASE_URL names another database than SQLite or PostgreSQL."
            " Write sqlite:////path/file or postgres://user:password@host:port/name."
        )
    return described


def hosts() -> list[str]:
    """Return the host names that the portal answers to (S-100).

    Without any, it answers to this machine alone: workers and commands need
    none, and the deployment check asks for it where people are to come in.

    Raises:
        ImproperlyConfigured: one stands for all.
    """
    local = ["127.0.0.1", "localhost", "[::1]", "testserver"]
    named = [str(host) for host in env.list("ALLOWED_HOSTS", default=[])]
    if any(host.startswith("*") for host in named):
        raise ImproperlyConfigured(
            "ALLOWED_HOSTS contains '*'. Name each host that people type."
        )
    return named or local


def choice(name: str, *words: str) -> str:
    """Return one of these words, the first when nothing is set.

    Raises:
        ImproperlyConfigured: something else is set.
    """
    text = env.str(name, default="") or words[0]
    if text not in words:
        raise ImproperlyConfigured(f"{name} is {text!r}. Write {' or '.join(words)}.")
    return str(text)


def endpoint(name: str) -> tuple[str, int] | None:
    """Return a host name and a port, 53 when none is named; None when nothing is set.

    Raises:
        ImproperlyConfigured: neither "HOST" nor "HOST:PORT".
    """
    text = str(env.str(name, default="")).strip()
    if not text:
        return None
    host, colon, port = text.partition(":")
    number = int(port) if port.isascii() and port.isdigit() else 0
    if not HOST.fullmatch(host) or (colon and not 0 < number <= MAX_PORT):
        raise ImproperlyConfigured(f"{name} is {text!r}. Write HOST or HOST:PORT.")
    return host.rstrip(".").lower(), number or 53


def roles_by_group(name: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return which roles a group of the provider stands for, each with its zone.

    Written "GROUP=ROLE" or "GROUP=ROLE@ZONE", with commas between.

    Raises:
        ImproperlyConfigured: a part has another form.
    """
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for part in env.list(name, default=[]):
        group, equals, place = str(part).strip().rpartition("=")
        role, _, zone = place.partition("@")
        if not equals or not group.strip() or not role.strip():
            raise ImproperlyConfigured(
                f"{name} has a part {part!r}. Write GROUP=ROLE or GROUP=ROLE@ZONE."
            )
        known = found.setdefault(group.strip(), ())
        found[group.strip()] = (*known, (role.strip(), zone.strip().rstrip(".")))
    return found
