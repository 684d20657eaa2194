"""The whole product in bad weather: packets lost, processes killed, database restarted.

Two clusters of the queue, a publisher and a sealer work for one parent zone on one
PostgreSQL; the world is behind a network that loses packets (F-10). Workers,
monitors, pushers, sentinels, whole clusters, their watchers, publisher and sealer
are killed with SIGKILL, and PostgreSQL is restarted twice, once in immediate mode.
In the end each delegation was evaluated in each round, none twice at a time, each
candidate was published once, everything holds, and the logs tell of each incident.

Short in `make test`; `make test-long` runs 100,000 evaluations. CHAOS_CHILDREN,
CHAOS_ROUNDS, CHAOS_KILLS, CHAOS_LOSS and CHAOS_SEED set the size.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from bootstrap import clock
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.scenes import many
from tests.support.daemons import Postgres
from tests.support.lossy import LossyNetwork
from tests.support.product import Product

from .household import Household, wait_for

pytestmark = [pytest.mark.system, pytest.mark.slow]
PARENT = "alpha.test"
BEHIND, BEFORE = 5391, 5392
SETTINGS = {
    "DNS_PORT": str(BEFORE),
    "DNS_LAB_PACE": "unlimited",
    "DNS_SKIP_FAMILIES": "6",
    "AUDIT_ORIGIN": "portal.example/chaos",
    "BREAKER_LIMITS": "bootstraps=100000 operator_bootstraps=100000",
    "Q_POLL": "0.2",
    "Q_RETRY": "60",
    "SCAN_BURST_SECONDS": "6",
    "SCAN_LEASE_SECONDS": "15",
    # What is killed here kills by chance; a child that kills has its own trial.
    "SCAN_DEATHS": "50",
}
PATIENCE = 25.0
"""Seconds without a sign of life after which a cluster is ended; 30 minutes by default."""


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    children: int
    rounds: int
    kills: int
    loss: float
    seed: int
    patience: float
    """Seconds for all rounds together."""
    gap: tuple[float, float]
    """Seconds between two kills, at least and at most."""


class Durable(Postgres):
    """PostgreSQL that keeps what it has said it keeps, whatever kills it."""

    def command(self) -> list[str]:
        """Let commits wait for the log. (That survives the processes, not the machine.)"""
        switched = {"synchronous_commit=off": "synchronous_commit=on"}
        return [switched.get(part, part) for part in super().command()]


def number(name: str, short: float, long: float, *, is_long: bool) -> float:
    """Return a size from the environment, or the usual one."""
    return float(os.environ.get(f"CHAOS_{name}") or (long if is_long else short))


@pytest.fixture
def size(long_trials) -> Size:
    def n(name: str, short: float, long: float) -> int:
        return int(number(name, short, long, is_long=long_trials))

    return Size(
        children=n("CHILDREN", 120, 2000),
        rounds=n("ROUNDS", 2, 50),
        kills=n("KILLS", 6, 200),
        loss=number("LOSS", 0.02, 0.02, is_long=long_trials),
        seed=n("SEED", 20261124, 20261124),
        patience=n("SECONDS", 240, 6 * 3600),
        gap=(4.0, 30.0) if long_trials else (2.0, 3.5),
    )


@pytest.fixture
def server() -> Iterator[Durable]:
    if Durable.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with (
        tempfile.TemporaryDirectory(prefix="portal-pg-") as folder,
        Durable(Path(folder) / "pg", ["127.0.0.1"], port=25431) as running,
    ):
        yield running


@dataclass
class Trial:
    """All that takes part."""

    size: Size
    lab: Lab
    network: LossyNetwork
    server: Durable
    product: Product
    household: Household

    def ask(self, question: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """Ask the product's database."""
        with psycopg.connect(self.product.database) as connection:
            return connection.execute(question, values).fetchall()

    def is_done(self, since: datetime) -> bool:
        """Say whether every child has been evaluated since then, and nobody holds one."""
        with suppress(psycopg.OperationalError):
            return not self.ask(
                "SELECT 1 FROM bootstrap_domain d JOIN bootstrap_workitem w"
                " ON w.domain_id = d.id WHERE w.lease_until IS NOT NULL"
                " OR d.last_scan_at IS NULL OR d.last_scan_at < %s LIMIT 1",
                since,
            )
        return False

    def is_published(self) -> bool:
        """Say whether no change is on its way any more."""
        with suppress(psycopg.OperationalError):
            return not self.ask(
                "SELECT 1 FROM bootstrap_proposal WHERE state NOT IN"
                " ('sent', 'visible', 'settled', 'superseded', 'lapsed')"
            )
        return False

    def story(self) -> str:
        """Return what helps to see why it is not over."""
        told = [str(self.network.losses)]
        with suppress(psycopg.OperationalError):
            for question in (
                "SELECT * FROM bootstrap_workitem WHERE holder <> '' LIMIT 5",
                "SELECT state, count(*) FROM bootstrap_proposal GROUP BY 1",
                "SELECT primary_reason, count(*) FROM bootstrap_scanattempt GROUP BY 1",
                "SELECT code, detail FROM bootstrap_alarm LIMIT 20",
            ):
                told += [question, *map(str, self.ask(question))]
        return "\n".join([*told, self.household.logs()])


@pytest.fixture
def trial(size: Size, server: Durable, tmp_path: Path) -> Iterator[Trial]:
    good = max(1, 20 * 100 // size.children) if size.children > 200 else 20
    world = many(size.children, parent=PARENT, share_good=good)
    with ExitStack() as stack:
        lab = stack.enter_context(
            Lab(
                world,
                clock=clock.now,
                folder=tmp_path / "lab",
                port=BEHIND,
                prefix="127.61",
                seed=b"chaos",
            )
        )
        addresses = [a for a in lab.built.network.servers if ":" not in a]
        way = LossyNetwork(addresses, BEFORE, BEHIND, loss=size.loss, seed=size.seed)
        network = stack.enter_context(way)
        product = installed(lab, server, tmp_path / "product")
        household = Household(product, patience=PATIENCE, seed=size.seed)
        stack.callback(household.end)
        household.keep()
        yield Trial(size, lab, network, server, product, household)


def installed(lab: Lab, server: Durable, folder: Path) -> Product:
    """Install the product for the lab's parent zone, all ways through bad weather."""
    manifest = lab.manifest()
    settings = {
        "DNS_ROOT_HINTS": manifest["root_hints"],
        "DNS_TRUST_ANCHORS": manifest["trust_anchors"],
        "DNS_ALLOWED_NETWORKS": ",".join(manifest["networks"]),
        "AUDIT_LOG_DIR": str(folder / "log"),
        "AUDIT_KEY_FILE": str(folder / "log.key"),
        **SETTINGS,
    }
    product = Product(folder, settings, server.url)
    parent = manifest["parents"][0]
    primary = f"{parent['primary'].partition('#')[0]}#{BEFORE}"
    key = ("--tsig-key", manifest["tsig_key"])
    product.migrate()
    kept = ("--policy", "auto", "--observe", "3", "--quiet", "0")
    watched = [part for server in parent["servers"] for part in ("--server", server)]
    product.manage("zone", "add", PARENT, "--primary", primary, *key, *kept, *watched)
    product.manage("import_delegations", PARENT, "--axfr", primary, *key)
    return product


def test_nothing_is_lost_or_done_twice_in_bad_weather(trial: Trial):
    weather = Weather(trial)
    since = clock.now()
    for number in range(trial.size.rounds):
        if number:
            since = again(trial)
        done = wait_for(
            lambda t=since: trial.is_done(t),  # type: ignore[misc]
            weather.pass_by,
            seconds=trial.size.patience,
        )
        assert done, trial.story()
    weather.clear_up()
    assert wait_for(trial.is_published, trial.household.keep, seconds=120), (
        trial.story()
    )
    time.sleep(3)  # the last lines of the last incidents are written
    trial.household.end()

    assert weather.restarts == ["SIGINT", "SIGQUIT"]
    assert len(trial.household.incidents) >= trial.size.kills
    assert trial.network.losses.lost > 0
    check(trial)
    told = [each.unexplained() for each in trial.household.incidents]
    assert not list(filter(None, told)), trial.household.logs()
    report(trial)


class Weather:
    """What befalls the household, spread over the whole trial."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.restarts: list[str] = []
        self.next = time.monotonic() + 4.0

    def pass_by(self) -> None:
        """Keep the household alive, and strike when it is time."""
        self.trial.household.keep()
        if time.monotonic() > self.next:
            self.strike()
            gap = self.trial.household.chance.uniform(*self.trial.size.gap)
            self.next = time.monotonic() + gap

    def strike(self) -> None:
        """Kill a process; restart the database a third and two thirds through."""
        household, wanted = self.trial.household, self.trial.size.kills
        if len(household.incidents) < wanted:
            household.strike()
        due = 3 * len(household.incidents) // wanted
        hows = (signal.SIGINT, signal.SIGQUIT)
        if len(self.restarts) < min(due, len(hows)):
            how = hows[len(self.restarts)]
            self.trial.server.stop(how)
            time.sleep(1.0)
            self.trial.server.start()
            self.restarts.append(how.name)

    def clear_up(self) -> None:
        """Let happen what has not happened yet."""
        while (
            len(self.trial.household.incidents) < self.trial.size.kills
            or len(self.restarts) < 2
        ):
            self.pass_by()
            time.sleep(0.2)


def again(trial: Trial) -> datetime:
    """Make every child due once more, as a day that passes; return the moment."""
    since = clock.now()
    done = wait_for(lambda: _is_due(trial), trial.household.keep, seconds=60)
    assert done, trial.story()
    return since


def _is_due(trial: Trial) -> bool:
    """Say whether all are due and workers know: the database may be starting."""
    with suppress(psycopg.OperationalError, AssertionError):
        with psycopg.connect(trial.product.database) as connection:
            connection.execute("UPDATE bootstrap_workitem SET due_at = now()")
        trial.product.manage("scan", "--due", "--enqueue")
        return True
    return False


def spans(trial: Trial) -> list[tuple[str, datetime, datetime]]:
    """Return child, begin and end of every evaluation that was written down."""
    whole = trial.ask(
        "SELECT d.name, s.started_at, s.started_at + s.duration_ms * interval"
        " '1 millisecond' FROM bootstrap_scanattempt s JOIN bootstrap_domain d"
        " ON d.id = s.domain_id"
    )
    found = [(name, begin, end) for name, begin, end in whole]
    for lines, at in trial.ask("SELECT lines, at FROM bootstrap_scanbatch"):
        for line in zlib.decompress(lines).decode().splitlines():
            told = json.loads(line)
            found.append((told["child"], datetime.fromisoformat(told["at"]), at))
    return sorted(found)


def overlapping(found: list[tuple[str, datetime, datetime]]) -> list[str]:
    """Return children that were evaluated twice at the same time."""
    return [
        f"{name} until {end}, again at {begin}"
        for (name, _, end), (other, begin, _) in pairwise(found)
        if name == other and begin < end
    ]


def check(trial: Trial) -> None:
    """Hold what is kept against what should be."""
    found = spans(trial)
    assert overlapping(found) == []
    times = Counter(name for name, _, _ in found)
    assert len(times) == trial.size.children
    assert min(times.values()) >= trial.size.rounds
    parked = trial.ask("SELECT 1 FROM bootstrap_workitem WHERE parked_at IS NOT NULL")
    assert parked == []
    sent = trial.ask(
        "SELECT about FROM bootstrap_auditentry WHERE type = 'publication.sent'"
    )
    assert set(Counter(sent).values()) == {1}, "published twice"
    changes = trial.ask(
        "SELECT d.name, p.new_ds FROM bootstrap_proposal p JOIN bootstrap_domain d"
        " ON d.id = p.domain_id WHERE p.sent_at IS NOT NULL"
    )
    good = [c for c in trial.lab.world.children if c.recipe.zone.cds]
    assert {name for name, _ in changes} == {child.name for child in good}
    for name, ds in changes:
        assert trial.lab.ds_of(name) == tuple(sorted(ds))
    assert "everything holds" in trial.product.manage("audit", "verify")
    trial.product.manage("check_invariants")


def report(trial: Trial) -> None:
    """Print what the trial was made of."""
    kinds = Counter(each.kind for each in trial.household.incidents)
    lives = sum(len(service.lives) for service in trial.household.services)
    took = trial.ask("SELECT count(*), max(fence) FROM bootstrap_workitem")
    print(
        f"{len(spans(trial))} evaluations of {took[0][0]} children (at most"
        f" {took[0][1]} claims of one), {trial.network.losses}, killed {dict(kinds)},"
        f" {lives} lives of {len(trial.household.services)} commands"
    )
