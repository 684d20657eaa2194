"""What the tests of the scanner share: a site on loopback and quick limits."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from bootstrap import clock
from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.evaluation.queries import Carrier, Query
from bootstrap.scanner.egress import Egress, networks
from bootstrap.scanner.pacing import Limits
from bootstrap.scanner.transport import Site, SocketTransport

T = TypeVar("T")

LAB = Egress(allowed=networks(["127.0.0.0/8", "::1"]))
QUICK = Limits(connect=0.2, exchange=0.2, idle=0.5, failures_kept=5.0)
CHILD = parse_name("child.example")


def a_site(port: int, **changes: object) -> Site:
    """Return a site that may ask loopback and does not wait for long."""
    return Site(**{"egress": LAB, "limits": QUICK, "port": port, **changes})  # type: ignore[arg-type]


def a_query(
    server: str = "127.0.0.1",
    rdtype: RdataType = RdataType.CDS,
    carrier: Carrier = Carrier.ANY,
) -> Query:
    return Query(server, CHILD, CHILD, rdtype, carrier)


TCP = a_query(carrier=Carrier.TCP)


@contextlib.asynccontextmanager
async def transport_to(port: int, **changes: object) -> AsyncIterator[SocketTransport]:
    transport = SocketTransport(a_site(port, **changes), clock=clock.now)
    try:
        yield transport
    finally:
        await transport.aclose()


def run(scene: Callable[[], Awaitable[T]]) -> T:
    """Run a scene and make sure that nothing is left running."""

    async def whole() -> T:
        async with asyncio.timeout(20):
            found = await scene()
        for _ in range(3):
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left
        return found

    return asyncio.run(whole())


def open_files() -> int:
    """Return how many descriptors this process has."""
    with os.scandir("/proc/self/fd") as entries:
        return sum(1 for _ in entries)
