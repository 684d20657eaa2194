"""A worker of the trial: claims, pretends to evaluate, finishes; may be killed.

Run as a process of its own: `python -m tests.system.claimer NAME LEASE_SECONDS`.
Prints one line for each result that it was allowed to write.
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta

import django

django.setup()

from django.db import OperationalError, transaction  # noqa: E402

from bootstrap import clock  # noqa: E402
from bootstrap.models import WorkItem  # noqa: E402
from bootstrap.services import leasing  # noqa: E402
from bootstrap.services.leasing import LateWriter, Lease  # noqa: E402


def work(name: str, term: timedelta) -> None:
    """Work until everything is done."""
    while WorkItem.objects.filter(due_at__lte=clock.now(), parked_at=None).exists():
        leases = leasing.claim(
            20, holder=name, now=clock.now(), term=term, deaths=1_000
        )
        for lease in leases:
            time.sleep(0.002)
            finish(lease)
        if not leases:
            time.sleep(0.05)


def finish(lease: Lease) -> None:
    """Write the result, as the holder alone may."""
    now = clock.now()
    try:
        with transaction.atomic():
            leasing.finish(lease, due_at=now + timedelta(days=1), retries=0, now=now)
    except LateWriter:
        return
    print(f"done {lease.domain_id}", flush=True)


if __name__ == "__main__":
    try:
        work(sys.argv[1], timedelta(seconds=float(sys.argv[2])))
    except OperationalError as exc:
        sys.exit(f"the database refused: {exc}")
