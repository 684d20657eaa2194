"""Anything that can put one question to one server, and many of them at once.

`scanner.Scanner` is the facade over it: it runs the plan of a whole case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from bootstrap.core.evaluation.observations import Observation
from bootstrap.core.evaluation.queries import Query

from .pacing import Allowance


class Transport(Protocol):
    """Anything that can put one question to the DNS."""

    async def ask(
        self,
        query: Query,
        *,
        allowance: Allowance | None = None,
        attempts: int | None = None,
    ) -> Observation:
        """Return what came back; silence is an outcome, not an exception.

        `allowance` is charged for every packet, `attempts` lowers the number of
        tries over one transport (P-1.74).
        """
        ...

    def shuns(self, address: str) -> bool:
        """Say whether asking `address` now is known to be in vain."""
        ...


async def ask_all(
    transport: Transport,
    queries: Iterable[Query],
    *,
    allowance: Allowance | None = None,
) -> tuple[Observation, ...]:
    """Ask everything side by side; the order out is the order in.

    The transport bounds what is really under way.
    """
    asked = (transport.ask(query, allowance=allowance) for query in queries)
    return tuple(await asyncio.gather(*asked))
