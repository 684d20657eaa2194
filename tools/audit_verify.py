"""Verify an export of the audit log, trusting nobody.

    audit_verify.py EXPORT --key KEY [--checkpoint OLDER] [--json]

EXPORT is the folder that `manage.py audit export` wrote: `checkpoint`, `tile/…`
(C2SP tlog-tiles). KEY is the log's public key, `name+id+base64`, or a file that
holds it. OLDER is a checkpoint that you kept from before: the log must contain
it. Nothing of the product is imported; Python's standard library and
`cryptography` are all it takes.

Exit status: 0 everything holds, 1 something does not (each finding is printed
with the entry that it concerns), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256
SIZE = 32
SKEW = timedelta(minutes=5)
MOVES = {"publication.begun", "publication.sent", "publication.settled"}


class Unusable(Exception):
    """The export or the key cannot even be read."""


@dataclass
class Report:
    """What was checked, and what was found wrong."""

    size: int = 0
    root: str = ""
    entries: int = 0
    types: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def blame(self, what: str) -> None:
        """Note something that does not hold."""
        self.wrong.append(what)


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962, 2.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962, 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: list[bytes]) -> bytes:
    """Return the root of leaf hashes, level by level; an odd one moves up."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    while len(hashes) > 1:
        paired = [
            node_hash(left, right)
            for left, right in zip(hashes[::2], hashes[1::2], strict=False)
        ]
        hashes = paired + ([hashes[-1]] if len(hashes) % 2 else [])
    return hashes[0]


def parse_key(text: str) -> tuple[str, bytes, bytes]:
    """Return name, key id and public key of a verifier key."""
    try:
        name, identifier, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as exc:
        raise Unusable("the key has not the form name+id+base64") from exc
    expected = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if len(raw) != SIZE + 1 or raw[0] != 1 or expected.hex() != identifier:
        raise Unusable("the key is no Ed25519 key, or its id does not belong to it")
    return name, expected, raw[1:]


def open_checkpoint(text: str, key: tuple[str, bytes, bytes]) -> tuple[int, bytes]:
    """Return size and root of a checkpoint that `key` signed."""
    name, identifier, public = key
    body, _, tail = text.rpartition("\n\n")
    body += "\n"
    for line in tail.splitlines():
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "\u2014" or parts[1] != name:
            continue
        raw = base64.b64decode(parts[2])
        if raw[:4] != identifier:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], body.encode())
        except InvalidSignature:
            raise Unusable("the checkpoint's signature is wrong") from None
        lines = body.split("\n")
        if lines[0] != name:
            raise Unusable("the checkpoint belongs to another log")
        return int(lines[1]), base64.b64decode(lines[2], validate=True)
    raise Unusable("the checkpoint is not signed by this key")


def spelled(number: int) -> str:
    """Return a tile number as C2SP spells it."""
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03}")
    return "/".join(reversed(groups))


def tile_file(folder: Path, kind: str, number: int, width: int) -> Path:
    """Return where a tile or bundle of this width is."""
    partial = "" if width == WIDTH else f".p/{width}"
    return folder / f"tile/{kind}/{spelled(number)}{partial}"


def widths(size: int) -> Iterator[tuple[int, int]]:
    """Return number and width of each tile over `size` hashes."""
    for number in range((size + WIDTH - 1) // WIDTH):
        yield number, min(WIDTH, size - number * WIDTH)


def leaves_of(folder: Path, size: int, report: Report) -> list[bytes]:
    """Return the leaf hashes of the lowest tiles."""
    hashes: list[bytes] = []
    for number, width in widths(size):
        path = tile_file(folder, "0", number, width)
        data = path.read_bytes() if path.exists() else b""
        if len(data) != width * SIZE:
            report.blame(f"tile 0/{number} is missing or has a wrong length")
            data = data.ljust(width * SIZE, b"\0")[: width * SIZE]
        hashes += [data[at : at + SIZE] for at in range(0, len(data), SIZE)]
    return hashes


def check_upper_tiles(folder: Path, hashes: list[bytes], report: Report) -> None:
    """Each hash of a higher tile is the root of the full tile below it."""
    level = 0
    while len(hashes) >= WIDTH:
        full = len(hashes) // WIDTH
        above = [root_of(hashes[n * WIDTH : (n + 1) * WIDTH]) for n in range(full)]
        level += 1
        for number, width in widths(full):
            path = tile_file(folder, str(level), number, width)
            first = number * WIDTH
            wanted = b"".join(above[first : first + width])
            if not path.exists() or path.read_bytes() != wanted:
                report.blame(f"tile {level}/{number} does not fit the tiles below it")
        hashes = above


def period_of(folder: Path, size: int) -> tuple[int, int]:
    """Return which leaves the export claims to bring: [first, last)."""
    path = folder / "partial"
    if not path.exists():
        return 0, size
    try:
        held = json.loads(path.read_text())
        return int(held["first"]), int(held["last"])
    except (ValueError, KeyError, TypeError) as exc:
        raise Unusable(f"{path} does not say which entries are there") from exc


def entries_of(
    folder: Path, hashes: list[bytes], period: tuple[int, int], report: Report
) -> Iterator[tuple[int, bytes]]:
    """Return index and bytes of each exported entry; each must fit its leaf."""
    size = len(hashes)
    for number, width in widths(size):
        path = tile_file(folder, "entries", number, width)
        if not path.exists():
            if number * WIDTH < period[1] and number * WIDTH + width > period[0]:
                report.blame(f"bundle {number} is missing")
            continue  # outside of the exported period
        data, at = path.read_bytes(), 0
        for position in range(width):
            index = number * WIDTH + position
            length = int.from_bytes(data[at : at + 2], "big")
            body = data[at + 2 : at + 2 + length]
            at += 2 + length
            if leaf_hash(body) != hashes[index]:
                report.blame(f"entry {index} is not what was sealed")
            yield index, body
        if at != len(data):
            report.blame(f"bundle {number} has {len(data) - at} octets too many")


@dataclass
class Story:
    """What the streams have said so far."""

    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    newest: datetime | None = None

    def check(self, index: int, body: bytes, report: Report) -> None:
        """Check one entry against those before it."""
        try:
            entry: dict[str, Any] = json.loads(body)
            stream, number, previous = entry["stream"], entry["n"], entry["prev"] or ""
            at = datetime.fromisoformat(entry["ts"])
            kind = str(entry["type"])
        except (ValueError, KeyError, TypeError):
            report.blame(f"entry {index} is no entry")
            return
        report.types[kind] = report.types.get(kind, 0) + 1
        report.entries += 1
        self.check_stream(index, stream, number, previous, report)
        self.heads[stream] = (number, hashlib.sha256(body).hexdigest())
        if self.newest and at < self.newest - SKEW:
            report.blame(
                f"entry {index} is dated {self.newest - at} before its neighbour"
            )
        self.newest = max(at, self.newest or at)
        self.check_order(index, kind, entry.get("data", {}), report)

    def check_stream(
        self, index: int, stream: str, number: int, previous: str, report: Report
    ) -> None:
        """Numbers count up by one, and each entry names the one before it."""
        before = self.heads.get(stream)
        if before is None:
            if number != 1 and not self.partial:
                report.blame(f"entry {index}: stream {stream} begins at {number}")
            return
        if number != before[0] + 1:
            report.blame(
                f"entry {index}: stream {stream} goes from {before[0]} to {number}"
            )
        elif previous != before[1]:
            report.blame(
                f"entry {index}: stream {stream} has another entry {before[0]}"
            )

    partial: bool = False

    def check_order(
        self, index: int, kind: str, data: dict[str, Any], report: Report
    ) -> None:
        """Nothing is published that was not approved before."""
        proposal = str(data.get("proposal", ""))
        if kind == "proposal.approved":
            self.approved.add(proposal)
        elif kind in MOVES and proposal not in self.approved and not self.partial:
            report.blame(
                f"entry {index}: {kind} of {proposal} without approval before it"
            )


def verify(folder: Path, key_text: str, older: str | None) -> Report:
    """Check everything; the report says what does not hold.

    Raises:
        Unusable: there is no checkpoint that this key signed.
    """
    key = parse_key(key_text)
    path = folder / "checkpoint"
    if not path.exists():
        raise Unusable(f"{folder} has no checkpoint")
    size, root = open_checkpoint(path.read_text(), key)
    report = Report(size=size, root=root.hex())
    hashes = leaves_of(folder, size, report)
    if root_of(hashes) != root:
        report.blame("the tiles do not lead to the signed root")
    check_upper_tiles(folder, hashes, report)
    period = period_of(folder, size)
    story = Story(partial=period != (0, size))
    for index, body in entries_of(folder, hashes, period, report):
        story.check(index, body, report)
    if older is not None:
        old_size, old_root = open_checkpoint(older, key)
        if old_size > size:
            report.blame(f"the log once had {old_size} entries and now has {size}")
        elif root_of(hashes[:old_size]) != old_root:
            report.blame(
                f"the first {old_size} entries are not those of the older checkpoint"
            )
    return report


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, verify, and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("export", type=Path)
    parser.add_argument("--key", required=True, help="name+id+base64, or a file")
    parser.add_argument(
        "--checkpoint", type=Path, help="an older checkpoint to hold it to"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    key = Path(options.key)
    text = key.read_text() if key.exists() else options.key
    older = options.checkpoint.read_text() if options.checkpoint else None
    try:
        report = verify(options.export, text, older)
    except (Unusable, OSError, ValueError) as exc:
        print(f"cannot verify: {exc}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(report.__dict__, sort_keys=True))
    else:
        print(f"{report.entries} entries of {report.size}, root {report.root}")
        for kind, count in sorted(report.types.items()):
            print(f"  {count:>8}  {kind}")
        for what in report.wrong:
            print(f"WRONG: {what}")
        print("everything holds" if not report.wrong else f"{len(report.wrong)} wrong")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
