"""What the queue may run: take, hand over, nothing else; no arguments (S-78).

A task may run twice, late, or not at all: the tables of work are the truth.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import replace
from typing import Final

from bootstrap import bell, clock, config
from bootstrap.services import (
    chain,
    compaction,
    confining,
    deliveries,
    discovering,
    heartbeats,
    holds,
    invariants,
    lapsing,
    operators,
    publication,
    rates,
    recording,
    scanning,
    statistics,
    switches,
    trusting,
    verification,
)
from bootstrap.services.parents import registry_for

SOURCES: Final = 100
"""Nameservers listed in one turn, so that a task ends in time."""


def drain_scans() -> dict[str, int]:
    """Evaluate what is due; return how many ended how."""
    holder = f"{socket.gethostname()}:{os.getpid()}"
    at = scanning.site()
    if bell.LIFE in os.environ:  # a worker of ours, which may end (S-20)
        limits = config.scanning()
        confining.limit_memory(limits.memory)
        at = replace(at, cpu_seconds=limits.cpu_seconds)
    return dict(recording.count(scanning.drain(holder=holder, at=at)))


def drain_publications() -> dict[str, int]:
    """Publish what is due, where this process may: usually the publisher polls."""
    if not config.publishes():
        return {}
    sent = publication.publish_due(registry_for=registry_for, clock=clock.now)
    return {str(ending): count for ending, count in sent.items()}


def drain_verifications() -> dict[str, int]:
    """Look whether published changes are visible and the children validate."""
    world = trusting.trusted(config.world(), now=clock.now())
    counts = verification.drain(
        eyes_for=lambda port: world.scanner(clock=clock.now, port=port),
        anchors=world.anchors,
        clock=clock.now,
        wait=time.sleep,
    )
    return dict(counts)


def lapse_expired() -> int:
    """Lapse what outlived its approval or its signatures; return how many (P-1.62)."""
    return lapsing.lapse_expired(now=clock.now())


def gather_findings() -> int:
    """Find one cause behind many domains; forget rates that hold nobody back."""
    rates.forget(now=clock.now())
    operators.count_zones()
    found = operators.gather(now=clock.now())
    operators.count_operators()
    return found


def keep_guards() -> dict[str, int]:
    """Let go on what released breakers held; note the file that stops all (S-71)."""
    now = clock.now()
    switches.notice_file(now=now)
    return {"resumed": holds.resume(now=now)}


def count_figures() -> int:
    """Count the day so far, for the pages that show figures."""
    return statistics.count(now=clock.now())


def deliver_webhooks() -> dict[str, int]:
    """Tell other machines what happened; return how many tries ended how."""
    return dict(deliveries.deliver_due(egress=config.webhooks(), clock=clock.now))


def check_invariants() -> int:
    """Check what must always hold; return how many of it do not (I-1 to I-10)."""
    return invariants.watch(now=clock.now())


def compact_scans() -> int:
    """Shrink old routine evaluations; return how many (P-8.36)."""
    return compaction.compact(now=clock.now(), ticks=clock.ticks)


def discover_signals() -> int:
    """List the signals of nameservers whose turn it is; return how many are news."""
    every = config.discovering()
    if not every:
        return 0
    now = clock.now()
    world = trusting.trusted(config.world(), now=now)
    discovering.keep_sources(now=now)
    found = discovering.explore_due(
        eyes=lambda: world.scanner(clock=clock.now), every=every, limit=SOURCES, now=now
    )
    return sum(len(one.news) for one in found)


def watch_ledger() -> bool:
    """Raise the alarm when nobody seals the trail; say whether all is well."""
    return chain.watch(now=clock.now())


def canary() -> None:
    """Come back alive: the way through queue, worker and database is open."""
    heartbeats.beat("worker", now=clock.now())
