"""What exactly to change: what is missing or differs, and nothing that is right."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.texts import TEXTS
from portal.status.changes import Seen, changes, concerned
from portal.status.software import guides
from tests.support import rows

CHILD = "child.example"
HOSTS = ["ns1.operator.net", "ns2.operator.net"]
KEY = rows.four_servers(rows.ds())[0]["answers"][0]["records"][0]
RECIPE = TEXTS[Reason.SIG_PARTIAL].recipe


def views(cds=None, cdnskey=()):
    """Return two servers that announce these."""
    return [
        rows.server(
            host,
            f"192.0.2.{number}",
            DNSKEY=("NS_OK_DATA", [KEY]),
            CDS=("NS_OK_DATA", [rows.ds()] if cds is None else list(cds)),
            CDNSKEY=("NS_OK_DATA" if cdnskey else "NS_OK_NODATA", list(cdnskey)),
        )
        for number, host in enumerate(HOSTS)
    ]


def told(reason, seen):
    return changes(reason, TEXTS[Reason(reason)].recipe, seen)


def test_only_the_host_without_a_signal_is_named():
    seen = Seen(CHILD, HOSTS, views(), rows.signals(CHILD, "secure"))

    (change,) = told("SIG_PARTIAL", seen)

    assert change.server == "ns2.operator.net"
    assert change.line == (f"_dsboot.{CHILD}._signal.ns2.operator.net. CDS {rows.ds()}")
    assert change.zone == "_signal.ns2.operator.net."
    assert not change.remove


def test_a_signal_that_says_something_else_is_replaced():
    signals = rows.signals(CHILD, "secure", "secure")
    signals[0]["cds"]["records"] = [rows.ds(999)]
    seen = Seen(CHILD, HOSTS, views(), signals)

    found = told("CMP_SIGNAL_APEX_DIFFER", seen)

    assert [(c.server, c.remove, c.content) for c in found] == [
        ("ns1.operator.net", False, rows.ds()),
        ("ns1.operator.net", True, rows.ds(999)),
    ]


def test_a_signal_lacks_the_type_that_the_child_publishes_too():
    signals = rows.signals(CHILD, "secure", "secure")
    seen = Seen(CHILD, HOSTS, views(cdnskey=[KEY]), signals)

    found = told("CMP_SIGNAL_EMPTY_APEX_NOT", seen)

    assert {(c.server, c.rdtype) for c in found} == {(h, "CDNSKEY") for h in HOSTS}


def test_spaces_and_letter_case_make_no_difference():
    signals = rows.signals(CHILD, "secure", "secure")
    digest = rows.DIGEST.lower()
    signals[0]["cds"]["records"] = [f"12345 13 2 {digest[:32]} {digest[32:]}"]

    assert told("SIG_PARTIAL", Seen(CHILD, HOSTS, views(), signals)) == ()


def test_a_server_that_differs_is_told_what_the_others_say():
    seen = Seen("differs.example", HOSTS, rows.four_servers(rows.ds(), rows.ds(999, 8)))

    found = told("APEX_CDS_DIFFER", seen)

    assert [(c.server, c.remove, c.content) for c in found] == [
        ("ns2.operator.net (2001:db8::20)", False, rows.ds()),
        ("ns2.operator.net (2001:db8::20)", True, rows.ds(999, 8)),
    ]


def test_who_announces_nothing_gets_the_ds_of_its_keys():
    (change,) = told("APEX_NO_CDS", Seen(CHILD, HOSTS, views(cds=())))

    assert change.owner == f"{CHILD}."
    assert change.content.split()[1:3] == ["13", "2"]


def test_a_nameserver_inside_the_child_owes_no_signal():
    hosts = ["ns1.child.example", "ns2.operator.net"]

    found = told("SIG_NONE", Seen(CHILD, hosts, views()))

    assert {c.server for c in found} == {"ns2.operator.net"}


def test_a_name_too_long_for_a_signal_is_not_spelled_out():
    child = ".".join(["a" * 60] * 3) + ".example"
    host = ".".join(["b" * 60] * 3) + ".net"

    assert told("SIG_NONE", Seen(child, [host], views())) == ()


def test_a_signal_that_fails_is_named_where_no_record_is_at_fault():
    signals = rows.signals(CHILD, "secure", "bogus")

    assert told("SIG_BOGUS", Seen(CHILD, HOSTS, views(), signals)) == ()
    assert concerned("SIG_BOGUS", signals) == (
        f"_dsboot.{CHILD}._signal.ns2.operator.net",
    )


@pytest.mark.parametrize("reason", [reason.value for reason in Reason])
def test_every_reason_has_changes_or_none_but_no_fault(reason):
    for signals in ((), rows.signals(CHILD, "secure", "insecure")):
        for change in told(reason, Seen(CHILD, HOSTS, views(), signals)):
            assert change.line


TEXT = st.text(max_size=30)


@given(TEXT, TEXT, TEXT)
def test_commands_are_made_of_harmless_characters_only(content, zone, host):
    signals = rows.signals(CHILD, "secure")
    signals[0]["cds"]["zone"] = zone
    seen = Seen(CHILD, HOSTS, views(cds=[content] if content else []), signals)

    for guide in guides(told("SIG_PARTIAL", seen), HOSTS):
        for bad in ("`", "$", ";\n", "\\", "|", "&"):
            assert bad not in guide.commands.replace("; _signal", "")


def test_each_software_gets_its_own_commands():
    found = told(
        "SIG_PARTIAL", Seen(CHILD, HOSTS, views(), rows.signals(CHILD, "secure"))
    )

    by_name = {guide.software: guide.commands for guide in guides(found, HOSTS)}

    zone, owner = "_signal.ns2.operator.net", f"_dsboot.{CHILD}"
    assert by_name["Knot DNS"].splitlines() == [
        f"knotc zone-begin {zone}.",
        f"knotc zone-set {zone}. {owner}.{zone}. 3600 CDS '{rows.ds()}'",
        f"knotc zone-commit {zone}.",
    ]
    assert f"update add {owner}.{zone}. 3600 CDS {rows.ds()}" in by_name["BIND 9"]
    assert f"pdnsutil add-record {zone} {owner} CDS 3600" in by_name["PowerDNS"]
    assert f"nsd-control reload {zone}" in by_name["NSD"]


def test_a_known_service_is_named_instead_of_commands():
    hosts = ["ns1.desec.io", "ns2.desec.org"]
    found = told("SIG_NONE", Seen(CHILD, hosts, views()))

    (guide,) = guides(found, hosts)

    assert (guide.software, guide.commands, guide.likely) == ("deSEC", "", True)
