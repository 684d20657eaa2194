"""A `Transport` that answers from stored observations and sends nothing."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from datetime import datetime

from bootstrap.core.evaluation.observations import Observation, Trouble
from bootstrap.core.evaluation.queries import Query

from .pacing import Allowance


class Replay:
    """Gives each query's observations again, in their order, the last for ever.

    A query that was never asked is `UNREACHABLE` with no attempt, at the moment
    that `clock` gives: it is not in the record.
    """

    def __init__(
        self, observations: Iterable[Observation], *, clock: Callable[[], datetime]
    ) -> None:
        self._clock = clock
        self._stored: defaultdict[Query, deque[Observation]] = defaultdict(deque)
        for observation in observations:
            self._stored[observation.query].append(observation)
        self._known = {query.server for query in self._stored}

    async def ask(
        self,
        query: Query,
        *,
        allowance: Allowance | None = None,
        attempts: int | None = None,  # noqa: ARG002 - part of the protocol
    ) -> Observation:
        """Return what came back then."""
        if allowance is not None and not allowance.take_query():
            return self._nothing(query, Trouble.LIMIT)
        stored = self._stored.get(query)
        if not stored:
            return self._nothing(query, Trouble.UNREACHABLE)
        return stored.popleft() if len(stored) > 1 else stored[0]

    def shuns(self, address: str) -> bool:
        """Say whether the record knows nothing of `address`."""
        return address not in self._known

    def _nothing(self, query: Query, trouble: Trouble) -> Observation:
        return Observation(query, self._clock(), b"", None, trouble, attempts=0)
