"""Run the fuzzer: `python -m fuzz [TARGET…] [--seconds N]`, or `make fuzz`.

Every target runs in a process of its own, since libFuzzer ends the one it runs in.
It starts from fuzz/corpus/TARGET; with `--keep` what it learns is merged into that
folder. An input that fails is left in the present folder as crash-… and named.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

CORPUS: Final = Path(__file__).parent / "corpus"
MAX_LEN: Final = 16_384
"""The largest message that the guard lets through; enough for the other readers."""
NEEDED: Final = "atheris is not installed here; it has wheels for Linux on x86-64 alone"
KEPT: Final = 48
"""Files that stay of a target's corpus after `--keep`: the smallest ones."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz; 0 when nothing was found, 1 otherwise, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    if importlib.util.find_spec("atheris") is None:
        print(NEEDED, file=sys.stderr)
        return 2
    if options.inside:
        return _inside(options)
    names = options.targets or sorted(path.name for path in CORPUS.iterdir())
    with ThreadPoolExecutor(options.jobs) as pool:
        found = list(pool.map(lambda name: _outside(name, options), names))
    return max(found, default=0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--runs", type=int, default=-1, help="at most, each target")
    parser.add_argument("--seed", type=int, default=0, help="0: another each time")
    parser.add_argument("--jobs", type=int, default=2, help="processes side by side")
    parser.add_argument("--keep", action="store_true", help="add to the corpus")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser


def _outside(name: str, options: argparse.Namespace) -> int:
    """Run one target in its process; print a line, or everything if it failed."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        command = [sys.executable, "-m", "fuzz", name, "--inside"]
        command += ["--seconds", str(options.seconds), "--runs", str(options.runs)]
        command += ["--seed", str(options.seed)]
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            env=os.environ | {"FUZZ_FOUND": folder},
        )
        told = done.stderr.splitlines()
        print(f"{name}: {_summary(told)}, status {done.returncode}", flush=True)
        if done.returncode:
            print(done.stdout + done.stderr, flush=True)
        elif options.keep:
            _keep(name, Path(folder))
    return int(bool(done.returncode))


def _summary(lines: Iterable[str]) -> str:
    """Return what libFuzzer says last: runs, coverage, features."""
    said = [
        line for line in lines if line.startswith(("Done", "#")) and "##" not in line
    ]
    return " · ".join(" ".join(line.split()) for line in said[-2:]) or "no run"


def _inside(options: argparse.Namespace) -> int:
    """Instrument, import, fuzz; does not come back."""
    import atheris  # noqa: PLC0415 - not there on every machine

    with atheris.instrument_imports(include=["bootstrap", "dns"]):
        from fuzz import targets  # noqa: PLC0415 - under instrumentation

    (name,) = options.targets
    atheris.Setup(
        [
            "fuzz",
            f"-max_total_time={options.seconds}",
            f"-runs={options.runs}",
            f"-seed={options.seed}",
            f"-max_len={MAX_LEN}",
            "-timeout=10",
            "-rss_limit_mb=1024",
            os.environ["FUZZ_FOUND"],
            str(CORPUS / name),
        ],
        targets.TARGETS[name],
    )
    atheris.Fuzz()
    return 0


def _keep(name: str, found: Path) -> None:
    """Add the smallest of the new inputs to the corpus, up to its size."""
    folder = CORPUS / name
    room = KEPT - sum(1 for _ in folder.iterdir())
    new = sorted(found.iterdir(), key=lambda path: (path.stat().st_size, path.name))
    for path in new[: max(room, 0)]:
        (folder / path.name).write_bytes(path.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
