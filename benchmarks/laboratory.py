"""A laboratory in a process of its own: `python -m benchmarks.laboratory N FOLDER`.

Prints one line of JSON when it answers, and stays until its standard input ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bootstrap import clock
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.scenes import many

from .measuring import ROOT

CORE = 1
"""The laboratory's processor; what is measured runs on another."""


@contextmanager
def running(count: int, folder: Path, *, good: int = 100) -> Iterator[dict[str, Any]]:
    """Run a laboratory with `count` delegations, `good` per cent of them candidates."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.laboratory",
        str(count),
        str(folder),
        str(good),
    ]
    process = subprocess.Popen(
        ["taskset", "-c", str(CORE), *command],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(30)


def main(count: int, folder: Path, good: int) -> None:
    """Serve until standard input ends."""
    world = many(count, share_good=good)
    lab = Lab(world, clock=clock.now, folder=folder, seed=b"benchmark")
    lab.warm()
    with lab:
        print(json.dumps(lab.manifest()), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
