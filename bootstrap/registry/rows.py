"""What a source of delegations yields: rows, and lines that are wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bootstrap.core.dns.names import Name
from bootstrap.core.evaluation.delegation import Delegation

Watch = Callable[[int], None]
"""Told how many octets (or, of a transfer, records) have been read so far."""


@dataclass(frozen=True, slots=True)
class Row:
    """One delegation; `line` is where its first record or field stands."""

    line: int
    delegation: Delegation


@dataclass(frozen=True, slots=True)
class BadLine:
    """One line that was left out, and why; the rest goes on.

    `child` is whose delegation it spoils, where that can be told: no row comes
    for that child, and its absence must not be taken for a removal.
    """

    line: int
    reason: str
    child: Name | None = None


Entry = Row | BadLine


class SourceRefused(Exception):
    """The source as a whole cannot be believed; nothing of it may be used."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A source that was read to its end; iterate it once.

    `serial` is that of the parent's SOA, None where the source has none.
    `expected` is the number of delegations to come, None where it is only
    known at the end.
    """

    entries: Iterator[Entry]
    serial: int | None = None
    expected: int | None = None

    def __iter__(self) -> Iterator[Entry]:
        return self.entries


def unwatched(_octets: int) -> None:
    """Take note of nothing."""
