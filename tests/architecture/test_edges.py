"""Where the world comes in: sockets and the clock, each in one place."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKERS = {
    "socket.socket",
    "socket.create_connection",
    "asyncio.open_connection",
    "asyncio.start_server",
}
LOOP_MAKERS = {"create_connection", "create_datagram_endpoint", "create_server"}
CLOCKS = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "date.today"}
CLOCKS |= {"timezone.now", "datetime.today", "time.localtime", "time.gmtime"}


def calls(path: Path) -> set[str]:
    """Return the dotted names that a file calls: the last two parts of each."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            found.add(".".join(ast.unparse(node.func).split(".")[-2:]))
    return found


def files_that_call(names: set[str], *folders: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if calls(path) & names
    }


def test_s_3_the_scanner_makes_its_sockets_in_one_file():
    makers = files_that_call(MAKERS, "bootstrap/scanner", "bootstrap/core")
    by_loop = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "bootstrap/scanner").rglob("*.py")
        if {call.split(".")[-1] for call in calls(path)} & LOOP_MAKERS
    }

    listening = {"bootstrap/scanner/notify.py"}  # it asks nobody
    assert makers - listening == {"bootstrap/scanner/sockets.py"}
    assert by_loop <= listening


def test_s_44_one_file_asks_what_time_it_is():
    assert files_that_call(CLOCKS, "bootstrap", "portal") == {"bootstrap/clock.py"}


BANNED = {
    "another resolver": ("bootstrap/services/x.py", "import dns.query\n"),
    "its asynchronous form": ("bootstrap/services/x.py", "import dns.asyncquery\n"),
    "the system's resolver": ("portal/x.py", "import dns.resolver\n"),
    "the clock": (
        "bootstrap/services/x.py",
        "from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)\n",
    ),
    "the framework's clock": (
        "bootstrap/services/x.py",
        "from django.utils import timezone\n\nNOW = timezone.now()\n",
    ),
}


@pytest.mark.parametrize(("path", "text"), BANNED.values(), ids=BANNED)
def test_s_3_s_44_whoever_goes_past_them_is_told_so(path, text):
    """The linter itself is asked, with the settings of this product."""
    source = f'"""Goes past."""\n\nfrom __future__ import annotations\n\n{text}'

    told = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--stdin-filename", path, "-"],
        input=source,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 1
    assert "TID251" in told.stdout
