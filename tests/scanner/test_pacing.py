"""Places, permits, dead servers and one evaluation's share (S-10, S-13, P-1.74)."""

from __future__ import annotations

import asyncio

import pytest

from bootstrap.core.evaluation.observations import Trouble
from bootstrap.scanner.pacing import Allowance, Breaker, Bucket, Limits, Pace, Room


def test_the_defaults_are_those_of_the_security_document():  # P-1.71
    assert Pace() == Pace(
        sockets_per_address=2, sockets_per_network=8, queries_a_second=20.0
    )
    limits = Limits()
    assert (limits.queries, limits.addresses, limits.wall) == (400, 40, 120.0)
    assert (limits.octets, limits.attempts) == (8 * 2**20, 3)


def test_a_room_never_holds_more_than_its_limit():
    async def scene():
        room = Room(3)
        inside = most = 0

        async def visit():
            nonlocal inside, most
            await room.enter()
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            room.leave()

        await asyncio.gather(*(visit() for _ in range(20)))
        return most, room.is_unused

    assert asyncio.run(scene()) == (3, True)


def test_an_idle_connection_makes_way_for_who_waits():
    async def scene():
        room = Room(1)
        await room.enter()
        closed = []

        def close():
            closed.append(True)
            room.withdraw(close)
            room.leave()

        waiting = asyncio.create_task(room.enter())
        await asyncio.sleep(0)
        assert not waiting.done()
        room.offer(close)
        await waiting
        return closed

    assert asyncio.run(scene()) == [True]


def test_only_as_many_idle_connections_are_closed_as_places_are_needed():
    async def scene():
        room = Room(2)
        closed = []
        for number in range(2):
            await room.enter()

            def close(number=number):
                closed.append(number)
                room.leave()

            room.offer(close)
            withdraw = room._idle
            withdraw[close] = None
        waiter = asyncio.create_task(room.enter())
        await waiter
        return closed

    assert asyncio.run(scene()) == [0]


def test_a_cancelled_visitor_leaves_no_place_behind():
    async def scene():
        room = Room(1)
        await room.enter()
        waiting = asyncio.create_task(room.enter())
        await asyncio.sleep(0)
        room.leave()  # hands the place to `waiting`,
        waiting.cancel()  # which is cancelled before it wakes
        await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(1):
            await room.enter()
        room.leave()
        return room.is_unused

    assert asyncio.run(scene())


def test_permits_are_spaced_evenly():
    async def scene():
        bucket = Bucket(100.0)
        loop = asyncio.get_running_loop()
        start = loop.time()
        await asyncio.gather(*(bucket.draw() for _ in range(11)))
        return loop.time() - start

    assert asyncio.run(scene()) >= 0.1


def test_a_bucket_without_rate_does_not_wait():
    async def scene():
        bucket = Bucket(None)
        async with asyncio.timeout(1):
            for _ in range(10_000):
                await bucket.draw()

    asyncio.run(scene())


def test_a_breaker_opens_after_silence_in_a_row_and_closes_in_time():
    breaker = Breaker(after=3, keep=60.0)
    for moment in (1.0, 2.0):
        breaker.failed(Trouble.TIMEOUT, moment)
        assert breaker.verdict(moment) is None

    breaker.failed(Trouble.UNREACHABLE, 3.0)

    assert breaker.verdict(3.0) is Trouble.UNREACHABLE
    assert breaker.verdict(62.9) is Trouble.UNREACHABLE
    assert breaker.verdict(63.0) is None


def test_a_breaker_that_was_open_opens_again_at_the_first_silence():
    breaker = Breaker(after=2, keep=60.0)
    for moment in (0.0, 0.0, 61.0):
        breaker.failed(Trouble.TIMEOUT, moment)

    assert breaker.verdict(62.0) is Trouble.TIMEOUT


def test_one_answer_makes_a_breaker_forget():
    breaker = Breaker(after=2, keep=60.0)
    breaker.failed(Trouble.TIMEOUT, 0.0)
    breaker.worked()
    breaker.failed(Trouble.TIMEOUT, 1.0)

    assert breaker.verdict(1.0) is None


class Watch:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def test_an_allowance_refuses_the_query_after_the_last():
    allowance = Allowance(Limits(queries=3), Watch())

    assert [allowance.take_query() for _ in range(5)] == [True] * 3 + [False] * 2
    assert allowance.queries == 3


def test_an_allowance_refuses_the_address_after_the_last_and_knows_repeats():
    allowance = Allowance(Limits(addresses=2), Watch())

    taken = [allowance.take_address(a) for a in ("a", "b", "a", "c")]

    assert taken == [True, True, True, False]


@pytest.mark.parametrize(
    ("seconds", "octets"), [(120.1, 0), (0.0, 8 * 2**20)], ids=["time", "octets"]
)
def test_an_allowance_is_spent_by(seconds, octets):
    watch = Watch()
    allowance = Allowance(Limits(), watch)
    watch.time += seconds
    allowance.octets += octets

    assert allowance.is_spent
    assert not allowance.take_query()


def test_waiting_for_our_own_pace_costs_no_time():
    watch = Watch()
    allowance = Allowance(Limits(wall=10), watch)
    allowance.hold()
    allowance.hold()
    watch.time += 100
    allowance.resume()
    watch.time += 100
    assert allowance.remaining == 10

    allowance.resume()
    watch.time += 4

    assert allowance.remaining == 6
