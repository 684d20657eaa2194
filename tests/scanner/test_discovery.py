"""Signals are listed by transfer or by walk, and never believed (P-1.41, P-1.42)."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

import dns.message
import dns.name
import dns.rrset
import pytest

from bootstrap import clock
from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.signaling import Ending, child_at
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.recipes import Recipe, SignalRecipe
from bootstrap.lab.worlds import Child, Operator, Parent, World
from bootstrap.scanner.discovery import Bounds, Way
from bootstrap.scanner.sockets import NoSocket
from bootstrap.scanner.transfers import NoTransfer, owners

from .support import run, transport_to
from .test_scanner import a_scanner

ALPHA, BETA = parse_name("alpha.test"), parse_name("beta.test")
COUNT = 12


def a_child(name, operator, **signal):
    signals = {"a1": SignalRecipe(**signal)} if signal else {}
    recipe = Recipe(nameservers=("a1",), signals=signals)
    return Child(name=name, operators=(operator,), recipe=recipe)


@pytest.fixture(scope="module")
def signalled(tmp_path_factory):
    """Children of two parents at three operators, one for each kind of denial."""
    operators = {
        "nsec.example": "nsec",
        "hash.example": "nsec3",
        "made.example": "compact",
    }
    world = World(
        parents=(Parent(name="alpha.test"), Parent(name="beta.test")),
        operators=tuple(
            Operator(
                zone=zone,
                denial=denial,
                nameservers=("ns1",),
                signals=denial == "nsec",
            )
            for zone, denial in operators.items()
        ),
        children=(
            *(
                a_child(f"c{number:02}.{parent}", "nsec.example")
                for parent in ("alpha.test", "beta.test")
                for number in range(COUNT)
            ),
            a_child("hashed.alpha.test", "hash.example", place="host"),
            a_child("made.alpha.test", "made.example", place="host"),
        ),
    )
    folder = tmp_path_factory.mktemp("signalled")
    with Lab(
        world, clock=clock.now, folder=folder, seed=b"signals", prefix="127.56"
    ) as running:
        yield running


def signals(lab, host, parents=(ALPHA, BETA), bounds=Bounds()):  # noqa: B008 - frozen
    async def scene():
        async with a_scanner(lab) as scanner:
            return await scanner.signals(parse_name(host), parents, bounds)

    return run(scene)


def test_a_walk_lists_every_child_of_our_zones_and_asks_once_for_each(signalled):
    found = signals(signalled, "ns1.nsec.example")

    assert (found.way, found.ending) == (Way.WALK, Ending.COMPLETE)
    assert sorted(map(str, found.children)) == sorted(
        f"c{number:02}.{parent}."
        for parent in ("alpha.test", "beta.test")
        for number in range(COUNT)
    )
    # One transfer in vain, one question for the second parent, one for each name.
    assert found.queries == 2 + 2 * COUNT


def test_children_of_others_are_left_out(signalled):
    found = signals(signalled, "ns1.nsec.example", (BETA,))

    assert len(found.children) == COUNT
    assert all(child.is_subdomain(BETA) for child in found.children)
    assert found.queries == 1 + COUNT


@pytest.mark.parametrize(
    ("host", "ending"),
    [("ns1.hash.example", Ending.HASHED), ("ns1.made.example", Ending.MADE_UP)],
)
def test_what_cannot_be_walked_says_so_after_one_question(signalled, host, ending):
    found = signals(signalled, host)

    assert (found.children, found.ending) == ((), ending)
    assert found.queries == 1


def test_a_host_without_signals_has_a_complete_empty_list(signalled):
    found = signals(signalled, "www.nsec.example")

    assert (found.children, found.ending) == ((), Ending.COMPLETE)


def test_a_host_that_nobody_serves_ends_as_silent(signalled):
    found = signals(signalled, "ns1.nowhere.invalid")

    assert found.children == ()
    assert found.ending in {Ending.SILENT, Ending.COMPLETE}


def test_a_walk_stops_at_its_bound_and_says_that_there_is_more(signalled):
    found = signals(signalled, "ns1.nsec.example", bounds=Bounds(names=5))

    assert found.ending is Ending.LIMIT
    assert len(found.children) == 5


# -- transfers, from a server that says what it is told to ---------------------

ZONE = dns.name.from_text("_signal.ns1.op.example")
SOA = "op.example. hostmaster.op.example. 1 3600 900 604800 300"


def records(*owners, soas=2):
    """Return the records of a transfer: signals of `owners` between two SOAs."""
    soa = dns.rrset.from_text(ZONE, 300, "IN", "SOA", SOA)
    cds = [
        dns.rrset.from_text(
            dns.name.from_text(f"_dsboot.{owner}", ZONE), 300, "IN", "CDS", "0 0 0 00"
        )
        for owner in owners
    ]
    return [soa, *cds, *[soa] * (soas - 1)]


def frame(request, rrsets, ident=None, rcode=0):
    asked = dns.message.from_wire(request)
    answer = dns.message.make_response(asked)
    answer.id = asked.id if ident is None else ident
    answer.set_rcode(rcode)
    answer.answer = list(rrsets)
    wire = answer.to_wire(max_size=65_535)
    return struct.pack("!H", len(wire)) + wire


@contextlib.contextmanager
def serving(reply):
    """Answer one connection with what `reply` makes of the request; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            with contextlib.suppress(OSError):
                made, _peer = listening.accept()
                with made:
                    made.settimeout(2)
                    (length,) = struct.unpack("!H", made.recv(2))
                    made.sendall(reply(made.recv(length)))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def transferred(reply, octets=1_000_000):
    """Return the children in a transfer, or None when it is broken."""
    host, zone = parse_name("ns1.op.example"), parse_name(ZONE.to_text())

    async def scene(port):
        async with transport_to(port) as transport:
            found = [
                child_at(owner, host, (parse_name("test"),))
                async for owner in owners(transport, "127.0.0.1", zone, octets=octets)
            ]
            return sorted(str(child) for child in found if child)

    with serving(reply) as port:
        try:
            return run(lambda: scene(port))
        except (NoSocket, OSError, NoTransfer):
            return None


def test_a_transfer_gives_the_children_and_nothing_else():
    rrsets = records("a.test", "b.c.test", "d.other", "test", "")

    assert transferred(lambda asked: frame(asked, rrsets)) == ["a.test.", "b.c.test."]


def test_a_transfer_may_come_in_many_messages():
    rrsets = records("a.test", "b.test")

    def reply(asked):
        return b"".join(frame(asked, [one]) for one in rrsets)

    assert transferred(reply) == ["a.test.", "b.test."]


@pytest.mark.parametrize(
    "reply",
    [
        lambda asked: frame(asked, [], rcode=5),
        lambda asked: frame(asked, records("a.test"), ident=0),
        lambda asked: frame(asked, records("a.test", soas=1)),
        lambda asked: frame(asked, records("a.test")[1:]),
        lambda asked: frame(asked, records("a.test"))[:-9],
        lambda asked: b"\x00\x04junk",
        lambda asked: b"",
    ],
    ids=["refused", "foreign", "unended", "headless", "cut", "junk", "closed"],
)
def test_a_transfer_that_is_refused_broken_or_foreign_is_not_taken(reply):
    assert transferred(reply) is None


def test_a_transfer_larger_than_its_bound_is_not_taken():
    rrsets = records(*(f"c{number}.test" for number in range(100)))

    assert transferred(lambda asked: frame(asked, rrsets), octets=500) is None
