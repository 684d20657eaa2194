"""Holds the trail to itself, its files and its signatures: whole, or in slices.

The sealer verifies a slice in each quiet round and begins anew at the end
(P-8.33); `manage.py audit verify` does it at once. What does not hold opens the
alarm that stops approvals; a whole round without trouble closes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bootstrap.core.tlog import merkle, notes, tiles
from bootstrap.models import AuditLeaf, Checkpoint, Heartbeat

from . import alarms, chain, heartbeats, log_totals
from .log_checks import Chain, Trouble
from .logfiles import HistoryDiffers, LogFiles

SLICE: Final = 16 * tiles.WIDTH
"""Leaves at a time."""
TOLD: Final = 20
"""Troubles that one report goes into detail about."""
BEAT: Final = "ledger"


@dataclass(frozen=True, slots=True)
class Verifier:
    """What a log is verified with: its files and the keys to believe.

    `witnesses` are keys of cosigners by the name on their lines, `former` those of
    logs that ended before this one began, by origin.
    """

    files: LogFiles
    key: notes.VerifierKey
    witnesses: Mapping[str, notes.VerifierKey]
    former: Mapping[str, notes.VerifierKey] = field(default_factory=dict)

    def everything(
        self, *, contents: bool = False, first: int = 0
    ) -> Iterator[Trouble]:
        """Yield all that does not hold from leaf `first` (a multiple of 256) on."""
        size = sealed_size()
        try:
            walk = self._chain(first, contents=contents)
        except (HistoryDiffers, tiles.TileWrong) as exc:
            yield Trouble(str(exc), first)
            return
        for start in range(first, size, SLICE):
            yield from self.part(walk, start, min(start + SLICE, size))
        yield from log_totals.totals(self.files)

    def part(self, walk: Chain, start: int, end: int) -> Iterator[Trouble]:
        """Yield what does not hold of the leaves [start, end)."""
        walk.due = walk.checkpoints(start, end)
        yield from walk.leaves(start, end)

    def _chain(self, first: int, *, contents: bool) -> Chain:
        nodes = self.files.nodes(first)
        frontier = merkle.Frontier.of(first, nodes)
        walk = Chain(self.files, self.key, self.witnesses, frontier, contents)
        walk.former = {
            origin: key
            for origin, key in self.former.items()
            if origin != self.key.name
        }
        return walk

    def slice(self, *, now: datetime) -> list[Trouble]:
        """Verify the next slice, where the last one ended; tell what is wrong.

        At the end of a round the whole is checked too, and the next round begins.
        """
        held = Heartbeat.objects.filter(name=BEAT).first()
        detail = held.detail if held else {}
        start = int(detail.get("next", 0))
        clean = start == 0 or bool(detail.get("clean", False))
        size = sealed_size()
        end = min(start + SLICE, size)
        found = self._try(start, end)
        ended = end >= size
        if ended:
            found += log_totals.some(log_totals.totals(self.files), TOLD)
        clean = clean and not found
        following = 0 if ended else end
        heartbeats.beat(BEAT, now=now, next=following, clean=clean, size=size)
        report(found, now=now, over=ended and clean)
        return found

    def _try(self, start: int, end: int) -> list[Trouble]:
        try:
            walk = self._chain(start, contents=True)
        except (HistoryDiffers, tiles.TileWrong) as exc:
            return [Trouble(str(exc), start)]
        return log_totals.some(self.part(walk, start, end), TOLD)


def report(found: list[Trouble], *, now: datetime, over: bool) -> None:
    """Open the alarm with the first trouble, or close it when a round was clean."""
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        alarms.open_alarm(
            chain.CODE, subject=chain.BROKEN, detail=f"{found[0]}{more}", now=now
        )
    elif over:
        alarms.close_alarm(chain.CODE, subject=chain.BROKEN, now=now)


def sealed_size() -> int:
    """Return the size of the newest checkpoint; leaves beyond are not yet public."""
    newest = Checkpoint.objects.order_by("-size").first()
    return newest.size if newest else 0


def first_since(moment: datetime) -> int:
    """Return where the bundle of the first entry from this moment on begins."""
    rows = AuditLeaf.objects.filter(entry__at__gte=moment).order_by("index")
    first = rows.values_list("index", flat=True).first()
    index = sealed_size() if first is None else int(first)
    return index - index % tiles.WIDTH
