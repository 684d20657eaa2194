"""Witnesses of a log on loopback: `tools/audit_witness.py`, which knows nothing of ours."""

from __future__ import annotations

import base64
import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2] / "tools"))
audit_witness: Any = importlib.import_module("audit_witness")


@dataclass(frozen=True)
class Running:
    """A witness: its line for a policy, and what it remembers of the log."""

    line: str
    log: Any


@contextmanager
def running(folder: Path, name: str, *, origin: str, key: str) -> Iterator[Running]:
    """Run a witness of one log, with a key of its own."""
    folder.mkdir()
    path = folder / "key"
    audit_witness.make_key(path)
    seed = base64.b64decode(path.read_bytes())
    private = audit_witness.Ed25519PrivateKey.from_private_bytes(seed)
    log = audit_witness.Log.of(key, folder)
    full = f"witness.example/{name}"
    ours = audit_witness.Witness(full, private, {origin: log})
    handler = type("Handler", (audit_witness.Handler,), {"witness": ours})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}
    )
    thread.start()
    public = audit_witness.vkey(full, 4, private.public_key().public_bytes_raw())
    url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield Running(f"witness {name} {public} {url}", log)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
