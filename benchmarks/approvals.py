"""Approvals in a process of its own: `python -m benchmarks.approvals …`.

`prepare N` makes N changes that wait, `untie` drops the trigger that wants an entry
for each move. `approve FIRST COUNT with|without START`
approves COUNT of them by the real service from the moment START (Unix time) on, and
prints seconds by the clock, of the processor, and MiB. Without the event, what
the service appends to the trail is dropped.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterable
from typing import Any

import django

django.setup()

from django.db import connection, transaction  # noqa: E402

from bootstrap.models import (  # noqa: E402
    AuditEntry,
    Domain,
    Proposal,
    ScanAttempt,
)
from bootstrap.services import audit, proposals  # noqa: E402
from tests.services import builders  # noqa: E402

STATEMENT = {
    "sqlite": "DROP TRIGGER IF EXISTS proposal_move_audited",
    "postgresql": "DROP TRIGGER IF EXISTS proposal_move_audited ON bootstrap_proposal",
}
SLICE = 1_000


@transaction.atomic
def prepare(count: int) -> None:
    """Make zones, children, evaluations and changes, as they are before a decision."""
    zone, kept = builders.a_zone(), builders.some_evidence()
    first = builders.a_proposal(builders.a_domain(zone, "child.test"))
    domains, scans, changes = [], [], []
    for number in range(count):
        domain = Domain(
            zone=zone,
            name=f"c{number}.test",
            nameservers=builders.NAMESERVERS,
            created_at=builders.NOW,
            changed_at=builders.NOW,
        )
        scan = _copy(first.scan, domain=domain, evidence=kept)
        domains.append(domain)
        scans.append(scan)
        changes.append(_copy(first, domain=domain, scan=scan))
    Domain.objects.bulk_create(domains, batch_size=SLICE)
    ScanAttempt.objects.bulk_create(scans, batch_size=SLICE)
    Proposal.objects.bulk_create(changes, batch_size=SLICE)


def _copy(row: Any, **changes: object) -> Any:  # noqa: ANN401 - of any model
    columns = {f.name: getattr(row, f.name) for f in row._meta.concrete_fields}
    del columns["id"]
    return type(row)(**{**columns, **changes})


def without_events() -> None:
    """Let the service do all but append to the trail."""

    def dropped(drafts: Iterable[audit.Draft]) -> list[AuditEntry]:
        return [AuditEntry(type=draft.type.value) for draft in drafts]

    audit.append = dropped


def approve(first: int, count: int, start: float) -> tuple[float, float]:
    """Return seconds by the clock and of the processor."""
    rows = Proposal.objects.filter(domain__name__startswith="c").order_by("domain_id")
    mine = list(rows.select_related("domain")[first : first + count])
    person = builders.a_person()
    time.sleep(max(0.0, start - time.time()))
    began, cpu = time.perf_counter(), time.process_time()
    for change in mine:
        proposals.approve(
            change, actor=person, digest=change.digest, comment="yes", now=builders.NOW
        )
    return time.perf_counter() - began, time.process_time() - cpu


def main(words: list[str]) -> None:
    """Do what the command line says."""
    if words[0] == "prepare":
        prepare(int(words[1]))
        return
    if words[0] == "untie":
        with connection.cursor() as cursor:
            cursor.execute(STATEMENT[connection.vendor])
        return
    if words[3] == "without":
        without_events()
    wall, cpu = approve(int(words[1]), int(words[2]), float(words[4]))
    print(wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main(sys.argv[1:])
