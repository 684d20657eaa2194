"""Delegations from a CSV file with the header `name,ns,glue,ds,registrar,status`.

Several values in a field are separated by spaces; glue is `host=address`, a DS
`tag/alg/type/hex`, a status an EPP word. One line is one child, and a line that
is wrong in any field is left out whole.
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import BinaryIO, Final

from bootstrap.core.dns.names import InvalidName, Name, parse_name
from bootstrap.core.dns.records import DIGEST_LENGTHS, Ds
from bootstrap.core.evaluation.delegation import Delegation

from .keys import (
    ROOT_KEY,
    is_below,
    key_from_text,
    key_of,
    name_of,
    new_name,
    target_key,
)
from .lines import MAX_LINE, WATCH_EVERY
from .rows import BadLine, Entry, Reading, Row, SourceRefused, Watch, unwatched

HEADER: Final = ("name", "ns", "glue", "ds", "registrar", "status")
PENDING: Final = frozenset(
    {"pendingCreate", "pendingTransfer", "pendingUpdate", "pendingDelete"}
)
"""A change of the registry object is under way (RFC 5731; security.md 6.4)."""
STATUSES: Final = PENDING | {
    "clientDeleteProhibited",
    "clientHold",
    "clientRenewProhibited",
    "clientTransferProhibited",
    "clientUpdateProhibited",
    "inactive",
    "ok",
    "pendingRenew",
    "serverDeleteProhibited",
    "serverHold",
    "serverRenewProhibited",
    "serverTransferProhibited",
    "serverUpdateProhibited",
    # grace periods (RFC 3915)
    "addPeriod",
    "autoRenewPeriod",
    "pendingRestore",
    "redemptionPeriod",
    "renewPeriod",
    "transferPeriod",
}
"""The EPP status words of a domain (RFC 5731, section 2.3; RFC 3915, section 3.1)."""
MAX_REGISTRAR: Final = 200


def read_csv_file(path: Path, parent: Name, watch: Watch = unwatched) -> Reading:
    """Return the delegations of `parent` in the file at `path`, in its order.

    Raises:
        SourceRefused: unreadable, or another header. Reading errors later on
            are raised while iterating.
    """
    try:
        opened = path.open("rb")
    except OSError as exc:
        raise SourceRefused(f"{path}: {exc.strerror}") from exc
    if _header(opened.readline(MAX_LINE)) != HEADER:
        opened.close()
        raise SourceRefused(f"{path}: the first line must be {','.join(HEADER)}")
    return Reading(_entries(opened, parent, watch))


def _header(raw: bytes) -> tuple[str, ...]:
    """Return the fields of the first line; none when it cannot be cut."""
    try:
        return tuple(_fields(_decode(raw.removeprefix(b"\xef\xbb\xbf"))))
    except csv.Error:
        return ()


def _entries(opened: BinaryIO, parent: Name, watch: Watch) -> Iterator[Entry]:
    apex = key_of(parent)
    seen = _Seen()
    told = octets = 0
    number = 1
    with opened:
        while raw := opened.readline(MAX_LINE):
            number += 1
            octets += len(raw)
            if octets - told >= WATCH_EVERY:
                told = octets
                watch(octets)
            if raw.strip():
                yield _entry(number, _decode(raw), apex, seen)
    watch(octets)


def _entry(number: int, text: str, apex: bytes, seen: _Seen) -> Entry:
    child: Name | None = None
    try:
        fields = _fields(text)
        key = _child_key(fields, apex)
        if (earlier := seen.first_line(key, number)) is not None:
            return BadLine(number, f"stands in line {earlier} already")
        child = new_name(key)
        return Row(number, _delegation(child, name_of(apex), fields))
    except (ValueError, InvalidName, csv.Error) as exc:
        return BadLine(number, str(exc), child)


def _child_key(fields: list[str], apex: bytes) -> bytes:
    key = _new_key(fields[0].strip() if fields else "")
    if not is_below(key, apex):
        raise ValueError(f"{fields[0].strip()!r} is not below the zone")
    return key


def _delegation(child: Name, parent: Name, fields: list[str]) -> Delegation:
    if len(fields) != len(HEADER):
        raise ValueError(f"{len(fields)} fields where the header has {len(HEADER)}")
    _name, ns, glue, ds, registrar, status = fields
    nameservers = sorted({_key(host) for host in ns.split()})
    statuses = tuple(sorted(set(status.split())))
    if unknown := sorted(set(statuses) - STATUSES):
        raise ValueError(f"unknown status: {' '.join(unknown)}")
    if len(registrar) > MAX_REGISTRAR or not registrar.isprintable():
        raise ValueError("the registrar is too long, or not printable")
    return Delegation(
        child=child,
        parent=parent,
        nameservers=tuple(name_of(host) for host in nameservers),
        glue=tuple(sorted({_glue(pair, nameservers) for pair in glue.split()})),
        ds=tuple(sorted({_ds(text) for text in ds.split()})),
        statuses=statuses,
        registrar=registrar.strip(),
        pending_change=not PENDING.isdisjoint(statuses),
    )


def _key(text: str) -> bytes:
    """Return the key of a nameserver; they recur."""
    is_plain = text.isascii() and text != "@"
    return target_key(text, ROOT_KEY) if is_plain else _new_key(text)


def _new_key(text: str) -> bytes:
    if text == "@":
        raise InvalidName("'@' stands for nothing here")
    if text.isascii():
        return key_from_text(text, ROOT_KEY)
    return key_of(parse_name(text))  # U-labels


def _glue(pair: str, nameservers: list[bytes]) -> tuple[Name, str]:
    host, equals, address = pair.partition("=")
    if not equals:
        raise ValueError(f"glue {pair!r} is not host=address")
    key = _key(host)
    if key not in nameservers:
        raise ValueError(f"glue for {host}, which is no nameserver of this child")
    return name_of(key), str(ip_address(address))


def _ds(text: str) -> Ds:
    parts = text.split("/")
    if len(parts) != 4:  # noqa: PLR2004 - tag, algorithm, digest type, digest
        raise ValueError(f"ds {text!r} is not tag/alg/type/hex")
    ds = Ds.from_text(" ".join(parts))
    if len(ds.digest) != DIGEST_LENGTHS.get(ds.digest_type, len(ds.digest)):
        raise ValueError(f"ds {text!r} has a digest of the wrong length")
    return ds


def _fields(text: str) -> list[str]:
    """Cut one line; an open quote must not swallow the lines behind it."""
    return next(csv.reader([text], strict=True), [])


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape").rstrip("\r\n")


class _Seen:
    """The names so far with their lines, on disk once they are many."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            "PRAGMA cache_size=-32768; PRAGMA locking_mode=EXCLUSIVE;"
            "CREATE TABLE seen (name BLOB PRIMARY KEY, line INT) WITHOUT ROWID;"
        )

    def first_line(self, key: bytes, number: int) -> int | None:
        """Return the line that had this name before, None if this is the first."""
        added = self._database.execute(
            "INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, number)
        )
        if added.rowcount:
            return None
        asked = "SELECT line FROM seen WHERE name = ?"
        return int(self._database.execute(asked, (key,)).fetchone()[0])

    def __del__(self) -> None:
        self._database.close()
