"""NOTIFY(CDS): who named a child, weighed against the flood, and made a job.

A notification advances the moment of a look and nothing else: no content of it
has any influence on a verdict (S-27). So nobody needs to prove who he is, and
everybody is held to a pace (P-6.15, S-28).

A child that was named is due at once, before all that is due by the clock (P-1.45,
P-6.17); no child is looked at less often for it. One that is named before its
servers agree differs between them, which is of class R and tried again (P-6.19).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

from django.db import close_old_connections, transaction

from bootstrap import clock
from bootstrap.core.dns.names import Name, unrooted
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.models import Domain
from bootstrap.registry.addresses import DNS_PORT, Endpoint, parse_endpoint
from bootstrap.scanner.notify import Listener, Senders

from . import heartbeats, leasing, rates
from .rates import network_of

log = logging.getLogger("bootstrap.notify")

PER_CHILD: Final = rates.Rate(timedelta(minutes=5), 1)
PER_NETWORK: Final = rates.Rate(timedelta(seconds=6), 10)
"""protocol.md, section 10; S-28."""
SLICE: Final = 500
BEAT: Final = 30.0
"""Seconds between signs of life."""
PART: Final = "notify"


@transaction.atomic
def take(senders: Mapping[Name, Sequence[str]], *, now: datetime) -> tuple[str, ...]:
    """Let the children be evaluated that are ours and whose turn it may be.

    One notification from a network with room left is enough for a child. What
    is unknown, or over its pace, makes no job (P-6.14); a child under evaluation is
    evaluated once more afterwards (P-6.16). Return the names that made one.
    """
    wanted = {
        pk: name
        for pk, name, voices in _known(senders)
        if _may_speak(voices, now) and _may_be_named(pk, now)
    }
    leasing.request(wanted, trigger=Trigger.NOTIFY, now=now)
    return tuple(sorted(wanted.values()))


def _known(
    senders: Mapping[Name, Sequence[str]],
) -> list[tuple[int, str, Sequence[str]]]:
    by_name = {unrooted(name): voices for name, voices in senders.items()}
    names = sorted(by_name)
    found: list[tuple[int, str, Sequence[str]]] = []
    for start in range(0, len(names), SLICE):
        rows = Domain.objects.delegated().filter(name__in=names[start : start + SLICE])
        found += [
            (pk, name, by_name[name]) for pk, name in rows.values_list("pk", "name")
        ]
    return found


def _may_speak(voices: Sequence[str], now: datetime) -> bool:
    networks = dict.fromkeys(map(network_of, voices))
    return any(
        not rates.take(f"notify:{network}", PER_NETWORK, now=now)
        for network in networks
    )


def _may_be_named(pk: int, now: datetime) -> bool:
    return not rates.take(f"notify:{pk}", PER_CHILD, now=now)


def endpoints(texts: Sequence[str]) -> list[Endpoint]:
    """Return where to listen, from "ADDRESS" or "ADDRESS#PORT".

    Raises:
        ValueError: one is neither; the message says which.
    """
    return [parse_endpoint(text) for text in texts]


async def serve(
    places: Sequence[Endpoint], *, told_to_end: asyncio.Event
) -> dict[str, int]:
    """Listen until told to end; return what was counted.

    Raises:
        OSError: an address is not ours, or its port is taken or forbidden.
    """
    total: dict[str, int] = {}
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=1) as database:

        async def write_down(senders: Senders) -> None:
            await loop.run_in_executor(database, _written, senders)

        listener = Listener(write_down)
        try:
            for place in places:
                await listener.listen(place.address, place.port or DNS_PORT)
            while True:
                counts = listener.tally.take()
                total = {k: total.get(k, 0) + counts.get(k, 0) for k in total | counts}
                await loop.run_in_executor(database, _alive, counts)
                try:
                    await asyncio.wait_for(told_to_end.wait(), BEAT)
                except TimeoutError:
                    continue
                break
        finally:
            await listener.aclose()
            await loop.run_in_executor(database, close_old_connections)
    counts = listener.tally.take()
    return {k: total.get(k, 0) + counts.get(k, 0) for k in total | counts}


def _written(senders: Senders) -> None:
    close_old_connections()
    try:
        take(senders, now=clock.now())
    except Exception:
        log.exception("notify.not_written")
        raise


def _alive(counts: Mapping[str, int]) -> None:
    close_old_connections()
    if any(counts.values()):
        log.info("notify.heard", extra=dict(counts))
    heartbeats.beat(PART, now=clock.now(), **counts)
