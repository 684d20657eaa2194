"""The product as its operator runs it: processes and commands, nothing imported."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Product:
    """One installation: a database, and the settings of the world around it."""

    folder: Path
    settings: dict[str, str]
    database: str = ""
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.database = self.database or f"sqlite:///{self.folder}/portal.sqlite3"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of every process."""
        return os.environ | {
            "DATABASE_URL": self.database,
            "SECRET_KEY": "for-tests-only-" + "x" * 50,
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            **self.settings,
        }

    def migrate(self) -> None:
        """Make the tables; in SQLite's file by copying those that were made before."""
        if self.database == f"sqlite:///{self.folder}/portal.sqlite3":
            kept = Path(_tables().name) / "portal.sqlite3"
            shutil.copy(kept, self.folder / "portal.sqlite3")
        else:
            self.manage("migrate", "--verbosity", "0")

    def manage(self, *arguments: str, expect: int = 0) -> str:
        """Run one management command and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == expect, (arguments, done.stdout, done.stderr)
        return done.stdout

    def json(self, *arguments: str, expect: int = 0) -> Any:
        """Run a command with --json and return its one document."""
        return json.loads(self.manage(*arguments, "--json", expect=expect))

    def json_lines(self, *arguments: str, expect: int = 0) -> list[dict[str, Any]]:
        """Run a command with --json and return its lines."""
        printed = self.manage(*arguments, "--json", expect=expect)
        return [
            json.loads(line) for line in printed.splitlines() if line.startswith("{")
        ]

    @contextmanager
    def process(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a long-lived command in a process group of its own."""
        log = (self.folder / f"{arguments[0]}-{time.monotonic_ns()}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            end_group(process)
            log.close()

    def logs(self) -> str:
        """Return what the long-lived processes printed."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-4000:]}"
            for path in sorted(self.folder.glob("*.log"))
        )


@cache
def _tables() -> tempfile.TemporaryDirectory[str]:
    """Return a folder with the database of an empty installation, made once a run."""
    folder = tempfile.TemporaryDirectory(prefix="portal-tables-")
    Product(Path(folder.name), {}).manage("migrate", "--verbosity", "0")
    return folder


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process group: politely, then not."""
    for how, patience in ((signal.SIGTERM, 20), (signal.SIGKILL, 10)):
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            return
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue


def until(
    what: Callable[[], object], *, seconds: float, told: Callable[[], str]
) -> Any:
    """Wait until `what` returns something true, and return it."""
    deadline = time.monotonic() + seconds
    while True:
        if found := what():
            return found
        assert time.monotonic() < deadline, told()
        time.sleep(0.3)
