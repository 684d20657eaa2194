"""Many questions over one connection, with one word for all that goes wrong: none."""

from __future__ import annotations

import asyncio

import dns.message
import pytest

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import RdataType
from bootstrap.scanner import wire
from bootstrap.scanner.egress import Egress
from bootstrap.scanner.pacing import Limits, Pace
from tests.support import hostile
from tests.support.hostile import HostileServer

from .support import run, transport_to

QUESTIONS = [
    wire.question(parse_name(f"child{n}.example"), RdataType.CDS) for n in range(100)
]


def survey(tcp, questions=QUESTIONS, **changes):
    async def scene():
        async with (
            HostileServer(None, tcp, "127.0.0.1") as server,
            transport_to(server.port, **changes) as transport,
        ):
            loop = asyncio.get_running_loop()
            start = loop.time()
            found = await transport.survey("127.0.0.1", questions)
            server.took = loop.time() - start
            return found, server

    return run(scene)


def names(found):
    return [
        str(dns.message.from_wire(packet).question[0].name) if packet else None
        for packet in found
    ]


EXPECTED = [f"child{n}.example." for n in range(100)]


@pytest.mark.parametrize("manners", [hostile.tcp_honest, hostile.tcp_backwards])
def test_answers_come_in_the_order_of_asking_over_one_connection(manners):
    found, server = survey(manners)

    assert names(found) == EXPECTED
    assert server.connections == 1


def test_no_questions_need_no_connection():
    found, server = survey(hostile.tcp_honest, [])

    assert found == []
    assert server.connections == 0


def test_it_keeps_to_the_pace_of_the_address():
    pace = Pace(queries_a_second=100.0)
    found, server = survey(hostile.tcp_honest, QUESTIONS[:20], lab_pace=pace)

    assert names(found) == EXPECTED[:20]
    assert server.took >= 0.18


def test_no_more_are_under_way_than_the_pipeline_holds():
    most = 0

    async def tcp(peer):
        nonlocal most
        while True:
            queries = [await peer.query()]
            await asyncio.sleep(0.01)
            while peer.reader._buffer:
                queries.append(await peer.query())
            most = max(most, len(queries))
            for query in queries:
                peer.send(hostile.answer(query))

    found, _server = survey(tcp, limits=Limits(pipeline=8))

    assert names(found) == EXPECTED
    assert most <= 8


def test_what_a_server_leaves_unanswered_is_none_and_the_rest_is_there():
    async def tcp(peer):
        while True:
            query = await peer.query()
            if b"child7\x07" not in query:
                peer.send(hostile.answer(query))

    found, _server = survey(tcp)

    assert names(found) == [None if n == 7 else name for n, name in enumerate(EXPECTED)]


def test_a_forbidden_address_is_not_asked():
    found, server = survey(hostile.tcp_honest, egress=Egress())

    assert found == [None] * 100
    assert server.connections == 0


def test_nobody_there_is_no_answer():
    async def scene():
        async with transport_to(1) as transport:
            return await transport.survey("127.0.0.1", QUESTIONS[:3])

    assert run(scene) == [None] * 3


def test_a_survey_that_is_given_up_is_not_asked_to_its_end():
    async def slow(peer):
        while True:
            await peer.query()

    async def scene():
        async with (
            HostileServer(None, slow, "127.0.0.1") as server,
            transport_to(server.port, limits=Limits(pipeline=4)) as transport,
        ):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await transport.survey("127.0.0.1", QUESTIONS)
            return len(server.queries)

    assert run(scene) == 4


def test_closed_eyes_see_nothing():
    async def scene():
        async with transport_to(1) as transport:
            await transport.aclose()
            return await transport.survey("127.0.0.1", QUESTIONS[:1])

    assert run(scene) == [None]
