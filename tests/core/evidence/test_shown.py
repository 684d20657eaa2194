"""What servers of the parent showed is read again: signed, attested, or another thing."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from bootstrap.core.dns.messages import read
from bootstrap.core.dns.records import Ds, RdataType
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.dnssec.budget import Budget
from bootstrap.core.dnssec.signatures import Context
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evidence.shown import (
    NO_KEYS,
    Showing,
    doubt,
    parent_keys,
    showings,
)
from bootstrap.core.tlog.story import Told
from tests.support.rehearsal import NOW

from .test_faults import worlds

STRANGER = Anchor(Ds(1, 13, 2, bytes(32)))
OTHER = "1 13 2 " + "00" * 32


def a_case(*, secure: bool) -> Case:
    """Return the case of a child with DS, or of one without, that its parent signed."""
    for case, _verdict in worlds():
        if bool(case.delegation.ds) is secure and answer_of(case):
            return case
    raise AssertionError("nobody in this world is like that")


def answer_of(case: Case) -> bytes:
    """Return what a server of the parent answered about DS of the child."""
    delegation = case.delegation
    for seen in case.observations:
        query = seen.query
        asked = (query.zone, query.name, query.rdtype)
        if asked == (delegation.parent, delegation.child, RdataType.DS):
            return seen.received or b""
    return b""


def told(message: bytes, ds=(), **changes) -> Told:
    """Return the entry of a change that a server of the parent showed."""
    digest = hashlib.sha256(message).hexdigest()
    entry = Told(
        name="entries/000000007.json",
        body=b"",
        type="publication.visible",
        stream="",
        number=7,
        previous="",
        at=NOW,
        actor=("system", "verifier"),
        data={
            "messages": {"192.0.2.53": digest},
            "servers": {"192.0.2.53": list(ds)},
        },
        evidence=(),
    )
    return replace(entry, **changes)


def shown(case: Case, message: bytes, ds=(), **changes) -> Showing:
    entry = told(message, ds, **changes)
    (found,) = showings([entry], {hashlib.sha256(message).hexdigest(): message}, case)
    return found


def texts(case: Case) -> list[str]:
    return sorted(ds.to_text() for ds in case.delegation.ds)


def spoiled(message: bytes, case: Case) -> bytes:
    """Return the message with every signature in it changed."""
    response = read(message, case.delegation.child, RdataType.DS)
    for signed in (*response.answer, *response.authority):
        for rrsig in signed.rrsigs:
            wrong = bytes(octet ^ 1 for octet in rrsig.signature)
            message = message.replace(rrsig.signature, wrong)
    return message


def test_p_8_10_a_ds_set_that_the_parent_signed_speaks_for_itself():
    case = a_case(secure=True)

    found = shown(case, answer_of(case), texts(case))

    assert (found.doubt, found.wrong) == ("", "")
    assert found.ds == tuple(texts(case))
    assert (found.server, found.at) == ("192.0.2.53", NOW)


def test_p_8_10_so_does_the_proof_that_there_is_none():
    case = a_case(secure=False)

    found = shown(case, answer_of(case))

    assert (found.doubt, found.wrong, found.ds) == ("", "", ())


@pytest.mark.parametrize("secure", [True, False], ids=["a DS set", "none"])
def test_p_8_10_a_signature_that_is_wrong_proves_nothing(secure):
    case = a_case(secure=secure)

    found = shown(case, spoiled(answer_of(case), case), texts(case))

    assert found.doubt
    assert not found.wrong


def test_p_8_10_signatures_must_be_in_force_when_it_was_seen():
    case = a_case(secure=True)
    at = NOW + timedelta(days=3650)

    assert shown(case, answer_of(case), texts(case), at=at).doubt == "expired"


def test_p_8_10_without_keys_of_the_parent_it_is_attested_by_the_log_alone():
    case = replace(a_case(secure=True), anchors=(STRANGER,))

    found = shown(case, answer_of(case), texts(case))

    assert (found.doubt, found.wrong) == (NO_KEYS, "")


@pytest.mark.parametrize("secure", [True, False], ids=["a DS set", "none"])
def test_an_answer_that_costs_too_much_proves_nothing(secure):  # P-7.81
    case = a_case(secure=secure)
    child = case.delegation.child
    response = read(answer_of(case), child, RdataType.DS)
    spent = Context(NOW, Budget(verifications=0, nsec3_hashes=0))

    assert doubt(response, child, parent_keys(case), spent) == "limit"


def flagged(place: int, put: int, take: int = 0):
    def change(message: bytes) -> bytes:
        changed = bytearray(message)
        changed[place] = changed[place] & ~take | put
        return bytes(changed)

    return change


WRONG = {
    "no message": (lambda message: message[:20], "is no answer about DS"),
    "not authoritative": (flagged(2, 0, take=4), "no authoritative answer"),
    "a failure": (flagged(3, 2), "no authoritative answer"),
}


@pytest.mark.parametrize(("change", "why"), WRONG.values(), ids=WRONG)
def test_p_8_10_what_is_no_answer_is_told(change, why):
    case = a_case(secure=True)

    assert why in shown(case, change(answer_of(case)), texts(case)).wrong


def test_p_8_10_another_set_than_the_log_says_is_told():
    case, bare = a_case(secure=True), a_case(secure=False)

    assert texts(case)[0] in shown(case, answer_of(case), [OTHER]).wrong
    assert "no DS" in shown(bare, answer_of(bare), [OTHER]).wrong


@pytest.mark.parametrize("servers", [None, [], {}, {"192.0.2.53": None}])
def test_an_entry_that_says_no_set_is_held_to_none(servers):
    case = a_case(secure=True)
    message = answer_of(case)
    entry = told(message)

    found = shown(case, message, data={**entry.data, "servers": servers})

    assert "shows" in found.wrong


def test_entries_of_before_name_no_message():
    case = a_case(secure=True)

    assert list(showings([told(b"", data={})], {}, case)) == []
