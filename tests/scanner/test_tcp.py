"""One pipelined connection to a server, and servers that break it (S-12; P-2.20)."""

from __future__ import annotations

import asyncio
import os

import dns.message
import pytest

from bootstrap.core.dns.records import RdataType
from bootstrap.core.evaluation.observations import Trouble
from bootstrap.core.evaluation.queries import Carrier
from bootstrap.scanner.pacing import Allowance, Limits, Pace
from bootstrap.scanner.runner import ask_all
from tests.support import hostile
from tests.support.hostile import HostileServer

from .support import QUICK, TCP, a_query, open_files, run, transport_to

TYPES = (
    RdataType.SOA,
    RdataType.CDS,
    RdataType.CDNSKEY,
    RdataType.DNSKEY,
    RdataType.NS,
    RdataType.A,
)
ALL = [a_query(rdtype=rdtype, carrier=Carrier.TCP) for rdtype in TYPES]


def ask(tcp, *, queries=(TCP,), udp=None, address="127.0.0.1", **changes):
    """Return what queries to a server with these manners bring, and the server."""

    async def scene():
        async with (
            HostileServer(udp, tcp, address) as server,
            transport_to(server.port, **changes) as transport,
        ):
            loop = asyncio.get_running_loop()
            start = loop.time()
            seen = await ask_all(transport, queries)
            server.took = loop.time() - start
            return seen, server

    return run(scene)


def test_an_answer_over_tcp_is_kept_without_its_length():
    (seen,), server = ask(hostile.tcp_honest)

    assert server.queries == [("tcp", seen.sent)]
    assert seen.received == hostile.answer(seen.sent)
    assert (seen.transport, seen.attempts, seen.source) == ("tcp", 1, "127.0.0.1")


def test_tcp_over_ipv6_works_as_over_ipv4():
    (seen,), _server = ask(
        hostile.tcp_honest,
        address="::1",
        queries=[a_query("::1", carrier=Carrier.TCP)],
    )

    assert seen.received is not None


def test_all_questions_share_one_connection_and_answers_keep_their_order():
    seen, server = ask(hostile.tcp_backwards, queries=ALL * 5)

    assert server.connections == 1
    assert [s.query for s in seen] == ALL * 5
    for observation in seen:
        message = dns.message.from_wire(observation.received)
        assert message.question[0].rdtype == observation.query.rdtype


def test_no_more_queries_are_under_way_than_the_pipeline_holds():
    under_way = []

    async def tcp(peer):
        while True:
            queries = [await peer.query()]
            await asyncio.sleep(0.01)
            while peer.reader._buffer:
                queries.append(await peer.query())
            under_way.append(len(queries))
            for query in queries:
                peer.send(hostile.answer(query))

    seen, _server = ask(tcp, queries=ALL * 10, limits=Limits(pipeline=8))

    assert all(s.received for s in seen)
    assert max(under_way) <= 8
    assert max(under_way) > 1


NO_ANSWER = {
    "accepts and says nothing": (hostile.tcp_silent, Trouble.TIMEOUT),
    "accepts and closes": (hostile.tcp_closing, Trouble.TCP_CLOSED),
    "resets after the query": (hostile.tcp_reset, Trouble.TCP_CLOSED),
    "closes in the middle of the answer": (
        hostile.tcp_mid_message,
        Trouble.TCP_CLOSED,
    ),
    "sends an octet now and then": (hostile.tcp_trickle, Trouble.TIMEOUT),
    "says a length that is too long": (
        hostile.tcp_lying(lambda n: n + 1000),
        Trouble.TIMEOUT,
    ),
    "says a length that is too short": (
        hostile.tcp_lying(lambda n: n - 8),
        None,
    ),
    "says length zero": (hostile.tcp_lying(lambda n: 0), Trouble.JUNK),
    "answers with another id": (
        hostile.replying(lambda q: hostile.with_id(hostile.answer(q))),
        Trouble.JUNK,
    ),
    "answers another question": (
        hostile.replying(hostile.other_question),
        Trouble.JUNK,
    ),
    "echoes the query": (hostile.replying(lambda q: q), Trouble.JUNK),
    "sends noise": (hostile.replying(lambda q: os.urandom(64)), Trouble.JUNK),
    "floods with wrong answers": (hostile.tcp_flood, Trouble.JUNK),
}


@pytest.mark.parametrize(("tcp", "trouble"), NO_ANSWER.values(), ids=NO_ANSWER)
def test_there_is_no_answer_from_a_server_that(tcp, trouble):
    (seen,), server = ask(tcp)

    assert seen.trouble is trouble
    assert server.took < 3 * QUICK.exchange + 0.5
    assert server.connections <= 3
    if trouble is None:  # cut short: the parser will say so (P-9.2)
        assert seen.received is not None
        assert len(seen.received) == len(hostile.answer(seen.sent)) - 8
    else:
        assert seen.received is None
    if trouble is Trouble.JUNK:
        assert seen.junk > 0


def test_a_closed_port_is_unreachable():
    (seen,), _server = ask(None)

    assert seen.trouble is Trouble.UNREACHABLE
    assert seen.attempts == 3


def test_answers_that_nobody_asked_for_are_counted_and_ignored():
    (seen,), _server = ask(hostile.tcp_several)

    assert seen.received == hostile.answer(seen.sent)
    assert seen.junk == 4


def test_an_error_without_question_is_kept_for_the_judge():
    (seen,), _server = ask(hostile.replying(lambda q: hostile.bare_error(q, 1)))

    assert seen.received == hostile.bare_error(seen.sent, 1)


def test_a_bomb_is_kept_raw_and_not_parsed():
    (seen,), _server = ask(hostile.replying(hostile.bomb))

    assert seen.received == hostile.bomb(seen.sent)


def test_an_answer_of_64_kib_arrives_whole():
    (seen,), _server = ask(hostile.replying(lambda q: hostile.big(q, 60_000)))

    assert len(seen.received) == len(hostile.big(seen.sent, 60_000)) > 50_000


def test_a_server_that_closes_after_each_answer_is_asked_one_at_a_time():
    seen, server = ask(hostile.tcp_one_each, queries=ALL * 3)

    assert all(s.received for s in seen)
    assert server.connections < 2 * len(seen)


def test_a_server_that_drops_one_type_answers_the_others():
    seen, server = ask(hostile.tcp_lossy, queries=ALL)

    missing = [s.query.rdtype for s in seen if s.trouble is Trouble.TIMEOUT]
    assert missing == [RdataType.CDS]
    assert server.connections == 2  # silence alone on a connection ends it


def test_a_connection_closed_while_idle_costs_no_attempt():
    async def tcp(peer):
        peer.send(hostile.answer(await peer.query()))
        await peer.query()  # and closes when the second arrives

    async def scene():
        async with (
            HostileServer(None, tcp) as server,
            transport_to(server.port) as transport,
        ):
            first = await transport.ask(TCP)
            second = await transport.ask(TCP)
            return first, second, server.connections

    first, second, connections = run(scene)

    assert first.received is not None
    assert second.received is not None
    assert (second.attempts, connections) == (1, 2)


def test_trickling_servers_do_not_hold_back_a_normal_one():
    """S-12: slow-loris on many addresses at once."""

    async def scene():
        async with (
            HostileServer(None, hostile.tcp_trickle, "127.0.1.1") as slow,
            HostileServer(None, hostile.tcp_honest, port=slow.port) as normal,
            transport_to(slow.port, limits=QUICK) as transport,
        ):
            loop = asyncio.get_running_loop()
            waiting = [
                asyncio.create_task(
                    transport.ask(a_query("127.0.1.1", carrier=Carrier.TCP))
                )
                for _ in range(300)
            ]
            await asyncio.sleep(0.05)
            start = loop.time()
            seen = await ask_all(transport, ALL)
            took = loop.time() - start
            lost = await asyncio.gather(*waiting)
            return seen, took, lost, normal.connections

    seen, took, lost, connections = run(scene)

    assert all(s.received for s in seen)
    assert took < 0.2
    assert connections == 1
    assert {s.trouble for s in lost} == {Trouble.TIMEOUT}


def test_an_idle_connection_is_closed_in_time():
    closed = []

    async def tcp(peer):
        peer.send(hostile.answer(await peer.query()))
        await peer.reader.read()
        closed.append(True)

    async def scene():
        async with (
            HostileServer(None, tcp) as server,
            transport_to(
                server.port, limits=Limits(exchange=0.2, idle=0.05)
            ) as transport,
        ):
            await transport.ask(TCP)
            await asyncio.sleep(0.15)
            return list(closed)

    assert run(scene) == [True]


def test_closing_the_transport_ends_queries_under_way():
    async def scene():
        async with HostileServer(None, hostile.tcp_silent) as server:
            async with transport_to(
                server.port, limits=Limits(exchange=5)
            ) as transport:
                task = asyncio.create_task(transport.ask(TCP))
                await asyncio.sleep(0.02)
            async with asyncio.timeout(1):
                return await task

    assert run(scene).trouble is Trouble.TCP_CLOSED


def test_one_address_bears_no_more_than_its_pace():
    """S-13 with the product's defaults: 20 queries a second."""

    async def scene():
        async with (
            HostileServer(None, hostile.tcp_honest) as server,
            transport_to(server.port, lab_pace=Pace()) as transport,
        ):
            loop = asyncio.get_running_loop()
            start = loop.time()
            await ask_all(transport, ALL * 2)
            return loop.time() - start, server.connections

    took, connections = run(scene)

    assert took >= 11 / 20
    assert connections == 1


def test_an_address_has_at_most_two_sockets_at_once():
    most = 0

    async def scene():
        nonlocal most
        async with HostileServer(hostile.silent) as server:
            pace = Pace(queries_a_second=None)
            async with transport_to(server.port, lab_pace=pace) as transport:
                before = open_files()
                tasks = [
                    asyncio.create_task(transport.ask(a_query())) for _ in range(50)
                ]
                for _ in range(10):
                    await asyncio.sleep(0.01)
                    most = max(most, open_files() - before)
                await asyncio.gather(*tasks)

    run(scene)

    assert most == 2


def test_idle_connections_of_a_network_make_way_for_its_other_addresses():
    async def scene():
        pace = Pace(sockets_per_network=2, queries_a_second=None)
        async with HostileServer(None, hostile.tcp_honest, "127.0.2.1") as first:
            others = [
                HostileServer(None, hostile.tcp_honest, f"127.0.2.{n}", first.port)
                for n in range(2, 6)
            ]
            for server in others:
                await server.__aenter__()
            async with transport_to(first.port, lab_pace=pace) as transport:
                seen = [
                    await transport.ask(a_query(f"127.0.2.{n}", carrier=Carrier.TCP))
                    for n in range(1, 6)
                ]
            for server in others:
                await server.__aexit__()
            return seen

    assert all(s.received for s in run(scene))


def test_the_budget_of_an_evaluation_ends_in_limit_and_not_in_silence():
    async def scene():
        async with (
            HostileServer(None, hostile.tcp_honest) as server,
            transport_to(server.port) as transport,
        ):
            time = asyncio.get_running_loop().time
            allowance = Allowance(Limits(queries=4), time)
            seen = await ask_all(transport, ALL, allowance=allowance)
            return seen, server.count("tcp")

    seen, sent = run(scene)

    assert sent == 4
    assert [s.trouble for s in seen].count(Trouble.LIMIT) == 2


def test_a_slow_server_cannot_outlast_the_evaluation():
    async def scene():
        async with (
            HostileServer(hostile.silent, hostile.tcp_silent) as server,
            transport_to(server.port, limits=Limits(exchange=5.0)) as transport,
        ):
            loop = asyncio.get_running_loop()
            start = loop.time()
            allowance = Allowance(Limits(wall=0.15), loop.time)
            seen = await ask_all(transport, [TCP, a_query()], allowance=allowance)
            return seen, loop.time() - start

    seen, took = run(scene)

    assert [s.trouble for s in seen] == [Trouble.LIMIT, Trouble.LIMIT]
    assert took < 1
