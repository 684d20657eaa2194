"""A publisher of the trial: publishes what is due until nothing is; may be killed.

Run as a process of its own: `python -m tests.system.publishing`.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import timedelta

import django

django.setup()

from django.db import OperationalError  # noqa: E402

from bootstrap import clock  # noqa: E402
from bootstrap.core.workflow.lifecycle import State  # noqa: E402
from bootstrap.models import Proposal, Zone  # noqa: E402
from bootstrap.registry.dynamic_update import DynamicUpdate  # noqa: E402
from bootstrap.registry.ports import Registry  # noqa: E402
from bootstrap.services import claims, outcomes, parents, publication  # noqa: E402

QUICK = timedelta(milliseconds=300)
UNDER_WAY = (State.APPROVED, State.SENDING, State.FAILED)

# Leases and pauses of production would take hours: what is tried here is the order
# of events, and that no interruption breaks it.
outcomes.DELAYS = (QUICK,)  # type: ignore[misc]  # a trial's own
outcomes.MAX_ATTEMPTS = 10_000  # type: ignore[misc]  # as above
claims.LEASE = timedelta(seconds=2)  # type: ignore[misc]  # as above


def impatient(zone: Zone) -> Registry:
    """Return the real client, which waits half a second instead of ten."""
    found = parents.registry_for(zone)
    if isinstance(found, DynamicUpdate):
        return replace(found, patience=0.5)
    return found


def work() -> None:
    """Publish until no change is under way."""
    while Proposal.objects.filter(state__in=UNDER_WAY).exists():
        try:
            publication.publish_due(registry_for=impatient, clock=clock.now, limit=5)
        except OperationalError as away:
            print(f"the database refused: {away}", file=sys.stderr)
        time.sleep(0.02)


if __name__ == "__main__":
    work()
