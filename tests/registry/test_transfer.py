"""Transfers: from real primaries, and from servers that break off or lie."""

from __future__ import annotations

import time

import dns.message
import dns.name
import dns.rcode
import dns.renderer
import dns.rrset
import dns.tsig
import pytest

from bootstrap.core.dns.names import parse_name, unrooted
from bootstrap.registry.addresses import Endpoint
from bootstrap.registry.rows import Row, SourceRefused
from bootstrap.registry.transfer import transfer
from bootstrap.registry.tsigkeys import parse_key
from tests.conftest import needs

from .fakes import framed, serving
from .primaries import ADDRESS, CHILDREN, PARENT, STRANGER, UPDATER, bind, client, knot

ZONE = parse_name(PARENT)
SOA = "a.nic.test. h.nic.test. 7 3600 900 1209600 60"
MAKERS = {
    "knot": (knot, 5393, ("knotd", "keymgr")),
    "bind": (bind, 5394, ("named",)),
}


def key_of(tsig=UPDATER):
    text = f'key "{tsig.name}" {{ algorithm hmac-sha256; secret "{tsig.secret}"; }};'
    return parse_key(text, "key")


@pytest.fixture(scope="module", params=MAKERS)
def primary(request, tmp_path_factory):
    make, port, programs = MAKERS[request.param]
    needs(*programs)
    with make(tmp_path_factory.mktemp(f"axfr-{request.param}"), port):
        yield Endpoint(ADDRESS, port)


@pytest.mark.system
def test_a_real_primary_gives_all_delegations_and_its_serial(primary):
    found = transfer(primary, ZONE, key_of())
    rows = [row for row in found if isinstance(row, Row)]

    assert found.serial == client(primary.port).read_back(ZONE).serial
    names = {unrooted(row.delegation.child) for row in rows}
    assert names == {"taken.test", *(f"c{n}.test" for n in range(CHILDREN))}
    (first,) = [row for row in rows if unrooted(row.delegation.child) == "c0.test"]
    assert list(map(unrooted, first.delegation.nameservers)) == [
        "ns1.op.example",
        "ns2.op.example",
    ]


@pytest.mark.system
@pytest.mark.parametrize("key", [None, key_of(STRANGER)], ids=["no key", "another key"])
def test_a_real_primary_refuses_those_it_does_not_know(primary, key):
    with pytest.raises(
        SourceRefused, match=r"the server answers (REFUSED|NOTAUTH): .*TSIG key"
    ):
        transfer(primary, ZONE, key)


def records(*texts: str) -> list[dns.rrset.RRset]:
    found = []
    for text in texts:
        owner, ttl, rdclass, rdtype, rdata = text.split(maxsplit=4)
        found.append(dns.rrset.from_text(owner, int(ttl), rdclass, rdtype, rdata))
    return found


START = f"test. 60 IN SOA {SOA}"
CHILD = "child.test. 60 IN NS ns.op.example."
GLUE = "ns.op.test. 60 IN A 192.0.2.1"
INNER = "inner.test. 60 IN NS ns.op.test."


def answers(question: bytes, *parts: list[str], key=None, sign=None, **header):
    """Return one message for each part, signed where `sign` says so."""
    asked = dns.message.from_wire(question, keyring=key.keyring() if key else None)
    wires, context = [], None
    for number, part in enumerate(parts):
        message = dns.message.make_response(asked)
        message.set_rcode(header.get("rcode", dns.rcode.NOERROR))
        message.answer = records(*part)
        if key is None or (sign is not None and not sign(number)):
            message.tsig = None
            wires.append(message.to_wire())
            if context is not None:
                context.update(wires[-1])
            continue
        wires.append(message.to_wire(multi=True, tsig_ctx=context))
        context = message.tsig_ctx
    return wires


def transferred(*parts: list[str], cut: int | None = None, key=None, **options):
    def answer(question: bytes):
        yield framed(*answers(question, *parts, key=key, **options))[:cut]

    with serving(answer) as server:
        found = transfer(server, ZONE, key, patience=0.3)
        rows = [row for row in found if isinstance(row, Row)]
        return {unrooted(row.delegation.child): row.delegation for row in rows}


def test_a_transfer_may_come_in_one_message_or_many():
    whole = [[START, CHILD, INNER, GLUE, START]]
    many = [[START], [CHILD], [INNER, GLUE], [START]]

    assert transferred(*whole) == transferred(*many)
    assert transferred(*whole)["inner.test"].glue == (
        (parse_name("ns.op.test"), "192.0.2.1"),
    )


FAULTS = {
    "it ends without the final SOA": [[START, CHILD]],
    "it does not begin with the SOA": [[CHILD, START]],
    "it begins with the SOA of another zone": [
        ["other. 60 IN SOA a. b. 7 1 1 1 1", CHILD, START]
    ],
    "the zone changed meanwhile": [[START, CHILD, START.replace(" 7 ", " 8 ")]],
    "records follow the end": [[START, CHILD, START, INNER]],
    "a message is empty": [[START], [], [START]],
}


@pytest.mark.parametrize("parts", FAULTS.values(), ids=FAULTS)
def test_a_transfer_that_is_not_whole_is_refused_whole(parts):
    with pytest.raises(SourceRefused):
        transferred(*parts)


@pytest.mark.parametrize("cut", [0, 1, 20, 60, 90, -1])
def test_a_transfer_that_is_cut_anywhere_is_refused_whole(cut):
    with pytest.raises(SourceRefused, match="broke off"):
        transferred([START], [CHILD], [START], cut=cut)


def test_a_server_that_says_no_is_named_with_its_code():
    with pytest.raises(SourceRefused, match="REFUSED"):
        transferred([START], rcode=dns.rcode.REFUSED)


def test_an_answer_to_another_question_is_refused():
    def answer(question: bytes):
        (wire,) = answers(question, [START, START])
        yield framed(bytes([wire[0] ^ 1]) + wire[1:])

    with serving(answer) as server, pytest.raises(SourceRefused, match="not belong"):
        transfer(server, ZONE)


@pytest.mark.parametrize(
    "sign",
    [lambda n: True, lambda n: n in {0, 3}, lambda n: n in {0, 2, 3}],
    ids=["every message", "first and last", "some in between"],
)
def test_a_signed_transfer_is_taken(sign):
    parts = [[START], [CHILD], [INNER], [START]]

    assert transferred(*parts, key=key_of(), sign=sign).keys() == {
        "child.test",
        "inner.test",
    }


@pytest.mark.parametrize(
    "sign",
    [lambda n: False, lambda n: n > 0, lambda n: n < 3],
    ids=["nothing", "not the first", "not the last"],
)
def test_a_transfer_whose_ends_are_not_signed_is_refused(sign):
    with pytest.raises(SourceRefused, match="signed"):
        transferred([START], [CHILD], [INNER], [START], key=key_of(), sign=sign)


def test_a_record_that_was_changed_on_the_way_breaks_the_signature():
    def answer(question: bytes):
        wires = answers(question, [START], [CHILD], [START], key=key_of())
        yield framed(*wires).replace(b"\x05child", b"\x05chile")

    with serving(answer) as server, pytest.raises(SourceRefused):
        transfer(server, ZONE, key_of())


def test_unsigned_messages_are_covered_by_the_next_signature():
    def answer(question: bytes):
        signed_ends = {"key": key_of(), "sign": lambda n: n in {0, 2}}
        wires = answers(question, [START], [CHILD], [START], **signed_ends)
        yield framed(*wires).replace(b"\x05child", b"\x05chile")

    with serving(answer) as server, pytest.raises(SourceRefused):
        transfer(server, ZONE, key_of())


def test_a_silent_server_costs_its_patience_only():
    def silent(_question: bytes):
        time.sleep(0.4)
        yield b""

    with serving(silent) as server, pytest.raises(SourceRefused, match="out of time"):
        transfer(server, ZONE, patience=0.1)


def test_nobody_there_is_said_so():
    with pytest.raises(SourceRefused, match="no connection"):
        transfer(Endpoint("127.0.0.1", 1), ZONE)
