"""What all tests share: no packet leaves loopback, servers start once."""

from __future__ import annotations

import ipaddress
import os
import socket
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.support import daemons

# How long an example takes says how busy the machine is, and nothing of the code.
# The same examples each time: a run says something of the change that it tries; long
# runs look for new ones.
hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    derandomize=not os.environ.get("TEST_LONG"),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("suite")
os.environ.setdefault("SECRET_KEY", "for-tests-only-" + "x" * 50)


def _is_local(address: object) -> bool:
    if not isinstance(address, tuple):
        return True  # a path: a UNIX socket
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return address[0] in {"localhost", ""}


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """Refuse any packet that would leave this machine."""
    patch = pytest.MonkeyPatch()
    for method in ("connect", "connect_ex", "sendto"):
        original = getattr(socket.socket, method)

        def guarded(self, *args, _original=original):
            if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_local(
                args[-1]
            ):
                raise AssertionError(f"a test wanted to speak to {args[-1]}")
            return _original(self, *args)

        patch.setattr(socket.socket, method, guarded)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def _flush_goes_around_the_triggers() -> Iterator[None]:
    """Let the runner empty the tables of the trail between transactional tests."""
    from tests.support.trail import flush_allowed  # noqa: PLC0415 - after Django's setup

    with flush_allowed():
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Keep what migrations wrote through all tests."""
    from django.db import connection  # noqa: PLC0415 - after Django's setup

    from tests.support.trail import restored_after_flush  # noqa: PLC0415

    with django_db_blocker.unblock():
        written = connection.creation.serialize_db_to_string()
    with restored_after_flush(written):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Put SQLite's test database in a file: threads share no memory database."""
    from django.db import connection  # noqa: PLC0415 - after Django's setup

    if connection.vendor == "sqlite":
        folder = tmp_path_factory.mktemp("sqlite")
        connection.settings_dict["TEST"]["NAME"] = str(folder / "test.sqlite3")


@pytest.fixture(scope="session")
def long_trials() -> bool:
    """Say whether long trials run in full (`make test-long`)."""
    return bool(os.environ.get("TEST_LONG"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[daemons.Postgres]:
    """A PostgreSQL server of this session's own."""
    if daemons.Postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    # Not below pytest's own folder: that is closed to the server's user.
    with tempfile.TemporaryDirectory(prefix="portal-pg-") as folder:
        cluster = daemons.Postgres(Path(folder) / "pg", ["127.0.0.1"], port=25430)
        with cluster as server:
            yield server


MANY = 12
"""Variants of one test above which a second database gets one in three of them."""


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what can say little about a second database, where one is tried.

    That is what touches none, and in runs that are not long most of the variants of
    tests that have many.
    """
    if not os.environ.get("TEST_DATABASE_ONLY"):
        return
    chosen = [item for item in items if _touches_the_database(item)]
    if not os.environ.get("TEST_LONG"):
        chosen = list(_thinned(chosen))
    kept = set(chosen)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = chosen


def _thinned(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield every third variant of tests with many, and all others."""
    function = [item.nodeid.partition("[")[0] for item in items]
    variants = Counter(function)
    place: Counter[str] = Counter()
    for item, name in zip(items, function, strict=True):
        if variants[name] <= MANY or place[name] % 3 == 0:
            yield item
        place[name] += 1


def _touches_the_database(item: pytest.Item) -> bool:
    wanted = {"db", "transactional_db", "django_db_setup"}
    marked = item.get_closest_marker("django_db") is not None
    return marked or not wanted.isdisjoint(getattr(item, "fixturenames", ()))


def needs(*programs: str) -> None:
    """Skip the calling test unless all programs are installed; the report says which."""
    if lacking := daemons.missing(*programs):
        pytest.skip("not installed: " + ", ".join(lacking))
    if os.geteuid() != 0:
        pytest.skip("port 53 needs root")
