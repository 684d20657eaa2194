"""Takes a parent's delegations in: streaming, idempotent, all or nothing.

The source is staged first; then one transaction compares, adopts and changes.
A crash, a truncated source or a removal of too many leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from django.db import transaction

from bootstrap import bell
from bootstrap.core.dns.names import unrooted
from bootstrap.core.evaluation.delegation import Delegation
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Zone
from bootstrap.registry.rows import BadLine, Row, SourceRefused

from . import adoption, audit, changes
from .actors import Actor
from .sources import Source, open_source
from .staging import Staging, staging

MAX_BAD_LINES: Final = 1_000
"""So many are kept for the summary; all are counted."""
BATCH: Final = 500

Progress = Callable[[str, int], None]
"""Told the step (transfer, expected, read, removed, changed, added) and a number."""


def unobserved(_step: str, _count: int) -> None:
    """Take note of nothing."""


class ImportRefused(Exception):
    """The source would do harm as a whole; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What an import did; `bad_lines` are (number, reason), at most a thousand."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    bad: int = 0
    bad_lines: tuple[tuple[int, str], ...] = ()
    serial: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """By whom and when, and how much may go.

    `max_removed_share` is between 0 and 1; None takes the zone's own.
    """

    actor: Actor
    now: datetime
    max_removed_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a source says of itself.

    `complete` ones are the registry's export, with statuses and registrars; a
    zone's content leaves those alone. `as_of` is when it was taken from the
    parent, None if that is not known: then it is taken for current.
    """

    kind: str
    complete: bool = False
    serial: int | None = None
    as_of: datetime | None = None


def import_source(
    zone: Zone, source: Source, terms: Terms, progress: Progress = unobserved
) -> Summary:
    """Read a source whole, then make the stored delegations those of it.

    Raises:
        ImportRefused: it cannot be read or believed, or too much would go.
    """
    origin = Origin(kind=source.kind.value, complete=source.knows_registry)
    try:
        reading = open_source(source, zone, lambda count: progress("transfer", count))
    except SourceRefused as refusal:
        refuse(zone, origin, terms, str(refusal))
        raise ImportRefused(str(refusal)) from refusal
    if reading.expected is not None:
        progress("expected", reading.expected)
    origin = replace(origin, serial=reading.serial, as_of=source.as_of(terms.now))
    return take_in(zone, reading, origin, terms, progress)


def take_in(
    zone: Zone,
    entries: Iterable[Row | BadLine],
    origin: Origin,
    terms: Terms,
    progress: Progress = unobserved,
) -> Summary:
    """Make the stored delegations of `zone` those of a source.

    Raises:
        ImportRefused: the source broke off, or too many delegations would go.
    """
    with staging(zone, complete=origin.complete) as staged:
        try:
            read = _Read(progress)
            rows = staged.add(read.delegations(entries))
            staged.spoil(read.spoiled)
            staged.settle()
            with transaction.atomic():
                return _settle(staged, origin, terms, read, rows)
        except (ImportRefused, SourceRefused) as refusal:
            refuse(zone, origin, terms, str(refusal))
            raise ImportRefused(str(refusal)) from refusal


def refuse(zone: Zone, origin: Origin, terms: Terms, why: str) -> None:
    """Record that a source was refused as a whole."""
    audit.record(
        EntryType.IMPORT_REFUSED,
        stream=stream_of(zone),
        actor=terms.actor,
        now=terms.now,
        source=origin.kind,
        serial=origin.serial,
        why=why,
    )


def stream_of(zone: Zone) -> str:
    """Return the audit stream of a parent zone."""
    return f"zone:{zone.name}."


@dataclass(slots=True)
class _Read:
    """Sorts what comes: rows go on, bad lines are kept for the summary."""

    progress: Progress
    bad: int = 0
    bad_lines: list[tuple[int, str]] = field(default_factory=list)
    spoiled: list[str] = field(default_factory=list)

    def delegations(self, entries: Iterable[Row | BadLine]) -> Iterator[Delegation]:
        for number, entry in enumerate(entries, start=1):
            if number % BATCH == 0:
                self.progress("read", number)
            if isinstance(entry, Row):
                yield entry.delegation
            else:
                self.note(entry)

    def note(self, line: BadLine) -> None:
        self.bad += 1
        if len(self.bad_lines) < MAX_BAD_LINES:
            self.bad_lines.append((line.line, line.reason))
        if line.child is not None:
            self.spoiled.append(unrooted(line.child))


def _settle(
    staged: Staging, origin: Origin, terms: Terms, read: _Read, rows: int
) -> Summary:
    progress = read.progress
    zone = Zone.objects.select_for_update().get(pk=staged.zone.pk)
    staged.zone = zone
    foreign = staged.elsewhere()
    staged.drop(foreign)
    for name in foreign:
        read.bad += 1
        read.bad_lines.append((0, f"{name} is a child of another zone"))
    removed = _check_removals(staged, terms)
    as_of = min(origin.as_of or terms.now, terms.now)
    change = changes.Change(staged, terms.actor, terms.now, as_of)
    _each(change.remove, lambda _last: staged.missing_batch(BATCH), progress, "removed")
    changed = _each(
        change.update,
        lambda last: staged.different_batch(last, BATCH),
        progress,
        "changed",
    )
    added = adoption.adopt(staged, now=terms.now)
    progress("added", added)
    summary = Summary(
        added=added,
        changed=changed,
        removed=removed,
        unchanged=rows - len(foreign) - added - changed,
        bad=read.bad,
        bad_lines=tuple(read.bad_lines),
        serial=origin.serial,
    )
    _conclude(zone, origin, terms, summary)
    return summary


def _check_removals(staged: Staging, terms: Terms) -> int:
    limit = terms.max_removed_share
    share = staged.zone.max_removed_share if limit is None else limit
    removed, delegated = staged.missing(), staged.delegated()
    if removed > share * delegated:
        raise ImportRefused(
            f"{removed} of {delegated} delegations would be removed, more than"
            f" the share of {share:g} that is allowed; if it is right so, allow more"
            " for this import with --max-removed"
        )
    return removed


def _each(
    act: Callable[[list[int]], int],
    batch_after: Callable[[int], list[int]],
    progress: Progress,
    step: str,
) -> int:
    """Act on batch after batch of ids; return the sum of what was done."""
    done, last = 0, 0
    while ids := batch_after(last):
        done += act(ids)
        last = ids[-1]
        progress(step, done)
    return done


def _conclude(zone: Zone, origin: Origin, terms: Terms, summary: Summary) -> None:
    zone.imported_at = terms.now
    zone.soa_serial = zone.soa_serial if origin.serial is None else origin.serial
    zone.save(update_fields=["imported_at", "soa_serial"])
    audit.record(
        EntryType.IMPORT_DONE,
        stream=stream_of(zone),
        actor=terms.actor,
        now=terms.now,
        source=origin.kind,
        serial=origin.serial,
        added=summary.added,
        changed=summary.changed,
        removed=summary.removed,
        unchanged=summary.unchanged,
        bad=summary.bad,
    )
    if summary.added:
        bell.ring(bell.Work.SCANS)
