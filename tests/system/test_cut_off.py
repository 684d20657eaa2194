"""A worker whose machine is cut off from the network, and the one that takes over.

Two network namespaces stand for two machines. The link between one of them and the
database goes down in the middle of the work and comes back when all is done: its
children went to the other worker after the lease, none twice, and nothing that it
held stayed locked (S-74, F-10).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import needs
from tests.support.daemons import Postgres, run
from tests.support.product import ROOT, Product, until

from .test_workers import ASK, FILL

pytestmark = pytest.mark.system
HERE, THERE, NETWORK = "10.61.0.1", "10.61.0.2", "10.61.0.0/24"
PORT = 25432
ITEMS = 300
LEASE = 1.5
OPTIONS = "options=-c%20idle_in_transaction_session_timeout%3D1500"
"""Two minutes by default: for how long a machine that is away may keep rows locked."""


class Reachable(Postgres):
    """PostgreSQL that another machine may connect to."""

    def prepare(self) -> None:
        """Make the cluster and let the other network in."""
        super().prepare()
        with (self.folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {NETWORK} trust\n")

    def command(self) -> list[str]:
        """Listen at every address of this machine."""
        own = f"listen_addresses={self.addresses[0]}"
        return ["listen_addresses=*" if c == own else c for c in super().command()]


@pytest.fixture
def server() -> Iterator[Reachable]:
    needs("ip", "nsenter", "unshare")
    if Postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with (
        tempfile.TemporaryDirectory(prefix="portal-pg-") as folder,
        Reachable(Path(folder) / "pg", ["127.0.0.1"], port=PORT) as running,
    ):
        yield running


@contextmanager
def other_machine() -> Iterator[list[str]]:
    """Make a namespace with one link to here; yield what runs a command in it."""
    with subprocess.Popen(["unshare", "--net", "sleep", "600"]) as there:
        inside = ["nsenter", "-t", str(there.pid), "-n"]
        try:
            until(lambda: _is_apart(there.pid), seconds=5, told=lambda: "no namespace")
            pair = ("type", "veth", "peer", "name", "cut1", "netns", str(there.pid))
            run("ip", "link", "add", "cut0", *pair)
            run("ip", "address", "add", f"{HERE}/24", "dev", "cut0")
            run("ip", "link", "set", "cut0", "up")
            run(*inside, "ip", "address", "add", f"{THERE}/24", "dev", "cut1")
            run(*inside, "ip", "link", "set", "cut1", "up")
            run(*inside, "ip", "link", "set", "lo", "up")
            yield inside
        finally:
            there.kill()


def _is_apart(pid: int) -> bool:
    own, other = Path("/proc/self/ns/net"), Path(f"/proc/{pid}/ns/net")
    return own.readlink() != other.readlink()


@contextmanager
def claimer(
    product: Product, host: str, log: Path, prefix: list[str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker that claims and finishes what is due."""
    url = f"postgres://postgres@{host}:{PORT}/portal?{OPTIONS}"
    environment = product.environment | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": url,
    }
    command = [sys.executable, "-m", "tests.system.claimer", log.stem, str(LEASE)]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*prefix, *command], cwd=ROOT, env=environment, stdout=output
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def done(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if line.startswith("done")]


def test_what_a_machine_held_that_is_cut_off_goes_to_another_and_is_done_once(
    server: Reachable, tmp_path: Path
):
    product = Product(tmp_path / "product", {"ALLOWED_HOSTS": "localhost"}, server.url)
    product.migrate()
    product.manage("shell", "-v", "0", "-c", FILL % ITEMS)
    far, near = tmp_path / "far.log", tmp_path / "near.log"

    with other_machine() as inside, claimer(product, HERE, far, inside) as cut_off:
        until(lambda: len(done(far)) > 30, seconds=30, told=far.read_text)
        run("ip", "link", "set", "cut0", "down")
        before = len(done(far))

        with claimer(product, "127.0.0.1", near, []) as heir:
            assert heir.wait(60) == 0
        assert len(done(far)) <= before + 1
        run("ip", "link", "set", "cut0", "up")
        cut_off.wait(60)  # refused by the database, or done because nothing is left

    told = product.manage("shell", "-v", "0", "-c", ASK).splitlines()[-1]
    assert json.loads(told) == [ITEMS, ITEMS]
    times = Counter([*done(far), *done(near)])
    assert not [line for line, count in times.items() if count > 1]
    # the commit that was under way may have arrived, and its answer not
    assert ITEMS - len(times) <= 1
    assert len(done(near)) > ITEMS // 2
