"""A witness of audit logs: signs that a log has only grown (C2SP tlog-witness).

    audit_witness.py --make-key FILE --name NAME
    audit_witness.py --key FILE --name NAME --log VKEY… --state FOLDER [--listen HOST:PORT]

For an auditor, an association of registrars, a second data centre: whoever runs
one keeps the newest checkpoint of each log, and signs a newer one only with a
proof that it contains what was signed before. A log that forgets or rewrites is
found out. Standard library and `cryptography` only; put it behind TLS.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

SIZE = 32
MAX_BODY = 65_536
MAX_PROOF = 63
EMPTY = hashlib.sha256(b"").digest()


class Refused(Exception):
    """The request gets this status and text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """Return the id of a key (signed-note)."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def vkey(name: str, kind: int, public: bytes) -> str:
    """Return a key as `name+id+base64`."""
    encoded = base64.b64encode(bytes([kind]) + public).decode()
    return f"{name}+{key_id(name, kind, public).hex()}+{encoded}"


def node(left: bytes, right: bytes) -> bytes:
    """RFC 6962, 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def grew(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: list[bytes]
) -> bool:
    """Say whether the tree of `new` leaves begins with that of `old` (RFC 9162, 2.1.4.2)."""
    if old in {0, new}:
        same = old_root == new_root if old else True
        return not proof and same
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    steps = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not steps:
        return False
    before = after = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            before, after = node(sibling, before), node(sibling, after)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            after = node(after, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and (before, after) == (old_root, new_root)


@dataclass
class Log:
    """A log that we watch: its key, and where the newest checkpoint is kept."""

    name: str
    public: bytes
    file: Path
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, text: str, folder: Path) -> Log:
        """Return the log of a verifier key."""
        name, identifier, encoded = text.split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        if raw[0] != 1 or key_id(name, 1, raw[1:]).hex() != identifier:
            raise ValueError(f"{name} has no Ed25519 key of a log, or a wrong id")
        return cls(
            name,
            raw[1:],
            folder / (hashlib.sha256(name.encode()).hexdigest() + ".json"),
        )

    def last(self) -> tuple[int, bytes]:
        """Return size and root that were signed last."""
        if not self.file.exists():
            return 0, EMPTY
        held = json.loads(self.file.read_text())
        return int(held["size"]), bytes.fromhex(held["root"])

    def remember(self, size: int, root: bytes) -> None:
        """Keep size and root, durably, before the signature leaves."""
        beside = self.file.with_suffix(".new")
        with beside.open("w") as file:
            json.dump({"origin": self.name, "size": size, "root": root.hex()}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(self.file)
        descriptor = os.open(self.file.parent, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    def check_signature(self, body: str, tail: str) -> None:
        """Refuse a checkpoint that the log has not signed."""
        wanted = key_id(self.name, 1, self.public)
        for line in tail.splitlines():
            dash, _, rest = line.partition(" ")
            name, _, encoded = rest.partition(" ")
            raw = decoded(encoded)
            if (dash, name, raw[:4]) != ("\u2014", self.name, wanted):
                continue
            try:
                Ed25519PublicKey.from_public_bytes(self.public).verify(
                    raw[4:], body.encode()
                )
            except InvalidSignature:
                break
            return
        raise Refused(403, "not signed by the log's key")


def decoded(text: str) -> bytes:
    """Return what base64 spells, or refuse the request."""
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise Refused(400, "not base64") from None


@dataclass
class Witness:
    """Our key and the logs that we watch."""

    name: str
    private: Ed25519PrivateKey
    logs: dict[str, Log]

    def add(self, request: str) -> str:
        """Return our cosignature line for the checkpoint in a request."""
        head, _, checkpoint = request.partition("\n\n")
        body, _, tail = checkpoint.rpartition("\n\n")
        body += "\n"
        word, *proof_lines = head.split("\n")
        lines = body.split("\n")
        if not word.startswith("old ") or not word[4:].isdecimal() or len(lines) < 4:
            raise Refused(400, "not an add-checkpoint request")
        log = self.logs.get(lines[0])
        if log is None:
            raise Refused(404, "a log that is not watched here")
        log.check_signature(body, tail)
        if not lines[1].isdecimal():
            raise Refused(400, "a size that is no number")
        proof = [decoded(line) for line in proof_lines]
        return self.sign(
            log, body, int(word[4:]), (int(lines[1]), decoded(lines[2])), proof
        )

    def sign(
        self, log: Log, body: str, old: int, new: tuple[int, bytes], proof: list[bytes]
    ) -> str:
        """Sign if the log has only grown since what we signed last."""
        if old > new[0] or len(proof) > MAX_PROOF:
            raise Refused(400, "an older size than it claims to come from")
        with log.lock:
            size, root = log.last()
            if old != size:
                raise Refused(409, f"{size}\n")
            if not grew(size, root, *new, proof):
                raise Refused(409 if size == new[0] else 422, f"{size}\n")
            log.remember(*new)
        seconds = int(time.time())
        message = f"cosignature/v1\ntime {seconds}\n{body}".encode()
        public = self.private.public_key().public_bytes_raw()
        value = key_id(self.name, 4, public) + seconds.to_bytes(8, "big")
        encoded = base64.b64encode(value + self.private.sign(message)).decode()
        return f"\u2014 {self.name} {encoded}\n"


class Handler(BaseHTTPRequestHandler):
    """POST /add-checkpoint, and nothing else."""

    witness: Witness
    timeout = 20

    def do_POST(self) -> None:
        """Answer with a cosignature, or say why not."""
        try:
            self.answer(200, self.witness.add(self.body()))
        except UnicodeDecodeError:
            self.answer(400, "not UTF-8")
        except Refused as refusal:
            self.answer(refusal.status, refusal.text)

    def body(self) -> str:
        """Return the request's text, or refuse it."""
        if self.path.rstrip("/").rpartition("/")[2] != "add-checkpoint":
            raise Refused(404, "nothing here")
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= MAX_BODY:
            raise Refused(400, "a body of a strange length")
        return self.rfile.read(length).decode()

    def answer(self, status: int, text: str) -> None:
        """Send one answer."""
        media = "text/x.tlog.size" if status == 409 else "text/plain; charset=utf-8"
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *values: object) -> None:  # noqa: A002 - the library's name
        """One line a request, on standard error."""
        print(format % values, file=sys.stderr, flush=True)


def make_key(path: Path) -> None:
    """Write a new key, for its owner alone."""
    seed = Ed25519PrivateKey.generate().private_bytes_raw()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(seed) + b"\n")


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--make-key", type=Path, metavar="FILE")
    parser.add_argument("--key", type=Path)
    parser.add_argument("--name", required=True, help="a URL without scheme")
    parser.add_argument("--log", action="append", default=[], metavar="VKEY")
    parser.add_argument("--state", type=Path)
    parser.add_argument("--listen", default="127.0.0.1:8701", metavar="HOST:PORT")
    options = parser.parse_args(arguments)
    path = options.make_key or options.key
    if options.make_key:
        make_key(path)
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_bytes()))
    print(vkey(options.name, 4, private.public_key().public_bytes_raw()), flush=True)
    if options.make_key:
        return 0
    options.state.mkdir(parents=True, exist_ok=True)
    logs = [Log.of(text, options.state) for text in options.log]
    Handler.witness = Witness(options.name, private, {log.name: log for log in logs})
    host, _, port = options.listen.rpartition(":")
    server = ThreadingHTTPServer((host.strip("[]"), int(port)), Handler)
    print(f"listening on {host}:{server.server_address[1]}", flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
