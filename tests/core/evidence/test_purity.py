"""The verifier alone on a machine: no Django, no socket, no clock (P-8.23)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.targets import ACCEPTED

ROOT = Path(__file__).parents[3]
CAGE = """
import sys

FORBIDDEN = {"django", "django_q", "asgiref", "environ", "psycopg", "asyncio", "sqlite3"}
CLOCKS = {"time", "time_ns", "now", "utcnow", "today", "localtime", "gmtime"}
CLOCKS |= {"monotonic", "monotonic_ns", "clock_gettime", "perf_counter"}
NETWORK = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn")


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in FORBIDDEN:
            raise AssertionError(f"imports {name}")


def audit(event, arguments):
    if event.startswith(NETWORK):
        raise AssertionError(event)


def watch(frame, event, what):
    if event == "c_call" and what.__name__ in CLOCKS:
        raise AssertionError(f"reads the clock: {what.__name__}")


sys.path.insert(0, ROOT)
sys.meta_path.insert(0, Blocker())
from bootstrap.core.evidence.__main__ import main

sys.addaudithook(audit)
sys.setprofile(watch)
BREAK
status = main(["verify", *sys.argv[1:]])
sys.setprofile(None)
sys.exit(status)
"""


def caged(*arguments: str, then: str = "") -> subprocess.CompletedProcess[str]:
    script = CAGE.replace("BREAK", then).replace("ROOT", repr(str(ROOT)), 1)
    return subprocess.run(
        [sys.executable, "-I", "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("how", [(), ("--explain",), ("--json",)])
def test_it_verifies_without_framework_socket_or_clock(how):
    done = caged(str(ACCEPTED), *how)

    assert done.returncode == 0, done.stderr


BREAKS = {
    "a clock": "import time; time.time()",
    "the time of day": "import datetime; datetime.datetime.now()",
    "a socket": "import socket; socket.socket()",
    "Django": "import django",
}


@pytest.mark.parametrize("then", BREAKS.values(), ids=BREAKS)
def test_the_cage_holds(then):
    done = caged(str(ACCEPTED), then=then)

    assert done.returncode == 1
    assert "AssertionError" in done.stderr
