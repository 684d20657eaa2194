"""The endpoint: answered when it is written down, bounded whatever comes (S-28)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

import dns.message
import dns.opcode
import pytest

from bootstrap.core.dns.names import parse_name
from bootstrap.scanner import notify
from bootstrap.scanner.notify import Listener

from .support import run

HOST = "127.0.0.1"


def a_notify(name="child.example"):
    message = dns.message.make_query(name, "CDS")
    message.set_opcode(dns.opcode.NOTIFY)
    return message.to_wire()


class Book:
    """Writes down what it is given, or fails when told to."""

    def __init__(self):
        self.pages = []
        self.is_shut = False

    async def write_down(self, senders):
        if self.is_shut:
            raise OSError("no database")
        self.pages.append(dict(senders))


@contextlib.asynccontextmanager
async def listening(book):
    listener = Listener(book.write_down)
    port = await listener.listen(HOST, 0)
    try:
        yield listener, port
    finally:
        await listener.aclose()


async def send(port, *messages):
    """Send datagrams and return the answers that come within a moment."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.settimeout(0)
        made.connect((HOST, port))
        for message in messages:
            made.send(message)
        answers: list[bytes] = []
        with contextlib.suppress(TimeoutError):
            while len(answers) < len(messages):
                async with asyncio.timeout(0.5):
                    answers.append(await loop.sock_recv(made, 512))
        return answers


def test_p_6_13_an_answer_leaves_only_when_the_job_is_written_down():
    book = Book()

    async def scene():
        async with listening(book) as (_listener, port):
            book.is_shut = True
            assert await send(port, a_notify()) == []
            book.is_shut = False
            return await send(port, a_notify())

    (answer,) = run(scene)

    assert dns.message.from_wire(answer).rcode() == 0
    assert book.pages == [{parse_name("child.example"): (HOST,)}]


def test_p_6_16_many_notifications_of_a_moment_are_one_page_and_one_child():
    book = Book()

    async def scene():
        async with listening(book) as (_listener, port):
            return await send(port, *[a_notify()] * 20, a_notify("other.example"))

    assert len(run(scene)) == 21
    assert len(book.pages) <= 3
    assert set().union(*book.pages) == {
        parse_name("child.example"),
        parse_name("other.example"),
    }


def test_p_6_15_beyond_the_bound_messages_are_answered_and_forgotten(monkeypatch):
    monkeypatch.setattr(notify, "PENDING", 3)
    book = Book()

    async def scene():
        async with listening(book) as (listener, port):
            answers = await send(port, *(a_notify(f"c{n}.example") for n in range(10)))
            return answers, listener.tally.take()

    answers, counted = run(scene)

    assert len(answers) == 10
    assert max(map(len, book.pages)) <= 3
    assert counted["heard"] == 10
    assert counted["overflow"] >= 4


def test_junk_is_counted_and_not_answered():
    book = Book()

    async def scene():
        async with listening(book) as (listener, port):
            query = dns.message.make_query("child.example", "CDS").to_wire()
            answers = await send(port, b"junk", query, b"")
            return answers, listener.tally.take()

    answers, counted = run(scene)

    assert answers == []
    assert counted["discarded"] >= 2
    assert book.pages == []


def test_p_6_10_a_connection_may_carry_several_and_be_closed_by_its_sender():
    book = Book()

    async def scene():
        async with listening(book) as (_listener, port):
            reader, writer = await asyncio.open_connection(HOST, port)
            for name in ("a.example", "b.example"):
                message = a_notify(name)
                writer.write(struct.pack("!H", len(message)) + message)
            writer.write_eof()
            answers: list[bytes] = []
            with contextlib.suppress(asyncio.IncompleteReadError):
                while True:
                    (size,) = struct.unpack("!H", await reader.readexactly(2))
                    answers.append(await reader.readexactly(size))
            writer.close()
            return answers

    assert len(run(scene)) == 2
    assert set().union(*book.pages) == {
        parse_name("a.example"),
        parse_name("b.example"),
    }


def test_silent_connections_are_closed_and_bounded_in_number(monkeypatch):
    monkeypatch.setattr(notify, "CONNECTIONS", 1)
    monkeypatch.setattr(notify, "IDLE", 0.1)
    book = Book()

    async def scene():
        async with listening(book) as (listener, port):
            first, its = await asyncio.open_connection(HOST, port)
            second, other = await asyncio.open_connection(HOST, port)
            closed = [await second.read(), await first.read()]
            its.close()
            other.close()
            return closed, listener.tally.take()

    closed, counted = run(scene)

    assert closed == [b"", b""]
    assert counted["overflow"] == 1


def test_an_address_that_is_not_ours_is_an_error():
    async def scene():
        with pytest.raises(OSError, match="assign"):
            async with listening(Book()) as (listener, _port):
                await listener.listen("192.0.2.1", 0)

    run(scene)
