"""A verdict is earned: what is accepted, and what a single spoiled thing does."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import timedelta

import pytest

from bootstrap.core.dns.names import signaling_name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.evaluation.facts import Facts
from bootstrap.core.evaluation.paths import AuthMethod, Path
from bootstrap.core.evaluation.reasons import Kind, Reason
from bootstrap.core.evaluation.verdict import Mark, Outcome, conclude, judge
from tests.support.cases import (
    CHILD,
    CSK,
    DELETE,
    NOW,
    NS1,
    Signer,
    Zone,
    a_case,
    a_delegation,
    addresses,
    all_good,
    found,
    no_ds,
    published,
)

BOTH = ("192.0.2.1", "198.51.100.2")


def concluded(case, proofs):
    return conclude(Facts(case, proofs))


def everywhere(zone):
    return dict.fromkeys(BOTH, zone)


def with_ds(*ds):
    """Return a delegation with DS and the proofs that the parent publishes it."""
    proofs = addresses()
    proofs.put(published(*ds))
    return a_delegation(ds=ds), proofs


def test_a_child_in_good_order_with_all_signals_gets_its_first_ds():
    verdict = concluded(a_case(), all_good())

    assert (verdict.outcome, verdict.primary) == (Outcome.ACCEPT, Reason.ACC_OK)
    assert verdict.path is Path.BOOTSTRAP
    assert verdict.candidate == (CSK.ds(),)
    assert verdict.auth_method is AuthMethod.RFC9615
    assert verdict.required <= set(verdict.findings)
    assert {finding.kind for finding in verdict.findings} == {Kind.INFO}
    assert all(check.mark in {Mark.PASS, Mark.SKIPPED} for check in verdict.checks)
    assert verdict.expires
    assert verdict.inception


def test_a_secured_child_that_asks_for_its_own_keys_has_nothing_to_change():  # P-4.7
    delegation, proofs = with_ds(CSK.ds())

    verdict = concluded(a_case(delegation=delegation), proofs)

    assert (verdict.outcome, verdict.primary) == (Outcome.NOTHING, Reason.UPD_IN_SYNC)


def test_a_new_key_that_signs_already_replaces_the_old_one():  # P-4.1
    new = Signer("new")
    delegation, proofs = with_ds(CSK.ds())
    zones = everywhere(Zone(signers=(CSK, new), requested=(new,)))

    verdict = concluded(a_case(delegation=delegation, zones=zones), proofs)

    assert (verdict.outcome, verdict.primary) == (Outcome.ACCEPT, Reason.UPD_OK)
    assert verdict.path is Path.UPDATE
    assert verdict.candidate == (new.ds(),)
    assert verdict.auth_method is AuthMethod.RFC7344_CHAIN


def test_a_signed_and_consistent_sentinel_removes_the_ds():  # P-4.20, P-5.61
    delegation, proofs = with_ds(CSK.ds())
    zones = everywhere(Zone(records=DELETE))

    verdict = concluded(a_case(delegation=delegation, zones=zones), proofs)

    assert (verdict.outcome, verdict.primary) == (Outcome.ACCEPT, Reason.DEL_OK)
    assert verdict.path is Path.REMOVAL
    assert verdict.candidate == ()


def test_silence_accepts_nothing():  # P-3.1
    case = replace(a_case(), observations=())

    verdict = judge(case)

    assert verdict.outcome is Outcome.ERROR


def test_the_same_case_has_the_same_verdict_also_after_storage():  # P-8.2, P-8.6
    case = a_case()
    stored = pickle.loads(pickle.dumps(case))  # noqa: S301 - our own bytes

    assert concluded(stored, all_good()) == concluded(case, all_good())
    assert judge(stored) == judge(case)


# ── from when until when all signatures are in force ─────────────────────────

SHORT = (NOW - timedelta(hours=2), NOW + timedelta(days=2))
SIGNAL = (signaling_name(CHILD, NS1), RdataType.CDS)


def shortened(*keys):
    """Return good proofs, of which these hold for a shorter time."""
    proofs = all_good()
    for key in keys:
        start, end = SHORT
        proofs.put(replace(proofs[key], not_before=start, not_after=end))
    return proofs


def brief(address="192.0.2.1"):
    """Return a zone whose signatures hold for a shorter time, and only at one server."""
    return {address: Zone(inception=SHORT[0], expiration=SHORT[1])}


@pytest.mark.parametrize(
    "key",
    [(CHILD, RdataType.DS), (NS1, RdataType.A), (NS1, RdataType.AAAA), SIGNAL],
    ids=["the parent's word", "an address", "no address", "a signal"],
)
def test_p_8_7_any_proof_that_holds_for_less_shortens_the_time_of_the_whole(key):
    verdict = concluded(a_case(), shortened(key))
    usual = concluded(a_case(), all_good())

    assert (verdict.not_before, verdict.not_after) == SHORT
    assert usual.not_before == NOW - timedelta(days=1)
    assert usual.not_after == NOW + timedelta(days=7)


def test_p_8_7_so_does_one_server_of_the_child():
    zones = everywhere(Zone()) | brief()

    verdict = concluded(a_case(zones=zones), all_good())

    assert (verdict.not_before, verdict.not_after) == SHORT


def test_p_8_7_so_does_the_proof_that_a_name_does_not_exist():
    case = a_case()
    probe = Facts(case, all_good()).probe
    answer = brief()["192.0.2.1"].respond(probe, RdataType.A)

    verdict = concluded(a_case(spoiled={("192.0.2.1", "probe"): answer}), all_good())

    assert verdict.outcome is Outcome.ACCEPT
    assert (verdict.not_before, verdict.not_after) == SHORT


def test_p_8_7_an_update_rests_on_the_old_set_and_on_no_signal():
    new = Signer("new")
    delegation, proofs = with_ds(CSK.ds())
    proofs.put(replace(found(*SIGNAL, [b""]), not_before=NOW))
    zones = everywhere(Zone(signers=(CSK, new), requested=(new,))) | {
        "192.0.2.1": replace(brief()["192.0.2.1"], signers=(CSK, new), requested=(new,))
    }

    verdict = concluded(a_case(delegation=delegation, zones=zones), proofs)

    assert verdict.outcome is Outcome.ACCEPT
    assert (verdict.not_before, verdict.not_after) == SHORT


def test_p_8_7_what_is_not_accepted_says_no_time():
    verdict = concluded(a_case(), Facts(a_case(), addresses()).prove)

    assert verdict.outcome is not Outcome.ACCEPT
    assert (verdict.not_before, verdict.not_after) == (None, None)


def test_p_8_7_a_proof_without_any_signature_sets_no_bound():
    proofs = all_good()
    proofs.put(no_ds(not_before=None, not_after=None))

    assert concluded(a_case(), proofs).not_after == NOW + timedelta(days=7)
