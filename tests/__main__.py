"""The whole suite: once on SQLite with everything, once more on PostgreSQL.

Extra arguments go to pytest, and then only the first run takes place.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from subprocess import STDOUT, Popen
from typing import IO

from tests.support import daemons
from tests.support.daemons import DaemonFailed, Postgres, versions

PARALLEL = ("-q", "-n", "2", "--dist", "loadfile")
TESTS_FAILED = 1
"""pytest's exit status when tests ran and some failed."""
CORE = "tests/core"
"""By its own tests alone every branch of the core is covered."""
QUICK = (*PARALLEL, "-m", "not system", f"--ignore={CORE}")
ALONE = ("-q", "-m", "system")
"""What needs fixed addresses, a browser, or real whole."""
WHOLE = "tests/system"
"""Tries the product as a whole and waits for its processes; the rest computes."""
WEATHER = tuple(
    f"{WHOLE}/test_{name}.py" for name in ("chaos", "cut_off", "queue_traps", "workers")
)
"""Of these, what kills processes: half of the time of all of them."""
COVERED = ("--cov", "--cov-report=", "--cov-fail-under=0")
ON_POSTGRESQL = ("tests/services", "tests/commands", "tests/portal")
"""Where tests touch the database; others have nothing to learn from a second one."""
LOOPBACK = (
    "unshare",
    "--net",
    "--",
    "sh",
    "-c",
    'ip link set lo up && exec "$@"',
    "sh",
)
"""Runs what follows in a network namespace of its own, which has loopback alone."""


NICELY = ("nice", "-n", "10")


@dataclass(frozen=True)
class Part:
    """A part of the suite: pytest's arguments, and where its data is kept."""

    name: str
    arguments: tuple[str, ...]
    folder: Path
    """Holds the coverage data and the cache of every part, under its name."""
    apart: bool = False
    """In a network namespace of its own, so that it meets no other part."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What is different for this part."""
    gently: bool = False
    """Takes what processor time others leave: it only computes."""

    def started(self, *more: str, output: IO[bytes] | None = None) -> Popen[bytes]:
        """Start pytest with this part's arguments, or with more of them."""
        cache = f"cache_dir={self.folder / self.name}.cache"
        command = [sys.executable, "-m", "pytest", "-o", cache, *self.arguments, *more]
        again = "-again" if more else ""
        data = self.folder / f"{self.name}{again}.coverage"
        environment = {"COVERAGE_FILE": str(data), **self.environment}
        prefix = LOOPBACK if self.apart else NICELY if self.gently else ()
        return Popen(
            [*prefix, *command],
            env=os.environ | environment,
            stdout=output,
            stderr=STDOUT if output else None,
        )

    def ended(self, status: int) -> int:
        """Give what failed one more try with the machine to itself; return the status.

        Tests with real sockets and browsers have time-outs, and a busy machine is no
        fault of the product. What fails twice has failed; all of it is in the output.
        """
        if status != TESTS_FAILED:
            return status
        print("what failed beside others, once more alone:", flush=True)
        more = ("-v", "--last-failed", "--last-failed-no-failures", "none")
        return self.started(*more, "-n", "0").wait()


def in_own_network(arguments: list[str]) -> int | None:
    """Run the suite again in a network namespace of its own, where that is possible.

    It has loopback and nothing else: no packet can leave, port 53 is free, and
    two runs on one machine do not meet. None when we are in it already, or
    when this user may not make one.
    """
    if os.environ.get("TEST_NETWORK") or os.geteuid() != 0:
        return None
    if daemons.missing("unshare", "ip"):
        return None
    if subprocess.run([*LOOPBACK, "true"], check=False, capture_output=True).returncode:
        print(
            "no network namespace can be made here; the suite runs without", flush=True
        )
        return None
    suite = [sys.executable, "-m", "tests", *arguments]
    environment = os.environ | {"TEST_NETWORK": "own"}
    return subprocess.run([*LOOPBACK, *suite], env=environment, check=False).returncode


def main(arguments: list[str]) -> int:
    """Return the exit status of the suite: 0 when all parts passed."""
    elsewhere = in_own_network(arguments)
    if elsewhere is not None:
        return elsewhere
    for name, version in versions().items():
        print(f"{name}: {version}", flush=True)
    if arguments:
        return Popen([sys.executable, "-m", "pytest", *arguments]).wait()
    with tempfile.TemporaryDirectory(prefix="portal-suite-") as name:
        folder = Path(name)
        core = Part("core", (*PARALLEL, CORE, *COVERED), folder)
        quick = Part("quick", (*QUICK, *measured()), folder)
        # All of them, whatever happens to the first: one run tells everything.
        ends = {
            "core": core.ended(core.started().wait()),
            "coverage of the core": covered(folder, "core", {"bootstrap/core/*": 100}),
            "quick": quick.ended(quick.started().wait()),
            **with_servers(folder),
        }
        if measured():
            gates = {"bootstrap/*": 90, "portal/*": 90}
            ends["coverage"] = covered(folder, "*", gates)
        return told(ends)


def told(ends: dict[str, int]) -> int:
    """Say how each part ended, last of all; return the first status that is not 0."""
    for name, status in ends.items():
        print(f"{'FAILED' if status else 'passed'}: {name}", flush=True)
    return next((status for status in ends.values() if status), 0)


def measured() -> tuple[str, ...]:
    """Return the options that measure coverage outside of the core: in long runs.

    It makes everything slower by half, and the core is measured each time.
    """
    return COVERED if os.environ.get("TEST_LONG") else ()


def with_servers(folder: Path) -> dict[str, int]:
    """Run what needs browser, servers and PostgreSQL; the slowest beside the others.

    Trials of the whole product wait for its processes more than they compute, so
    they leave a processor to the rest, where networks of their own keep them apart.
    """
    apart = bool(os.environ.get("TEST_NETWORK"))
    alone = (*ALONE, *measured())
    single = Part("single", (*alone, f"--ignore={WHOLE}"), folder, apart)
    others = (*alone, WHOLE, *(f"--ignore={path}" for path in WEATHER))
    wholes = (
        Part("whole, in bad weather", (*alone, *WEATHER), folder, apart),
        Part("whole", others, folder, apart),
    )
    with ExitStack() as stack:
        parts = (on_postgresql(folder, stack, gently=apart), *wholes)
        beside = [
            stack.enter_context(_beside(part)) for part in parts if part and apart
        ]
        ends = {"single": single.ended(single.started().wait())}
        for part, running in zip_longest(filter(None, parts), beside):
            status = part.started().wait() if running is None else running()
            ends[part.name] = part.ended(status)
    return ends


@contextmanager
def _beside(part: Part) -> Iterator[Callable[[], int]]:
    """Start a part beside others; yield what waits for it and prints what it said."""
    with tempfile.TemporaryFile() as kept:
        process = part.started(output=kept)

        def ended() -> int:
            status = process.wait()
            kept.seek(0)
            print(kept.read().decode(errors="replace"), flush=True)
            return status

        yield ended


def on_postgresql(folder: Path, stack: ExitStack, *, gently: bool) -> Part | None:
    """Return what touches the database once more, on PostgreSQL; it covers the same."""
    chosen = (*PARALLEL, "-m", "not system and not sqlite_only", *ON_POSTGRESQL)
    server = Postgres(folder / "pg", ["127.0.0.1"], port=25429)
    try:
        stack.enter_context(server)
    except DaemonFailed as failure:
        print(f"LEFT OUT: the run on PostgreSQL: {failure}", flush=True)
        return None
    environment = {"DATABASE_URL": server.url, "TEST_DATABASE_ONLY": "1"}
    name = "on PostgreSQL"
    return Part(name, chosen, folder, environment=environment, gently=gently)


def covered(folder: Path, parts: str, gates: dict[str, int]) -> int:
    """Print what these parts leave out; fail below the limits, in percent, by place."""
    command = [sys.executable, "-m", "coverage"]
    data = f"--data-file={folder / 'all.of'}"
    measured = [str(path) for path in folder.glob(f"{parts}*.coverage")]
    subprocess.run([*command, "combine", "-q", "--keep", data, *measured], check=True)
    status = 0
    for include, limit in gates.items():
        report = [*command, "report", data, f"--include={include}"]
        done = subprocess.run([*report, f"--fail-under={limit}"], check=False)
        status = status or done.returncode
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
