"""Delegations from a zone file: what is read, what is reported, what is refused."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap

import dns.rdatatype
import dns.zone
import pytest
from hypothesis import given, strategies as st

from bootstrap.core.dns.names import parse_name, unrooted
from bootstrap.core.dns.records import Ds
from bootstrap.registry.lines import read_lines
from bootstrap.registry.rows import BadLine, Row, SourceRefused
from bootstrap.registry.zonefile import read_zone_file

PARENT = parse_name("ch")
HEAD = "$ORIGIN ch.\n$TTL 1h\n@ SOA a.nic h.nic 2026112401 1h 15m 2w 15m\n@ NS a.nic\n"
DIGEST = "AB" * 32


@pytest.fixture
def read(tmp_path):
    """Return rows by child and the bad lines of a zone with this text."""

    def reading(text: str | bytes, head: str = HEAD):
        path = tmp_path / "ch.zone"
        raw = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(head.encode() + raw)
        found = read_zone_file(path, PARENT)
        entries = list(found)
        rows = [entry for entry in entries if isinstance(entry, Row)]
        bad = [entry for entry in entries if isinstance(entry, BadLine)]
        assert found.expected is not None
        assert found.expected >= len(rows)
        return {unrooted(row.delegation.child): row for row in rows}, bad

    return reading


def hosts(row: Row) -> list[str]:
    return [unrooted(host) for host in row.delegation.nameservers]


def test_ns_ds_and_glue_of_a_child_come_together_wherever_they_stand(read):
    rows, bad = read(
        "one NS ns.one\n"
        "two IN NS ns1.example.org.\n"
        f"one 300 IN DS 12345 13 2 {DIGEST}\n"
        "ns.one AAAA 2001:DB8::1\nns.one A 192.0.2.1\n"
        "ONE NS NS2.Example.ORG.\n"
    )

    assert bad == []
    one = rows["one.ch"]
    assert hosts(one) == ["ns.one.ch", "ns2.example.org"]
    assert one.delegation.glue == (
        (parse_name("ns.one.ch"), "192.0.2.1"),
        (parse_name("ns.one.ch"), "2001:db8::1"),
    )
    assert one.delegation.ds == (Ds.from_text(f"12345 13 2 {DIGEST}"),)
    assert one.delegation.parent == PARENT
    assert one.line == 5
    assert hosts(rows["two.ch"]) == ["ns1.example.org"]


def test_sibling_glue_is_held_too_and_foreign_addresses_are_not(read):
    rows, bad = read(
        "one NS ns.two\none NS ns.example.org.\ntwo NS ns.two\nns.two A 192.0.2.7\n"
    )

    assert bad == []
    assert rows["one.ch"].delegation.glue == ((parse_name("ns.two.ch"), "192.0.2.7"),)


FORMS = {
    "a comment": "one NS ns1 ; the first\n",
    "parentheses over lines": "one ( NS\n ns1 ; here\n )\n",
    "class before ttl": "one IN 300 NS ns1\n",
    "ttl with units before class": "one 1h30m IN NS ns1\n",
    "an absolute name": "one.ch. NS ns1.ch.\n",
    "another origin": "$ORIGIN one.ch.\n@ NS ns1.ch.\n",
    "a relative origin": "$ORIGIN one\n@ NS ns1.ch.\n",
    "a blank owner": "one TXT x\n  NS ns1\n",
    "quotes with a semicolon": 'one TXT "a;b ( c"\n NS ns1\n',
    "unknown form": "one TYPE2 \\# 8 03 6e7331 02 6368 00\n",
    "windows lines": "one NS ns1\r\n",
    "tabs": "one\t\tNS\t\tns1\n",
    "no end of line": "one NS ns1",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_the_forms_of_rfc_1035_all_say_the_same(read, text):
    rows, bad = read(text)

    assert bad == []
    assert {name: hosts(row) for name, row in rows.items()} == {"one.ch": ["ns1.ch"]}


def test_ds_may_be_broken_over_lines_and_in_pieces(read):
    half = "AB" * 16
    rows, bad = read(f"one NS ns1\none DS ( 12345 13 2\n {half}\n {half} )\n")

    assert bad == []
    assert rows["one.ch"].delegation.ds[0].digest == b"\xab" * 32


BROKEN = {
    "an unknown type": ("one NX ns1", "'NX' is no record type"),
    "a bad ds": ("one DS 1 2 3", "DS rdata"),
    "a bad digest": ("one DS 1 2 2 XY", "DS rdata"),
    "two fields": ("one NS ns1 ns2", "2 fields"),
    "a bad address": ("one A 192.0.2.300", "192.0.2.300"),
    "a quote left open": ('one TXT "open', "quote"),
    "a parenthesis left open": ("one NS ( ns3", "never closed"),
    "a parenthesis never opened": ("one NS ns3 )", "never opened"),
    "another class": ("one CH NS ns3", "class CH"),
    "nothing behind the owner": ("one", "missing"),
    "a label too long": (f"one NS {'x' * 64}", "over-long"),
}


@pytest.mark.parametrize(("line", "why"), BROKEN.values(), ids=BROKEN)
def test_a_broken_line_spoils_its_own_child_and_nothing_else(read, line, why):
    rows, bad = read(f"one NS ns1\nzwei NS ns1\n{line}\ndrei NS ns1\n")

    assert rows.keys() == {"zwei.ch", "drei.ch"}
    assert [(found.line, found.child) for found in bad] == [(7, parse_name("one.ch"))]
    assert why in bad[0].reason


def test_a_line_whose_owner_is_no_name_spoils_the_blank_lines_after_it(read):
    rows, bad = read("a..b NS ns1\n  NS ns2\ntwo NS ns1\n  NS ns2\n")

    assert rows.keys() == {"two.ch"}
    assert [found.line for found in bad] == [5, 6]
    assert all(found.child is None for found in bad)


def test_what_lies_outside_or_is_unknown_is_reported(read):
    _rows, bad = read("one.org. NS ns1\n$UNKNOWN x\n$TTL soon\n")

    assert [found.line for found in bad] == [5, 6, 7]
    assert "outside" in bad[0].reason
    assert "directive" in bad[1].reason


def test_a_ds_without_a_delegation_is_reported(read):
    rows, bad = read(f"one DS 12345 13 2 {DIGEST}\n")

    assert rows == {}
    assert bad == [BadLine(5, "a DS without a delegation", parse_name("one.ch"))]


def test_what_a_delegation_or_a_dname_hides_is_no_delegation(read):
    rows, bad = read(
        "one NS ns1\nbelow.one NS ns1\none2 NS ns1\n"
        "moved DNAME example.org.\nbelow.moved NS ns1\n"
        "a.b NS ns1\n"
    )

    assert bad == []
    assert rows.keys() == {"one.ch", "one2.ch", "a.b.ch"}


@pytest.mark.parametrize("text", ["$INCLUDE more.zone\n", "$GENERATE 1-9 d$ NS ns1\n"])
def test_what_would_hide_records_refuses_the_file(read, text):
    with pytest.raises(SourceRefused, match="one plain file"):
        read(text)


def test_something_else_than_a_zone_file_is_refused(read):
    with pytest.raises(SourceRefused, match="is this a zone file"):
        read("\x00\xff junk\n" * 20_000)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SourceRefused, match="No such file"):
        read_zone_file(tmp_path / "none", PARENT)


def test_the_serial_is_that_of_the_soa(tmp_path):
    path = tmp_path / "zone"
    path.write_text(HEAD)
    assert read_zone_file(path, PARENT).serial == 2026112401
    path.write_text("one NS ns1.example.org.\n")
    assert read_zone_file(path, PARENT).serial is None


def test_a_reader_is_told_how_far_it_is(tmp_path):
    path = tmp_path / "zone"
    path.write_text(HEAD + f"one NS ns1 ; {'x' * 200}\n" * 15_000)
    told: list[int] = []
    list(read_zone_file(path, PARENT, told.append))

    assert told[-1] == path.stat().st_size
    assert told == sorted(told)
    assert len(told) > 2


label = st.sampled_from(["a", "b", "c", "ns1", "ns2", "xn--bcher-kva", "_x"])
name = st.lists(label, min_size=1, max_size=3).map(".".join)
target = st.one_of(name, name.map(lambda text: f"{text}.example.org."))
record = st.one_of(
    st.tuples(name, st.just("NS"), target),
    st.tuples(name, st.just("A"), st.sampled_from(["192.0.2.1", "192.0.2.2"])),
    st.tuples(name, st.just("AAAA"), st.just("2001:db8::1")),
    st.tuples(name, st.just("DS"), st.just(f"12345 13 2 {DIGEST}")),
    st.tuples(name, st.just("TXT"), st.just('"some ; text"')),
)


@given(st.lists(record, max_size=25))
def test_dnspython_reads_the_same_delegations(tmp_path_factory, records):
    text = HEAD + "".join(f"{owner} {kind} {data}\n" for owner, kind, data in records)
    path = tmp_path_factory.getbasetemp() / "random.zone"
    path.write_text(text)

    rows = [row for row in read_zone_file(path, PARENT) if isinstance(row, Row)]

    zone = dns.zone.from_text(text, origin="ch.", relativize=False)
    cuts = {
        owner: rdataset
        for owner, rdataset in zone.iterate_rdatasets(dns.rdatatype.NS)
        if owner != zone.origin
        and not any(
            zone.get_rdataset(above, dns.rdatatype.NS)
            for above in _between(owner, zone.origin)
        )
    }
    assert {row.delegation.child: row.delegation.nameservers for row in rows} == {
        owner: tuple(sorted(rdata.target for rdata in rdataset))
        for owner, rdataset in cuts.items()
    }
    assert [row.delegation.child for row in rows] == sorted(cuts)
    for row in rows:
        ds = zone.get_rdataset(row.delegation.child, dns.rdatatype.DS) or ()
        assert {found.to_wire() for found in row.delegation.ds} == {
            rdata.to_wire() for rdata in ds
        }


def _between(owner, origin):
    above = owner.parent()
    while above != origin:
        yield above
        above = above.parent()


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=8))
def test_whatever_stands_in_a_file_the_good_lines_are_still_read(
    tmp_path_factory, junk
):
    """A line of junk may spoil a child that it names; it never stops the rest."""
    lines = [text.replace("$", "").replace("safe", "") for text in junk]
    path = tmp_path_factory.getbasetemp() / "junk.zone"
    path.write_text(HEAD + "\n".join(lines) + "\n\nsafe.ch. NS ns1.example.org.\n")

    found = [entry for entry in read_zone_file(path, PARENT) if isinstance(entry, Row)]

    swallowed = any("(" in text for text in lines)
    assert swallowed or "safe.ch" in {unrooted(row.delegation.child) for row in found}


def test_a_parenthesis_left_open_costs_its_own_line_only():
    text = b"one NS ( ns1\n" + b"two NS ns1\n" * 2_000
    lines = list(read_lines(io.BytesIO(text), lambda _octets: None))

    assert len(lines) == 2_001
    assert lines[0].number == 1
    assert lines[-1].number == 2_001


@pytest.mark.slow
def test_memory_does_not_grow_with_the_zone(tmp_path, long_trials):
    """50,000 delegations in no order (a million in the long form)."""
    total = 1_000_000 if long_trials else 50_000
    script = tmp_path / "read.py"
    script.write_text(
        textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from bootstrap.core.dns.names import parse_name
        from bootstrap.registry.zonefile import read_zone_file
        path = Path(sys.argv[1])
        with path.open("w") as opened:
            opened.write({HEAD!r})
            for n in range(2 * {total}):
                i = n * 7919 % {total}
                opened.write(f"d{{i}} NS ns{{n % 2}}.op{{i % 500}}.net.\\n")
        rows = sum(1 for _ in read_zone_file(path, parse_name("ch")))
        status = Path("/proc/self/status").read_text()
        print(rows, int(status.split("VmHWM:")[1].split()[0]) // 1024)
        """)
    )
    done = subprocess.run(
        [sys.executable, script, tmp_path / "big.zone"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ".", "PATH": ""},
    )
    rows, megabytes = map(int, done.stdout.split())

    assert rows == total
    assert megabytes < 160
