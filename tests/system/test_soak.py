"""Many changes, a primary that misbehaves, publishers that are killed: one effect each.

S-74, S-75, R-10: whatever happens in between, in the end every child's DS set at
the primary is the approved one, was sent once as the trail tells it, and the
invariants hold. Seeded; `make test-long` runs it at length, with a thousand changes.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from bootstrap import clock
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.scenes import many
from bootstrap.lab.servers import OnUpdate
from bootstrap.models import (
    AuditEntry,
    Domain,
    Evidence,
    Proposal,
    WorkItem,
)
from bootstrap.services import evidence, invariants, proposals
from tests.services.builders import (
    a_delegation,
    a_domain,
    a_person,
    a_scan,
    a_verdict,
    a_zone,
)
from tests.services.test_invariants import BUNDLE
from tests.services.test_publication_kill import database_url

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
PARENT = "alpha.test"
FAULTS = (
    OnUpdate.HONEST,
    OnUpdate.HONEST,
    OnUpdate.UNANSWERED,
    OnUpdate.UNHEARD,
    OnUpdate.SERVFAIL,
    OnUpdate.HONEST,
    OnUpdate.REFUSED,
    OnUpdate.HONEST,
)
SEED = 20261124


@pytest.fixture(scope="module")
def count(long_trials) -> int:
    return 1000 if long_trials else 48


@pytest.fixture(scope="module")
def lab(tmp_path_factory, count):
    folder = tmp_path_factory.mktemp("soak")
    world = many(count, parent=PARENT)
    with Lab(world, clock=clock.now, folder=folder, prefix="127.58") as lab:
        yield lab


@pytest.fixture
def changes(lab, settings) -> list[Proposal]:
    """Approved by rule, through the services, each with a set of its own."""
    settings.BOOTSTRAP = settings.BOOTSTRAP | {
        "BREAKER_LIMITS": "bootstraps=100000 operator_bootstraps=100000"
    }
    manifest = lab.manifest()
    zone = a_zone(
        PARENT,
        primary=manifest["parents"][0]["primary"],
        tsig_key_file=str(lab.tsig_key_file),
        routing="auto",
        created_at=clock.now(),
    )
    kept = Evidence.objects.get(pk=evidence.store([BUNDLE], now=clock.now())[0])
    return [
        change_of(zone, kept, n, child) for n, child in enumerate(manifest["children"])
    ]


def change_of(zone, kept, number: int, child) -> Proposal:
    now = clock.now()
    hosts = sorted(child["nameservers"])
    domain = a_domain(zone, child["name"], nameservers=hosts)
    WorkItem.objects.create(domain=domain, due_at=now, trigger="schedule")
    wanted = f"{number + 1} 13 2 {number:064X}"
    found = proposals.propose(
        scan=a_scan(domain, kept, started_at=now, ds=[wanted]),
        verdict=a_verdict(wanted, primary=Reason.ACC_OK),
        domain=domain,
        evidence=kept,
        delegation=a_delegation(domain),
        now=now,
    )
    assert found is not None
    assert found.state == "approved"
    return found


class Publishers:
    """Two publishers; whichever is killed has a successor."""

    def __init__(self) -> None:
        self.kills = 0
        self.running = [self.start(), self.start()]

    def start(self) -> subprocess.Popen[bytes]:
        environment = {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "DATABASE_URL": database_url(),
            "ALLOWED_HOSTS": "localhost",
            "BREAKER_LIMITS": "bootstraps=100000 operator_bootstraps=100000",
        }
        return subprocess.Popen(
            [sys.executable, "-m", "tests.system.publishing"],
            cwd=ROOT,
            env=os.environ | environment,
        )

    def kill(self, which: int) -> None:
        victim = self.running[which]
        if victim.poll() is None:
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            self.kills += 1
        self.running[which] = self.start()

    def end(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()


def test_every_change_has_one_effect_whatever_happens_in_between(
    lab, changes, long_trials
):
    chance = random.Random(SEED)  # noqa: S311 - a trial, repeated by its seed
    publishers = Publishers()
    deadline = time.monotonic() + (600 if long_trials else 90)
    next_kill = time.monotonic() + 2.5
    try:
        while under_way() and time.monotonic() < deadline:
            lab.on_update(PARENT, chance.choice(FAULTS))
            time.sleep(chance.uniform(0.02, 0.12))
            let_staff_release()
            if time.monotonic() > next_kill and publishers.kills < len(changes) // 8:
                publishers.kill(chance.randrange(2))
                next_kill = time.monotonic() + chance.uniform(1.2, 2.5)
    finally:
        lab.on_update(PARENT, OnUpdate.HONEST)
        publishers.end()

    assert publishers.kills > 0
    assert under_way() == 0
    for change in changes:
        assert lab.ds_of(change.domain.name) == tuple(change.new_ds)
    sent = AuditEntry.objects.filter(type="publication.sent")
    assert Counter(sent.values_list("about", flat=True)) == Counter(
        c.pk for c in changes
    )
    states = set(Proposal.objects.values_list("state", flat=True))
    assert states == {"sent"}
    assert Domain.objects.filter(ds=[]).count() == 0
    assert invariants.violations(now=clock.now()) == []


def under_way() -> int:
    waiting = ["approved", "sending", "failed"]
    return Proposal.objects.filter(state__in=waiting).count()


def let_staff_release() -> None:
    """Do what staff does once the primary, which refused, is repaired."""
    for failed in Proposal.objects.with_domain().filter(state="failed"):
        proposals.release(
            failed,
            actor=a_person(),
            digest=failed.digest,
            comment="repaired",
            now=clock.now(),
        )
