"""The log's files over HTTP, read only: what C2SP tlog-tiles asks for, and to whom."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.urls import Resolver404, URLResolver
from django.urls.resolvers import RegexPattern

from bootstrap.core.tlog import notes, tiles
from portal.status.log import log_patterns
from tests.services.test_keeping import Time, a_keeper, write
from tests.support import rows

from .conftest import enter

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def log(settings, tmp_path):
    """A sealed log with a full tile, a partial one, and one above them."""
    keeper = a_keeper(tmp_path, Time())
    folder = keeper.files.folder
    settings.BOOTSTRAP = settings.BOOTSTRAP | {"AUDIT_LOG_DIR": str(folder)}
    write(300)
    keeper.start()
    keeper.round()
    return folder


def test_a_monitor_gets_checkpoint_and_tiles_without_an_account(log, client):
    answer = client.get("/log/checkpoint")
    size = notes.Checkpoint.from_text(notes.read(answer.text).text).size

    assert answer.content == (log / "checkpoint").read_bytes()
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Cache-Control"] == "public, max-age=5"
    assert client.get("/log/key").content == (log / "key").read_bytes()
    for tile in tiles.tiles_for(0, size):
        got = client.get(f"/log/{tile.path}")
        assert got.content == (log / tile.path).read_bytes()
        assert got["Content-Type"] == "application/octet-stream"
        assert "immutable" in got["Cache-Control"]


def test_an_auditor_fetches_what_a_strangers_verifier_accepts(log, people, tmp_path):
    browser = enter(people["auditor"])
    copy = tmp_path / "copy"
    size = notes.Checkpoint.from_text(
        notes.read(browser.get("/log/checkpoint").text).text
    ).size
    paths = ["checkpoint", "key", *(tile.path for tile in tiles.tiles_for(0, size))]
    paths += [tiles.bundle_path(*each) for each in tiles.bundles_for(0, size)]

    for path in paths:
        got = browser.get(f"/log/{path}")
        assert got.status_code == 200
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_bytes(got.content)

    done = subprocess.run(
        [sys.executable, "tools/audit_verify.py", copy, "--key", log / "key"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("role", [role for role in rows.ROLES if role != "auditor"])
def test_entries_are_for_auditors(log, people, role):
    assert enter(people[role]).get("/log/tile/entries/000").status_code == 403


def test_entries_are_for_nobody_without_an_account(log, client):
    answer = client.get("/log/tile/entries/000")

    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/000.p/300",
        "tile/0/9",
        "tile/0/x000/000",
        "tile/0/../../../key",
        "tile/0/000.new",
        ".lock",
        "tile/",
        "timestamps/1.tsr",
    ],
)
def test_nothing_else_below_the_log_has_an_address(log, client, path):
    assert client.get(f"/log/{path}").status_code == 404


def test_nobody_writes_there(log):
    for method in ("post", "put", "delete", "patch"):
        answer = getattr(Client(), method)("/log/checkpoint")
        assert answer.status_code == 405


@pytest.mark.parametrize(
    ("origin", "address"),
    [
        ("portal.example/audit/2026", "audit/2026/checkpoint"),
        ("portal.example/log/", "log/checkpoint"),
        ("portal.example", "log/checkpoint"),
        ("", "log/checkpoint"),
    ],
)
def test_the_address_is_the_logs_name(origin, address):
    resolver = URLResolver(RegexPattern(""), log_patterns(origin))

    assert resolver.resolve(address).kwargs == {"path": "checkpoint"}
    with pytest.raises(Resolver404):
        resolver.resolve(f"x{address}")
