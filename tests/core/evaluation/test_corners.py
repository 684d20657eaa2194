"""Corners of the checks that no named situation of the catalogue reaches."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import dns.rcode
import dns.rrset
import pytest

from bootstrap.core.dns.names import packed, parse_name
from bootstrap.core.dns.records import Ds, RdataType, RRset, Signed
from bootstrap.core.dnssec.budget import Budget
from bootstrap.core.dnssec.chain import Cut, Needs, Proof
from bootstrap.core.dnssec.security import Security
from bootstrap.core.dnssec.signatures import Context, Unverified
from bootstrap.core.evaluation.acceptance import DENIAL, check_work, modulus_bits
from bootstrap.core.evaluation.answers import Answer, answers_of
from bootstrap.core.evaluation.apex import Apex, ApexState
from bootstrap.core.evaluation.compare import fits, key_ids, requested_keys
from bootstrap.core.evaluation.decision import _open as unproven_facts
from bootstrap.core.evaluation.facts import Facts
from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.observations import Observation
from bootstrap.core.evaluation.paths import choose_path
from bootstrap.core.evaluation.plan import next_questions, probe_name
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.proofs import Memo, Sights, proving, settled
from bootstrap.core.evaluation.queries import Query, Trigger
from bootstrap.core.evaluation.reasons import Kind, Reason
from bootstrap.core.evaluation.requests import cds_records
from bootstrap.core.evaluation.servers import reach
from bootstrap.core.evaluation.signals import Signal, compare_signals, single_path
from bootstrap.core.evaluation.trial import Copy, trial_of
from bootstrap.core.evaluation.verdict import Mark, Outcome, conclude
from tests.support.cases import (
    CHILD,
    CSK,
    NOW,
    NS1,
    Proofs,
    Signer,
    Zone,
    a_case,
    a_delegation,
    addresses,
    all_good,
    blank,
    found,
    no_ds,
    published,
)
from tests.support.signed import NOW as SIGNED_AT, SIGNAL, a_tree

from .scenarios import (
    BOTH,
    CURRENT,
    LONG,
    NEW,
    ONE,
    TWO,
    hashed_denial,
    packet,
    rrset,
    secured,
    stale,
)


def outcome_of(case, proofs=None):
    verdict = conclude(Facts(case, proofs or all_good()))
    return verdict.outcome, verdict.primary


def a_positive_answer(signed_as=None, *, proof=True, rdtype="A", data="192.0.2.7"):
    """Return an answer for the name that should not exist, signed at `signed_as`."""
    name = probe_name(a_case())
    assert name is not None
    zone = Zone()
    source = rrset(signed_as or name.to_text(), rdtype, data)
    signature = zone._sign(source, CSK)
    response = blank(name, RdataType.A)
    response.answer += [
        rrset(name.to_text(), rdtype, data),
        dns.rrset.from_rdata_list(name, 300, [signature]),
    ]
    if proof:
        zone.put(response.authority, "NSEC")
    return response.to_wire()


POSITIVE = {
    "a wildcard": (a_positive_answer("*.example.ch."), Outcome.ACCEPT),
    "a wildcard that is an alias": (
        a_positive_answer("*.example.ch.", rdtype="CNAME", data="www.example.ch."),
        Outcome.ACCEPT,
    ),
    "a name that exists after all": (a_positive_answer(proof=False), Outcome.ACCEPT),
    "a wildcard without proof": (
        a_positive_answer("*.example.ch.", proof=False),
        Outcome.HOLD,
    ),
    "an answer signed for another name": (
        a_positive_answer("www.example.ch."),
        Outcome.HOLD,
    ),
}


@pytest.mark.parametrize(("wire", "outcome"), POSITIVE.values(), ids=POSITIVE)
def test_an_answer_where_none_was_expected_must_be_proven_too(wire, outcome):
    case = a_case(spoiled={(address, "probe"): wire for address in BOTH})

    assert outcome_of(case)[0] is outcome


def test_a_child_with_no_room_for_a_probe_may_still_roll_its_keys():
    facts = Facts(a_case(), all_good())
    long_child = parse_name(".".join(["a" * 63] * 3 + ["b" * 60]))
    case = replace(a_case(), delegation=a_delegation(child=long_child))

    assert facts.probe is not None
    assert Facts(case, all_good()).probe is None


def test_a_policy_that_publishes_no_digest_accepts_nothing():
    case = a_case(policy=AcceptancePolicy(digests=()))

    assert outcome_of(case) == (Outcome.ERROR, Reason.X_UNCLASSIFIED)


def test_nameservers_that_changed_a_moment_ago_delay_and_never_refuse():
    changed = NOW - timedelta(minutes=1)
    case = a_case(delegation=a_delegation(ns_changed_at=changed))

    verdict = conclude(Facts(case, all_good()))

    (note,) = [c for c in verdict.checks if c.id == "check_quiet_time"]
    assert verdict.outcome is Outcome.ACCEPT
    assert note.mark is Mark.NOTE
    assert [f.reason for f in note.findings] == [Reason.PRE_RECENT_NS_CHANGE]
    assert "12:04:00Z" in note.detail
    assert Reason.PRE_RECENT_NS_CHANGE not in verdict.reasons


def test_nameservers_that_changed_long_ago_are_no_news():
    case = a_case(delegation=a_delegation(ns_changed_at=NOW - timedelta(hours=1)))

    verdict = conclude(Facts(case, all_good()))

    assert all(check.id != "check_quiet_time" for check in verdict.checks)


def notes_of(case):
    verdict = conclude(Facts(case, all_good()))
    return {c.id: c.detail for c in verdict.checks if c.mark is Mark.NOTE}


def test_p_3_21_keys_that_take_tcp_are_noted_and_accepted():
    many = tuple(Signer(f"key {number}", algorithm=13) for number in range(6))
    large = Zone(signers=(CSK, *many), requested=(CSK,))
    case = a_case(zones={ONE: large, TWO: Zone()})

    told = notes_of(case)

    assert "octets at 192.0.2.1" in told["check_size_of_keys"]
    assert TWO not in told["check_size_of_keys"]
    assert "check_size_of_keys" not in notes_of(a_case())


def test_p_3_24_iterations_up_to_the_cap_are_noted_and_beyond_it_refused():
    def asked(iterations):
        probes = dict.fromkeys(((a, "probe") for a in BOTH), hashed_denial(iterations))
        return a_case(spoiled=probes)

    assert "with 5 iterations" in notes_of(asked(5))["check_nsec3_iterations"]
    assert outcome_of(asked(5)) == (Outcome.ACCEPT, Reason.ACC_OK)
    assert "check_nsec3_iterations" not in notes_of(asked(0))
    assert outcome_of(asked(51))[0] is Outcome.HOLD


def test_p_6_19_a_notification_that_comes_before_replication_is_tried_again():
    both = (CSK, NEW)
    zones = {ONE: Zone(signers=both, requested=both), TWO: Zone(signers=both)}
    case = a_case(zones=zones, trigger=Trigger.NOTIFY)

    assert outcome_of(case) == (Outcome.RETRY, Reason.APEX_CDS_DIFFER)


def test_a_verdict_counts_as_its_primary_reason_counts():
    lasting = a_case(spoiled={(ONE, "CDS"): packet(RdataType.CDS, rcode=5)})
    spent = replace(lasting, history=replace(lasting.history, retries_spent=True))

    assert conclude(Facts(lasting, all_good())).kind is Kind.RETRY
    assert conclude(Facts(spent, all_good())).kind is Kind.CHILD
    assert conclude(Facts(spent, all_good())).outcome is Outcome.REJECT


def test_an_own_fault_leaves_no_word_against_the_child():
    case = a_case(
        spoiled={(ONE, "CDS"): packet(RdataType.CDS, rcode=dns.rcode.REFUSED)}
    )

    verdict = conclude(Facts(replace(case, anchors=()), all_good()))

    assert verdict.outcome is Outcome.ERROR
    kinds = {finding.kind for finding in verdict.findings}
    assert kinds <= {Kind.OURS, Kind.INFO}
    shown = {f.kind for check in verdict.checks for f in check.findings}
    assert shown <= {Kind.OURS, Kind.INFO}


def test_a_secured_child_whose_servers_differ_in_keys_is_inconsistent():  # P-4.30, P-4.34
    made = secured(*CURRENT, zone=Zone(signers=(CSK, Signer("new"))), other=stale)

    verdict = conclude(Facts(made["case"], made["proofs"]))

    assert verdict.outcome is Outcome.RETRY
    assert Reason.APEX_CDNSKEY_DIFFER in verdict.reasons


def test_an_update_takes_an_empty_answer_without_soa_for_an_answer():  # P-0.10
    cds_only = Zone(
        signers=(CSK, Signer("new")),
        requested=(Signer("new"),),
        records={"CDNSKEY": None},
    )
    bare = {(a, "CDNSKEY"): packet(RdataType.CDNSKEY) for a in BOTH}
    proofs = addresses()
    proofs.put(published(*CURRENT))
    case = a_case(
        zones=dict.fromkeys(BOTH, cds_only),
        spoiled=bare,
        delegation=a_delegation(ds=CURRENT),
    )

    assert outcome_of(case, proofs) == (Outcome.ACCEPT, Reason.UPD_OK)


def test_a_server_without_soa_or_ns_data_does_not_pass():
    no_ns = Zone(records={"NS": None})

    verdict = conclude(Facts(a_case(zones=dict.fromkeys(BOTH, no_ns)), all_good()))

    assert verdict.primary is Reason.ACC_SERVER_BOGUS
    missing = Finding(Reason.ACC_SERVER_BOGUS, f"{ONE} NS", "not there")
    assert missing in verdict.findings


def test_statuses_that_policy_names_bar_automation():
    policy = AcceptancePolicy(excluded_statuses=("probation",))
    delegation = a_delegation(statuses=("probation",), pending_change=True)

    choice = choose_path(delegation, policy)

    assert choice.path is None
    assert {f.reason for f in choice.findings} == {
        Reason.PRE_STATUS_NOT_ACTIVE,
        Reason.PRE_PENDING_CHANGE,
    }


def test_a_signal_that_cannot_be_named_is_not_asked_for():
    case = replace(
        a_case(delegation=a_delegation(nameservers=(NS1, LONG))), observations=()
    )

    plan = next_questions(case, addresses({NS1: (ONE,), LONG: (TWO,)}))

    assert {lookup.name.labels[0] for lookup in plan.lookups} == {b"_dsboot"}
    assert len(plan.lookups) == 2


def test_addresses_beyond_the_cap_end_the_evaluation():
    case = a_case(policy=AcceptancePolicy(max_addresses=1))

    verdict = conclude(Facts(case, all_good()))

    assert Finding(Reason.NS_TOO_MANY, "example.ch", "2 addresses") in verdict.findings
    assert verdict.outcome is not Outcome.ACCEPT
    just_so = a_case(policy=AcceptancePolicy(max_addresses=2))
    assert outcome_of(just_so) == (Outcome.ACCEPT, Reason.ACC_OK)


def test_glue_that_is_no_address_is_nobody():
    delegation = a_delegation(glue=((NS1, "not an address"),))

    assert outcome_of(a_case(delegation=delegation))[0] is Outcome.ACCEPT


def a_trial(copy, budget=None):
    return trial_of(CHILD, CURRENT, (copy,), Context(NOW, budget or Budget()))


def test_work_that_is_spent_proves_nothing():
    case = a_case()
    signed = tuple(a.signed for a in answers_of(case) if a.signed and a.address == ONE)
    copy = Copy(ONE, signed)

    spent = a_trial(copy, Budget(verifications=0))

    assert a_trial(copy).has_path(copy)
    assert not spent.has_path(copy)
    assert all(isinstance(outcome, Unverified) for outcome in spent.path(copy))


def test_a_denial_that_costs_too_much_proves_nothing():
    case = a_case()
    name = probe_name(case)
    assert name is not None
    facts = Facts(case, all_good())
    copy = facts.copies[0]
    trial = trial_of(CHILD, CURRENT, (copy,), Context(NOW, Budget(verifications=0)))

    assert trial.denied(copy, name, copy.negatives[0][1]) == "limit"


def test_many_signatures_and_equal_tags_are_more_than_resolvers_try():
    rrsig = next(a.signed for a in answers_of(a_case()) if a.signed).rrsigs[0]
    key = CSK.key.to_wire()
    # two octets of the same weight, swapped: another key with the same tag
    twin = key[:4] + key[6:8] + key[4:6] + key[8:]
    keys = RRset(CHILD, RdataType.DNSKEY, 300, tuple(sorted((key, twin))))
    copy = Copy(ONE, (Signed(keys, (rrsig,) * 9),))

    assert list(check_work(a_trial(copy))) == [
        Finding(Reason.VAL_LIMIT, ONE, "keys share a tag"),
        Finding(Reason.VAL_LIMIT, ONE, "9 signatures"),
    ]


def test_a_digest_that_nobody_can_compute_contradicts_no_key():
    assert fits(replace(CSK.ds(), digest_type=3), CSK.key, CHILD)


def test_p_4_4_cdnskey_is_what_counts_where_both_are_there_and_cds_where_it_is_not():
    cds = tuple(signer.ds().to_wire() for signer in (CSK,))
    cdnskey = (NEW.key.to_wire(),)

    assert requested_keys(cds, cdnskey, CHILD) == key_ids([NEW.key], CHILD)
    assert requested_keys(cds, (), CHILD) == key_ids([CSK.key], CHILD)


def test_a_modulus_is_measured_in_both_forms_of_rfc_3110():
    assert modulus_bits(b"\3\1\0\1" + b"\xff" * 128) == 1024
    assert modulus_bits(b"\0\0\3\1\0\1" + b"\xff" * 128) == 1024
    assert modulus_bits(b"") == 0


def test_records_too_short_to_be_read_name_no_key():
    assert cds_records((b"\1\2",)) == ()


def test_an_answer_about_something_else_is_malformed():
    other = packet(RdataType.CDS, records=[rrset("www.example.ch.", "A", "192.0.2.7")])
    case = a_case(spoiled={(ONE, "CDS"): other})

    answer = next(
        a for a in answers_of(case) if a.address == ONE and a.rdtype == RdataType.CDS
    )

    assert answer.reason is Reason.NS_MALFORMED


def test_a_full_memory_of_signatures_starts_again():
    memo = Memo(entries=2)

    for number in range(3):
        memo[bytes([number])] = True

    assert list(memo) == [b"\2"]


def test_what_was_never_fetched_proves_nothing():
    proof = settled(Proofs(), CHILD, RdataType.DS)

    assert proof.security == "indeterminate"
    assert "example.ch" in proof.detail


def test_what_holds_is_kept_from_round_to_round_and_what_is_lacking_is_not():
    """More answers cannot make a proof less true; they may bring what it lacked."""
    tree = a_tree()
    tree.prove(SIGNAL, "CDS", now=SIGNED_AT)
    answers = [
        Observation(
            Query("192.0.2.1", *question),
            SIGNED_AT,
            b"",
            tree.zones[question.zone].answer(*question[1:]).to_wire(max_size=65535),
        )
        for question in tree.questions
    ]
    name = parse_name(SIGNAL)
    case = replace(a_case(), observations=(), anchors=tree.anchors, now=SIGNED_AT)
    sights = Sights(case)
    assert isinstance(sights.prove(name, RdataType.CDS), Needs)

    sights.add(answers)

    held = sights.prove(name, RdataType.CDS)
    assert isinstance(held, Proof)
    assert held.security is Security.SECURE
    sights.add(())
    assert sights.prove(name, RdataType.CDS) is held


def test_a_child_with_no_room_for_a_label_is_not_asked_for_one():
    long_child = parse_name(".".join(["a" * 63] * 3 + ["b" * 60]))
    delegation = a_delegation(child=long_child)
    case = replace(a_case(), delegation=delegation, observations=())
    proofs = all_good()
    proofs.put(replace(no_ds(), name=long_child))

    asked = next_questions(case, proofs).queries

    assert {query.name for query in asked} == {long_child}
    assert RdataType.A not in {query.rdtype for query in asked}
    assert RdataType.A in {q.rdtype for q in next_questions(bare(), proofs).queries}


def bare():
    return replace(a_case(), observations=())


def test_what_cannot_be_denied_is_not_missed_and_the_rest_is():
    """A name that leaves no room has no negative answer; all else is still owed."""
    facts = Facts(a_case(probes=False), all_good())
    owed = {what for _, what in unproven_facts(facts)}
    long_one = replace(
        a_delegation(), child=parse_name(".".join(["a" * 63] * 3 + ["b" * 60]))
    )
    without_room = Facts(replace(a_case(), delegation=long_one), all_good())

    assert owed == {DENIAL}
    assert DENIAL in {what for _, what in without_room.needed}
    assert DENIAL not in {what for _, what in unproven_facts(without_room)}


def test_nobody_is_told_apart_by_targets_that_are_no_names():
    broken = Signed(RRset(CHILD, RdataType.NS, 60, (b"\xc0", packed(NS1))))
    answer = Answer("192.0.2.1", CHILD, RdataType.NS, Reason.NS_OK_DATA, signed=broken)

    assert answer.hosts() == (NS1,)


def test_an_update_looks_at_eligible_digests_alone():  # P-0.11
    """Both servers ask for the same key; what one says of another is not eligible."""
    more = {
        "CDS": [CSK.ds().to_text(), Signer("spare").ds(4).to_text()],
        "CDNSKEY": None,
    }
    plain = Zone(records={"CDNSKEY": None})
    case = secured(CSK.ds(), zone=plain, other=Zone(records=more))

    verdict = conclude(Facts(case["case"], case["proofs"]))

    assert Reason.APEX_CDS_DIFFER not in verdict.reasons
    assert (verdict.outcome, verdict.primary) == (Outcome.NOTHING, Reason.UPD_IN_SYNC)


def test_a_quiet_child_is_left_alone_even_under_a_ds_that_nobody_can_use():
    """P-4.6: without a request only an alarm speaks, the rest is a note."""
    unusable = Ds(4711, 200, 2, bytes(32))
    silent = Zone(records={"CDS": None, "CDNSKEY": None})
    case = secured(unusable, zone=silent)

    verdict = conclude(Facts(case["case"], case["proofs"]))

    assert (verdict.outcome, verdict.primary) == (Outcome.NOTHING, Reason.APEX_NO_CDS)
    assert Reason.UPD_DS_UNUSABLE in verdict.reasons


def test_without_an_anchor_in_force_nothing_can_be_said_of_any_name():
    proof = settled(proving(replace(a_case(), anchors=())), CHILD, RdataType.DS)

    assert proof.security is Security.INDETERMINATE
    assert "no trust anchor" in proof.detail


def test_an_address_of_the_wrong_length_is_nobody():
    proofs = all_good()
    proofs.put(found(NS1, RdataType.A, [b"\xc0\0\2", b"\xc0\0\2\1"]))

    assert reach([NS1], a_case(), proofs).addresses == ("192.0.2.1",)


@pytest.mark.parametrize("records", [{}, {"CDS": None, "CDNSKEY": None}])
def test_a_child_that_asks_for_nothing_new_is_an_alarm_once_it_is_bogus(records):
    """P-4.8: in sync or silent, a server whose keys the DS does not name breaks it."""
    broken = Zone(records=records, spoiled=frozenset({"DNSKEY"}))
    case = secured(CSK.ds(), zone=Zone(records=records), other=broken)

    verdict = conclude(Facts(case["case"], case["proofs"]))

    assert (verdict.outcome, verdict.primary) == (
        Outcome.REJECT,
        Reason.UPD_CHAIN_BOGUS,
    )


def test_four_octets_of_cds_name_nothing_and_are_shown_as_they_are():
    rdata = bytes.fromhex("00010d02")
    signed = Signed(RRset(CHILD, RdataType.CDS, 60, (rdata,)))
    answer = Answer(ONE, CHILD, RdataType.CDS, Reason.NS_OK_DATA, signed=signed)

    assert answer.presentation == ("00010D02",)


def a_signal(host, *zones):
    proof = Proof(
        host,
        RdataType.CDS,
        Security.SECURE,
        signer=parse_name(zones[-1]),
        cuts=tuple(Cut(parse_name(zone), Security.SECURE) for zone in (".", *zones)),
    )
    return Signal(host, host, (proof,))


NS2 = parse_name("ns2.operator.org")
PATHS = {
    "two zones of one domain": (
        ("net", "operator.net", "a.operator.net"),
        ("net", "operator.net", "b.operator.net"),
        "operator.net",
    ),
    "one zone": (("net", "operator.net"), ("net", "operator.net"), "operator.net"),
    "two domains": (("net", "one.net"), ("net", "two.net"), None),
    "the top-level domain itself": (("net",), ("net",), "net"),
}


@pytest.mark.parametrize(("first", "second", "path"), PATHS.values(), ids=PATHS)
def test_p_1_16_trust_that_rests_on_one_domain_is_noticed(first, second, path):
    found = single_path([a_signal(NS1, *first), a_signal(NS2, *second)])

    assert found == (parse_name(path) if path else None)


def test_hosts_without_a_signal_are_named():
    silent = [Signal(parse_name(f"{x}.test"), NS1, ()) for x in "ab"]
    proof = proofs_of_signal()
    speaking = Signal(NS1, NS1, (proof, proof))
    apex = Apex(ApexState.KEYS)

    (finding,) = compare_signals(CHILD, (speaking, *silent), apex)

    assert (finding.reason, finding.detail) == (
        Reason.SIG_PARTIAL,
        "none under a.test, b.test",
    )


def proofs_of_signal():
    return found(parse_name("signal.test"), RdataType.CDS, [CSK.ds().to_wire()])
