"""The decision tables: total over what they must decide."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import DELETE_CDNSKEY, DELETE_CDS, Ds, RdataType
from bootstrap.core.dnssec.chain import Absence
from bootstrap.core.dnssec.security import Flaw, Security
from bootstrap.core.evaluation.answers import answers_of
from bootstrap.core.evaluation.candidate import candidate_of
from bootstrap.core.evaluation.classify import TCP_TROUBLES, TROUBLES
from bootstrap.core.evaluation.compare import between_types, digest_only, eligible
from bootstrap.core.evaluation.decision import OUTCOMES, escalate
from bootstrap.core.evaluation.delegation import History, Suspension
from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.observations import Trouble
from bootstrap.core.evaluation.paths import SUSPENSIONS, Path, choose_path
from bootstrap.core.evaluation.reasons import Kind, Reason
from bootstrap.core.evaluation.requests import COMBINED, Request, request_of
from bootstrap.core.evaluation.servers import is_hostname
from bootstrap.core.evaluation.signals import COLUMNS, FLAWS, UNPROVEN, reason_of
from bootstrap.core.evaluation.updates import current_keys
from tests.support.cases import (
    CHILD,
    CSK,
    NOW,
    Signer,
    Zone,
    a_case,
    a_delegation,
    absent,
    content,
    failed,
    found,
)

from .scenarios import FIRST, HOUR, ONE

NEW = Signer("new")
CDS = (CSK.ds().to_wire(),)
CDNSKEY = (CSK.key.to_wire(),)


def test_every_trouble_has_a_reason():
    assert set(TROUBLES) == set(Trouble)
    assert set(TCP_TROUBLES) <= set(Trouble)


def test_every_suspension_has_a_reason():
    assert set(SUSPENSIONS) == set(Suspension)


def test_every_class_but_information_leads_somewhere():
    assert set(OUTCOMES) == set(Kind) - {Kind.INFO}


def test_every_unproven_signal_has_a_reason_and_a_column():
    assert set(UNPROVEN) == set(Security) - {Security.SECURE}
    assert {*FLAWS.values(), *UNPROVEN.values()} <= set(COLUMNS)


@pytest.mark.parametrize("flaw", Flaw)
@pytest.mark.parametrize("security", sorted(set(Security) - {Security.SECURE}))
def test_no_failed_proof_is_ever_taken_for_a_signal_or_its_absence(flaw, security):
    reason = reason_of(failed(*FIRST, security, flaw))

    assert reason not in {Reason.SIG_OK, Reason.SIG_DENIED, Reason.SIG_WILDCARD}


PROOFS = {
    "a genuine signal": (found(*FIRST, CDS), Reason.SIG_OK),
    "no such type": (absent(*FIRST), Reason.SIG_DENIED),
    "no such name": (absent(*FIRST, Absence.NXDOMAIN), Reason.SIG_DENIED),
    "a wildcard": (found(*FIRST, CDS, wildcard=True), Reason.SIG_WILDCARD),
    "an alias": (
        found(*FIRST, CDS, aliases=(parse_name("x.ch"),)),
        Reason.SIG_ALIASED,
    ),
    "a zone of its own": (
        found(*FIRST, CDS, signer=FIRST[0]),
        Reason.SIG_ZONE_CUT_AT_NAME,
    ),
    "the wrong type": (
        replace(found(FIRST[0], RdataType.CDNSKEY, CDNSKEY), rdtype=RdataType.CDS),
        Reason.SIG_MALFORMED,
    ),
    "neither there nor absent": (absent(*FIRST, None), Reason.X_UNCLASSIFIED),
}


@pytest.mark.parametrize(("proof", "reason"), PROOFS.values(), ids=PROOFS)
def test_a_proof_of_a_signal_has_one_reason(proof, reason):
    assert reason_of(proof) is reason


REQUESTS = {
    "nothing": ((), (), Request.NONE),
    "both": (CDS, CDNSKEY, Request.KEYS),
    "CDS alone": (CDS, (), Request.KEYS),
    "both sentinels": ((DELETE_CDS,), (DELETE_CDNSKEY,), Request.DELETE),
    "one sentinel": ((), (DELETE_CDNSKEY,), Request.DELETE),
    "sentinel and key of the other type": ((DELETE_CDS,), CDNSKEY, Request.MIXED),
    "key and sentinel of the other type": (CDS, (DELETE_CDNSKEY,), Request.MIXED),
    "sentinel beside a key": ((DELETE_CDS, *CDS), (), Request.MIXED),
    "almost a sentinel": ((b"\0\0\0\0\0\0",), (), Request.KEYS),
}


@pytest.mark.parametrize(
    ("cds", "cdnskey", "request_"), REQUESTS.values(), ids=REQUESTS
)
def test_the_two_types_make_one_request(cds, cdnskey, request_):
    assert request_of(cds, cdnskey) is request_


def test_only_two_plain_types_are_combined_and_the_rest_is_mixed():  # P-2.40
    plain = set(Request) - {Request.MIXED}

    assert {part for pair in COMBINED for part in pair} == plain
    assert len(COMBINED) == len(plain) ** 2 - 2


def test_sha1_and_sha384_records_are_not_eligible():  # P-0.11
    records = tuple(sorted(CSK.ds(t).to_wire() for t in (1, 2, 4)))

    assert eligible(records) == eligible(CDS)
    assert digest_only([records, CDS])
    assert not digest_only([records, (NEW.ds().to_wire(),)])
    assert digest_only([CDS, tuple(sorted((*CDS, CSK.ds(4).to_wire())))])


def test_keys_with_one_tag_and_different_digests_are_different_keys():  # P-2.44
    other = replace(CSK.ds(), digest=bytes(32))

    assert eligible((other.to_wire(),)) != eligible(CDS)


def test_a_cds_for_an_unknown_key_is_no_wrong_digest():
    reserve = tuple(sorted((*CDS, NEW.ds().to_wire())))

    assert not list(between_types(reserve, (), CHILD, [CSK.key]))


def test_candidates_hold_our_digests_of_the_childs_keys():
    made = candidate_of(CDS, CDNSKEY, owner=CHILD, dnskeys=(), digests=(2, 4))

    assert set(made) == {CSK.ds(2), CSK.ds(4)}


def test_a_digest_type_is_published_for_all_keys_or_none():  # P-3.12
    reserve = tuple(sorted((*CDS, NEW.ds().to_wire())))

    made = candidate_of(reserve, (), owner=CHILD, dnskeys=(CSK.key,), digests=(2, 4))

    assert set(made) == {CSK.ds(), NEW.ds()}


def test_sha1_is_never_made_into_a_ds():  # P-3.10
    made = candidate_of(CDS, CDNSKEY, owner=CHILD, dnskeys=(), digests=(1, 2))

    assert made == (CSK.ds(),)


def test_a_ds_with_another_digest_counts_as_the_key_that_it_fits():  # P-4.7
    by_sha384 = current_keys((CSK.ds(4),), (CSK.key,), CHILD)
    unknown = current_keys((CSK.ds(4),), (), CHILD)

    assert by_sha384 == eligible(CDS)
    assert unknown != eligible(CDS)


ESCALATIONS = {
    "first time": (Reason.NS_TIMEOUT, History(), Kind.RETRY),
    "retries used up": (Reason.NS_TIMEOUT, History(retries_spent=True), Kind.CHILD),
    "no further class": (
        Reason.SIG_INDETERMINATE,
        History(retries_spent=True),
        Kind.RETRY,
    ),
    "an alarm after a day": (
        Reason.SIG_BOGUS,
        History(troubled_since=(("SIG_BOGUS", NOW - 25 * HOUR),)),
        Kind.ALARM,
    ),
    "no alarm before": (
        Reason.SIG_BOGUS,
        History(retries_spent=True, troubled_since=(("SIG_BOGUS", NOW - HOUR),)),
        Kind.RETRY,
    ),
    "never the child's own class": (
        Reason.SIG_INSECURE,
        History(retries_spent=True),
        Kind.CHILD,
    ),
}


@pytest.mark.parametrize(
    ("reason", "history", "kind"), ESCALATIONS.values(), ids=ESCALATIONS
)
def test_a_reason_weighs_more_when_it_lasts(reason, history, kind):
    assert escalate(Finding(reason), history, NOW - 24 * HOUR).kind is kind


def test_a_ds_leads_to_an_update_and_none_to_a_first_one():
    assert choose_path(a_delegation()).path is Path.BOOTSTRAP
    assert choose_path(a_delegation(ds=(CSK.ds(),))).path is Path.UPDATE
    assert choose_path(a_delegation(nameservers=())).path is None


def test_transfer_and_delete_locks_never_matter():  # P-5.31
    statuses = ("clientTransferProhibited", "serverDeleteProhibited", "ok")

    assert choose_path(a_delegation(statuses=statuses)).findings == ()


@pytest.mark.parametrize("text", [".", "*.example.net", "192.0.2.1", "2001:db8::1"])
def test_what_is_no_host_is_not_asked(text):
    assert not is_hostname(parse_name(text))


def test_answers_by_udp_are_no_ground_for_an_unsigned_fact():
    case = a_case()
    by_udp = replace(case.observations[0], transport="udp")

    (answer,) = answers_of(replace(case, observations=(by_udp,)))

    assert answer.reason is Reason.NS_TCP_UNAVAILABLE
    assert answer.address == ONE
    assert answer.content == ()


def test_the_content_of_an_answer_is_what_the_zone_holds():
    (answer,) = [
        a
        for a in answers_of(a_case())
        if a.address == ONE and a.rdtype == RdataType.CDS
    ]

    assert answer.content == content(Zone(), RdataType.CDS)
    assert answer.presentation == (CSK.ds().to_text(),)
    assert Ds.from_wire(answer.content[0]) == CSK.ds()
