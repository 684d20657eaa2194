"""The trail's rows in as few statements as there can be, on both databases.

Every act pays for these, so they are written by hand: the ORM would ask more often
and build a query each time. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db import connection

from bootstrap.core.tlog.entries import Disclosure
from bootstrap.models import AuditEntry

Head = tuple[int, str]
"""Number and digest of a stream's newest entry; (0, "") before the first."""

SLICE: Final = 100
"""Rows of one statement: SQLite may be limited to 999 parameters."""
ENTRY: Final = (
    "uid",
    "stream",
    "number",
    "previous",
    "type",
    "at",
    "body",
    "about",
    "about_version",
)
DISCLOSURE: Final = ("entry_uid", "digest", "salt", "name", "value")
KNOWN: Final = """
    SELECT 'e', '', size, digest FROM bootstrap_evidence
    WHERE digest IN ({digests})
    UNION ALL SELECT 'p', name, 0, key FROM bootstrap_auditperson
    WHERE name IN ({persons})
    UNION ALL SELECT 'w', '', 0, NULL
    WHERE EXISTS (SELECT 1 FROM bootstrap_webhook WHERE active)
"""
LEAF: Final = ('"index"', "entry_id", "hash")
WAITING: Final = """
    SELECT p.entry_id, e.body FROM bootstrap_auditpending p
    JOIN bootstrap_auditentry e ON e.id = p.entry_id ORDER BY p.entry_id LIMIT %s
"""
BODIES: Final = """
    SELECT e.body FROM bootstrap_auditleaf l
    JOIN bootstrap_auditentry e ON e.id = l.entry_id
    WHERE l."index" >= %s AND l."index" < %s ORDER BY l."index"
"""
HEAD: Final = ("stream", "number", "digest")
LOCKED: Final = (
    " ON CONFLICT (stream) DO UPDATE SET number = bootstrap_audithead.number"
    " RETURNING stream, number, digest"
)
"""Whoever writes to a row holds it: new and known heads in one statement."""
MOVED: Final = (
    " ON CONFLICT (stream) DO UPDATE"
    " SET number = EXCLUDED.number, digest = EXCLUDED.digest"
)


def lock_heads(streams: Iterable[str]) -> dict[str, Head]:
    """Hold each stream until the transaction ends; return where it stands.

    In the order of their names, so that two writers of many streams cannot wait
    for each other.
    """
    wanted = [(stream, 0, "") for stream in sorted(set(streams))]
    rows = _insert("bootstrap_audithead", HEAD, wanted, LOCKED)
    return {stream: (number, digest) for stream, number, digest in rows}


def move_heads(heads: Mapping[str, Head]) -> None:
    """Say which entry is the newest of each stream now."""
    rows = [(stream, number, digest) for stream, (number, digest) in heads.items()]
    list(_insert("bootstrap_audithead", HEAD, rows, MOVED))


def insert_entries(entries: Sequence[AuditEntry]) -> None:
    """Store entries in this order, and tell each its number in the table."""
    rows = [
        (
            _uuid(entry.uid),
            entry.stream,
            entry.number,
            entry.previous,
            entry.type,
            _moment(entry.at),
            entry.body,
            None if entry.about is None else _uuid(entry.about),
            entry.about_version,
        )
        for entry in entries
    ]
    ids = _insert("bootstrap_auditentry", ENTRY, rows, " RETURNING id")
    for entry, (pk,) in zip(entries, ids, strict=True):
        entry.pk = pk
        entry._state.adding = False  # noqa: SLF001 - it is stored now, as by the ORM


def insert_disclosures(found: Iterable[tuple[UUID, Disclosure]]) -> None:
    """Store personal values beside their entries."""
    rows = [
        (_uuid(uid), each.digest, each.salt, each.name, each.value)
        for uid, each in found
    ]
    list(_insert("bootstrap_auditdisclosure", DISCLOSURE, rows, ""))


@dataclass(frozen=True, slots=True)
class Known:
    """What entries refer to: sizes of evidence, keys of persons; is anybody told?"""

    sizes: Mapping[str, int]
    keys: Mapping[str, bytes]
    told: bool


def known(digests: Iterable[str], persons: Iterable[str]) -> Known:
    """Look up in one statement what entries are about to refer to."""
    evidence, people = sorted(digests), sorted(persons)
    octets = [bytes.fromhex(digest) for digest in evidence]
    rows: list[tuple[str, str, int, bytes]] = []
    with connection.cursor() as cursor:
        cursor.execute(_known(len(evidence), len(people)), [*octets, *people])
        rows = cursor.fetchall()
    return Known(
        sizes={bytes(key).hex(): size for kind, _, size, key in rows if kind == "e"},
        keys={name: bytes(key) for kind, name, _, key in rows if kind == "p"},
        told=any(kind == "w" for kind, *_ in rows),
    )


@lru_cache(128)
def _known(digests: int, persons: int) -> str:
    """Return the question, with places for so many names; none is a false one."""
    return KNOWN.format(
        digests=", ".join(["%s"] * digests) or "NULL",
        persons=", ".join(["%s"] * persons) or "NULL",
    )


def waiting(limit: int) -> list[tuple[int, bytes]]:
    """Return ids and bytes of the entries that wait for the sealer, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [limit])
        return [(entry, bytes(body)) for entry, body in cursor.fetchall()]


def insert_leaves(leaves: Iterable[tuple[int, int, bytes]]) -> None:
    """Store leaves: index, entry, hash."""
    list(_insert("bootstrap_auditleaf", LEAF, list(leaves), ""))


def take_off(entries: Sequence[int]) -> None:
    """Say that these entries wait no longer."""
    for start in range(0, len(entries), SLICE):
        part = entries[start : start + SLICE]
        places = ", ".join(["%s"] * len(part))
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM bootstrap_auditpending WHERE entry_id IN ({places})",  # noqa: S608 - places of numbers
                part,
            )


def bodies_of(first: int, last: int) -> list[bytes]:
    """Return the entries of the leaves [first, last), in order."""
    with connection.cursor() as cursor:
        cursor.execute(BODIES, [first, last])
        return [bytes(body) for (body,) in cursor.fetchall()]


def _insert(
    table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], ending: str
) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(rows), SLICE):
        part = rows[start : start + SLICE]
        statement = _statement(table, tuple(columns), len(part)) + ending
        with connection.cursor() as cursor:
            cursor.execute(statement, [value for row in part for value in row])
            if "RETURNING" in ending:
                yield from cursor.fetchall()


@lru_cache(128)
def _statement(table: str, columns: tuple[str, ...], count: int) -> str:
    row = f"({', '.join(['%s'] * len(columns))})"
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * count)}"  # noqa: S608 - names of our own tables
    )


def _uuid(value: UUID) -> object:
    return value if connection.features.has_native_uuid_field else value.hex


def _moment(value: datetime) -> object:
    return connection.ops.adapt_datetimefield_value(value)
