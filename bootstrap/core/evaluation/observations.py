"""What came back: raw packets with their circumstances, and no opinion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from bootstrap.core.dns.messages import Malformed, Response, read
from bootstrap.core.dnssec.chain import Question

from .queries import Query


@unique
class Trouble(StrEnum):
    """Why there is no packet."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"  # ICMP, no route, connection refused
    TCP_CLOSED = "tcp-closed"  # connected, then closed before a whole answer
    FORBIDDEN = "forbidden"  # our egress policy (P-1.72)
    NO_EGRESS = "no-egress"  # our site lacks this address family (P-2.23)
    JUNK = "junk"  # only packets that answer something else (S-7)
    LIMIT = "limit"  # the evaluation's budget of queries or time


@dataclass(frozen=True, slots=True)
class Observation:
    """One query put to one address, and what came back.

    Exactly one of `received` and `trouble` is set. `transport` is "udp" or
    "tcp", `at` when the (last) packet was sent, in UTC, `elapsed_us`
    microseconds until the answer or the giving up. `junk` counts packets that
    were ignored because they did not belong to the query; none is kept (S-7, S-23).
    """

    query: Query
    at: datetime
    sent: bytes
    received: bytes | None = None
    trouble: Trouble | None = None
    transport: str = "udp"
    elapsed_us: int = 0
    attempts: int = 1
    source: str = ""
    junk: int = 0
    vantage: str = "local"


def seen(observations: Iterable[Observation]) -> dict[Question, tuple[Response, ...]]:
    """Return what the validator may look at, in the order of asking.

    A question whose servers gave nothing usable has an empty tuple; malformed
    packets are left out here and classified elsewhere (P-9.2).
    """
    answers: dict[Question, tuple[Response, ...]] = {}
    see(answers, observations)
    return answers


def see(
    answers: dict[Question, tuple[Response, ...]], observations: Iterable[Observation]
) -> None:
    """Add later observations to `answers`, as `seen` would have them all together."""
    for observation in observations:
        query = observation.query
        question = Question(query.zone, query.name, query.rdtype)
        before = answers.setdefault(question, ())
        if observation.received is not None:
            try:
                response = read(observation.received, query.name, query.rdtype)
            except Malformed:
                continue
            answers[question] = (*before, response)
