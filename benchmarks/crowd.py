"""Fifty people at once before the real server, who think between two pages."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from .measuring import ROOT

PORT = 18_090
WORKERS = 2
THREADS = 8
THINKING = 5.0
"""Seconds between an answer and the next request of the same person."""
SECONDS = 45
PATIENCE = 30.0


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator[None]:
    """Run gunicorn over the product until the block ends."""
    command = [sys.executable, "-m", "gunicorn", "portal.wsgi"]
    command += ["--bind", f"127.0.0.1:{PORT}", "--workers", str(WORKERS)]
    command += ["--threads", str(THREADS), "--log-level", "warning"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment})
    try:
        _wait()
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait() -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            _ask(http.client.HTTPConnection("127.0.0.1", PORT), "/healthz/live", "")
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the server does not answer")


def browse(sessions: Sequence[str], urls: Sequence[str]) -> list[float]:
    """Let each session's owner browse; return milliseconds of each page, sorted."""
    with ThreadPoolExecutor(len(sessions)) as people:
        walks = [
            people.submit(_walk, number, session, urls)
            for number, session in enumerate(sessions)
        ]
    return sorted(taken for walk in walks for taken in walk.result())


def _walk(number: int, session: str, urls: Sequence[str]) -> list[float]:
    """Open pages one after another, beginning elsewhere than everybody else."""
    taken: list[float] = []
    until = time.monotonic() + SECONDS
    time.sleep(number * 0.1)
    at = number * 7
    while time.monotonic() < until:
        server = http.client.HTTPConnection("127.0.0.1", PORT, timeout=PATIENCE)
        began = time.monotonic()
        _ask(server, urls[at % len(urls)], session)
        taken.append((time.monotonic() - began) * 1000)
        server.close()
        at += 1
        time.sleep(THINKING)
    return taken


def _ask(server: http.client.HTTPConnection, url: str, session: str) -> None:
    server.request("GET", url, headers={"Cookie": f"sessionid={session}"})
    answer = server.getresponse()
    answer.read()
    if answer.status != http.client.OK:
        raise http.client.HTTPException(f"{url}: {answer.status}")
