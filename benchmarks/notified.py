"""From a NOTIFY to the published DS, with all processes of an idle installation."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

import dns.message
import dns.opcode
import dns.query

from bootstrap import clock
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.scenes import many
from tests.support.product import Product, until

from . import scans
from .installation import ZONE, Installation
from .measuring import Row, Sample
from .report import Report, Target

HOST, PORT = "127.57.9.1", 5300
LATEST: Final = 120.0
PAUSE: Final = 7.0
"""Seconds between two notifications: the system is idle again."""


def notified(folder: Path) -> Report:
    """Notify of one child after another; measure until its DS is at the primary."""
    row = Row("NOTIFY received to DS published", 1, "changes")
    world = many(scans.RUNS, parent=ZONE)
    with Lab(world, clock=clock.now, folder=folder / "lab", prefix="127.57") as lab:
        product = _installed(lab, folder / "product")
        with _working(product):
            for child in world.children:
                time.sleep(PAUSE)
                row.samples.append(_measured(lab, child.name))
    what = "NOTIFY received to published DS"
    bound = "the queue's polling, then the publisher's"
    targets = [Target(what, row.wall, 60, 5, "s", at_most=True, bound=bound)]
    notes = ["workers, publisher and endpoint with their usual settings, on SQLite"]
    return Report("notification", [row], targets, notes)


def _installed(lab: Lab, folder: Path) -> Product:
    """Install the product where nothing is due for a day."""
    installation = Installation(lab.manifest())
    product = Product(folder, {})
    product.settings = installation.environment(product.database)
    parent = lab.manifest()["parents"][0]
    key = ("--tsig-key", lab.manifest()["tsig_key"])
    primary = parent["primary"]
    product.manage("migrate", "--verbosity", "0")
    policy = ("--policy", "auto")
    product.manage("zone", "add", ZONE, "--primary", primary, *key, *policy)
    product.manage("import_delegations", ZONE, "--axfr", primary, *key)
    path = product.database.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        tomorrow = "datetime('now', '+1 day')"
        database.execute(f"UPDATE bootstrap_workitem SET due_at = {tomorrow}")
        database.commit()
    return product


@contextmanager
def _working(product: Product) -> Iterator[None]:
    with ExitStack() as running:
        for command in (("worker",), ("publisher",), ("notify", f"{HOST}#{PORT}")):
            running.enter_context(product.process(*command))
        until(lambda: _answers("unknown.test"), seconds=60, told=product.logs)
        time.sleep(PAUSE)
        yield


def _answers(name: str) -> bool:
    message = dns.message.make_query(name, "CDS")
    message.set_opcode(dns.opcode.NOTIFY)
    try:
        dns.query.udp(message, HOST, port=PORT, timeout=2)
    except (dns.exception.DNSException, OSError):
        return False
    return True


def _measured(lab: Lab, name: str) -> Sample:
    started = time.monotonic()
    assert _answers(name)
    while not lab.ds_of(name):
        if time.monotonic() - started > LATEST:
            raise TimeoutError(f"{name} was not published within {LATEST:.0f} s")
        time.sleep(0.02)
    return Sample(time.monotonic() - started, 0.0, 0.0)
