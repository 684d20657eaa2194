"""What the surroundings lack is one line that says what to do, not a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "postgres://nobody:x@127.0.0.1:1/none"
LACKING = {
    "no key": ({"SECRET_KEY": ""}, "Settings: SECRET_KEY is not set. Set it"),
    "a database of another make": (
        {"DATABASE_URL": "mysql://a:b@127.0.0.1/c"},
        "Settings: DATABASE_URL names another database than SQLite or PostgreSQL",
    ),
    "a database without tables": (
        {"DATABASE_URL": "sqlite:///{folder}/new.sqlite3"},
        "manage.py migrate",
    ),
    "a database in no folder": (
        {"DATABASE_URL": "sqlite:////nonexistent/portal.sqlite3"},
        "Is DATABASE_URL right",
    ),
    "a database where nobody listens": ({"DATABASE_URL": NOWHERE}, "refused"),
    "a port beyond all": ({"DNS_PORT": "99999"}, "DNS_PORT: 99999 is not within"),
}


def run(folder: Path, changes: dict[str, str], *arguments: str):
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG"}}
    kept |= {"SECRET_KEY": "for-tests-only-" + "x" * 50}
    kept |= {"DATABASE_URL": "sqlite:///{folder}/new.sqlite3"} | changes
    kept["DATABASE_URL"] = kept["DATABASE_URL"].format(folder=folder)
    return subprocess.run(
        [sys.executable, "manage.py", "scan", "child.example", *arguments],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("changes", "words"), LACKING.values(), ids=LACKING)
def test_a_fault_of_settings_or_database_is_one_line_with_the_cure(
    tmp_path, changes, words
):
    done = run(tmp_path, changes)

    assert done.returncode in {1, 2}
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert words in done.stderr


def test_who_wants_to_know_where_asks_for_the_traceback(tmp_path):
    assert "Traceback" in run(tmp_path, {}, "--traceback").stderr
