"""Delegations from a zone file in master format (RFC 1035, section 5).

Reads NS, DS, A, AAAA and DNAME, and steps over everything else. A broken line
is reported and spoils its own child; the rest goes on. What would hide records
from us, $INCLUDE and $GENERATE, refuses the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from itertools import chain
from pathlib import Path
from typing import Final

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from bootstrap.core.dns.names import InvalidName, Name, unrooted
from bootstrap.core.dns.records import Ds, RdataType

from .keys import is_below, key_from_text, key_of, name_of, target_key
from .lines import BrokenLine, Line, read_lines
from .rows import BadLine, Entry, Reading, SourceRefused, Watch, unwatched
from .spool import DNAME, DS, NS, WANTED, A, Spool

MAX_REPORTED: Final = 10_000
"""Bad lines after which the file is refused as something else than a zone."""

_TTL: Final = re.compile(r"(?:\d+[smhdw]?)+", re.IGNORECASE)
_SERIAL: Final = 2
"""Position of the serial in the rdata of an SOA (RFC 1035, section 3.3.13)."""


class _Wrong(Exception):
    """This line is no record; the message says why."""


def read_zone_file(path: Path, parent: Name, watch: Watch = unwatched) -> Reading:
    """Return the delegations of `parent` in the file at `path`.

    Bad lines come first, then the rows in canonical order. `watch` is told the
    octets read so far.

    Raises:
        SourceRefused: unreadable, $INCLUDE or $GENERATE, another zone's file,
            or more bad lines than a zone file can have.
    """
    reader = _Reader(parent)
    try:
        with path.open("rb") as opened:
            bad = reader.read(read_lines(opened, watch))
    except OSError as exc:
        raise SourceRefused(f"{path}: {exc.strerror}") from exc
    spool = reader.spool
    expected = spool.expected()
    entries: Iterator[Entry] = chain(bad, spool.entries())
    return Reading(entries, reader.serial, expected)


class _Reader:
    """The state that a zone file carries from line to line."""

    def __init__(self, parent: Name) -> None:
        self.parent = parent
        self.spool = Spool(parent)
        self.apex = key_of(parent)
        self.origin = self.apex
        self.owner: bytes | None = None
        self.serial: int | None = None

    def read(self, lines: Iterator[Line | BrokenLine]) -> list[BadLine]:
        bad: list[BadLine] = []
        for line in lines:
            found = self.bad_line(line)
            if found is None:
                continue
            bad.append(found)
            if len(bad) > MAX_REPORTED:
                raise SourceRefused(
                    f"more than {MAX_REPORTED} bad lines: is this a zone file of"
                    f" {unrooted(self.parent)}?"
                )
        return bad

    def bad_line(self, line: Line | BrokenLine) -> BadLine | None:
        try:
            if isinstance(line, Line):
                self.take(line)
            else:
                self.broken(line)
        except _Wrong as exc:
            return BadLine(line.number, str(exc))
        except (InvalidName, ValueError, dns.exception.DNSException) as exc:
            return self.spoiled(line.number, str(exc))
        return None

    def spoiled(self, number: int, reason: str) -> BadLine:
        """Report a line whose owner is known: its RRset is not complete."""
        if self.owner is None or not is_below(self.owner, self.apex):
            return BadLine(number, reason)
        self.spool.spoil(self.owner)
        return BadLine(number, reason, name_of(self.owner))

    def broken(self, line: BrokenLine) -> None:
        if line.owner is not None:
            self.owner = None
            self.owner = self.named(line.owner)
        raise ValueError(line.reason)

    def take(self, line: Line) -> None:
        tokens = line.tokens
        if not line.blank and tokens[0].startswith("$"):
            self.directive(tokens)
            return
        if not line.blank:
            self.owner = None
            self.owner = self.named(tokens[0])
            tokens = tokens[1:]
        if self.owner is None:
            raise _Wrong("its owner is that of an earlier line, which is broken")
        rdtype, rdata = _split(tokens)
        if not (is_below(self.owner, self.apex) or self.owner == self.apex):
            raise _Wrong(f"{unrooted(name_of(self.owner))} is outside of the zone")
        if rdtype == RdataType.SOA and self.owner == self.apex:
            self.serial = int(rdata[_SERIAL]) if len(rdata) > _SERIAL else None
        elif rdtype in WANTED:
            kept = self.rdata(rdtype, rdata)
            self.spool.add(self.owner, rdtype, kept, line.number)

    def named(self, text: str) -> bytes:
        try:
            return key_from_text(text, self.origin)
        except InvalidName as exc:
            raise _Wrong(str(exc)) from exc

    def directive(self, tokens: tuple[str, ...]) -> None:
        word = tokens[0].upper()
        match word, len(tokens):
            case "$ORIGIN", 2:
                self.origin = self.named(tokens[1])
            case "$TTL", 2 if _TTL.fullmatch(tokens[1]):
                pass
            case (("$INCLUDE" | "$GENERATE"), _):
                raise SourceRefused(f"{word} would hide records: give one plain file")
            case _:
                raise _Wrong(f"{' '.join(tokens)[:80]!r} is no directive that we know")

    def rdata(self, rdtype: int, tokens: tuple[str, ...]) -> bytes:
        if tokens[:1] == ("\\#",):
            return self.generic(rdtype, tokens)
        if rdtype == DS:
            return Ds.from_text(" ".join(tokens)).to_wire()
        if len(tokens) != 1:
            kind = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rdtype))
            raise ValueError(f"{len(tokens)} fields where {kind} has one")
        if rdtype in {NS, DNAME}:
            return target_key(tokens[0], self.origin)
        return _address(rdtype, tokens[0])

    def generic(self, rdtype: int, tokens: tuple[str, ...]) -> bytes:
        """Read rdata of unknown form (RFC 3597, section 5)."""
        kind = dns.rdatatype.RdataType.make(rdtype)
        parsed = dns.rdata.from_text(dns.rdataclass.IN, kind, " ".join(tokens))
        if rdtype == DS:
            return parsed.to_digestable()
        return self.rdata(rdtype, tuple(parsed.to_text().split()))


def _split(tokens: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """Return type and rdata behind an optional TTL and class, in any order."""
    position = 0
    while position < len(tokens) - 1:
        word = tokens[position]
        upper = word.upper()
        is_ttl = word[:1].isdigit() and _TTL.fullmatch(word) is not None
        if is_ttl or upper in {"IN", "CLASS1"}:
            position += 1
        elif upper in {"CH", "HS", "CS", "ANY", "NONE"}:
            raise ValueError(f"class {upper} in a zone of class IN")
        else:
            return _rdtype(upper), tokens[position + 1 :]
    raise ValueError("a type and its data are missing")


@lru_cache(maxsize=1024)
def _rdtype(word: str) -> int:
    try:
        return int(dns.rdatatype.from_text(word))
    except (dns.exception.DNSException, ValueError) as exc:
        raise ValueError(f"{word[:40]!r} is no record type") from exc


def _address(rdtype: int, text: str) -> bytes:
    parsed = IPv4Address(text) if rdtype == A else IPv6Address(text)
    return str(parsed).encode()
