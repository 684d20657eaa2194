"""The product as it is measured: its commands, on databases that start anew.

What a run changes, the next one does not find: each begins from the same rows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.support.daemons import Postgres

from .measuring import ROOT, Sample, timed

ZONE = "alpha.test"
"""The parent zone of the laboratory."""


class Database(Protocol):
    """Where a run writes."""

    name: str

    def fresh(self, key: str) -> str:
        """Return the URL of a new copy of what was prepared under `key`."""
        ...

    def keep(self, key: str) -> None:
        """Make what the last URL holds the start of later runs."""
        ...

    def octets(self) -> int:
        """Return the size of the last copy."""
        ...


@dataclass
class Sqlite:
    """A file, as the demo has it."""

    folder: Path
    name: str = "SQLite"

    @property
    def file(self) -> Path:
        """The database of the run."""
        return self.folder / "run.sqlite3"

    def fresh(self, key: str) -> str:
        """Return the URL of a copy, of an empty file at first."""
        for path in self.folder.glob("run.sqlite3*"):
            path.unlink()
        start = self.folder / f"{key}.start"
        if start.exists():
            shutil.copy(start, self.file)
        return f"sqlite:///{self.file}"

    def keep(self, key: str) -> None:
        """Keep the file; its last writer has merged the journal into it."""
        shutil.copy(self.file, self.folder / f"{key}.start")

    def octets(self) -> int:
        """Return the size of the file."""
        return self.file.stat().st_size


@dataclass
class PostgreSQL:
    """A cluster of its own on loopback; databases are copies of templates."""

    cluster: Postgres
    name: str = "PostgreSQL"

    def fresh(self, key: str) -> str:
        """Return the URL of a new database, an empty one at first."""
        self.cluster.psql("DROP DATABASE IF EXISTS run")
        listed = self.cluster.psql("SELECT datname FROM pg_database").split()
        template = f" TEMPLATE start_{key}" if f"start_{key}" in listed else ""
        self.cluster.psql("CREATE DATABASE run" + template)
        return self.cluster.url.rpartition("/")[0] + "/run"

    def keep(self, key: str) -> None:
        """Copy the database to a template.

        The copy knows what its tables hold: autovacuum would see to that within a
        minute, but does not count what was written before a copy was made.
        """
        self.cluster.psql("VACUUM ANALYZE", "run")
        self.cluster.psql(f"DROP DATABASE IF EXISTS start_{key}")
        self.cluster.psql(f"CREATE DATABASE start_{key} TEMPLATE run")

    def octets(self) -> int:
        """Return what the database takes on disk."""
        return int(self.cluster.psql("SELECT pg_database_size('run')"))


@contextmanager
def databases(folder: Path) -> Iterator[list[Database]]:
    """Offer SQLite, and PostgreSQL where it is installed."""
    found: list[Database] = [Sqlite(folder)]
    if Postgres.binaries() is None:
        print("PostgreSQL is not installed: measured on SQLite alone")
        yield found
        return
    with Postgres(folder / "pg", ["127.0.0.1"], port=25439) as cluster:
        yield [*found, PostgreSQL(cluster)]


@dataclass(frozen=True, slots=True)
class Installation:
    """The product beside one laboratory, whose manifest it knows."""

    manifest: Mapping[str, Any]

    def environment(self, url: str) -> dict[str, str]:
        """Return the settings that put a command into this laboratory."""
        return {
            "DATABASE_URL": url,
            "SECRET_KEY": "benchmark " * 6,
            "PORTAL_DEMO": "1",
            "DNS_ROOT_HINTS": str(self.manifest["root_hints"]),
            "DNS_TRUST_ANCHORS": str(self.manifest["trust_anchors"]),
            "DNS_PORT": str(self.manifest["port"]),
            "DNS_ALLOWED_NETWORKS": ",".join(self.manifest["networks"]),
            "DNS_LAB_PACE": "unlimited",
            "DNS_SKIP_FAMILIES": "6",
        }

    def prepare(self, database: Database, key: str, core: int | None = None) -> Sample:
        """Make the tables, add the zone, import its delegations, keep all that.

        Returns what the import has taken, on one core where that is asked for.
        """
        url = database.fresh(f"nothing-{key}")
        parent = self.manifest["parents"][0]
        tsig = ("--tsig-key", self.manifest["tsig_key"])
        self.manage(url, "migrate", "--verbosity", "0")
        added = ("zone", "add", parent["name"], "--primary", parent["primary"], *tsig)
        self.manage(url, *added, "--policy", "review", "--server", *parent["servers"])
        imported = ("import_delegations", parent["name"], "--axfr", parent["primary"])
        taken = timed(manage(*imported, *tsig), self.environment(url), core)
        database.keep(key)
        return taken

    def manage(self, url: str, *arguments: str) -> None:
        """Run one command to its end, outside of any measurement."""
        subprocess.run(
            manage(*arguments),
            cwd=ROOT,
            env={**self.environment(url), "PATH": "/usr/bin:/bin"},
            check=True,
            stdout=subprocess.DEVNULL,
        )


def manage(*arguments: str) -> list[str]:
    """Return the command line of one of the product's commands."""
    return [sys.executable, "manage.py", *arguments]


def printed(script: str, environment: Mapping[str, str]) -> str:
    """Return the last word that a script prints in the product's shell.

    Raises:
        CalledProcessError: the script failed.
    """
    told = subprocess.run(
        manage("shell", "-v", "0", "-c", script),
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.split()[-1]
