"""A source's delegations beside the stored ones, in a table of this connection.

Rows stream in at the speed of COPY or executemany; then sets are compared by
the database, and only what differs comes back to Python. Nothing here changes
a domain.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import dns.name
from django.db import connection

from bootstrap.core.dns.names import unrooted
from bootstrap.core.evaluation.delegation import Delegation
from bootstrap.models import Zone

BATCH: Final = 5_000
BUCKETS: Final = 256
"""Places in the time over which first scans are spread: one random octet a row."""
SNAPSHOT: Final = ("nameservers", "glue", "ds")
"""Columns that every source knows."""
REGISTRY_ONLY: Final = ("statuses", "registrar")
"""Columns that only a registry's export knows; a zone leaves them alone."""

Labels = tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One stored domain that the source shows differently; lists as stored."""

    id: int
    name: str
    returned: bool
    old_nameservers: list[str]
    nameservers: list[str]
    old_ds: list[str]
    ds: list[str]
    old_registrar: str
    registrar: str

    @property
    def ns_changed(self) -> bool:
        """The NS set is another one, or the delegation is back."""
        return self.returned or self.old_nameservers != self.nameservers

    @property
    def ds_changed(self) -> bool:
        """The DS set is another one."""
        return self.old_ds != self.ds

    @property
    def transferred(self) -> bool:
        """Another registrar sponsors the domain (S-63)."""
        return bool(self.old_registrar) and self.old_registrar != self.registrar


class Staging:
    """The staged rows of one zone; `columns` are those that the source knows."""

    def __init__(self, zone: Zone, columns: Sequence[str]) -> None:
        self.zone = zone
        self.columns = tuple(columns)

    def add(self, delegations: Iterable[Delegation]) -> int:
        """Take rows; return how many. A name may come once."""
        rows = map(_row, delegations)
        count = 0
        while batch := list(islice(rows, BATCH)):
            jitter = secrets.token_bytes(len(batch))
            _insert([(*row, octet) for row, octet in zip(batch, jitter, strict=True)])
            count += len(batch)
        return count

    def spoil(self, names: Iterable[str]) -> None:
        """Remember children whose line was bad: absence is no removal."""
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO import_spoiled (name) VALUES (%s) ON CONFLICT DO NOTHING",
                [(name,) for name in names],
            )

    def settle(self) -> None:
        """Say that all rows are there: the planner wants to know how many."""
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE import_row")

    def elsewhere(self) -> list[str]:
        """Return staged names that are children of another zone of ours."""
        return _texts(
            "SELECT d.name FROM bootstrap_domain d JOIN import_row s ON s.name = d.name"
            " WHERE d.zone_id <> %s ORDER BY d.name",
            self.zone.pk,
        )

    def drop(self, names: Iterable[str]) -> None:
        """Leave these rows out."""
        with connection.cursor() as cursor:
            cursor.executemany(
                "DELETE FROM import_row WHERE name = %s", [(name,) for name in names]
            )

    def delegated(self) -> int:
        """Return how many children the zone has as stored."""
        return _number(
            "SELECT count(*) FROM bootstrap_domain"
            " WHERE zone_id = %s AND removed_at IS NULL",
            self.zone.pk,
        )

    def missing(self) -> int:
        """Return how many stored children the source does not show."""
        return _number(f"SELECT count(*) {_MISSING}", self.zone.pk)

    def missing_batch(self, limit: int) -> list[int]:
        """Return ids of some of them."""
        return _ids(f"SELECT d.id {_MISSING} ORDER BY d.id LIMIT {limit}", self.zone.pk)

    def different_batch(self, after: int, limit: int) -> list[int]:
        """Return ids of stored domains that differ, in order, beyond `after`."""
        return _ids(
            f"SELECT d.id {self._differing()} AND d.id > %s ORDER BY d.id LIMIT {limit}",
            self.zone.pk,
            after,
        )

    def differences(self, ids: Sequence[int]) -> list[Difference]:
        """Return how these domains differ now; those that do not are left out."""
        if not ids:
            return []
        marks = ", ".join(["%s"] * len(ids))
        registrar = "s.registrar" if "registrar" in self.columns else "d.registrar"
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT d.id, d.name, d.removed_at IS NOT NULL,"
                " d.nameservers, s.nameservers, d.ds, s.ds, d.registrar,"
                f" {registrar} {self._differing()} AND d.id IN ({marks})",
                [self.zone.pk, *ids],
            )
            return [_difference(row) for row in cursor.fetchall()]

    def show_ds(self, name: str, ds: Sequence[str]) -> None:
        """Let the source show this DS set for a child: ours is under way."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE import_row SET ds = %s WHERE name = %s",
                [json.dumps(list(ds)), name],
            )

    def _differing(self) -> str:
        unequal = " OR ".join(f"d.{name} <> s.{name}" for name in self.columns)
        return (
            "FROM bootstrap_domain d JOIN import_row s ON s.name = d.name"
            f" WHERE d.zone_id = %s AND (d.removed_at IS NOT NULL OR {unequal})"
        )


@contextmanager
def staging(zone: Zone, *, complete: bool) -> Iterator[Staging]:
    """Give an empty staging table; `complete` sources know the registry's columns."""
    columns = SNAPSHOT + (REGISTRY_ONLY if complete else ())
    _create()
    try:
        yield Staging(zone, columns)
    finally:
        _drop()


_MISSING: Final = (
    "FROM bootstrap_domain d WHERE d.zone_id = %s AND d.removed_at IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM import_row s WHERE s.name = d.name)"
    " AND NOT EXISTS (SELECT 1 FROM import_spoiled b WHERE b.name = d.name)"
)
_COLUMNS: Final = "name, nameservers, glue, ds, statuses, registrar, ns_key, bucket"


def _create() -> None:
    postgres = connection.vendor == "postgresql"
    json_type = "jsonb" if postgres else "text"
    _drop()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE import_row (name varchar(1020) PRIMARY KEY,"
            f" nameservers {json_type}, glue {json_type}, ds {json_type},"
            f" statuses {json_type}, registrar varchar(200), ns_key varchar(64),"
            " bucket integer)"
        )
        cursor.execute(
            "CREATE TEMPORARY TABLE import_spoiled (name varchar(1020) PRIMARY KEY)"
        )


def _drop() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS import_row")
        cursor.execute("DROP TABLE IF EXISTS import_spoiled")


def _insert(rows: Sequence[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY import_row ({_COLUMNS}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(rows[0]))
        cursor.executemany(
            f"INSERT INTO import_row ({_COLUMNS}) VALUES ({marks})",  # noqa: S608 - constants only
            rows,
        )


def _row(delegation: Delegation) -> tuple[str, ...]:
    nameservers, ns_key = _nameservers(
        tuple(host.labels for host in delegation.nameservers)
    )
    glue = sorted([unrooted(host), address] for host, address in delegation.glue)
    return (
        unrooted(delegation.child),
        nameservers,
        json.dumps(glue) if glue else "[]",
        json.dumps(sorted(ds.to_text() for ds in delegation.ds)),
        json.dumps(list(delegation.statuses)) if delegation.statuses else "[]",
        delegation.registrar,
        ns_key,
    )


@lru_cache(maxsize=65_536)
def _nameservers(labels: Labels) -> tuple[str, str]:
    """Return the sorted hostnames as JSON, and the key of the shard."""
    hosts = sorted(unrooted(dns.name.Name(host)) for host in labels)
    return json.dumps(hosts), ns_key_of(hosts)


def ns_key_of(nameservers: Iterable[str]) -> str:
    """Return the SHA-256 of a nameserver set: children that share it share a shard."""
    return hashlib.sha256("\n".join(sorted(nameservers)).encode()).hexdigest()


def _difference(row: Sequence[Any]) -> Difference:
    pk, name, returned, old_ns, new_ns, old_ds, new_ds, old_registrar, registrar = row
    return Difference(
        id=pk,
        name=name,
        returned=bool(returned),
        old_nameservers=_list(old_ns),
        nameservers=_list(new_ns),
        old_ds=_list(old_ds),
        ds=_list(new_ds),
        old_registrar=old_registrar,
        registrar=registrar,
    )


def _list(stored: str) -> list[str]:
    return [str(item) for item in json.loads(stored)]


def _number(sql: str, *values: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.fetchone()[0])


def _ids(sql: str, *values: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [int(row[0]) for row in cursor.fetchall()]


def _texts(sql: str, *values: int) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [str(row[0]) for row in cursor.fetchall()]
