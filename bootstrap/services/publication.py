"""Put approved DS changes into the parent: say, do, say (S-73 to S-75, P-5.41).

Before the packet, the intent is committed; after it, the outcome. A half-done
one is settled by reading the parent, never by guessing (security.md 6.2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

from bootstrap.models import Proposal, Zone
from bootstrap.registry.ports import Registry

from . import chain, switches
from .actors import PUBLISHER, Actor
from .claims import Ending, begin, take_over
from .outcomes import conclude
from .sending import look, send

__all__ = ["Ending", "publish", "publish_due", "settle", "settle_all"]

Clock = Callable[[], datetime]
RegistryFor = Callable[[Zone], Registry]


def publish(
    proposal: Proposal, *, registry: Registry, actor: Actor, clock: Clock
) -> Ending:
    """Send one approved change, if it still holds, and record what came of it.

    Nothing is sent while the kill switch is engaged, nor what a breaker holds.
    `clock` is asked twice: before the act and after it. Two publishers with the
    same proposal have one effect: one of them gets `TAKEN`.
    """
    begun = begin(proposal, actor=actor, now=clock())
    if isinstance(begun, Ending):
        return begun
    if clock() >= begun.until:
        return Ending.TAKEN  # paused past the lease: whoever takes over decides (S-74)
    report = send(registry, begun.change)
    return conclude(begun, report, actor=actor, now=clock())


def settle(
    proposal: Proposal, *, registry: Registry, actor: Actor, clock: Clock
) -> Ending:
    """Find out what became of a half-sent change, by read-back (S-75)."""
    claim = take_over(proposal, now=clock())
    if claim is None:
        return Ending.TAKEN
    report = look(registry, claim.change)
    return conclude(claim, report, actor=actor, now=clock())


def publish_due(
    *,
    registry_for: RegistryFor,
    clock: Clock,
    limit: int = 100,
    wanted: Callable[[], bool] = lambda: True,
) -> Counter[Ending]:
    """Settle what was abandoned, then send what is due; at most `limit` of each.

    `wanted` is asked before each one: a publisher that is told to end finishes
    the one in hand. Nothing leaves a database that was rolled back (S-96).
    """
    if chain.is_read_only():
        return Counter()
    abandoned = Proposal.objects.abandoned(clock())[:limit]
    counts = _each(abandoned, settle, registry_for, clock, wanted)
    if switches.stopped():
        return counts  # reading back goes on: what left must be known
    due = Proposal.objects.due(clock())[:limit]
    return counts + _each(due, publish, registry_for, clock, wanted)


def settle_all(*, registry_for: RegistryFor, clock: Clock) -> Counter[Ending]:
    """Settle every half-sent change, leased or not: for the start of a publisher.

    Should another publisher be in the middle of one, then its late result lacks
    the fence, and the parent's prerequisites keep it to one effect (P13).
    """
    half_sent = Proposal.objects.half_sent()
    return _each(half_sent, settle, registry_for, clock, lambda: True)


def _each(
    proposals: Iterable[Proposal],
    act: Callable[..., Ending],
    registry_for: RegistryFor,
    clock: Clock,
    wanted: Callable[[], bool],
) -> Counter[Ending]:
    counts: Counter[Ending] = Counter()
    registries: dict[int, Registry] = {}
    for proposal in list(proposals):
        if not wanted():
            break
        zone = proposal.domain.zone
        if zone.pk not in registries:
            registries[zone.pk] = registry_for(zone)
        registry = registries[zone.pk]
        ending = act(proposal, registry=registry, actor=PUBLISHER, clock=clock)
        if ending is Ending.STOPPED:
            break  # and the same for all that would follow (S-71)
        counts[ending] += 1
    return counts
