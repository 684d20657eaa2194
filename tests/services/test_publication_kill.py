"""A publisher that is killed with SIGKILL, a real primary, and its successor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from bootstrap import clock
from bootstrap.core.dns.names import parse_name
from bootstrap.models import Domain, Proposal, ScanAttempt
from tests.conftest import needs
from tests.registry.primaries import ADDRESS, STRANGER, UPDATER, client, knot

from .builders import DS, a_domain, a_zone
from .parent import an_approved, told

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]

PORT = 5395
ROOT = Path(__file__).resolve().parents[2]
HOSTS = ["ns1.op.example", "ns2.op.example"]

# The wrapped primary really gets the UPDATE; then the process is gone before it
# can write a row.
KILLED_AFTER = """
    import os, signal, sys
    sys.path.insert(0, sys.argv[1])
    import django
    django.setup()
    from bootstrap import clock
    from bootstrap.models import Proposal
    from bootstrap.services import parents
    from bootstrap.services.actors import PUBLISHER
    from bootstrap.services.publication import publish

    proposal = Proposal.objects.get()

    class Mortal:
        inner = parents.registry_for(proposal.domain.zone)

        def publish(self, change):
            if sys.argv[2] == "after":
                self.inner.publish(change)
            os.kill(os.getpid(), signal.SIGKILL)

    publish(proposal, registry=Mortal(), actor=PUBLISHER, clock=clock.now)
"""


@pytest.fixture(scope="module")
def primary(tmp_path_factory):
    needs("knotd", "keymgr")
    with knot(tmp_path_factory.mktemp("kill"), PORT) as server:
        yield server


@pytest.fixture
def zone(tmp_path):
    return a_zone(
        "test",
        primary=f"{ADDRESS}#{PORT}",
        tsig_key_file=str(UPDATER.file(tmp_path / "key")),
        ds_ttl_initial=300,
    )


def a_change(zone, child: str) -> Proposal:
    now = clock.now()
    proposal = an_approved(
        a_domain(zone, f"{child}.test", nameservers=HOSTS),
        not_before=now,
        expires_at=now + timedelta(hours=24),
    )
    ScanAttempt.objects.update(started_at=now)
    return proposal


def database_url() -> str:
    """Return the test's own database, for another process."""
    used = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{used['NAME']}"
    return f"postgres://{used['USER']}@{used['HOST']}:{used['PORT']}/{used['NAME']}"


def served(proposal: Proposal) -> list[str]:
    held = client(PORT).read_back(parse_name(proposal.domain.name))
    return [ds.to_text() for ds in held.ds]


@pytest.mark.parametrize(
    ("moment", "child"), [("before", "c30"), ("after", "c31")], ids=["P4", "P5"]
)
def test_a_killed_publisher_is_settled_by_the_next_one(
    primary, zone, tmp_path, moment, child
):
    proposal = a_change(zone, child)
    script = tmp_path / "killed.py"
    script.write_text(textwrap.dedent(KILLED_AFTER))
    killed = subprocess.run(
        [sys.executable, script, ROOT, moment],
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "portal.settings", "DATABASE_URL": database_url()}
        | {"ALLOWED_HOSTS": "localhost"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert Proposal.objects.get().state == "sending"
    assert served(proposal) == ([DS] if moment == "after" else [])

    call_command("publisher", "--once")

    assert served(proposal) == [DS]
    assert Proposal.objects.get().state == "sent"
    assert Domain.objects.get().ds == [DS]
    assert told(proposal.domain).count("publication.sent") == 1


def test_a_wrong_key_ends_with_staff_and_nothing_is_changed(primary, zone, tmp_path):
    zone.tsig_key_file = str(STRANGER.file(tmp_path / "other"))
    zone.save()
    proposal = a_change(zone, "c32")

    call_command("publisher", "--once")

    assert Proposal.objects.get().state == "failed"
    assert proposal.publications.get().rcode == "BADKEY"
    assert served(proposal) == []


def test_nameservers_that_changed_at_the_primary_stop_the_change(primary, zone):
    """Approved for two nameservers; the primary has one of them for `taken`."""
    proposal = a_change(zone, "taken")

    call_command("publisher", "--once")

    assert Proposal.objects.get().state == "conflict"
    assert served(proposal) == []


def test_a_primary_that_is_down_gets_the_change_when_it_is_back(primary, zone):
    proposal = a_change(zone, "c33")
    primary.stop()
    call_command("publisher", "--once")
    assert Proposal.objects.get().state == "approved"

    primary.start()
    Proposal.objects.update(next_try_at=clock.now())
    call_command("publisher", "--once")

    assert served(proposal) == [DS]
    attempts = proposal.publications.values_list("outcome", flat=True)
    assert list(attempts) == ["unreachable", "applied"]
