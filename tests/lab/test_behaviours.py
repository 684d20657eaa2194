"""What a server does to its client, seen by a client that believes nothing."""

from __future__ import annotations

import socket
import struct
import time

import dns.flags
import dns.message
import dns.name
import dns.rcode
import pytest
from dns.rdatatype import RdataType

from bootstrap.lab.behaviours import BEHAVIOURS, Incoming
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.recipes import Recipe
from bootstrap.lab.worlds import Child, World

from .conftest import BOTH, SEED, real_time, small_world

PATIENCE = 0.25


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    children = tuple(
        Child(
            name=f"{name}.alpha.test",
            operators=BOTH,
            recipe=Recipe(behaviours={"b1": name}),
        )
        for name in BEHAVIOURS
    )
    base = small_world()
    world = World(parents=base.parents, operators=base.operators, children=children)
    folder = tmp_path_factory.mktemp("behaviours")
    with Lab(world, clock=real_time, folder=folder, seed=SEED, prefix="127.59") as lab:
        yield lab


def asked(behaviour, rdtype):
    name = dns.name.from_text(f"{behaviour}.alpha.test.")
    query = dns.message.make_query(name, rdtype, want_dnssec=True)
    query.flags &= ~dns.flags.RD
    return query


def address(lab, behaviour):
    host = dns.name.from_text(f"ns1.{behaviour}.harbour.test.")
    return lab.built.network.hosts[host][0], lab.port


def over_udp(lab, behaviour, rdtype="CDS"):
    """Return the first datagram that comes back, None for silence."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE)
        client.connect(address(lab, behaviour))
        query = asked(behaviour, rdtype)
        client.send(query.to_wire())
        try:
            return query, client.recv(65535)
        except TimeoutError:
            return query, None


def over_tcp(lab, behaviour, rdtype="CDS", *, to_the_end=False):
    """Return what comes on the stream: one message, or all until it ends."""
    query = asked(behaviour, rdtype)
    wire = query.to_wire()
    got, end = b"", time.monotonic() + PATIENCE
    with socket.create_connection(address(lab, behaviour), timeout=PATIENCE) as client:
        client.sendall(struct.pack("!H", len(wire)) + wire)
        try:
            while time.monotonic() < end and (to_the_end or not _whole(got)):
                if not (piece := client.recv(65535)):
                    return query, got, "closed"
                got += piece
        except TimeoutError:
            pass
    return query, got, "open"


def _whole(got):
    return len(got) > 1 and len(got) >= struct.unpack_from("!H", got)[0] + 2


def message_of(stream):
    return dns.message.from_wire(stream[2:])


def test_every_behaviour_of_the_table_is_described_here():
    described = {*SILENT, *RCODES, *EDITED, *STREAMS, *DATAGRAMS, *PARTIAL}
    described |= {*ONE_TYPE, *ABSENT, *ALIASED}
    others = {"honest", "no-tcp", "slow", "dribble", "hangs-up"}
    assert described | others == set(BEHAVIOURS)


SILENT = {
    "silent": (False, False),
    "udp-silent": (False, True),
    "tcp-silent": (True, False),
    "cds-silent": (False, False),
    "addresses-alone": (False, False),
}


@pytest.mark.parametrize(("behaviour", "heard"), SILENT.items())
def test_silence_is_total_on_its_transport(lab, behaviour, heard):
    on_udp, on_tcp = heard

    assert (over_udp(lab, behaviour)[1] is not None) == on_udp
    assert bool(over_tcp(lab, behaviour)[1]) == on_tcp


RCODES = {
    "refused": "REFUSED",
    "servfail": "SERVFAIL",
    "formerr": "FORMERR",
    "formerr-of-old": "FORMERR",
    "notimp": "NOTIMP",
    "notauth": "NOTAUTH",
    "badvers": "BADVERS",
    "nxdomain": "NXDOMAIN",
    "cds-refused": "REFUSED",
    "cds-notimp": "NOTIMP",
    "cds-servfail": "SERVFAIL",
}


@pytest.mark.parametrize(("behaviour", "rcode"), RCODES.items())
def test_an_rcode_comes_over_both_transports(lab, behaviour, rcode):
    datagram = dns.message.from_wire(over_udp(lab, behaviour)[1])
    stream = message_of(over_tcp(lab, behaviour)[1])

    assert dns.rcode.to_text(datagram.rcode()) == rcode
    assert dns.rcode.to_text(stream.rcode()) == rcode


PARTIAL = ["cds-refused", "cds-notimp", "cds-servfail", "cds-silent"]


@pytest.mark.parametrize("behaviour", PARTIAL)
def test_other_types_are_answered_by_servers_that_dislike_cds(lab, behaviour):
    response = message_of(over_tcp(lab, behaviour, "SOA")[1])

    assert response.answer[0].rdtype == RdataType.SOA


@pytest.mark.parametrize("rdtype", ["A", "AAAA"])
def test_a_server_that_knows_addresses_alone_gives_them(lab, rdtype):
    response = message_of(over_tcp(lab, "addresses-alone", rdtype)[1])

    assert response.answer[0].rdtype == RdataType[rdtype]
    assert over_tcp(lab, "addresses-alone", "SOA")[1] == b""


EDITED = {
    "recursor": lambda m: not m.flags & dns.flags.AA and m.answer,
    "no-edns": lambda m: m.edns < 0 and len(m.answer) == 1,
    "upward-referral": lambda m: m.authority[0].name == dns.name.root,
    "parking": lambda m: m.flags & dns.flags.AA and not m.answer and not m.authority,
    "apex-cname": lambda m: m.answer[0].rdtype == RdataType.CNAME,
    "truncated": lambda m: m.flags & dns.flags.TC and not m.answer,
    "no-soa": lambda m: m.answer,
    "cds-twice": lambda m: m.answer,
    "wrong-question": lambda m: m.question[0].name.labels[0] == b"other",
    "not-a-response": lambda m: not m.flags & dns.flags.QR,
    "cds-crowded": lambda m: [r.rdtype for r in m.answer].count(RdataType.CNAME) == 1,
    "cds-failing": lambda m: m.rcode() == dns.rcode.SERVFAIL and m.answer,
    "cds-something-else": lambda m: [r.rdtype for r in m.answer] == [RdataType.A],
}


@pytest.mark.parametrize(("behaviour", "is_so"), EDITED.items())
def test_an_answer_is_spoiled_in_one_way(lab, behaviour, is_so):
    assert is_so(message_of(over_tcp(lab, behaviour)[1]))


ALIASED = {"no-cname": [], "wrong-cname": ["other.example."]}
REDIRECTED = """id 1
opcode QUERY
rcode NOERROR
flags QR AA
;QUESTION
a.old.example. IN CDS
;ANSWER
old.example. 300 IN DNAME new.example.
a.old.example. 300 IN CNAME a.new.example.
"""


@pytest.mark.parametrize(("behaviour", "targets"), ALIASED.items())
def test_what_a_dname_makes_is_left_out_or_wrong(behaviour, targets):
    honest = dns.message.from_text(REDIRECTED).to_wire()
    query = dns.message.make_query("a.old.example.", "CDS")

    reaction = BEHAVIOURS[behaviour](Incoming(query, tcp=True, honest=lambda: honest))

    message = dns.message.from_wire(reaction.messages[0])
    aliases = [r for r in message.answer if r.rdtype == RdataType.CNAME]
    assert [str(rrset[0].target) for rrset in aliases] == targets
    assert len(message.answer) == len(targets) + 1


def test_who_hangs_up_says_nothing_on_either_transport(lab):
    _, got, end = over_tcp(lab, "hangs-up", to_the_end=True)

    assert (got, end) == (b"", "closed")
    assert over_udp(lab, "hangs-up")[1] is None


def test_a_record_is_repeated_on_the_wire(lab):
    stream = over_tcp(lab, "cds-twice")[1]
    once = over_tcp(lab, "honest")[1]

    assert (
        struct.unpack_from("!H", stream, 8)[0]
        == 2 * struct.unpack_from("!H", once, 8)[0]
    )


def test_absent_data_comes_without_soa(lab):
    assert not message_of(over_tcp(lab, "no-soa", "TXT")[1]).authority
    assert message_of(over_tcp(lab, "honest", "TXT")[1]).authority


ONE_TYPE = {"ns-servfail": "NS", "soa-servfail": "SOA", "dnskey-servfail": "DNSKEY"}


@pytest.mark.parametrize(("behaviour", "rdtype"), ONE_TYPE.items())
def test_a_server_fails_for_one_type_alone(lab, behaviour, rdtype):
    failed = message_of(over_tcp(lab, behaviour, rdtype)[1])
    answered = message_of(over_tcp(lab, behaviour)[1])

    assert dns.rcode.to_text(failed.rcode()) == "SERVFAIL"
    assert answered.answer


ABSENT = {
    "no-dnskey": ("DNSKEY", lambda m: not m.answer and m.rcode() == dns.rcode.NOERROR),
    "denied-name": ("TXT", lambda m: m.rcode() == dns.rcode.NXDOMAIN),
    "parent-soa": (
        "TXT",
        lambda m: [str(r.name) for r in m.authority] == ["alpha.test."],
    ),
}


@pytest.mark.parametrize(
    ("behaviour", "rdtype", "is_so"), [(b, *w) for b, w in ABSENT.items()]
)
def test_what_is_absent_is_denied_wrongly(lab, behaviour, rdtype, is_so):
    assert is_so(message_of(over_tcp(lab, behaviour, rdtype)[1]))
    assert message_of(over_tcp(lab, behaviour)[1]).answer


def test_a_server_of_old_has_no_edns(lab):
    assert message_of(over_tcp(lab, "formerr-of-old")[1]).edns < 0
    assert message_of(over_tcp(lab, "formerr")[1]).edns == 0


def test_a_parking_server_has_an_address_for_every_name(lab):
    assert message_of(over_tcp(lab, "parking", "A")[1]).answer


STREAMS = {
    "tcp-closed": lambda got: got == b"",
    "mid-message": lambda got: 2 < len(got) < struct.unpack_from("!H", got)[0] + 2,
    "length-long": lambda got: struct.unpack_from("!H", got)[0] == len(got) - 2 + 100,
    "length-short": lambda got: struct.unpack_from("!H", got)[0] == len(got) - 2 - 10,
    "length-zero": lambda got: got[:2] == b"\0\0",
}


@pytest.mark.parametrize(("behaviour", "is_so"), STREAMS.items())
def test_a_stream_breaks_and_ends(lab, behaviour, is_so):
    _, got, end = over_tcp(lab, behaviour, to_the_end=True)

    assert end == "closed"
    assert is_so(got)
    assert over_udp(lab, behaviour)[1] is not None


DATAGRAMS = {
    "wrong-id": lambda query, got: got[1] ^ 1 == query.to_wire()[1],
    "garbage": lambda query, got: got[2:4] == b"\x84\0" and b"\xff" * 40 in got,
    "octet": lambda query, got: got == bytes(1),
    "short": lambda query, got: len(got) == 9,
    "junk-first": lambda query, got: got == bytes(4),
    "udp-truncated": lambda query, got: got[2] & 2,
    "bomb": lambda query, got: len(got) < 1233,
}


@pytest.mark.parametrize(("behaviour", "is_so"), DATAGRAMS.items())
def test_a_datagram_is_odd(lab, behaviour, is_so):
    query, got = over_udp(lab, behaviour)

    assert got is not None
    assert is_so(query, got)


def test_a_bomb_has_three_thousand_records(lab):
    got = over_tcp(lab, "bomb")[1]

    assert struct.unpack_from("!H", got, 8)[0] == 3000
    assert len(got) > 40_000


def test_a_server_without_tcp_refuses_the_connection(lab):
    with pytest.raises(ConnectionRefusedError):
        over_tcp(lab, "no-tcp")

    assert over_udp(lab, "no-tcp")[1] is not None


def test_slow_and_dribbling_servers_keep_their_client_waiting(lab):
    assert over_udp(lab, "slow")[1] is None
    assert len(over_tcp(lab, "dribble")[1]) <= 3
