"""Delegations from CSV: the header's word is law, and one line is one child."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, strategies as st

from bootstrap.core.dns.names import parse_name, unrooted
from bootstrap.core.dns.records import Ds
from bootstrap.registry.csvfile import HEADER, STATUSES, read_csv_file
from bootstrap.registry.rows import BadLine, Row, SourceRefused

PARENT = parse_name("ch")
HEAD = ",".join(HEADER) + "\n"
DIGEST = "AB" * 32


@pytest.fixture
def read(tmp_path):
    def reading(text: str | bytes, head: str = HEAD):
        path = tmp_path / "delegations.csv"
        raw = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(head.encode() + raw)
        return list(read_csv_file(path, PARENT))

    return reading


def test_every_field_of_a_line_is_read(read):
    (row,) = read(
        "Example.CH,ns1.example.ch NS2.example.org,ns1.example.ch=192.0.2.1"
        f" ns1.example.ch=2001:DB8::1,12345/13/2/{DIGEST},Registrar AG,"
        "serverTransferProhibited pendingUpdate\n"
    )

    assert isinstance(row, Row)
    assert row.line == 2
    found = row.delegation
    assert unrooted(found.child) == "example.ch"
    assert found.parent == PARENT
    assert list(map(unrooted, found.nameservers)) == [
        "ns1.example.ch",
        "ns2.example.org",
    ]
    assert [address for _host, address in found.glue] == ["192.0.2.1", "2001:db8::1"]
    assert found.ds == (Ds.from_text(f"12345 13 2 {DIGEST}"),)
    assert found.registrar == "Registrar AG"
    assert found.statuses == ("pendingUpdate", "serverTransferProhibited")
    assert found.pending_change


def test_empty_fields_and_u_labels_and_quotes_are_fine(read):
    (row,) = read('bücher.ch,ns.example.org,,,"Say ""yes"", AG",ok\n')

    assert unrooted(row.delegation.child) == "xn--bcher-kva.ch"
    assert row.delegation.registrar == 'Say "yes", AG'
    assert not row.delegation.pending_change


WRONG = {
    "an unknown status": ("a.ch,ns.b.org,,,R,ok bogus", "unknown status: bogus"),
    "a status in other letters": ("a.ch,ns.b.org,,,R,OK", "unknown status: OK"),
    "too few fields": ("a.ch,ns.b.org", "2 fields"),
    "too many fields": ("a.ch,ns.b.org,,,R,ok,x", "7 fields"),
    "a name outside": ("a.org,ns.b.org,,,R,ok", "not below the zone"),
    "the zone itself": ("ch,ns.b.org,,,R,ok", "not below the zone"),
    "no name": (",ns.b.org,,,R,ok", "empty"),
    "an origin where there is none": ("a.ch,@,,,R,ok", "'@'"),
    "a bad nameserver": ("a.ch,ns..org,,,R,ok", "ns..org"),
    "glue without address": ("a.ch,ns.a.ch,ns.a.ch,,R,ok", "host=address"),
    "glue with a bad address": ("a.ch,ns.a.ch,ns.a.ch=1.2.3,,R,ok", "1.2.3"),
    "glue for another host": ("a.ch,ns.b.org,ns.a.ch=192.0.2.1,,R,ok", "no nameserver"),
    "a ds in another form": ("a.ch,ns.b.org,,1 2 3 AB,R,ok", "tag/alg/type/hex"),
    "a ds with a short digest": ("a.ch,ns.b.org,,1/13/2/ABCD,R,ok", "wrong length"),
    "a ds out of range": (f"a.ch,ns.b.org,,70000/13/2/{DIGEST},R,ok", "DS rdata"),
    "a quote left open": ('a.ch,ns.b.org,,,"R,ok', "unexpected end"),
    "a registrar with a bell": ("a.ch,ns.b.org,,,R\a,ok", "not printable"),
}


@pytest.mark.parametrize(("line", "why"), WRONG.values(), ids=WRONG)
def test_a_wrong_line_is_left_out_with_its_reason_and_the_rest_goes_on(read, line, why):
    first, bad, last = read(f"x.ch,ns.b.org,,,R,ok\n{line}\ny.ch,ns.b.org,,,R,ok\n")

    assert isinstance(bad, BadLine)
    assert bad.line == 3
    assert why in bad.reason
    assert isinstance(first, Row)
    assert isinstance(last, Row)


def test_a_child_that_is_given_twice_keeps_its_first_line(read):
    first, second = read("a.ch,ns.b.org,,,R,ok\nA.CH.,ns.c.org,,,R,ok\n")

    assert isinstance(first, Row)
    assert second == BadLine(3, "stands in line 2 already")


@pytest.mark.parametrize(
    "head", ["", "name,ns\n", "ns,name,glue,ds,registrar,status\n"]
)
def test_another_header_refuses_the_file(read, head):
    with pytest.raises(SourceRefused, match="first line must be name,ns,glue"):
        read("", head=head)


def test_a_byte_order_mark_blank_lines_and_windows_lines_do_no_harm(read):
    head = "\ufeff" + HEAD.replace("\n", "\r\n")
    (row,) = read("\r\na.ch,ns.b.org,,,R,ok\r\n\r\n", head=head)

    assert row.line == 3
    assert row.delegation.registrar == "R"


def test_octets_that_are_no_text_spoil_their_line_only(read):
    bad, row = read(b"a.ch,ns.b.org,,,\xff\xfe,ok\nb.ch,ns.b.org,,,R,ok\n")

    assert isinstance(bad, BadLine)
    assert isinstance(row, Row)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20)


@given(st.lists(st.lists(texts, max_size=8), max_size=5))
def test_whatever_a_line_holds_it_is_a_row_or_a_bad_line(tmp_path_factory, rows):
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    path = tmp_path_factory.getbasetemp() / "junk.csv"
    path.write_bytes((HEAD + written.getvalue()).encode("utf-8", "surrogatepass"))

    for entry in read_csv_file(path, PARENT):
        assert isinstance(entry, Row | BadLine)


@given(st.sets(st.sampled_from(sorted(STATUSES))))
def test_every_known_status_is_taken(tmp_path_factory, statuses):
    path = tmp_path_factory.getbasetemp() / "statuses.csv"
    path.write_text(HEAD + f"a.ch,ns.b.org,,,R,{' '.join(statuses)}\n")

    (row,) = read_csv_file(path, PARENT)
    assert isinstance(row, Row)
    assert row.delegation.statuses == tuple(sorted(statuses))
