"""Did it work? Takes published changes whose turn it is, and looks.

Visible: every server of the parent shows exactly the published set. Settled: for
the zone's observation time it stayed so, and the child validates from the root.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models.functions import Coalesce, Greatest

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.models import Proposal
from bootstrap.registry.addresses import parse_endpoint

from .looking import EyesFor, Target, look_at
from .sending import ds_of
from .sightings import SOONEST, record_look

LEASE: Final = timedelta(minutes=3)
BURST: Final = timedelta(seconds=20)
"""How long one turn of a worker may wait for looks that fall due soon."""


def verify_due(
    *,
    eyes_for: EyesFor,
    anchors: tuple[Anchor, ...],
    clock: Callable[[], datetime],
    limit: int = 50,
) -> Counter[str]:
    """Look at every published change whose time has come; count by state after it."""
    taken = _take(clock(), limit)
    if not taken:
        return Counter()
    looking = look_at(
        [_target(proposal) for proposal in taken],
        eyes_for=eyes_for,
        anchors=anchors,
        now=clock(),
    )
    looks = asyncio.run(looking)
    now = clock()
    counts: Counter[str] = Counter()
    for proposal, look in zip(taken, looks, strict=True):
        counts[record_look(proposal, look, now=now)] += 1
    return counts


def drain(
    *,
    eyes_for: EyesFor,
    anchors: tuple[Anchor, ...],
    clock: Callable[[], datetime],
    wait: Callable[[float], None],
    burst: timedelta = BURST,
) -> Counter[str]:
    """Look until nothing more falls due within `burst`; `wait` takes seconds.

    So a change is followed closely while it is young, and one call never lasts
    much longer than `burst`: the rest is left to the next turn.
    """
    end = clock() + burst
    counts: Counter[str] = Counter()
    while True:
        counts += verify_due(eyes_for=eyes_for, anchors=anchors, clock=clock)
        due, now = next_due(), clock()
        if due is None or max(due, now) >= end:
            return counts
        wait(max((due - now).total_seconds(), SOONEST.total_seconds() / 10))


def next_due() -> datetime | None:
    """Return when the next look of anybody is due; None when nothing is watched.

    One that somebody is looking at counts as due when its lease ends.
    """
    turn = Greatest("next_try_at", Coalesce("lease_until", "next_try_at"))
    rows = Proposal.objects.published().exclude(next_try_at=None)
    return (
        rows.annotate(turn=turn).order_by("turn").values_list("turn", flat=True).first()
    )


def _take(now: datetime, limit: int) -> Sequence[Proposal]:
    """Claim due proposals by compare-and-set on the fence (S-74)."""
    taken = []
    for proposal in Proposal.objects.watchable(now).with_domain()[:limit]:
        mine = Proposal.objects.filter(
            pk=proposal.pk, state=proposal.state, fence=proposal.fence
        )
        if mine.update(fence=proposal.fence + 1, lease_until=now + LEASE):
            proposal.fence += 1
            taken.append(proposal)
    return taken


def _target(proposal: Proposal) -> Target:
    zone = proposal.domain.zone
    return Target(
        child=parse_name(proposal.domain.name),
        parent=parse_name(zone.name),
        ds=ds_of(proposal.new_ds),
        servers=tuple(parse_endpoint(text, None) for text in zone.servers),
    )
