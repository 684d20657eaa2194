"""Verify an export of the audit log, or a dossier of one change, trusting nobody.

    audit_verify.py EXPORT --key KEY [--checkpoint OLDER] [--json]
    audit_verify.py DOSSIER --key KEY [--json]

EXPORT is a folder of `manage.py audit export`, DOSSIER a file of `manage.py audit
dossier` (docs/audit-format.md), KEY the log's public key, `name+id+base64`, or a file
with it, OLDER a checkpoint that you kept. Python and `cryptography` are all it takes.

Exit status: 0 everything holds, 1 something does not (and what), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import sys
import tarfile
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
FAULTS = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
PROOF = "c2sp.org/tlog-proof@v1\nindex"
MOVES = {"publication.begun", "publication.sent", "publication.settled"}


class Unusable(ValueError):
    """The export, the dossier or the key cannot even be read."""


@dataclass
class Report:
    """What was checked, and what was found wrong."""

    size: int = 0
    root: str = ""
    entries: int = 0
    types: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    state: str = ""
    change: str = ""

    def blame(self, what: str) -> None:
        """Note something that does not hold."""
        self.wrong.append(what)


def sha256(*parts: bytes) -> bytes:
    """Hash what is joined; RFC 6962 (2.1) puts 0 before a leaf, 1 before a node."""
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(hashes: list[bytes]) -> bytes:
    """Return the root of leaf hashes, level by level; an odd one moves up."""
    hashes = hashes or [sha256()]
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=False)
        odd = hashes[-1:] if len(hashes) % 2 else []
        hashes = [sha256(b"\x01", left, right) for left, right in pairs] + odd
    return hashes[0]


def proven(body: bytes, proof: bytes, note: str, head: tuple[int, bytes]) -> int:
    """Return which leaf an entry is by its proof (C2SP tlog-proof), -1 if none."""
    said, _, checkpoint = proof.decode().partition("\n\n")
    lines = said.split("\n")
    kind, number = "\n".join(lines[:2]).rpartition(" ")[::2]
    if (kind, checkpoint) != (PROOF, note) or not number.isdecimal():
        return -1
    index = at = int(number)
    last, leaf = head[0] - 1, sha256(b"\0", body)
    for sibling in (base64.b64decode(line, validate=True) for line in lines[2:]):
        if at & 1 or at == last:  # RFC 9162, 2.1.3.2
            leaf = sha256(b"\x01", sibling, leaf)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            leaf = sha256(b"\x01", leaf, sibling)
        at, last = at >> 1, last >> 1
    return index if last == 0 and leaf == head[1] and index < head[0] else -1


def parse_key(text: str) -> tuple[str, bytes, bytes]:
    """Return name, key id and public key of a verifier key."""
    name, identifier, encoded = (*text.strip().split("+", 2), "", "")[:3]
    raw = base64.b64decode(encoded)
    expected = sha256(name.encode(), b"\n", raw)[:4]
    if len(raw) != SIZE + 1 or raw[0] != 1 or expected.hex() != identifier:
        raise Unusable("the key is no Ed25519 key as name+id+base64 with its own id")
    return name, expected, raw[1:]


def open_checkpoint(text: str, key: tuple[str, bytes, bytes]) -> tuple[int, bytes]:
    """Return size and root of a checkpoint that `key` signed."""
    name, identifier, public = key
    signer_key = Ed25519PublicKey.from_public_bytes(public)
    body, _, tail = text.rpartition("\n\n")
    for line in tail.splitlines():
        dash, signer, encoded = (*line.split(" "), "", "")[:3]
        raw = base64.b64decode(encoded) if (dash, signer) == ("\u2014", name) else b""
        if raw[:4] != identifier:
            continue
        try:
            signer_key.verify(raw[4:], f"{body}\n".encode())
        except InvalidSignature:
            raise Unusable("the checkpoint's signature is wrong") from None
        origin, size, root = body.split("\n")[:3]
        if origin != name:
            raise Unusable("the checkpoint belongs to another log")
        return int(size), base64.b64decode(root, validate=True)
    raise Unusable("the checkpoint is not signed by this key")


def tile_file(folder: Path, kind: str, number: int, width: int) -> Path:
    """Return where a tile or bundle of this width is, as C2SP spells it."""
    partial = "" if width == WIDTH else f".p/{width}"
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03}")
    return folder / f"tile/{kind}/{'/'.join(reversed(groups))}{partial}"


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
            wanted = b"".join(above[number * WIDTH :][:width])
            if not path.exists() or path.read_bytes() != wanted:
                report.blame(f"tile {level}/{number} does not fit the tiles below it")
        hashes = above


def entries_of(
    folder: Path, hashes: list[bytes], period: tuple[int, int], report: Report
) -> Iterator[tuple[int, bytes]]:
    """Return index and bytes of each exported entry; each must fit its leaf."""
    for number, width in widths(len(hashes)):
        path = tile_file(folder, "entries", number, width)
        if not path.exists():
            if number * WIDTH < period[1] and number * WIDTH + width > period[0]:
                report.blame(f"bundle {number} is missing")
            continue  # outside of the exported period
        data, at = path.read_bytes(), 0
        for index in range(number * WIDTH, number * WIDTH + width):
            length = int.from_bytes(data[at : at + 2], "big")
            body = data[at + 2 : at + 2 + length]
            at += 2 + length
            if sha256(b"\0", body) != hashes[index]:
                report.blame(f"entry {index} is not what was sealed")
            yield index, body
        if at != len(data):
            report.blame(f"bundle {number} has {len(data) - at} octets too many")


@dataclass
class Story:
    """What the streams have said so far; `partial` if it does not begin at entry 0."""

    report: Report
    partial: bool = False
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    newest: datetime | None = None

    def check(self, index: int, body: bytes) -> dict[str, Any]:
        """Check one entry against those before it; return what it says."""
        blame = self.report.blame
        try:
            entry: dict[str, Any] = json.loads(body)
            stream, number, previous = entry["stream"], entry["n"], entry["prev"] or ""
            at = datetime.fromisoformat(entry["ts"])
            kind = str(entry["type"])
        except (ValueError, KeyError, TypeError, RecursionError):
            blame(f"entry {index} is no entry")
            return {}
        self.report.types[kind] = self.report.types.get(kind, 0) + 1
        self.report.entries += 1
        self.check_stream(index, stream, number, previous)
        self.heads[stream] = (number, sha256(body).hex())
        if self.newest and at < self.newest - SKEW:
            blame(f"entry {index} is dated {self.newest - at} before its neighbour")
        self.newest = max(at, self.newest or at)
        proposal = str(entry.get("data", {}).get("proposal", ""))
        if kind == "proposal.approved":
            self.approved.add(proposal)
        elif kind in MOVES and proposal not in self.approved and not self.partial:
            blame(f"entry {index}: {kind} of {proposal} without approval before it")
        return entry

    def check_stream(self, index: int, stream: str, number: int, previous: str) -> None:
        """Numbers count up by one, and each entry names the one before it."""
        blame, before = self.report.blame, self.heads.get(stream)
        if before is None:
            if number != 1 and not self.partial:
                blame(f"entry {index}: stream {stream} begins at {number}")
        elif number != before[0] + 1:
            blame(f"entry {index}: stream {stream} goes from {before[0]} to {number}")
        elif previous != before[1]:
            blame(f"entry {index}: stream {stream} has another entry {before[0]}")


def verify(folder: Path, key_text: str, older: str | None) -> Report:
    """Check an export; the report says what does not hold."""
    key = parse_key(key_text)
    size, root = open_checkpoint((folder / "checkpoint").read_text(), key)
    report = Report(size=size, root=root.hex())
    hashes = leaves_of(folder, size, report)
    if root_of(hashes) != root:
        report.blame("the tiles do not lead to the signed root")
    check_upper_tiles(folder, hashes, report)
    path = folder / "partial"
    held = json.loads(path.read_text()) if path.exists() else {"first": 0, "last": size}
    period = int(held["first"]), int(held["last"])
    story = Story(report, partial=period != (0, size))
    for index, body in entries_of(folder, hashes, period, report):
        story.check(index, body)
    old_size, old_root = open_checkpoint(older, key) if older else (0, sha256())
    if old_size > size:
        report.blame(f"the log once had {old_size} entries and now has {size}")
    elif root_of(hashes[:old_size]) != old_root:
        report.blame(f"the first {old_size} entries are not those of the older one")
    return report


def members(data: bytes) -> dict[str, bytes]:
    """Return the files of a dossier; the archive is exactly what tar makes of them."""
    found, packed = {}, io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for member in archive:
            file = archive.extractfile(member)
            found[member.name] = file.read() if file else b""
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(found):
            member = tarfile.TarInfo(name)
            member.size = len(found[name])
            archive.addfile(member, io.BytesIO(found[name]))
    stated = found.pop("SHA256SUMS", b"").decode("latin-1").splitlines(keepends=True)
    sums = [f"{sha256(found[name]).hex()}  {name}\n" for name in sorted(found)]
    for line in sorted(set(sums) ^ set(stated)) or sums[: sums != stated]:
        raise Unusable(f"{line[66:-1]} is not what SHA256SUMS says")
    if packed.getvalue() != data:
        raise Unusable("a header, or what is between the files, is not as tar makes it")
    return found


@dataclass
class Life:
    """What a dossier's entries have said of its proposal so far."""

    report: Report
    proposal: str
    stream: str
    version: int = 0
    digest: str = ""
    approved: str = ""
    voices: set[str] = field(default_factory=set)
    evidence: dict[str, int] = field(default_factory=dict)
    seconds: list[tuple[str, str]] = field(default_factory=list)
    messages: set[str] = field(default_factory=set)
    mine: bool = False

    def check(self, name: str, entry: dict[str, Any]) -> None:
        """Check that an entry continues the story."""
        data, kind, report = entry["data"], entry["type"], self.report
        if (entry["stream"], f"entries/{entry['n']:09}.json") != (self.stream, name):
            report.blame(f"{name} is entry {entry['n']} of {entry['stream']}")
        self.mine = data.get("proposal") == self.proposal
        if not self.mine:
            return
        if (kind == "proposal.created") == bool(report.state):
            report.blame(f"{name} is not the one with which the proposal begins")
        self.evidence |= {blob["h"]: blob["s"] for blob in entry["ev"]}
        if "ev512" in data:
            named = [blob["h"] for blob in entry["ev"]]
            self.seconds += zip(named, data["ev512"], strict=True)
        self.messages |= set(data.get("messages", {}).values())
        self.digest = data.get("digest", self.digest)
        version = data.get("version", self.version)
        if "to" in data and (data["from"], version - 1) != (report.state, self.version):
            report.blame(f"{name} does not go on from {report.state}")
        report.state = data.get("to", report.state or "candidate")
        self.version = version
        self.check_approval(name, kind, entry)

    def check_approval(self, name: str, kind: str, entry: dict[str, Any]) -> None:
        """Nothing is sent but what as many have approved as the approval says."""
        if kind in {"proposal.approved", "approval.counted"}:
            self.voices.add(f"{self.digest} {entry['actor']}")
        if kind == "proposal.approved":
            self.approved = self.digest
            found = [v for v in self.voices if v.startswith(self.digest)]
            staff = sum("'staff'" in voice for voice in found)
            if not staff <= entry["data"].get("voices", staff) <= len(found):
                self.report.blame(f"{name} counts other voices than the {staff}")
        elif kind in MOVES and self.digest != self.approved:
            self.report.blame(f"{name}: {kind} of what was not approved")

    def check_files(self, files: dict[str, bytes]) -> None:
        """The proposal and its evidence are there, and nothing else is."""
        proposal = files.pop("proposal.json", b"")
        self.report.change = proposal.decode()
        if sha256(proposal).hex() != self.digest:
            self.report.blame("proposal.json is not what was decided about")
        for digest, octets in self.evidence.items():
            bundle = files.pop(f"evidence/{digest}.cbor", b"")
            second = hashlib.sha512(bundle).hexdigest()
            stated = {text for named, text in self.seconds if named == digest}
            if (sha256(bundle).hex(), len(bundle)) != (digest, octets):
                self.report.blame(f"evidence/{digest}.cbor is missing or another")
            elif stated - {"", second}:
                self.report.blame(f"evidence/{digest}.cbor has another SHA-512")
        for digest in sorted(self.messages):
            if sha256(files.pop(f"seen/{digest}.dns", b"")).hex() != digest:
                self.report.blame(f"seen/{digest}.dns is missing or another")
        for name in files.keys() - {"README.txt"}:
            self.report.blame(f"{name} has no place in the dossier")


def verify_dossier(data: bytes, key_text: str) -> Report:
    """Check a dossier; the report says what does not hold."""
    files = members(data)
    note = files.pop("checkpoint", b"").decode()
    size, root = open_checkpoint(note, parse_key(key_text))
    report = Report(size=size, root=root.hex())
    told = json.loads(files.pop("dossier.json", b"{}"))
    if (told.get("format"), told.get("version")) != ("dnssec-bootstrap-dossier", 1):
        raise Unusable("dossier.json: another format, or another version")
    story = Story(report, partial=True)
    life = Life(report, told["proposal"], told["stream"])
    for number in range(told["first"], told["last"] + 1)[: len(files)]:
        name = f"entries/{number:09}.json"
        body = files.pop(name, b"")
        proof = files.pop(f"entries/{number:09}.tlog-proof", b"")
        index = proven(body, proof, note, (size, root))
        if index < 0:
            report.blame(f"{name} is missing, or its proof does not hold")
        elif entry := story.check(index, body):
            life.check(name, entry)
    if not life.mine:
        report.blame("the last entry is missing, or not about the proposal")
    life.check_files(files)
    return report


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, verify, and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("export", type=Path)
    parser.add_argument("--key", required=True, help="name+id+base64, or a file")
    parser.add_argument("--checkpoint", type=Path, help="an older one that you kept")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    text = Path(options.key).read_text() if Path(options.key).exists() else options.key
    older = options.checkpoint.read_text() if options.checkpoint else None
    try:
        if options.export.is_dir():
            report = verify(options.export, text, older)
        else:
            report = verify_dossier(options.export.read_bytes(), text)
    except (*FAULTS, tarfile.TarError) as exc:
        print(f"cannot verify: {exc!s:.500}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(report.__dict__, sort_keys=True))
    else:
        print(f"{report.entries} entries of {report.size}, root {report.root}")
        print(f"{report.state} {report.change}", end="\n" * bool(report.state))
        for kind, count in sorted(report.types.items()):
            print(f"  {count:>8}  {kind}")
        for what in report.wrong:
            print(f"WRONG: {what}")
        print("everything holds" if not report.wrong else f"{len(report.wrong)} wrong")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
