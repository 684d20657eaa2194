"""The server that measurements of growth use for silent children, beside Knot."""

from __future__ import annotations

import json
import socket
import sqlite3
import struct
import zlib
from contextlib import contextmanager
from pathlib import Path

import dns.edns
import dns.message
import dns.rdatatype
from hypothesis import given, strategies as st

from benchmarks import knots, synthesis, vast
from benchmarks.installation import Installation, Sqlite
from tests.conftest import needs

PARENT = "alpha.test"
TYPES = ("CDS", "CDNSKEY", "SOA", "NS", "DNSKEY", "A", "AAAA", "MX", "DS", "TYPE65400")
NAMES = ("s0000001", "S0000001", "nobody.s0000002", "_dsboot.s0000003")
COUNT = 1_000
SILENT = synthesis.Silent(PARENT, vast.HOSTS)


@contextmanager
def knot(folder: Path, addresses: list[str], children: list[str]):
    """Serve the zones that the synthesising server says that it has."""
    files = folder / "zones"
    files.mkdir(parents=True)
    for child in children:
        (files / f"{child}.zone").write_text(
            f"{child}. 300 SOA {vast.HOSTS[0]}. hostmaster.{child}."
            " 1 3600 600 604800 60\n"
            + "".join(f"{child}. 300 NS {host}.\n" for host in vast.HOSTS)
        )
    with knots.Served(
        folder, addresses, knots.PORT, zones=tuple(children), files=files, secret="AA=="
    ) as served:
        yield served


@contextmanager
def synthesised(folder: Path, addresses: list[str]):
    with vast.Synthesis(folder, addresses, knots.PORT, parent=PARENT) as served:
        yield served


def over_udp(address: str, query: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(query, (address, knots.PORT))
        return client.recv(65_535)


def over_tcp(address: str, queries: list[bytes]) -> list[bytes]:
    """Send all at once, as pipelining clients do; return what comes back, in order."""
    with socket.create_connection((address, knots.PORT), 5) as client:
        client.sendall(b"".join(struct.pack("!H", len(q)) + q for q in queries))
        stream = client.makefile("rb")
        return [stream.read(int.from_bytes(stream.read(2))) for _ in queries]


def questions():
    for label in NAMES:
        for rdtype in TYPES:
            for edns in (True, False):
                query = dns.message.make_query(
                    f"{label}.{PARENT}",
                    rdtype,
                    want_dnssec=edns,
                    use_edns=edns,
                    options=[dns.edns.NSIDOption(b"")] if edns else None,
                )
                query.flags = 0
                query.id = 4711
                yield query.to_wire()


def test_its_answers_are_those_of_knot_octet_by_octet(tmp_path):
    needs("knotd")
    queries = list(questions())
    children = [f"s{number:07}.{PARENT}" for number in range(10)]
    with (
        knot(tmp_path / "knot", ["127.53.9.1"], children),
        synthesised(tmp_path / "ours", ["127.53.9.2"]),
    ):
        theirs = over_tcp("127.53.9.1", queries)
        ours = over_tcp("127.53.9.2", queries)
        datagrams = [over_udp("127.53.9.2", query) for query in queries]

    for query, here, there in zip(queries, ours, theirs, strict=True):
        told = dns.message.from_wire(query).question[0]
        assert here == there, told
    assert datagrams == ours


def scanned(folder: Path, manifest, key: str) -> dict[str, tuple[str, bool]]:
    """Scan what is due; return what is kept of each silent child's answers."""
    installation, database = Installation(manifest), Sqlite(folder)
    if not (folder / f"{key}.start").exists():
        installation.prepare(database, key)
    url = database.fresh(key)
    installation.manage(url, "scan", "--due")
    with sqlite3.connect(database.file) as connection:
        batches = connection.execute("SELECT lines FROM bootstrap_scanbatch").fetchall()
    lines = [
        json.loads(line)
        for (packed,) in batches
        for line in zlib.decompress(packed).splitlines()
    ]
    return {line["child"]: (line["answers"], line["signed"]) for line in lines}


def test_a_scan_finds_the_same_there_as_on_knot(tmp_path, monkeypatch):
    needs("knotd", "taskset")
    monkeypatch.setenv("BENCH_FOLDER", str(tmp_path / "kept"))
    folder = vast.made(COUNT, 1)
    addresses = vast.addresses(folder)
    children = list(vast.silent(PARENT, COUNT * 99 // 100))
    with knots.serving(folder) as manifest:
        with knot(tmp_path / "knot", addresses, children):
            there = scanned(tmp_path, manifest, "both")
        with synthesised(tmp_path / "ours", addresses):
            here = scanned(tmp_path, manifest, "both")

    assert set(there) == set(children)
    assert here == there


@given(st.binary(max_size=80))
def test_whatever_comes_is_answered_by_a_message_or_not_at_all(octets):
    reply = SILENT.answer(octets)

    if reply is not None:
        assert reply[:2] == octets[:2]
        assert dns.message.from_wire(reply).flags & 0x8000


@given(st.data())
def test_a_spoiled_question_is_no_reason_to_fall(data):
    query = bytearray(data.draw(st.sampled_from(list(questions()))))
    at = data.draw(st.integers(0, len(query) - 1))
    query[at] = data.draw(st.integers(0, 255))
    short = bytes(query[: data.draw(st.integers(0, len(query)))])

    for octets in (bytes(query), short):
        SILENT.answer(octets)


def test_who_sends_no_question_is_hung_up_on(tmp_path):
    with (
        synthesised(tmp_path, ["127.53.9.3"]),
        socket.create_connection(("127.53.9.3", knots.PORT), 5) as client,
    ):
        client.sendall(struct.pack("!H", 60_000) + bytes(1_000))

        assert client.recv(1) == b""
