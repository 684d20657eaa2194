"""Workers as processes: two at the same work, killed in the middle, under watch."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from bootstrap import bell
from tests.support.product import ROOT, Product, until

pytestmark = pytest.mark.system
ITEMS = 400
FILL = """
from datetime import timedelta
from bootstrap import clock
from bootstrap.models import Domain, WorkItem, Zone
now = clock.now()
zone = Zone.objects.create(name="test", created_at=now)
rows = Domain.objects.bulk_create(
    Domain(zone=zone, name=f"child{n}.test", ns_key=str(n %% 7), created_at=now, changed_at=now)
    for n in range(%d)
)
WorkItem.objects.bulk_create(
    WorkItem(domain=row, due_at=now, trigger="schedule") for row in rows
)
"""
ASK = """
from bootstrap.models import WorkItem
import json
print(json.dumps([
    WorkItem.objects.filter(holder="", lease_until=None, attempts=0).count(),
    WorkItem.objects.exclude(fence=0).count(),
]))
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def product(request, tmp_path) -> Product:
    database = ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        server.psql("DROP DATABASE IF EXISTS workers")
        server.psql("CREATE DATABASE workers")
        database = server.url.rsplit("/", 1)[0] + "/workers"
    settings = {"ALLOWED_HOSTS": "localhost", "Q_POLL": "0.1"}
    installed = Product(tmp_path / "product", settings, database)
    installed.migrate()
    return installed


class Claimers:
    """Processes that work on the same items; what they wrote is in their files."""

    def __init__(self, product: Product, folder: Path) -> None:
        self.product = product
        self.folder = folder
        self.started = 0

    def start(self, lease: float) -> subprocess.Popen[bytes]:
        self.started += 1
        name = f"claimer{self.started}"
        environment = self.product.environment | {
            "DJANGO_SETTINGS_MODULE": "portal.settings"
        }
        with (self.folder / f"{name}.out").open("wb") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.system.claimer", name, str(lease)],
                cwd=ROOT,
                env=environment,
                stdout=out,
            )

    def done(self) -> Counter[str]:
        """Return how often each item was reported as done."""
        lines: list[str] = []
        for path in self.folder.glob("claimer*.out"):
            lines += [part for part in path.read_text().split("\n") if part]
        return Counter(lines)


def test_killed_workers_lose_nothing_and_nothing_is_done_twice(
    product, tmp_path, long_trials
):
    product.manage("shell", "-v", "0", "-c", FILL % ITEMS)
    claimers = Claimers(product, tmp_path)
    lease = 1.5
    running = [claimers.start(lease) for _ in range(2)]

    for kill in range(20 if long_trials else 3):
        time.sleep(0.9 + 0.13 * (kill % 4))
        victim = running.pop(0)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        running.append(claimers.start(lease))
    for process in running:
        assert process.wait(120) == 0

    done = claimers.done()
    free, touched = _ask(product)
    assert free == touched == ITEMS
    assert not [line for line, times in done.items() if times > 1]
    # a worker killed between its commit and its line has done one more than it said
    assert ITEMS - len(done) <= claimers.started


def _ask(product: Product) -> list[int]:
    told: list[int] = json.loads(
        product.manage("shell", "-v", "0", "-c", ASK).splitlines()[-1]
    )
    return told


def heartbeat(product: Product) -> str:
    told = product.manage(
        "shell",
        "-v",
        "0",
        "-c",
        "from bootstrap.services import heartbeats; print(heartbeats.last('worker'))",
    )
    return told.strip().splitlines()[-1]


@pytest.fixture
def small(tmp_path) -> Product:
    """An installation on SQLite."""
    settings = {"ALLOWED_HOSTS": "localhost", "Q_POLL": "0.1"}
    product = Product(tmp_path / "product", settings)
    product.migrate()
    return product


def children(pid: int) -> list[int]:
    """Return the processes below one, its children first."""
    told = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    below = [int(each) for each in told]
    return below + [deeper for each in below for deeper in children(each)]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_the_canary_comes_back_and_sigterm_ends_the_whole_group(small):
    with small.process("worker") as worker:
        until(lambda: heartbeat(small) != "None", seconds=30, told=small.logs)
        family = children(worker.pid)
        assert len(family) >= 4

        worker.send_signal(signal.SIGTERM)

        assert worker.wait(30) == 0
    until(lambda: not any(map(is_alive, family)), seconds=10, told=small.logs)
    path = small.folder / "portal.sqlite3"
    with sqlite3.connect(path) as database:
        names = database.execute("SELECT name FROM django_q_schedule").fetchall()
    assert {name for (name,) in names} == set(bell.TURNS)


def test_a_cluster_that_stands_still_is_killed_and_the_worker_ends_with_an_error(small):
    """The queue's lock is lost with a killed worker; nothing else would notice."""
    with small.process("worker", "--patience", "4") as worker:
        # Not sooner: whom the first process starts later would go on working.
        until(lambda: heartbeat(small) != "None", seconds=30, told=small.logs)
        cluster = children(worker.pid)
        for pid in cluster:
            if is_alive(pid):
                os.kill(pid, signal.SIGSTOP)

        assert worker.wait(60) not in {0, None}
    until(lambda: not any(map(is_alive, cluster)), seconds=10, told=small.logs)


def test_a_worker_that_is_killed_leaves_no_orphans(small):
    with small.process("worker") as worker:
        until(lambda: heartbeat(small) != "None", seconds=30, told=small.logs)
        family = children(worker.pid)

        worker.send_signal(signal.SIGKILL)
        worker.wait()

        until(lambda: not any(map(is_alive, family)), seconds=30, told=small.logs)
