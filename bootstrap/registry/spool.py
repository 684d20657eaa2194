"""A zone's delegations, sorted on disk: bounded memory whatever the order.

In a file the records of a child need not stand together, and glue may come
before or after. So every record of interest goes into a private database file
that SQLite deletes when it is closed, and comes out again by owner.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Final

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import Ds, RdataType
from bootstrap.core.evaluation.delegation import Delegation

from .keys import is_below, key_of, name_of, new_name
from .rows import BadLine, Entry, Row

NS: Final = int(RdataType.NS)
DS: Final = int(RdataType.DS)
DNAME: Final = int(RdataType.DNAME)
A: Final = int(RdataType.A)
AAAA: Final = int(RdataType.AAAA)
WANTED: Final = frozenset({NS, DS, DNAME, A, AAAA})
BATCH: Final = 10_000

_Record = tuple[bytes, int, bytes, int]


@dataclass(slots=True)
class _Owner:
    """What was found at one name below the apex."""

    key: bytes
    nameservers: set[bytes] = field(default_factory=set)
    ds: set[bytes] = field(default_factory=set)
    has_dname: bool = False
    line: int = 0


class Spool:
    """Takes records in any order, gives delegations in canonical order."""

    def __init__(self, parent: Name) -> None:
        self.parent = parent
        self.apex = key_of(parent)
        self._database = sqlite3.connect("")  # private, on disk once it grows
        self._database.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            "PRAGMA cache_size=-32768; PRAGMA locking_mode=EXCLUSIVE;"
            "CREATE TABLE record (owner BLOB, rdtype INT, rdata BLOB, line INT);"
            "CREATE TABLE address (owner BLOB, rdata BLOB);"
        )
        self._spoiled: set[bytes] = set()
        self._records: list[_Record] = []
        self._addresses: list[tuple[bytes, bytes]] = []

    def add(self, owner: bytes, rdtype: int, rdata: bytes, line: int) -> None:
        """Keep one record; `rdata` is a key for NS, wire octets for DS, else text."""
        if rdtype in {A, AAAA}:
            self._addresses.append((owner, rdata))
        elif owner != self.apex:
            self._records.append((owner, rdtype, rdata, line))
        if len(self._records) + len(self._addresses) >= BATCH:
            self._flush()

    def spoil(self, owner: bytes) -> None:
        """Remember that a record of `owner` was lost: its set is not complete."""
        self._spoiled.add(owner)

    def expected(self) -> int:
        """Return how many names have NS records, occluded ones included."""
        self._flush()
        count = "SELECT count(DISTINCT owner) FROM record WHERE rdtype = ?"
        return int(self._database.execute(count, (NS,)).fetchone()[0])

    def entries(self) -> Iterator[Entry]:
        """Yield a row for each delegation; then the spool is closed."""
        self._flush()
        self._database.execute("CREATE INDEX by_owner ON address (owner, rdata)")
        cut: bytes | None = None
        for owner in self._owners():
            if cut is not None and is_below(owner.key, cut):
                continue  # occluded: below a delegation or a DNAME
            if owner.nameservers or owner.has_dname:
                cut = owner.key
            if owner.key not in self._spoiled:
                yield from self._entries_of(owner)
        self._database.close()

    def _entries_of(self, owner: _Owner) -> Iterator[Entry]:
        child = new_name(owner.key)
        if owner.nameservers:
            yield Row(owner.line, self._delegation(child, owner))
        elif owner.ds:
            yield BadLine(owner.line, "a DS without a delegation", child)

    def _delegation(self, child: Name, owner: _Owner) -> Delegation:
        hosts = sorted(owner.nameservers)
        glue = tuple(
            (name_of(host), address)
            for host in hosts
            if is_below(host, self.apex) or host == self.apex
            for address in self._addresses_of(host)
        )
        return Delegation(
            child=child,
            parent=self.parent,
            nameservers=tuple(name_of(host) for host in hosts),
            glue=glue,
            ds=tuple(sorted(Ds.from_wire(rdata) for rdata in owner.ds)),
        )

    def _owners(self) -> Iterator[_Owner]:
        rows = self._database.execute(
            "SELECT owner, rdtype, rdata, line FROM record ORDER BY owner, line"
        )
        for key, records in groupby(rows, key=itemgetter(0)):
            owner = _Owner(key)
            for _key, rdtype, rdata, line in records:
                owner.line = owner.line or line
                if rdtype == NS:
                    owner.nameservers.add(rdata)
                elif rdtype == DS:
                    owner.ds.add(rdata)
                else:
                    owner.has_dname = True
            yield owner

    def _addresses_of(self, host: bytes) -> list[str]:
        found = self._database.execute(
            "SELECT DISTINCT rdata FROM address WHERE owner = ? ORDER BY rdata", (host,)
        )
        return [rdata.decode() for (rdata,) in found]

    def _flush(self) -> None:
        self._database.executemany(
            "INSERT INTO record VALUES (?, ?, ?, ?)", self._records
        )
        self._database.executemany("INSERT INTO address VALUES (?, ?)", self._addresses)
        self._records.clear()
        self._addresses.clear()
