"""Lists that leave the portal: said before the first row, and told at the end (S-116)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bootstrap.core.tlog.types import EntryType

from . import audit
from .actors import Actor

STREAM: Final = "exports"
MOST: Final = 200_000
"""Rows of one export."""


@dataclass(frozen=True, slots=True)
class Export:
    """Who takes what, by which query, as what; `about` is told in the entry too."""

    what: str
    form: str
    query: str
    actor: Actor
    at: datetime
    about: Mapping[str, object] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """The words that every export carries: who, when, which query."""
        asked = f"?{self.query}" if self.query else "everything"
        return (
            f"{self.what} exported by {self.actor.name} at {self.at:%Y-%m-%dT%H:%M:%SZ}"
            f": {asked}"
        )


def follow(export: Export, lines: Iterable[str | bytes]) -> Iterator[bytes]:
    """Record the export, hand its lines on, and record what left in the end.

    The first entry is there before the first octet leaves; one without the second
    says that whoever asked went away meanwhile.
    """
    _record(export, done=False)
    return _counted(export, lines)


def _counted(export: Export, lines: Iterable[str | bytes]) -> Iterator[bytes]:
    count, digest = 0, hashlib.sha256()
    for line in lines:
        octets = line.encode() if isinstance(line, str) else line
        digest.update(octets)
        count += 1
        yield octets
    _record(export, done=True, lines=count, sha256=digest.hexdigest())


def _record(export: Export, *, done: bool, lines: int = 0, sha256: str = "") -> None:
    told: dict[str, object] = {
        "what": export.what,
        "form": export.form,
        "done": done,
        "lines": lines,
        "sha256": sha256,
    }
    draft = audit.Draft(
        type=EntryType.DATA_EXPORTED,
        stream=STREAM,
        actor=export.actor,
        now=export.at,
        private={"query": export.query},
        data={**export.about, **told},
    )
    audit.append([draft])
