"""Anchors and the chain of trust (protocol.md, section 7.1; P-1.22 to P-1.25)."""

from __future__ import annotations

from dataclasses import replace

import dns.flags
import dns.rcode
import pytest

from bootstrap.core.dns.records import Ds, RdataType
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.dnssec.budget import Budget
from bootstrap.core.dnssec.chain import (
    Absence,
    Needs,
    NoTrustAnchor,
    Proof,
    validate,
)
from bootstrap.core.dnssec.security import Flaw, Security
from tests.support.signed import (
    CDS,
    DAY,
    KSK,
    NOW,
    SIGNAL,
    ZSK,
    Tree,
    a_signer,
    a_tree,
    a_view,
    an_rrset,
    coded,
    n,
    q,
    stripped,
    truncated,
    without,
    without_aa,
)

SIGNALING = "_signal.ns1.example.net"


def said(proof):
    return proof.security, proof.flaw


SECURE = (Security.SECURE, None)


def bogus(flaw):
    return Security.BOGUS, flaw


@pytest.mark.parametrize("algorithm", [8, 10, 13, 14, 15, 16])
@pytest.mark.parametrize("denial", ["nsec", "nsec3", "compact"])
def test_p_7_26_a_signal_with_a_whole_chain_is_secure(algorithm, denial):
    tree = a_tree(algorithm, denial=denial)

    proof = tree.prove(SIGNAL, "CDS")

    assert (said(proof), proof.detail, proof.blame) == (SECURE, "", None)
    assert proof.zone == proof.signer == n(SIGNALING)
    assert [c.zone for c in proof.cuts] == [
        n("."),
        n("net"),
        n("example.net"),
        n(SIGNALING),
    ]
    assert {c.security for c in proof.cuts} == {Security.SECURE}
    assert proof.answer is not None
    assert proof.answer.rrset.rdatas == (Ds.from_text(CDS).to_wire(),)
    assert (proof.not_before, proof.not_after) == (NOW - DAY, NOW + 7 * DAY)


@pytest.mark.parametrize("denial", ["nsec", "nsec3", "compact"])
def test_p_1_28_an_absent_signal_is_proven_absent(denial):
    tree = a_tree(denial=denial)

    type_ = tree.prove(SIGNAL, "CDNSKEY")
    name = tree.prove(f"_dsboot.other.ch.{SIGNALING}", "CDS")

    assert (said(type_), type_.absence) == (SECURE, Absence.NODATA)
    assert (said(name), name.absence) == (SECURE, Absence.NXDOMAIN)
    assert type_.signer == name.signer == n(SIGNALING)


ROOT_SIGNERS = {"by one": ("one",), "by the other": ("two",), "by both": ("one", "two")}


@pytest.mark.parametrize("names", ROOT_SIGNERS.values(), ids=ROOT_SIGNERS)
def test_p_7_1_p_b_2_the_root_may_be_signed_by_either_anchored_key(names):
    tree = Tree()
    both = [a_signer(8, name) for name in ("one", "two")]
    root = tree.zone(".", *both)
    root.key_signers = tuple(a_signer(8, name) for name in names)
    assert said(tree.prove(".", "SOA")) == SECURE


def test_p_7_1_a_root_signed_by_neither_anchored_key_is_bogus():
    tree = Tree()
    root = tree.zone(".", a_signer(8, "one"), a_signer(8, "two"), a_signer(8, "new"))
    root.key_signers = (a_signer(8, "new"),)
    proof = tree.prove(".", "SOA", anchors=tree.anchors[:2])
    assert said(proof) == bogus(Flaw.NO_MATCHING_KEY)
    assert proof.blame == q(".", ".", "DNSKEY")


def test_p_7_1_an_anchor_of_unknown_algorithm_beside_a_known_one_does_not_matter():
    tree = a_tree()
    odd = Anchor(Ds(1, 200, 2, bytes(32)))
    assert said(tree.prove(SIGNAL, "CDS", anchors=(odd, *tree.anchors))) == SECURE


def test_p_7_1_no_anchor_is_our_own_fault_and_says_nothing_of_the_name():
    tree = a_tree()
    with pytest.raises(NoTrustAnchor) as missing:
        tree.prove(SIGNAL, "CDS", anchors=())
    assert (missing.value.name, missing.value.now) == (n(SIGNAL), NOW)


def test_p_7_1_an_anchor_elsewhere_is_none():
    tree = a_tree()
    elsewhere = replace(tree.anchors[0], zone=n("org"))
    with pytest.raises(NoTrustAnchor, match="no trust anchor for"):
        tree.prove(SIGNAL, "CDS", anchors=(elsewhere,))


def test_p_7_2_an_anchor_holds_from_its_beginning_to_before_its_end():
    tree = a_tree()
    anchors = (replace(tree.anchors[0], valid_from=NOW, valid_until=NOW + DAY),)
    assert said(tree.prove(".", "SOA", anchors=anchors, now=NOW)) == SECURE
    for moment in (NOW - DAY, NOW + DAY):
        with pytest.raises(NoTrustAnchor):
            tree.prove(".", "SOA", anchors=anchors, now=moment)


def test_p_7_3_a_local_anchor_has_no_say_outside_of_its_zone():
    tree = a_tree()
    local = Anchor(a_signer(13, "net").key.ds(n("example.net")), n("example.net"))
    assert said(tree.prove("net", "SOA", anchors=(*tree.anchors, local))) == SECURE
    assert tree.prove(SIGNAL, "CDS", anchors=(*tree.anchors, local)).security is (
        Security.BOGUS
    )


def test_p_3_13_an_anchor_for_a_child_overrides_all_from_there_down():
    tree = a_tree()
    child = tree.zone("child.net", a_signer(13, "child"), ds=False)
    child.put("www.child.net", "A", "192.0.2.1")
    injected = tuple(Anchor(ds, n("child.net")) for ds in child.ds)

    before = tree.prove("www.child.net", "A")
    after = tree.prove("www.child.net", "A", anchors=(*tree.anchors, *injected))

    assert said(before) == (Security.INSECURE, Flaw.NO_DS)
    assert said(after) == SECURE
    assert all(asked.zone == n("child.net") for asked in tree.questions)
    assert [cut.zone for cut in after.cuts] == [n("child.net")]


def test_ds_is_proven_above_an_anchor_for_the_same_zone():
    tree = a_tree()
    child = tree.zone("child.net", a_signer(13, "child"))
    injected = tuple(Anchor(ds, n("child.net")) for ds in child.ds)
    proof = tree.prove("child.net", "DS", anchors=(*tree.anchors, *injected))
    assert (said(proof), proof.signer) == (SECURE, n("net"))


GOOD = a_signer(13, "operator").key.ds(n("example.net"))
DS_SETS = {
    "wrong tag": (
        [replace(GOOD, key_tag=GOOD.key_tag ^ 1)],
        bogus(Flaw.NO_MATCHING_KEY),
    ),
    "wrong digest": ([replace(GOOD, digest=bytes(32))], bogus(Flaw.NO_MATCHING_KEY)),
    "wrong algorithm": ([replace(GOOD, algorithm=8)], bogus(Flaw.NO_MATCHING_KEY)),
    "one right among wrong ones": ([replace(GOOD, digest=bytes(32)), GOOD], SECURE),
    "unknown algorithm": (
        [replace(GOOD, algorithm=200)],
        (Security.INSECURE, Flaw.UNSUPPORTED_ALGORITHM),
    ),
    "unknown digest": (
        [replace(GOOD, digest_type=5)],
        (Security.INSECURE, Flaw.UNSUPPORTED_ALGORITHM),
    ),
    "SHA-1 alone": (
        [a_signer(13, "operator").key.ds(n("example.net"), 1)],
        (Security.INSECURE, Flaw.UNSUPPORTED_ALGORITHM),
    ),
    "algorithm 7 alone": (
        [replace(GOOD, algorithm=7)],
        (Security.INSECURE, Flaw.UNSUPPORTED_ALGORITHM),
    ),
    "GOST alone": (
        [replace(GOOD, algorithm=12)],
        (Security.INSECURE, Flaw.UNSUPPORTED_ALGORITHM),
    ),
    "right SHA-1 beside a wrong SHA-256": (
        [
            a_signer(13, "operator").key.ds(n("example.net"), 1),
            replace(GOOD, digest=bytes(32)),
        ],
        bogus(Flaw.NO_MATCHING_KEY),
    ),
    "SHA-384": ([a_signer(13, "operator").key.ds(n("example.net"), 4)], SECURE),
    "unusable beside a wrong one": (
        [replace(GOOD, algorithm=200), replace(GOOD, digest=bytes(32))],
        bogus(Flaw.NO_MATCHING_KEY),
    ),
    "unusable beside a right one": ([replace(GOOD, algorithm=200), GOOD], SECURE),
    "nine": (
        [replace(GOOD, key_tag=tag) for tag in range(8)] + [GOOD],
        (Security.INDETERMINATE, Flaw.LIMIT),
    ),
    "five wrong digests of one tag": (
        [replace(GOOD, digest=bytes((i,)) * 32) for i in range(5)] + [GOOD],
        (Security.INDETERMINATE, Flaw.LIMIT),
    ),
}


@pytest.mark.parametrize(("ds", "expected"), DS_SETS.values(), ids=DS_SETS)
def test_p_7_4_p_7_8_to_p_7_10_s_37_a_ds_set_is_judged_by_what_it_supports(
    ds, expected
):
    tree = a_tree()
    tree.zones[n("net")].put("example.net", "DS", *[d.to_text() for d in ds])
    proof = tree.prove("ns1.example.net", "A")
    assert said(proof) == expected
    assert proof.cuts[-1].zone == n("example.net")
    assert proof.cuts[-1].flaw is expected[1]


def test_p_7_4_the_owner_of_a_digest_counts_in_lower_case():
    assert a_signer().key.ds(n("example.NET")) == a_signer().key.ds(n("example.net"))
    shouted = type(n("net"))((b"EXAMPLE", b"net", b""))
    assert a_signer().key.ds(shouted) == a_signer().key.ds(n("example.net"))


def test_p_7_4_labels_with_dots_and_odd_bytes_make_a_chain():
    tree = a_tree()
    apex = type(n("net"))((b"a.b\xff", b"net", b""))
    zone = tree.zone(apex.to_text(), a_signer(13, "odd"))
    zone.put(apex, "CDS", CDS)
    assert said(tree.prove(apex, "CDS")) == SECURE


KEYS = {
    "ZONE flag clear": {"flags": KSK & ~0x100},
    "protocol 2": {"protocol": 2},
    "REVOKE set": {"flags": KSK | 0x80},
}


@pytest.mark.parametrize("changes", KEYS.values(), ids=KEYS)
def test_p_7_5_an_unusable_key_opens_no_zone(changes):
    tree = a_tree()
    signer = a_signer(13, "unusable").with_key(**changes)
    zone = tree.zone("child.net", signer)
    zone.key_signers = (signer,)
    tree.zones[n("net")].put("child.net", "DS", signer.key.ds(n("child.net")).to_text())
    assert said(tree.prove("child.net", "SOA")) == bogus(Flaw.NO_MATCHING_KEY)


def test_p_7_5_sep_decides_nothing():
    tree = a_tree()
    signer = a_signer(13, "no-sep", ZSK)
    zone = tree.zone("child.net", signer, ds=False)
    zone.key_signers = (signer,)
    tree.zones[n("net")].put("child.net", "DS", signer.key.ds(n("child.net")).to_text())
    assert said(tree.prove("child.net", "SOA")) == SECURE


def test_p_7_5_a_key_set_signed_by_the_zone_key_alone_is_bogus():
    tree = a_tree()
    entry, other = a_signer(13, "entry"), a_signer(13, "zone", ZSK)
    zone = tree.zone("child.net", entry, other)
    assert said(tree.prove("child.net", "SOA")) == SECURE
    zone.key_signers = (other,)
    proof = tree.prove("child.net", "SOA")
    assert said(proof) == bogus(Flaw.NO_MATCHING_KEY)
    assert proof.blame == q("child.net", "child.net", "DNSKEY")
    assert proof.cuts[-1].flaw is Flaw.NO_MATCHING_KEY
    assert proof.cuts[-1].ds == zone.ds


def test_p_7_7_one_good_path_among_broken_ones_is_enough():
    tree = a_tree()
    good, unknown = a_signer(13, "good"), a_signer(13, "unpublished")
    zone = tree.zone("child.net", good)
    zone.key_signers = (unknown, good)
    assert said(tree.prove("child.net", "SOA")) == SECURE


@pytest.mark.parametrize("apex", [".", "net", "example.net", SIGNALING])
def test_p_7_11_p_7_15_an_unsigned_zone_under_a_secure_ds_is_bogus(apex):
    tree = a_tree()
    tree.tamper(apex, apex, "DNSKEY", stripped)
    assert said(tree.prove(SIGNAL, "CDS")) == bogus(Flaw.UNSIGNED)


def test_p_7_11_a_zone_without_dnskey_under_a_secure_ds_is_bogus():
    tree = a_tree()
    tree.tamper("example.net", "example.net", "DNSKEY", lambda m: without(m, "DNSKEY"))
    proof = tree.prove(SIGNAL, "CDS")
    assert said(proof) == bogus(Flaw.NO_DNSKEY)
    assert proof.detail == "the answer has no DNSKEY"


def test_p_7_11_one_unsigned_rrset_is_bogus():
    tree = a_tree()
    tree.tamper(SIGNALING, SIGNAL, "CDS", stripped)
    proof = tree.prove(SIGNAL, "CDS")
    assert said(proof) == bogus(Flaw.UNSIGNED)
    assert proof.blame == q(SIGNALING, SIGNAL, "CDS")


def test_s_39_an_absent_ds_without_its_proof_never_becomes_insecure():
    tree = a_tree()
    tree.zone("plain.net")
    tree.tamper("net", "plain.net", "DS", stripped)
    assert said(tree.prove("www.plain.net", "A")) == bogus(Flaw.UNSIGNED)
    tree.tamper("net", "plain.net", "DS", lambda m: without(stripped(m), "NSEC"))
    assert said(tree.prove("www.plain.net", "A")) == bogus(Flaw.DENIAL_MISSING)


def test_p_7_12_cuts_may_follow_each_other_and_lie_beyond_empty_names():
    tree = a_tree()
    tree.zone("a.example.net", a_signer(13, "a"))
    tree.zone("b.a.example.net", a_signer(13, "b"))
    deep = tree.zone("e.d.c.b.a.example.net", a_signer(13, "deep"))
    deep.put("x.e.d.c.b.a.example.net", "A", "192.0.2.1")
    proof = tree.prove("x.e.d.c.b.a.example.net", "A")
    assert said(proof) == SECURE
    assert [len(cut.zone.labels) for cut in proof.cuts] == [1, 2, 3, 4, 5, 8]


def test_p_7_12_p_7_13_a_ds_question_answered_by_the_side_below_proves_nothing():
    tree = a_tree()
    tree.zone("child.net", a_signer(13, "child"))
    child = tree.zones[n("child.net")]
    tree.tamper("net", "child.net", "DS", lambda _m: child.answer(n("child.net"), 43))
    assert said(tree.prove("child.net", "SOA")) == bogus(Flaw.WRONG_SIGNER)


def test_p_7_13_the_soa_bit_tells_the_side_below_even_with_the_keys_above():
    tree = a_tree()
    tree.zone("child.net")
    net = tree.zones[n("net")]

    def forged(message):
        message.authority = net.nsec(n("child.net"), n("net"), [2, 6, 46, 47])
        return message

    tree.tamper("net", "child.net", "DS", forged)
    assert said(tree.prove("child.net", "SOA")) == bogus(Flaw.DENIAL_WRONG)


def test_p_7_12_the_keys_of_a_zone_answered_by_the_side_above_are_no_keys():
    tree = a_tree()
    net, apex = tree.zones[n("net")], n("example.net")
    tree.tamper(
        "example.net", apex.to_text(), "DNSKEY", lambda _m: net.answer(apex, 48)
    )
    assert said(tree.prove(SIGNAL, "CDS")) == (Security.INDETERMINATE, Flaw.UNREACHABLE)

    def claimed(message):
        message.authority = net.deny(apex)
        return without(message, "DNSKEY")

    tree.tamper("example.net", apex.to_text(), "DNSKEY", claimed)
    assert said(tree.prove(SIGNAL, "CDS")) == bogus(Flaw.NO_DNSKEY)


def test_p_7_14_ds_under_another_name_is_no_ds():
    tree = a_tree()

    def moved(message):
        message.authority = []
        message.answer = tree.zones[n("net")].sign(
            an_rrset(n("other.net"), 43, GOOD.to_text())
        )
        return message

    tree.tamper("net", "example.net", "DS", moved)
    assert said(tree.prove(SIGNAL, "CDS")) == bogus(Flaw.DENIAL_MISSING)


def test_p_7_14_ds_answered_by_an_alias_is_bogus():
    tree = a_tree()
    tree.zones[n("net")].put("alias.net", "CNAME", "example.net.")
    assert said(tree.prove("alias.net", "DS")) == bogus(Flaw.MALFORMED)


def test_p_7_14_an_unsigned_alias_hides_no_cut():
    tree = a_tree()

    def aliased(message):
        message.answer = [an_rrset(n("example.net"), 5, "evil.test.")]
        return message

    tree.tamper("net", "example.net", "DS", aliased)
    assert said(tree.prove(SIGNAL, "CDS")) == bogus(Flaw.UNSIGNED)


def test_a_ds_set_made_by_a_wildcard_is_no_delegation():
    tree = a_tree()
    tree.zones[n("net")].put("*.net", "DS", GOOD.to_text())
    assert said(tree.prove("w.net", "SOA")) == bogus(Flaw.WILDCARD_UNPROVEN)


def test_a_key_set_made_by_a_wildcard_is_none():
    tree = a_tree()
    tree.zones[n("example.net")].spoil("example.net", "DNSKEY", labels=1)
    assert said(tree.prove(SIGNAL, "CDS")) == bogus(Flaw.WILDCARD_UNPROVEN)


def test_ds_that_comes_beside_a_referral_counts():
    tree = a_tree()
    tree.tamper(
        "net",
        "example.net",
        "DS",
        lambda _m: tree.zones[n("net")].answer(n("www.example.net"), 1),
    )
    assert said(tree.prove(SIGNAL, "CDS")) == SECURE
    assert said(tree.prove("example.net", "DS")) == SECURE


def test_p_7_15_p_7_62_an_island_is_insecure_with_all_below_it():
    tree = a_tree()
    tree.zone("island.net", a_signer(13, "island"), ds=False)
    below = tree.zone("sub.island.net", a_signer(13, "below"))
    below.put("www.sub.island.net", "A", "192.0.2.1")
    proof = tree.prove("www.sub.island.net", "A")
    assert said(proof) == (Security.INSECURE, Flaw.NO_DS)
    assert proof.zone == n("sub.island.net")
    assert proof.answer is not None
    assert [c.security for c in proof.cuts][-2:] == [Security.INSECURE] * 2


def test_p_1_22_a_cut_at_the_very_name_is_visible():
    tree = a_tree()
    cut = tree.zone(SIGNAL, a_signer(13, "cut"))
    cut.put(SIGNAL, "CDS", CDS)
    proof = tree.prove(SIGNAL, "CDS")
    assert said(proof) == SECURE
    assert proof.zone == proof.signer == n(SIGNAL)


def test_p_1_23_cuts_lie_anywhere_above():
    tree = a_tree()
    cut = tree.zone(f"ch.{SIGNALING}", a_signer(13, "cut"))
    cut.put(SIGNAL, "CDS", CDS)
    proof = tree.prove(SIGNAL, "CDS")
    assert (said(proof), proof.zone) == (SECURE, n(f"ch.{SIGNALING}"))


@pytest.mark.parametrize("forger", [".", "net", "example.net"])
def test_p_1_24_a_signature_from_above_the_cut_is_told_apart(forger):
    tree = a_tree()
    above = tree.zones[n(forger)]
    rrset = an_rrset(n(SIGNAL), 59, CDS)

    def forged(message):
        message.answer = above.sign(rrset)
        return message

    tree.tamper(SIGNALING, SIGNAL, "CDS", forged)
    assert said(tree.prove(SIGNAL, "CDS")) == bogus(Flaw.SIGNER_ABOVE_CUT)


def test_p_1_25_an_empty_non_terminal_denied_is_noticed_and_asked_beyond():
    tree = a_tree()

    def denied(message):
        message.set_rcode(dns.rcode.NXDOMAIN)
        return message

    tree.tamper(SIGNALING, f"example.ch.{SIGNALING}", "DS", denied)

    proof = tree.prove(SIGNAL, "CDS")

    assert said(proof) == bogus(Flaw.ENT_NXDOMAIN)
    assert proof.answer is not None
    assert proof.blame == q(SIGNALING, SIGNAL, "CDS")


def test_p_1_25_an_empty_non_terminal_denied_with_proof_is_asked_beyond():
    tree = a_tree()
    sig = tree.zones[n(SIGNALING)]

    def denied(message):
        message.set_rcode(dns.rcode.NXDOMAIN)
        message.authority = sig.nsec(n(SIGNALING), n(SIGNALING), [2, 6, 46, 47, 48])
        return message

    tree.tamper(SIGNALING, f"ch.{SIGNALING}", "DS", denied)

    proof = tree.prove(SIGNAL, "CDS")

    assert said(proof) == bogus(Flaw.ENT_NXDOMAIN)
    asked = [
        question
        for question in tree.questions
        if question.zone == n(SIGNALING) and question.rdtype == 43
    ]
    assert [question.name for question in asked] == [n(f"ch.{SIGNALING}")]


def test_p_1_25_an_unproven_denial_is_asked_beyond_too():
    tree = a_tree()

    def denied(message):
        message.set_rcode(dns.rcode.NXDOMAIN)
        return without(message, "NSEC")

    tree.tamper(SIGNALING, f"ch.{SIGNALING}", "DS", denied)
    assert said(tree.prove(SIGNAL, "CDS")) == bogus(Flaw.ENT_NXDOMAIN)

    absent = tree.prove(SIGNAL, "CDNSKEY")
    assert said(absent) == bogus(Flaw.DENIAL_MISSING)
    assert absent.blame == q(SIGNALING, f"ch.{SIGNALING}", "DS")

    tree.tamper(SIGNALING, SIGNAL, "CDS", stripped)
    assert said(tree.prove(SIGNAL, "CDS")) == bogus(Flaw.DENIAL_MISSING)


def test_p_1_25_nothing_below_a_proven_absence_is_secure():
    tree = a_tree()
    proof = tree.prove(f"_dsboot.a.b.c.se.{SIGNALING}", "CDS")
    assert (said(proof), proof.absence) == (SECURE, Absence.NXDOMAIN)
    asked = [
        question
        for question in tree.questions
        if question.zone == n(SIGNALING) and question.rdtype == 43
    ]
    assert [question.name for question in asked] == [n(f"se.{SIGNALING}")]


def test_the_walk_asks_with_minimised_names_and_parents_for_ds():
    tree = a_tree()
    tree.prove("ns1.example.net", "A")
    ds, dnskey = 43, 48
    assert set(tree.questions) == {
        (n("."), n("."), dnskey),
        (n("."), n("net"), ds),
        (n("net"), n("net"), dnskey),
        (n("net"), n("example.net"), ds),
        (n("example.net"), n("example.net"), dnskey),
        (n("example.net"), n("ns1.example.net"), ds),
        (n("example.net"), n("ns1.example.net"), 1),
    }


def test_a_zone_is_asked_for_its_keys_and_the_next_cut_at_once():
    tree = a_tree()
    found = validate(
        n(SIGNAL),
        RdataType.CDS,
        seen={},
        anchors=tree.anchors,
        now=NOW,
        budget=Budget(),
    )
    assert found == Needs((q(".", ".", "DNSKEY"), q(".", "net", "DS")))


def test_the_keys_of_a_zone_can_be_asked_for_themselves():
    tree = a_tree()
    proof = tree.prove("example.net", "DNSKEY")
    assert (said(proof), proof.zone) == (SECURE, n("example.net"))


def test_ds_stays_with_the_side_above_and_may_be_proven_absent():
    tree = a_tree()
    tree.zone("plain.net")
    present, absent = tree.prove("example.net", "DS"), tree.prove("plain.net", "DS")
    assert (said(present), present.zone, present.signer) == (SECURE, n("net"), n("net"))
    assert (said(absent), absent.absence) == (SECURE, Absence.NODATA)
    assert said(tree.prove(".", "DS")) == bogus(Flaw.DENIAL_WRONG)


# Insecure territory


def test_p_7_60_an_unsigned_zone_is_insecure_and_its_answer_is_kept():
    tree = a_tree()
    plain = tree.zone("plain.net")
    plain.put("www.plain.net", "A", "192.0.2.1")
    proof = tree.prove("www.plain.net", "A")
    assert said(proof) == (Security.INSECURE, Flaw.NO_DS)
    assert proof.answer is not None
    assert (proof.signer, proof.zone) == (None, n("plain.net"))
    assert tree.prove("www.plain.net", "AAAA").absence is Absence.NODATA
    assert tree.prove("xyz.plain.net", "A").absence is Absence.NXDOMAIN
    assert tree.prove("plain.net", "SOA").answer is not None


def test_cuts_in_insecure_territory_are_found_by_referrals_and_own_answers():
    tree = a_tree()
    tree.zone("plain.net")
    tree.zone("a.plain.net")
    deep = tree.zone("b.a.plain.net")
    deep.put("www.b.a.plain.net", "A", "192.0.2.1")
    # One server for both sides answers from the side below, with authority.
    tree.tamper(
        "a.plain.net", "b.a.plain.net", "NS", lambda _m: deep.answer(deep.apex, 2)
    )
    proof = tree.prove("www.b.a.plain.net", "A")
    assert said(proof) == (Security.INSECURE, Flaw.NO_DS)
    assert proof.zone == n("b.a.plain.net")
    assert [c.zone for c in proof.cuts][2:] == [
        n("plain.net"),
        n("a.plain.net"),
        deep.apex,
    ]


def test_an_insecure_cut_at_the_very_name_shows_in_the_answer():
    tree = a_tree()
    tree.zone("plain.net")
    child = tree.zone("child.plain.net")
    child.put("child.plain.net", "A", "192.0.2.1")
    proof = tree.prove("child.plain.net", "A")
    assert (said(proof), proof.zone) == ((Security.INSECURE, Flaw.NO_DS), child.apex)
    assert proof.answer is not None
    assert tree.prove("child.plain.net", "DS").zone == n("plain.net")


def test_empty_names_in_insecure_territory_are_no_cut():
    tree = a_tree()
    plain = tree.zone("plain.net")
    plain.put("www.a.b.plain.net", "A", "192.0.2.1")
    proof = tree.prove("www.a.b.plain.net", "A")
    assert proof.zone == n("plain.net")
    assert proof.answer is not None


def test_silence_in_insecure_territory_decides_nothing():
    tree = a_tree()
    tree.zone("plain.net")
    tree.tamper("plain.net", "a.plain.net", "NS", lambda _m: ())
    proof = tree.prove("www.a.plain.net", "A")
    assert said(proof) == (Security.INDETERMINATE, Flaw.UNREACHABLE)
    assert proof.blame == q("plain.net", "a.plain.net", "NS")


def test_an_answer_without_authority_in_insecure_territory_is_lame():
    tree = a_tree()
    plain = tree.zone("plain.net")
    plain.put("www.plain.net", "A", "192.0.2.1")

    def recursive(message):
        message.flags &= ~dns.flags.AA
        return message

    tree.tamper("plain.net", "www.plain.net", "A", recursive)
    assert said(tree.prove("www.plain.net", "A")) == (
        Security.INDETERMINATE,
        Flaw.UNREACHABLE,
    )


# Several servers: P-7.90 to P-7.92.

UNUSABLE = {
    "silence": lambda message: (),
    "SERVFAIL": coded(dns.rcode.SERVFAIL),
    "REFUSED": coded(dns.rcode.REFUSED),
    "truncation": truncated,
}


@pytest.mark.parametrize("change", UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize(
    ("zone", "name", "rdtype"),
    [(".", ".", "DNSKEY"), ("net", "example.net", "DS"), (SIGNALING, SIGNAL, "CDS")],
)
def test_p_7_90_what_no_server_answers_is_indeterminate(change, zone, name, rdtype):
    tree = a_tree()
    tree.tamper(zone, name, rdtype, change)
    proof = tree.prove(SIGNAL, "CDS")
    assert said(proof) == (Security.INDETERMINATE, Flaw.UNREACHABLE)
    assert proof.blame is not None
    assert (proof.blame.zone, proof.blame.name) == (n(zone), n(name))


def lame(message):
    """An upward referral."""
    message.flags &= ~dns.flags.AA
    message.answer = []
    message.authority = [an_rrset(n("."), 2, "a.root-servers.net.")]
    return message


def test_p_7_90_an_upward_referral_is_no_answer():
    tree = a_tree()
    tree.tamper("net", "example.net", "DS", lame)
    assert said(tree.prove(SIGNAL, "CDS")) == (Security.INDETERMINATE, Flaw.UNREACHABLE)


def test_signed_data_counts_without_the_authority_bit():
    tree = a_tree()
    tree.tamper(SIGNALING, SIGNAL, "CDS", without_aa)
    assert said(tree.prove(SIGNAL, "CDS")) == SECURE


MIXES = {
    "SERVFAIL and good": (UNUSABLE["SERVFAIL"], False),
    "bogus and good": (stripped, True),
    "lame and good": (lame, False),
}


@pytest.mark.parametrize(("change", "mixed"), MIXES.values(), ids=MIXES)
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("zone", "name", "rdtype"),
    [
        ("net", "net", "DNSKEY"),
        ("net", "example.net", "DS"),
        (SIGNALING, SIGNAL, "CDS"),
        (SIGNALING, SIGNAL, "CDNSKEY"),
    ],
)
def test_p_7_92_one_good_answer_is_enough(change, mixed, order, zone, name, rdtype):
    tree = a_tree()
    wanted = rdtype if zone == SIGNALING else "CDS"

    def both(message):
        again = tree.zones[n(zone)].answer(n(name), message.question[0].rdtype)
        return (a_view(message), a_view(change(again)))[::order]

    tree.tamper(zone, name, rdtype, both)

    proof = tree.prove(SIGNAL, wanted)

    assert (proof.security, proof.mixed_servers) == (Security.SECURE, mixed)


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_proven_answers_data_wins_then_the_newer_signature(order):
    tree = a_tree()
    sig = tree.zones[n(SIGNALING)]

    def several(message):
        sig.spoil(SIGNAL, "CDS", inception=int((NOW - DAY / 2).timestamp()))
        sig.put(SIGNAL, "CDS", CDS.replace("A", "C"))
        newer = sig.answer(n(SIGNAL), 59)
        nothing = sig.answer(n(SIGNALING), 59)
        nothing.question = newer.question
        absent = a_view(sig.answer(n(SIGNAL), 60))
        return (a_view(message), a_view(newer), replace(absent, rdtype=RdataType.CDS))[
            ::order
        ]

    tree.tamper(SIGNALING, SIGNAL, "CDS", several)

    proof = tree.prove(SIGNAL, "CDS")

    assert said(proof) == (Security.SECURE, None)
    assert proof.answer is not None
    assert proof.answer.rrset.rdatas[0][4:] == b"\xcb" * 32
    assert proof.not_before == NOW - DAY / 2


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_proven_cuts_the_signed_one_wins(order):
    tree = a_tree()
    net = tree.zones[n("net")]

    def several(message):
        net.drop("example.net", "DS")
        unsigned = net.answer(n("example.net"), 43)
        net.put("example.net", "DS", GOOD.to_text())
        return (a_view(message), a_view(unsigned))[::order]

    tree.tamper("net", "example.net", "DS", several)
    proof = tree.prove(SIGNAL, "CDS")
    assert (said(proof), proof.mixed_servers) == (SECURE, False)


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_proven_key_sets_the_newer_one_wins(order):
    tree = a_tree()
    zone = tree.zones[n("net")]

    def several(message):
        zone.publish(*zone.signers, a_signer(13, "next"))
        zone.spoil("net", "DNSKEY", inception=int((NOW - DAY / 2).timestamp()))
        newer = zone.answer(n("net"), 48)
        return (a_view(message), a_view(newer))[::order]

    tree.tamper("net", "net", "DNSKEY", several)
    proof = tree.prove("net", "SOA")
    assert said(proof) == SECURE
    assert a_signer(13, "next").key in proof.cuts[-1].keys


@pytest.mark.parametrize("order", [1, -1])
def test_p_7_92_servers_of_insecure_zones_may_differ_and_data_wins(order):
    tree = a_tree()
    plain = tree.zone("plain.net")
    below = tree.zone("a.plain.net")
    below.put("www.a.plain.net", "A", "192.0.2.1")

    def no_cut(message):
        nothing = plain.answer(n("b.plain.net"), 2)
        nothing.question = message.question
        return (a_view(message), a_view(nothing))[::order]

    def both(message):
        below.put("www.a.plain.net", "A", "192.0.2.0")
        other = below.answer(n("www.a.plain.net"), 1)
        nothing = below.answer(n("x.a.plain.net"), 1)
        nothing.question = message.question
        return tuple(map(a_view, (message, other, nothing)))[::order]

    tree.tamper("plain.net", "a.plain.net", "NS", no_cut)
    tree.tamper("a.plain.net", "www.a.plain.net", "A", both)
    proof = tree.prove("www.a.plain.net", "A")
    assert proof.answer is not None
    assert proof.answer.rrset.rdatas == (b"\xc0\0\2\0",)
    assert proof.zone == n("a.plain.net")


# Limits: P-7.80, P-7.81, S-17.


def test_s_17_seventeen_keys_in_one_zone_are_a_limit_and_cost_nothing():
    tree = a_tree()
    zone = tree.zones[n("net")]
    zone.publish(*zone.signers, *[a_signer(13, f"extra {i}") for i in range(15)])
    assert said(tree.prove("net", "SOA")) == SECURE
    zone.publish(*zone.signers, *[a_signer(13, f"extra {i}") for i in range(16)])
    budget = Budget()
    proof = tree.prove("net", "SOA", budget=budget)
    assert said(proof) == (Security.INDETERMINATE, Flaw.LIMIT)
    assert proof.blame == q("net", "net", "DNSKEY")
    assert proof.detail == "17 DNSKEY records"


def test_p_7_81_a_spent_budget_is_indeterminate_and_blames_the_question():
    tree = a_tree()
    tree.prove(SIGNAL, "CDS")
    proof = validate(
        n(SIGNAL),
        RdataType.CDS,
        seen=tree.seen,
        anchors=tree.anchors,
        now=NOW,
        budget=Budget(verifications=4),
    )
    assert isinstance(proof, Proof)
    assert said(proof) == (Security.INDETERMINATE, Flaw.LIMIT)
    assert proof.detail == "the allowance of signature verifications is used up"
    assert proof.blame == q("example.net", "example.net", "DNSKEY")


def test_an_unsigned_alias_at_the_very_end_is_bogus():
    tree = a_tree()
    tree.zones[n("example.net")].put("www.example.net", "CNAME", "ns1.example.net.")
    tree.tamper("example.net", "www.example.net", "A", stripped)
    proof = tree.prove("www.example.net", "A")
    assert said(proof) == bogus(Flaw.UNSIGNED)
    assert proof.blame == q("example.net", "www.example.net", "A")


def test_names_in_any_case_are_the_same_name():
    tree = a_tree()
    shouted = type(n("net"))(label.upper() for label in n(SIGNAL).labels)
    proof = tree.prove(shouted, "CDS")
    assert (said(proof), proof.name) == (SECURE, n(SIGNAL))
    assert proof.name.labels == n(SIGNAL).labels
