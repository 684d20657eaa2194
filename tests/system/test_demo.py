"""`make demo` as a newcomer meets it: it comes up, works, ends, and starts again."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 100.0
"""Seconds; the demo itself gives up after 90."""
pytestmark = pytest.mark.system


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Started:
    """A demo in a folder of its own."""

    def __init__(self, folder: Path, port: int, log: Path) -> None:
        self.port = port
        self.log = log
        kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG"}}
        command = ["manage.py", "demo", "--port", str(port), "--folder", str(folder)]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=kept,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def told(self) -> str:
        return self.log.read_text()

    def until(self, words: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while words not in self.told():
            assert self.process.poll() is None, self.told()
            assert time.monotonic() < deadline, self.told()
            time.sleep(0.1)
        return self.told()

    def settings(self) -> dict[str, str]:
        """Return what the line to be pasted sets."""
        (line,) = [x for x in self.told().splitlines() if x.startswith("export ")]
        return dict(word.split("=", 1) for word in shlex.split(line)[1:])

    def command(self, *arguments: str) -> list[dict[str, object]]:
        """Run a command with that line, as in another terminal."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments, "--json"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **self.settings()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def settled(self) -> set[object]:
        return {
            row["domain"] for row in self.command("proposals", "--state", "settled")
        }

    def members(self) -> set[int]:
        """Return the processes that live with this demo's database."""
        wanted = self.settings()["DATABASE_URL"].encode()
        found = set()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and wanted in (entry / "environ").read_bytes():
                    found.add(int(entry.name))
        return found

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


@pytest.fixture
def start(tmp_path):
    running: list[Started] = []

    def starting(folder: Path, port: int | None = None) -> Started:
        log = tmp_path / f"start-{len(running)}.log"
        running.append(Started(folder, port or free_port(), log))
        return running[-1]

    yield starting
    for demo in running:
        if demo.process.poll() is None:
            demo.interrupt()


def test_the_demo_comes_up_works_ends_and_goes_on(start, tmp_path):
    folder = tmp_path / "demo"
    first = start(folder)
    first.until("Ctrl-C ends everything")
    deadline = time.monotonic() + PATIENCE
    while "bakery.alpha.test" not in first.settled() and time.monotonic() < deadline:
        time.sleep(1)

    # one is approved by rule and published, one waits, one is blocked with a reason
    assert "bakery.alpha.test" in first.settled()
    assert "school.beta.test" in {row["domain"] for row in first.command("proposals")}
    (shown,) = first.command("show", "island.beta.test")
    assert shown["last_attempt"]["primary_reason"] == "SIG_NO_OUT_OF_DOMAIN_NS"
    with urllib.request.urlopen(f"http://127.0.0.1:{first.port}/healthz") as answer:
        assert json.load(answer)["status"] == "up"
    # nobody takes the port, nobody the folder
    assert "in use. Choose another" in refusal(start(tmp_path / "b", first.port))
    assert "already running" in refusal(start(folder))
    # a second laboratory finds addresses of its own
    beside = start(tmp_path / "beside")
    beside.until("Ctrl-C ends everything")
    assert beside.settings()["DNS_PORT"] != first.settings()["DNS_PORT"]
    assert beside.interrupt() == 0
    assert len(first.members()) > 4

    ended = first.interrupt()

    assert ended == 0
    assert first.members() == set()
    assert first.told().endswith("Stopped. The next start goes on from here.\n")
    again = start(folder)
    assert Counter(again.until("Ctrl-C ends everything").split())["added,"] == 2
    assert "8 unchanged" in again.told()
    assert "bakery.alpha.test" in again.settled()


def refusal(demo: Started) -> str:
    assert demo.process.wait(PATIENCE) == 1
    return demo.told()


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused_in_one_line(tmp_path, port):
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", f"--port={port}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert f"{port!r} is no port from 1 to 65535" in done.stderr
    assert len(done.stderr.splitlines()) == 1
