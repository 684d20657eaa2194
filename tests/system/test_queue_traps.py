"""The queue's known traps, sprung with real signals on real clusters (F-9).

The queue is a bell and may fail: what must hold is that the work goes on, that a
cluster which no longer works is ended, and that what kills a worker is put aside.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from bootstrap import clock
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.scenes import many
from tests.support.product import Product, until

from .household import below, family, title

pytestmark = pytest.mark.system
PARENT = "alpha.test"
CHILDREN = 6
LEASE = 5
"""Seconds; nobody takes a child from who holds it for less."""
POISON = f"d000003.{PARENT}"


@pytest.fixture
def quiet(tmp_path: Path) -> Product:
    """An installation without any children."""
    installed = Product(tmp_path, {"ALLOWED_HOSTS": "localhost", "Q_POLL": "0.1"})
    installed.migrate()
    return installed


def complete(worker: int) -> dict[str, list[int]]:
    """Return the processes of a cluster once all of them are there, else nothing."""
    found = family(worker)
    whole = len(found.get("worker", ())) == 2 and "monitor" in found
    return found if whole and "pusher" in found else {}


def kill(pids: list[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def ended(process: Any, strike: Callable[[], None], product: Product) -> int:
    """Strike until the process ends by itself; return its status.

    Once is enough, unless nobody held the lock at that moment.
    """
    for _ in range(4):
        strike()
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if process.poll() is not None:
                return int(process.returncode)
            time.sleep(0.2)
    raise AssertionError(product.logs())


def test_workers_that_die_with_the_lock_of_the_queue_end_the_cluster(quiet: Product):
    """Those that come after them wait for ever, and nothing is logged as wrong."""
    with quiet.process("worker", "--patience", "6") as worker:
        until(lambda: complete(worker.pid), seconds=30, told=quiet.logs)

        def strike() -> None:
            kill(family(worker.pid).get("worker", []))

        assert ended(worker, strike, quiet) == 1
    assert "no canary came back" in quiet.logs()


def test_a_monitor_that_dies_ends_its_cluster_though_another_one_is_well(
    quiet: Product,
):
    """Its successor waits for a dead lock, so that every task is run for ever.

    A heartbeat in the database would not tell: the other cluster keeps it young.
    """
    with ExitStack() as running:
        ill, well = (
            running.enter_context(quiet.process("worker", "--patience", "6"))
            for _ in range(2)
        )
        for process in (ill, well):
            until(lambda p=process: complete(p.pid), seconds=40, told=quiet.logs)  # type: ignore[misc]

        def strike() -> None:
            kill(family(ill.pid).get("monitor", []))

        assert ended(ill, strike, quiet) == 1
        assert well.poll() is None, quiet.logs()


def test_a_cluster_whose_sentinel_dies_leaves_nobody_behind(quiet: Product):
    """Without it nobody is replaced; its children would go on as orphans."""
    with quiet.process("worker") as worker:
        found = until(lambda: complete(worker.pid), seconds=30, told=quiet.logs)
        kill(found["sentinel"])
        assert worker.wait(20) == 1
    gone = [*found["worker"], *found["monitor"], *found["pusher"]]
    until(lambda: not any(map(title, gone)), seconds=10, told=quiet.logs)
    assert "the cluster ended by itself" in quiet.logs()


def test_a_database_that_was_away_is_no_reason_to_end_a_cluster(quiet: Product):
    product, server = quiet, quiet.database.removeprefix("sqlite:///")
    with product.process("worker", "--patience", "12") as worker:
        until(lambda: complete(worker.pid), seconds=30, told=product.logs)
        time.sleep(10)
        with closing(sqlite3.connect(server, isolation_level=None)) as held:
            held.execute("PRAGMA busy_timeout=20000")
            held.execute("BEGIN EXCLUSIVE")  # whoever writes waits, then is refused
            time.sleep(6)
            held.execute("ROLLBACK")
        time.sleep(5)
        assert worker.poll() is None, product.logs()


# -- work that is interrupted ----------------------------------------------------


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A few children that may be bootstrapped, and one whose servers are slow or silent."""
    folder = tmp_path_factory.mktemp("traps")
    world = many(CHILDREN, parent=PARENT)
    with Lab(world, clock=clock.now, folder=folder, prefix="127.62") as lab:
        yield lab


def treat(lab: Lab, behaviour: str) -> None:
    """Let all servers treat questions about one child like this."""
    for address in lab.built.network.servers:
        lab.behave(address, behaviour, below=POISON)


@pytest.fixture(scope="module")
def settings(lab: Lab) -> dict[str, str]:
    """What puts the product into the laboratory."""
    manifest = lab.manifest()
    return {
        "ALLOWED_HOSTS": "localhost",
        "DNS_ROOT_HINTS": manifest["root_hints"],
        "DNS_TRUST_ANCHORS": manifest["trust_anchors"],
        "DNS_ALLOWED_NETWORKS": ",".join(manifest["networks"]),
        "DNS_PORT": str(manifest["port"]),
        "DNS_LAB_PACE": "unlimited",
        "DNS_SKIP_FAMILIES": "6",
        "Q_POLL": "0.1",
        "DISCOVERY_MINUTES": "0",
        "SCAN_LEASE_SECONDS": str(LEASE),
        "SCAN_BURST_SECONDS": "4",
    }


@pytest.fixture(scope="module")
def children(
    lab: Lab,
    settings: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A database with the laboratory's children, all due."""
    folder = tmp_path_factory.mktemp("children")
    product = Product(folder, settings)
    product.migrate()
    manifest = lab.manifest()
    primary = manifest["parents"][0]["primary"]
    key = ("--tsig-key", manifest["tsig_key"])
    product.manage("zone", "add", PARENT, "--primary", primary, *key)
    product.manage("import_delegations", PARENT, "--axfr", primary, *key)
    return folder / "portal.sqlite3"


@pytest.fixture
def product(
    lab: Lab, settings: dict[str, str], children: Path, tmp_path: Path
) -> Product:
    treat(lab, "slow")
    shutil.copy(children, tmp_path / "portal.sqlite3")
    return Product(tmp_path, settings)


def ask(product: Product, question: str, *values: str) -> list[tuple[Any, ...]]:
    path = product.database.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=20)) as database:
        return database.execute(question, values).fetchall()


def scanned(product: Product) -> Counter[str]:
    """Return how often each child was evaluated."""
    rows = ask(
        product,
        "SELECT d.name FROM bootstrap_scanattempt s"
        " JOIN bootstrap_domain d ON d.id = s.domain_id",
    )
    return Counter(name for (name,) in rows)


def holder(product: Product, name: str) -> int:
    """Return which process holds a child now; 0 for none that lives."""
    rows = ask(
        product,
        "SELECT w.holder FROM bootstrap_workitem w JOIN bootstrap_domain d ON"
        " d.id = w.domain_id WHERE d.name = ? AND w.lease_until IS NOT NULL",
        name,
    )
    pid = int(rows[0][0].rpartition(":")[2]) if rows and rows[0][0] else 0
    return pid if pid and title(pid) else 0


def wake(product: Product) -> None:
    """Ring as a trigger would, meanwhile; the schedule takes up to a minute and a half."""
    ring = ("scan", "--due", "--enqueue")
    threading.Thread(target=product.manage, args=ring, daemon=True).start()


def test_s_82_a_child_that_kills_its_workers_is_parked_and_the_others_are_not(
    product: Product, lab: Lab
):
    """The library counts no attempt of a task whose worker died."""

    def parked() -> bool:
        return bool(
            ask(product, "SELECT 1 FROM bootstrap_alarm WHERE code='VAL_LIMIT'")
        )

    treat(lab, "silent")
    deaths = 0
    with product.process("worker"):
        deadline = time.monotonic() + 200
        while not parked():
            assert time.monotonic() < deadline, (scanned(product), product.logs())
            if pid := holder(product, POISON):
                os.kill(pid, signal.SIGKILL)
                deaths += 1
                until(lambda p=pid: not title(p), seconds=5, told=product.logs)  # type: ignore[misc]
                time.sleep(LEASE)
                wake(product)
            time.sleep(0.05)
        others = CHILDREN - 1
        until(lambda: len(scanned(product)) == others, seconds=40, told=product.logs)

    assert deaths == 3
    assert POISON not in scanned(product)
    parked_names = ask(
        product,
        "SELECT d.name FROM bootstrap_workitem w JOIN bootstrap_domain d ON"
        " d.id = w.domain_id WHERE w.parked_at IS NOT NULL",
    )
    assert parked_names == [(POISON,)]


def test_a_task_that_is_delivered_many_times_evaluates_each_child_once(
    product: Product,
):
    with ExitStack() as running:
        for _ in range(2):
            running.enter_context(product.process("worker"))
        for _ in range(3):
            wake(product)
        until(lambda: len(scanned(product)) == CHILDREN, seconds=60, told=product.logs)
        wake(product)
        time.sleep(2)

    assert set(scanned(product).values()) == {1}


def test_a_whole_group_that_is_killed_leaves_its_children_to_the_next_one(
    product: Product,
):
    with product.process("worker") as worker:
        until(lambda: holder(product, POISON), seconds=40, told=product.logs)
        (cluster,) = below(worker.pid)
        os.killpg(cluster, signal.SIGKILL)
        assert worker.wait(20) == 1
    held = ask(product, "SELECT count(*) FROM bootstrap_workitem WHERE holder <> ''")
    assert held != [(0,)]

    with product.process("worker"):
        until(lambda: len(scanned(product)) == CHILDREN, seconds=60, told=product.logs)

    fences = ask(product, "SELECT domain_id FROM bootstrap_workitem WHERE holder <> ''")
    assert fences == []
