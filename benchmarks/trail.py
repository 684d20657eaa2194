"""A log in a process of its own: `python -m benchmarks.trail VERB FOLDER N`.

`fill` appends N entries, `seal` gives what waits its place, `verify` holds database,
files and signatures to each other, `prove` makes proofs in a tree of N leaves. Each
prints seconds by the clock, of the processor, and MiB.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import django

django.setup()

from bootstrap.core.tlog import merkle, tiles  # noqa: E402
from bootstrap.services import audit, sealing, signing  # noqa: E402
from bootstrap.services.actors import SCANNER  # noqa: E402
from bootstrap.services.log_verifying import Verifier  # noqa: E402
from bootstrap.services.logfiles import KEY, LogFiles  # noqa: E402
from tests.services.builders import DS, NOW  # noqa: E402

ORIGIN = "portal.example/audit"
STREAMS = 50_000
AT_ONCE = 1_000
PROOFS = 1_000


def signer_in(folder: Path) -> signing.Signer:
    """Return the log's signer; its key is made at the first call."""
    key = folder / "log.key"
    if not key.exists():
        signing.make_key(key)
    return signing.Signer(ORIGIN, key, folder / "state")


def fill(_folder: Path, count: int) -> None:
    """Append entries like those of verdicts, to the streams of many children."""
    for first in range(0, count, AT_ONCE):
        audit.append(
            audit.Draft(
                type=audit.EntryType.SCAN_VERDICT,
                stream=f"child:c{number % STREAMS}.test.",
                actor=SCANNER,
                now=NOW,
                data={
                    "outcome": "accept",
                    "path": "bootstrap",
                    "reasons": ["ACC_OK"],
                    "ds": [DS],
                    "number": number,
                },
            )
            for number in range(first, min(first + AT_ONCE, count))
        )


def seal(folder: Path, _count: int) -> None:
    """Give every entry its place, write the files and sign."""
    files, signer = LogFiles(folder / "log"), signer_in(folder)
    sealing.seal(files=files, signer=signer, now=NOW)
    files.write(KEY, f"{signer.public.to_text()}\n".encode(), replace=True)


def verify(folder: Path, _count: int) -> None:
    """Verify everything; nothing may be wrong."""
    verifier = Verifier(LogFiles(folder / "log"), signer_in(folder).public, {})
    if trouble := next(verifier.everything(), None):
        sys.exit(str(trouble))


def plant(folder: Path, size: int) -> None:
    """Make the tiles of a tree of so many leaves, alike within a level.

    One file holds each level's tile; the others are links to it, as large a folder
    as the true one.
    """
    files = LogFiles(folder / "tree")
    below = merkle.leaf_hash(b"a leaf")
    for level in range(8):
        have = size >> (tiles.HEIGHT * level)
        if not have:
            break
        full = below * tiles.WIDTH
        for number in range(-(-have // tiles.WIDTH)):
            width = min(tiles.WIDTH, have - number * tiles.WIDTH)
            path = tiles.Tile(level, number, width).path
            if width < tiles.WIDTH or not number:
                files.write(path, full[: width * merkle.HASH_SIZE])
                continue
            target = files.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(files.folder / tiles.Tile(level, 0).path, target)
        below = merkle.in_memory([below] * tiles.WIDTH)(tiles.HEIGHT, 0)


def prove(folder: Path, size: int) -> None:
    """Prove leaves from all over the tree, each with nothing read before; check each."""
    files = LogFiles(folder / "tree")
    root = merkle.root(size, files.nodes(size))
    leaf = merkle.leaf_hash(b"a leaf")
    for turn in range(PROOFS):
        index = turn * 7_919_317 % size
        proof = merkle.prove_inclusion(index, size, files.nodes(size))
        merkle.check_inclusion(leaf, index, size, proof, root)


VERBS: dict[str, Callable[[Path, int], None]] = {
    "fill": fill,
    "seal": seal,
    "verify": verify,
    "plant": plant,
    "prove": prove,
}


def main(verb: str, folder: str, count: str) -> None:
    """Do one thing, and say what it took."""
    began, cpu = time.perf_counter(), time.process_time()
    VERBS[verb](Path(folder), int(count))
    wall, used = time.perf_counter() - began, time.process_time() - cpu
    print(wall, used, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
