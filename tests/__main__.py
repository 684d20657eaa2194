"""The whole suite: once on SQLite with everything, once more on PostgreSQL.

Extra arguments go to pytest, and then only the first run takes place.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support import daemons
from tests.support.daemons import DaemonFailed, Postgres, versions

PARALLEL = ("-q", "-n", "2", "--dist", "loadfile")
TESTS_FAILED = 1
"""pytest's exit status when tests ran and some failed."""
QUICK = (*PARALLEL, "-m", "not system")
ALONE = ("-q", "-m", "system")
"""What needs fixed addresses, a browser, or both processors for itself."""
COVERED = ("--cov", "--cov-report=", "--cov-fail-under=0")
ON_POSTGRESQL = ("tests/services", "tests/commands", "tests/portal")
"""Suites that touch the database; the rest has nothing to learn from a second one."""


def pytest(*arguments: str, **environment: str) -> int:
    """Run pytest in a process of its own and return its exit status."""
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, env=os.environ | environment, check=False).returncode


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
    script = 'ip link set lo up && exec "$@"'
    command = ["unshare", "--net", "--", "sh", "-c", script, "sh"]
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode:
        print(
            "no network namespace can be made here; the suite runs without", flush=True
        )
        return None
    suite = [sys.executable, "-m", "tests", *arguments]
    environment = os.environ | {"TEST_NETWORK": "own"}
    return subprocess.run([*command, *suite], env=environment, check=False).returncode


def main(arguments: list[str]) -> int:
    """Return the exit status of the suite: 0 when both runs passed."""
    elsewhere = in_own_network(arguments)
    if elsewhere is not None:
        return elsewhere
    for name, version in versions().items():
        print(f"{name}: {version}", flush=True)
    if arguments:
        return pytest(*arguments)
    return (
        patient(*QUICK, *COVERED)
        or patient(*ALONE, *COVERED, "--cov-append")
        or on_postgresql()
        or coverage()
    )


def patient(*arguments: str) -> int:
    """Run tests; what fails gets one more try with the machine to itself.

    Tests with real sockets and browsers have time-outs, and a busy machine is no
    fault of the product. What fails twice has failed; all of it is in the output.
    """
    status = pytest(*arguments)
    if status != TESTS_FAILED:
        return status
    print("what failed beside others, once more alone:", flush=True)
    alone = ("-v", "--last-failed", "--last-failed-no-failures", "none")
    return pytest(*alone, *COVERED, "--cov-append")


def on_postgresql() -> int:
    """Run what touches the database once more, on PostgreSQL."""
    present = [path for path in ON_POSTGRESQL if Path(path).exists()]
    with tempfile.TemporaryDirectory(prefix="portal-pg-") as folder:
        try:
            with Postgres(Path(folder) / "pg", ["127.0.0.1"], port=54329) as server:
                print("the same again on PostgreSQL", flush=True)
                return pytest(
                    *PARALLEL,
                    "-m",
                    "not system and not sqlite_only",
                    *present,
                    *COVERED,
                    "--cov-append",
                    DATABASE_URL=server.url,
                )
        except DaemonFailed as failure:
            print(f"LEFT OUT: the run on PostgreSQL: {failure}", flush=True)
            return 0


def coverage() -> int:
    """Print what is not covered; fail below the limits of each layer."""
    gates = {"bootstrap/core/*": 95, "bootstrap/*": 90, "portal/*": 90}
    status = 0
    for include, limit in gates.items():
        command = [sys.executable, "-m", "coverage", "report", f"--include={include}"]
        done = subprocess.run([*command, f"--fail-under={limit}"], check=False)
        status = status or done.returncode
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
