"""What is written of scans that stage one ended: code, time and hash (P-8.3).

One row for a group of them, whose lines anybody can hash again: an entry of the
trail holds the hash. Line by line, in the order of their writing: `{"answers": …,
"at": …, "child": …, "code": …, "signed": …}`, keys sorted. Of the child itself no
more changes than when it was looked at, unless this was the first look.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from secrets import randbelow
from typing import Final
from uuid import uuid4

from django.db import transaction

from bootstrap.core.dns.names import unrooted
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Domain, ScanBatch

from . import audit, bulk, leasing, states
from .actors import SCANNER
from .evaluating import Judged
from .leasing import Ending, Lease
from .recording import GRAIN, REMEMBERED, Recorded

STREAM: Final = "scans"
STATE: Final = ("ds", "suspension", "state", "state_since")
"""What `states` looks at beside what is remembered."""


@transaction.atomic
def record(
    group: Sequence[Judged], leases: Mapping[int, Lease], *, now: datetime
) -> list[Recorded]:
    """Write a group of scans that ended early; whoever lost its lease is left out.

    A child whose registry data changed meanwhile is due at once, and nothing is
    said of it.
    """
    rows = Domain.objects.select_for_update(of=("self",)).filter(
        pk__in=[judged.key for judged in group]
    )
    found = {
        pk: (version, timedelta(seconds=cadence), outcome)
        for pk, version, cadence, outcome in rows.order_by("pk").values_list(
            "pk", "version", "zone__scan_every_seconds", "last_outcome"
        )
    }
    present = [judged for judged in group if judged.key in found]
    endings = [
        _ending(each, leases[each.key], *found[each.key][:2], now) for each in present
    ]
    ours = leasing.finish_all(endings, now=now)
    kept = [
        each
        for each in present
        if each.key in ours and _is_current(each, found[each.key][0])
    ]
    _remember(kept, {each.key for each in kept if not found[each.key][2]}, now)
    _write(kept, now)
    return [Recorded(each, None) for each in kept]


def lines_of(batch: ScanBatch) -> bytes:
    """Return the lines of a batch, as they were hashed."""
    return zlib.decompress(bytes(batch.lines))


def _is_current(judged: Judged, version: int) -> bool:
    return judged.case.delegation.version == version


def _ending(
    judged: Judged, lease: Lease, version: int, cadence: timedelta, now: datetime
) -> Ending:
    if not _is_current(judged, version):
        return Ending(lease, now, lease.retries)
    jitter = randbelow(GRAIN) / GRAIN
    wait, retries = leasing.next_turn(
        judged.verdict, lease.retries, cadence=cadence, jitter=jitter
    )
    return Ending(lease, now + wait, retries)


def _remember(kept: Sequence[Judged], first: set[int], now: datetime) -> None:
    """Note the look; what is known of a child changes with its first one only."""
    again = [each.key for each in kept if each.key not in first]
    Domain.objects.filter(pk__in=again).update(last_scan_at=now)
    domains = Domain.objects.only(*REMEMBERED, *STATE).in_bulk(sorted(first))
    for each in kept:
        if each.key in first and each.glance is not None:
            domain = domains[each.key]
            domain.last_scan_at = now
            domain.last_outcome = each.verdict.outcome.value
            domain.last_reason = each.verdict.primary.value
            domain.signed_since = now if each.glance.is_signed else None
    bulk.update(
        Domain,
        "id",
        REMEMBERED,
        [
            (pk, *(getattr(domain, name) for name in REMEMBERED))
            for pk, domain in sorted(domains.items())
        ],
    )
    states.refresh(domains.values(), now=now)


def _write(kept: Sequence[Judged], now: datetime) -> None:
    if not kept:
        return
    lines = "".join(map(_line, kept)).encode()
    batch = ScanBatch(id=uuid4(), at=now, count=len(kept), lines=zlib.compress(lines))
    batch.save(force_insert=True)
    audit.record(
        EntryType.SCAN_BATCH,
        stream=STREAM,
        actor=SCANNER,
        now=now,
        batch=str(batch.pk),
        count=len(kept),
        sha256=hashlib.sha256(lines).hexdigest(),
    )


def _line(judged: Judged) -> str:
    """Return what is kept of one scan.

    Raises:
        ValueError: it did not end in stage one.
    """
    if judged.glance is None:
        raise ValueError("this scan is whole")
    told = {
        "answers": judged.glance.digest,
        "at": f"{judged.case.now:%Y-%m-%dT%H:%M:%S.%fZ}",
        "child": unrooted(judged.case.delegation.child),
        "code": judged.verdict.primary.value,
        "signed": judged.glance.is_signed,
    }
    return json.dumps(told, sort_keys=True) + "\n"
