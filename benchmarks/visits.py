"""Every page of staff, many times: `python -m benchmarks.visits [ROUNDS]`.

Prints one line of JSON about the pages of DATABASE_URL: seconds between the request
and the finished answer as a middleware sees them, one request at a time, and the
number of queries. With it come sessions for `crowd`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse

ROUNDS = 20
USERS = 50
LIST, DETAIL = 10, 25
"""Queries that a page may take (issue of the portal, quality of the pages)."""

Seen = tuple[float, float, int]
seen: list[Seen] = []
"""What the middleware measured: seconds, CPU seconds of page and database, queries."""


def stopwatch(
    respond: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Measure the whole of every request, outside of all other middleware."""

    def middleware(request: HttpRequest) -> HttpResponse:
        count = 0

        def counted(execute: Callable[..., Any], *question: Any) -> Any:  # noqa: ANN401 - Django's signature
            nonlocal count
            count += 1
            return execute(*question)

        began, used = time.perf_counter(), _used()
        with connection.execute_wrapper(counted):
            response = respond(request)
        taken = time.perf_counter() - began
        seen.append((taken, _used() - used, count))
        return response

    return middleware


def _used() -> float:
    """Return CPU seconds of this process and of its database session.

    Linux tells the latter where the database runs on this machine, to the
    nanosecond. Both together are what a page takes where nothing else runs.
    """
    told = Path(f"/proc/{_backend()}/schedstat")
    behind = int(told.read_text().split()[0]) / 1e9 if told.exists() else 0.0
    return time.process_time() + behind


def _backend() -> int:
    """Return the process of the database session; 0 where there is none."""
    if connection.vendor != "postgresql" or connection.connection is None:
        return 0
    return int(connection.connection.info.backend_pid)


def visit(rounds: int) -> dict[str, Any]:
    """Visit every page in turn, so that none is measured in its own warm cache."""
    from django.test import Client  # noqa: PLC0415 - after setup

    from . import addresses  # noqa: PLC0415 - after setup

    client = Client()
    wanted = addresses.pages()
    found: dict[str, list[Seen]] = {name: [] for name in wanted}
    for turn in range(rounds + 1):
        # A session notes once a minute that it is used: no page's own queries.
        client.force_login(addresses.reader())
        for name, page in wanted.items():
            url = page.urls[turn % len(page.urls)]
            answer = client.post(url, page.posted) if page.posted else client.get(url)
            assert answer.status_code == 200, (url, answer.status_code)
            if turn:  # the first round fills what a process fills once
                found[name].append(seen[-1])
    pages = [_told(name, wanted[name].most, found[name]) for name in wanted]
    browsed = [url for page in wanted.values() if not page.posted for url in page.urls]
    sessions = [_session(Client(), addresses.reader()) for _ in range(USERS)]
    return {"pages": pages, "urls": browsed, "sessions": sessions}


def _told(name: str, most: int, tries: list[Seen]) -> Mapping[str, Any]:
    times = sorted(seconds for seconds, _, _ in tries)
    return {
        "page": name,
        "median": times[len(times) // 2] * 1000,
        "p95": times[int(len(times) * 0.95)] * 1000,
        "cpu": sorted(used for _, used, _ in tries)[int(len(tries) * 0.95)] * 1000,
        "queries": max(queries for _, _, queries in tries),
        "most": most,
    }


def _session(client: Any, person: Any) -> str:  # noqa: ANN401 - Django's test client
    client.force_login(person)
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


def main(rounds: int) -> None:
    """Set Django up with the stopwatch around everything, and visit."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    settings.MIDDLEWARE.insert(0, "benchmarks.visits.stopwatch")
    settings.ALLOWED_HOSTS.append("testserver")
    django.setup()
    sys.modules["benchmarks.visits"] = sys.modules[__name__]
    print(json.dumps(visit(rounds)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
