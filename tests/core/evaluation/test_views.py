from __future__ import annotations

import json
from datetime import UTC, datetime

from bootstrap.core.dns.names import ROOT, parse_name
from bootstrap.core.dns.records import Ds, Key, RdataType, RRset, Signed
from bootstrap.core.dnssec.chain import Absence, Cut, Proof
from bootstrap.core.dnssec.security import Flaw, Security
from bootstrap.core.evaluation import views
from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Check, Mark, ServerView, SignalView

CHILD = parse_name("example.test")
HOST = parse_name("ns1.example.net")
DS = Ds(12345, 13, 2, bytes(32))
KEY = Key(257, 3, 13, bytes(64))


def a_proof() -> Proof:
    signal = parse_name("_dsboot.example.test._signal.ns1.example.net")
    return Proof(
        name=signal,
        rdtype=RdataType.CDS,
        security=Security.SECURE,
        answer=Signed(RRset(signal, RdataType.CDS, 60, (DS.to_wire(),))),
        zone=parse_name("_signal.ns1.example.net"),
        signer=parse_name("_signal.ns1.example.net"),
        cuts=(Cut(ROOT, Security.SECURE, (DS,), (KEY,)),),
        not_after=datetime(2026, 12, 1, 12, tzinfo=UTC),
    )


def test_a_check_names_each_of_its_reasons_once():
    finding = Finding(Reason.SIG_OK, "ns1.example.net")
    check = Check("check_signals", Mark.PASS, (finding, finding), "two names")

    assert views.check_view(check) == {
        "id": "check_signals",
        "result": "pass",
        "reasons": ["SIG_OK"],
        "detail": "two names",
    }


def test_names_have_no_last_dot_but_the_root_stays_one():
    shown = views.signal_view(SignalView(HOST, None, a_proof(), None, (Reason.SIG_OK,)))

    assert shown["nameserver"] == "ns1.example.net"
    assert shown["name"] is None
    assert shown["cdnskey"] is None
    assert shown["cds"]["cuts"][0]["zone"] == "."
    assert shown["cds"]["records"] == [f"12345 13 2 {'00' * 32}"]
    assert shown["cds"]["not_after"] == "2026-12-01T12:00:00Z"


def test_an_unproven_name_says_its_flaw():
    proof = Proof(CHILD, RdataType.CDS, Security.BOGUS, flaw=Flaw.EXPIRED)

    assert views.proof_view(proof)["flaw"] == "expired"
    assert views.proof_view(proof)["records"] == []


def test_all_views_survive_json():
    server = ServerView(HOST, "192.0.2.1", (("CDS", "NS_OK_DATA", (DS.to_text(),)),))
    for view in (views.server_view(server), views.proof_view(a_proof())):
        assert json.loads(json.dumps(view)) == view


def test_records_of_other_types_are_shown_as_the_standard_writes_them():
    rrset = RRset(CHILD, RdataType.CDNSKEY, 60, (KEY.to_wire(),))
    proof = Proof(CHILD, RdataType.CDNSKEY, Security.SECURE, answer=Signed(rrset))

    (record,) = views.proof_view(proof)["records"]

    assert record.startswith("257 3 13 AAAA")


SHOWN = {
    "name": "_dsboot.example.test._signal.ns1.example.net",
    "type": "CDS",
    "security": "secure",
    "records": [f"12345 13 2 {'00' * 32}"],
    "absence": None,
    "zone": "_signal.ns1.example.net",
    "signer": "_signal.ns1.example.net",
    "cuts": [
        {
            "zone": ".",
            "security": "secure",
            "ds": [f"12345 13 2 {'00' * 32}"],
            "keys": [{"tag": KEY.key_tag, "algorithm": 13, "sep": True}],
            "flaw": None,
        }
    ],
    "aliases": [],
    "wildcard": False,
    "not_before": None,
    "not_after": "2026-12-01T12:00:00Z",
    "flaw": None,
    "detail": "",
}


def test_a_proof_is_shown_with_exactly_these_fields():
    assert views.proof_view(a_proof()) == SHOWN


def test_a_failed_proof_shows_what_was_seen_of_it():
    cut = Cut(CHILD, Security.BOGUS, flaw=Flaw.NO_MATCHING_KEY)
    proof = Proof(
        CHILD,
        RdataType.CDNSKEY,
        Security.BOGUS,
        absence=Absence.NODATA,
        cuts=(cut,),
        aliases=(HOST,),
        wildcard=True,
        not_before=datetime(2026, 11, 1, tzinfo=UTC),
        flaw=Flaw.EXPIRED,
        detail="since yesterday",
    )

    assert views.proof_view(proof) == {
        "name": "example.test",
        "type": "CDNSKEY",
        "security": "bogus",
        "records": [],
        "absence": "nodata",
        "zone": None,
        "signer": None,
        "cuts": [
            {
                "zone": "example.test",
                "security": "bogus",
                "ds": [],
                "keys": [],
                "flaw": "no-matching-key",
            }
        ],
        "aliases": ["ns1.example.net"],
        "wildcard": True,
        "not_before": "2026-11-01T00:00:00Z",
        "not_after": None,
        "flaw": "expired",
        "detail": "since yesterday",
    }


def test_a_signal_is_shown_with_exactly_these_fields():
    view = SignalView(HOST, CHILD, None, a_proof(), (Reason.SIG_OK, Reason.SIG_DENIED))

    assert views.signal_view(view) == {
        "nameserver": "ns1.example.net",
        "name": "example.test",
        "reasons": ["SIG_OK", "SIG_DENIED"],
        "cds": None,
        "cdnskey": SHOWN,
    }


def test_a_server_is_shown_with_exactly_these_fields():
    view = ServerView(HOST, "192.0.2.1", (("CDS", "NS_OK_DATA", (DS.to_text(),)),))

    assert views.server_view(view) == {
        "nameserver": "ns1.example.net",
        "server": "192.0.2.1",
        "answers": [{"type": "CDS", "reason": "NS_OK_DATA", "records": [DS.to_text()]}],
    }
