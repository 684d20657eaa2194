"""Checks of the trail, each over a range: rows, leaves, files, checkpoints.

What the database holds is held to itself, to the files of the log, and to what
was signed (P-8.32). A check yields `Trouble` that names the entry, and goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from bootstrap.core.evidence import bundle
from bootstrap.core.tlog import entries, merkle, notes, tiles
from bootstrap.core.tlog.types import SECOND
from bootstrap.models import AuditEntry, AuditLeaf, Checkpoint, Cosignature, Evidence
from bootstrap.models.fields import ADDRESS

from . import evidence
from .logfiles import HistoryDiffers, LogFiles
from .signing import verify
from .trailrows import ENTRY

NEEDED: Final = frozenset({"id", "stream", "n", "prev", "type", "ts", "ev", "data"})
CREATED: Final = "proposal.created"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that does not hold, and the entry that it concerns."""

    what: str
    index: int | None = None
    entry: str = ""

    def __str__(self) -> str:
        place = "" if self.index is None else f"leaf {self.index}: "
        named = f"entry {self.entry}: " if self.entry else ""
        return f"{place}{named}{self.what}"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the trail with the entry that its body spells."""

    columns: Mapping[str, Any]
    told: Mapping[str, Any]
    index: int | None = None

    @property
    def stream(self) -> str:
        """The stream that the body names."""
        return str(self.told["stream"])

    def trouble(self, what: str) -> Trouble:
        """Return trouble with this row."""
        name = f"{self.told['id']} ({self.stream} {self.told['n']})"
        return Trouble(what, self.index, name)


@dataclass(slots=True)
class Chain:
    """What a walk over the leaves remembers: the tree so far, and open ends."""

    files: LogFiles
    key: notes.VerifierKey
    witnesses: Mapping[str, notes.VerifierKey]
    frontier: merkle.Frontier
    contents: bool = False
    """Also open every bundle of evidence that an entry names."""
    before: dict[str, tuple[int, str]] = field(default_factory=dict)
    due: Mapping[int, Checkpoint] = field(default_factory=dict)
    """Checkpoints to hold to the tree when it has their size."""
    former: Mapping[str, notes.VerifierKey] = field(default_factory=dict)
    """Keys of logs that ended before this one began, by origin."""
    fitting: int = 0
    """Size of the last checkpoint on the way that is the root of its leaves."""

    def leaves(self, first: int, last: int) -> Iterator[Trouble]:
        """Check the leaves [first, last), in multiples of 256 but for the last."""
        self.before = {}
        names = [f"entry__{name}" for name in ENTRY]
        found = AuditLeaf.objects.filter(index__gte=first, index__lt=last)
        rows = {row[0]: row for row in found.values_list("index", "hash", *names)}
        missing: list[Row] = []
        named: dict[str, Row] = {}
        for start in range(first, last, tiles.WIDTH):
            width = min(tiles.WIDTH, last - start)
            yield from self._bundle(start, width, rows, missing, named)
        yield from _predecessors(first, missing)
        yield from _evidence(named, contents=self.contents)

    def _bundle(
        self,
        start: int,
        width: int,
        rows: Mapping[int, tuple[Any, ...]],
        missing: list[Row],
        named: dict[str, Row],
    ) -> Iterator[Trouble]:
        number = start // tiles.WIDTH
        bodies, hashes, wrong = _files_of(self.files, number, width)
        yield from wrong
        for offset in range(width):
            index = start + offset
            found = rows.get(index)
            sealed = bodies[offset] if offset < len(bodies) else None
            if found is None:
                yield Trouble("the leaf or its entry is gone", index, name_of(sealed))
                yield from self._grow(hashes[offset] if hashes else bytes(32))
                continue
            leaf = bytes(found[1])
            yield from self._leaf(index, leaf, found[2:], missing, named)
            if sealed is not None and sealed != bytes(found[8]):
                yield Trouble("not what the bundle holds", index, name_of(sealed))
            if hashes and hashes[offset] != leaf:
                yield Trouble(
                    "not the hash that the tile holds", index, name_of(sealed)
                )
            yield from self._grow(leaf)
        if width == tiles.WIDTH:
            yield from self._above(number, hashes)

    def _grow(self, leaf: bytes) -> Iterator[Trouble]:
        self.frontier.append(leaf)
        if row := self.due.get(self.frontier.size):
            yield from self.checkpoint(row)

    def _leaf(
        self,
        index: int,
        leaf: bytes,
        values: tuple[Any, ...],
        missing: list[Row],
        named: dict[str, Row],
    ) -> Iterator[Trouble]:
        columns = dict(zip(ENTRY, values, strict=True))
        body = bytes(columns["body"])
        row = read(columns, index)
        if merkle.leaf_hash(body) != leaf:
            yield Trouble(
                "the entry is not what was sealed", index, str(columns["uid"])
            )
        if isinstance(row, Trouble):
            yield row
            return
        yield from row_troubles(row)
        yield from self._stream(row, body, missing)
        for blob in row.told["ev"]:
            named[str(blob["h"])] = row

    def _stream(self, row: Row, body: bytes, missing: list[Row]) -> Iterator[Trouble]:
        """Hold an entry to the one before it in its stream (S-88)."""
        number, known = int(row.told["n"]), self.before.get(row.stream)
        if known is not None:
            yield from _follows(row, *known)
        elif number > 1:
            missing.append(row)
        self.before[row.stream] = (number, entries.digest(body))

    def _above(self, number: int, hashes: list[bytes]) -> Iterator[Trouble]:
        """Hold a full tile to its hash in the tile above."""
        nodes = merkle.in_memory(hashes) if hashes else None
        above, offset = divmod(number, tiles.WIDTH)
        try:
            data = self.files.tile(tiles.Tile(1, above, offset + 1))
        except HistoryDiffers as exc:
            yield Trouble(str(exc))
            return
        wanted = nodes(tiles.HEIGHT, 0) if nodes else b""
        if data[offset * merkle.HASH_SIZE :] != wanted:
            first = number * tiles.WIDTH
            yield Trouble(f"tile 1/{above} does not fit the tile below it", first)

    def checkpoints(self, first: int, last: int) -> dict[int, Checkpoint]:
        """Return the checkpoints whose sizes are in (first, last]."""
        rows = Checkpoint.objects.filter(size__gt=first, size__lte=last)
        return {row.size: row for row in rows.prefetch_related("cosignatures")}

    def checkpoint(self, row: Checkpoint) -> Iterator[Trouble]:
        """Hold a stored checkpoint to the tree so far, and to its signatures."""
        name = f"checkpoint {row.size}"
        try:
            note = notes.read(row.note)
            text = notes.Checkpoint.from_text(note.text)
            key = self.former.get(text.origin, self.key)
            note.check(key, verify)
            clock = notes.VerifierKey(key.name, notes.COSIGNATURE, key.public)
            seconds = note.check(clock, verify)
        except (notes.NoteWrong, notes.NotSigned) as exc:
            yield Trouble(f"{name}: {exc}")
            return
        if (text.origin, text.size) != (key.name, row.size):
            yield Trouble(f"{name}: its note is of another log or size")
        if bytes(row.root) == text.root == self.frontier.root():
            self.fitting = row.size
        else:
            among = f"what was changed is among {self.fitting} to {row.size - 1}"
            what = f"{name}: its root is not that of the leaves: {among}"
            yield Trouble(what, row.size - 1)
        if row.at != datetime.fromtimestamp(seconds or 0, UTC):
            yield Trouble(f"{name}: it was not made at {row.at:%Y-%m-%dT%H:%M:%S.%fZ}")
        for cosignature in row.cosignatures.all():
            yield from self._cosignature(note.text, cosignature)

    def _cosignature(self, text: str, row: Cosignature) -> Iterator[Trouble]:
        name = f"cosignature {row.witness} of checkpoint {row.checkpoint_id}"
        key = self.witnesses.get(row.witness)
        try:
            note = notes.read(f"{text}\n{row.line}\n")
            if [line.name for line in note.signatures] != [row.witness]:
                yield Trouble(f"{name}: the line is not of this witness")
            elif key and row.at != datetime.fromtimestamp(
                note.check(key, verify) or 0, UTC
            ):
                yield Trouble(f"{name}: it was made at another time")
        except (notes.NoteWrong, notes.NotSigned) as exc:
            yield Trouble(f"{name}: {exc}")


def read(columns: Mapping[str, Any], index: int | None = None) -> Row | Trouble:
    """Return a row with what its body spells, or what is wrong with the body."""
    try:
        told = json.loads(bytes(columns["body"]))
        if told.keys() >= NEEDED:
            return Row(columns, told, index)
    except (ValueError, AttributeError):
        pass
    return Trouble("its bytes are no entry", index, str(columns["uid"]))


def row_troubles(row: Row) -> Iterator[Trouble]:
    """Hold the columns of an entry to its bytes."""
    told, data = row.told, row.told["data"]
    wanted = {
        "uid": UUID(told["id"]),
        "stream": told["stream"],
        "number": told["n"],
        "previous": told["prev"] or "",
        "type": told["type"],
    }
    for name, value in wanted.items():
        if row.columns[name] != value:
            yield row.trouble(f"the column {name} is not what the entry says")
    if entries.timestamp(row.columns["at"]) != told["ts"]:
        yield row.trouble("the column at is not what the entry says")
    moves = "from" in data or told["type"] == CREATED
    about = UUID(data["proposal"]) if moves and "proposal" in data else None
    version = data["version"] if about else None
    if (row.columns["about"], row.columns["about_version"]) != (about, version):
        yield row.trouble(
            "the columns about, about_version are not what the entry says"
        )


def name_of(body: bytes | None) -> str:
    """Return how to speak of an entry that only a bundle still holds."""
    try:
        told = json.loads(body or b"")
        return f"{told['id']} ({told['stream']} {told['n']})"
    except (ValueError, KeyError, TypeError):
        return ""


def _files_of(
    files: LogFiles, number: int, width: int
) -> tuple[tuple[bytes, ...], list[bytes], list[Trouble]]:
    """Return entries and hashes that the files hold, and what is wrong with them."""
    bodies: tuple[bytes, ...] = ()
    hashes: list[bytes] = []
    wrong = []
    first = number * tiles.WIDTH
    try:
        bodies = files.bundle(number, width)
        if len(bodies) != width:
            wrong.append(
                Trouble(f"bundle {number} has {len(bodies)} of {width}", first)
            )
    except HistoryDiffers as exc:
        wrong.append(Trouble(str(exc), first))
    try:
        data = files.tile(tiles.Tile(0, number, width))
        size = merkle.HASH_SIZE
        hashes = [data[at : at + size] for at in range(0, width * size, size)]
        if len(data) != width * size:
            wrong.append(Trouble(f"tile 0/{number} is too short", first))
            hashes = []
    except HistoryDiffers as exc:
        wrong.append(Trouble(str(exc), first))
    return bodies, hashes, wrong


def _follows(row: Row, number: int, digest: str) -> Iterator[Trouble]:
    if row.told["n"] != number + 1:
        yield row.trouble(f"its stream goes on from {number}")
    elif row.told["prev"] != digest:
        yield row.trouble(f"it follows another entry {number} of its stream")


PREDECESSORS: Final = """
    SELECT e.stream, p.number, p.body
    FROM bootstrap_auditleaf l
    JOIN bootstrap_auditentry e ON e.id = l.entry_id
    JOIN bootstrap_auditentry p ON p.stream = e.stream AND p.number = e.number - 1
    JOIN bootstrap_auditleaf pl ON pl.entry_id = p.id
    WHERE l."index" BETWEEN %s AND %s AND pl."index" < %s
"""


def _predecessors(first: int, rows: list[Row]) -> Iterator[Trouble]:
    """Find what entries follow whose predecessor was sealed before this range."""
    if not rows:
        return
    indexes = [row.index or 0 for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(PREDECESSORS, [min(indexes), max(indexes), first])
        found = {(s, n): entries.digest(bytes(body)) for s, n, body in cursor}
    for row in rows:
        number = row.told["n"] - 1
        digest = found.get((row.stream, number))
        if digest is None:
            yield row.trouble(f"entry {number} of its stream is not sealed before it")
        else:
            yield from _follows(row, number, digest)


def _evidence(named: Mapping[str, Row], *, contents: bool) -> Iterator[Trouble]:
    """Evidence that an entry names is there, and is what its address says (S-98)."""
    if not named:
        return
    # What an entry was tampered into may be no address at all.
    sound = [digest for digest in named if ADDRESS.fullmatch(digest)]
    found = Evidence.objects.filter(digest__in=sound)
    stored = set(found.values_list("digest", flat=True))
    for digest, row in named.items():
        if digest not in stored:
            yield row.trouble(f"its evidence {digest} is gone")
        elif contents:
            try:
                octets = evidence.octets_of(digest)
                if _second(row, digest) not in {"", bundle.second_hash(octets)}:
                    yield row.trouble(f"its evidence {digest} has another SHA-512")
            except (evidence.EvidenceUnreadable, Evidence.DoesNotExist) as exc:
                yield row.trouble(f"its evidence is damaged: {exc}")


def _second(row: Row, digest: str) -> str:
    """Return what an entry says is the second hash of its evidence (P-8.25)."""
    named = [blob["h"] for blob in row.told["ev"]]
    seconds = row.told["data"].get(SECOND) or [""] * len(named)
    return str(dict(zip(named, seconds, strict=False)).get(digest, ""))


def unsealed() -> Iterator[Row | Trouble]:
    """Yield the entries that have no leaf yet, in the order of their ids."""
    rows = AuditEntry.objects.filter(leaf=None).order_by("pk")
    for values in rows.values_list(*ENTRY).iterator(1000):
        yield read(dict(zip(ENTRY, values, strict=True)))
