"""Absence and wildcards (protocol.md, 7.3 to 7.6; P-1.26, P-1.30; S-35)."""

from __future__ import annotations

import base64
import time
from dataclasses import replace

import dns.name
import pytest

from bootstrap.core.dns.names import Name
from bootstrap.core.dnssec.budget import Budget, Limits
from bootstrap.core.dnssec.chain import Absence
from bootstrap.core.dnssec.nsec3 import hash_name
from bootstrap.core.dnssec.security import Flaw, Security
from tests.support.signed import (
    CDS,
    DAY,
    NOW,
    Tree,
    a_signer,
    an_rrset,
    an_rrsig,
    coded,
    n,
    q,
    signature_set,
    without,
)

SECURE = (Security.SECURE, None)
MISSING = (Security.BOGUS, Flaw.DENIAL_MISSING)
A, NS, CNAME, SOA, DS, RRSIG, NSEC, DNAME = 1, 2, 5, 6, 43, 46, 47, 39


def said(proof):
    return proof.security, proof.flaw


def a_zone(denial="nsec", **options):
    """Return a tree whose zone `z.` has names with gaps between them."""
    tree = Tree()
    tree.zone(".", a_signer(13, "root"))
    zone = tree.zone("z", a_signer(13, "z"), denial=denial, **options)
    zone.put("b.z", "A", "192.0.2.1")
    zone.put("f.z", "A", "192.0.2.2")
    zone.put("x.ent.z", "A", "192.0.2.3")
    zone.put("*.w.z", "TXT", '"wild"')
    zone.put("closer.w.z", "A", "192.0.2.4")
    zone.put("x.empty.w.z", "A", "192.0.2.5")
    zone.put("*.c.z", "CNAME", "b.z.")
    return tree, zone


BOTH = pytest.mark.parametrize("denial", ["nsec", "nsec3"])
ALL = pytest.mark.parametrize("denial", ["nsec", "nsec3", "compact"])

ABSENT = {
    "another type": ("b.z", "TXT", Absence.NODATA),
    "between two names": ("d.z", "A", Absence.NXDOMAIN),
    "after the last name": ("zz.z", "A", Absence.NXDOMAIN),
    "before the first name": ("0.z", "A", Absence.NXDOMAIN),
    "below a name": ("a.b.z", "A", Absence.NXDOMAIN),
    "an empty non-terminal": ("ent.z", "A", Absence.NODATA),
    "below an empty one": ("y.ent.z", "A", Absence.NXDOMAIN),
    "at the apex": ("z", "TXT", Absence.NODATA),
    "far below": ("a.b.c.d.e.z", "A", Absence.NXDOMAIN),
}


@ALL
@pytest.mark.parametrize(("name", "rdtype", "absence"), ABSENT.values(), ids=ABSENT)
def test_p_7_40_to_p_7_45_p_7_50_absence_is_proven(denial, name, rdtype, absence):
    tree, _zone = a_zone(denial)
    proof = tree.prove(name, rdtype)
    assert (said(proof), proof.absence) == (SECURE, absence)
    assert proof.signer == n("z")
    assert proof.not_after == NOW + 7 * DAY


@BOTH
@pytest.mark.parametrize("name", ["d.z", "b.z", "ent.z"])
def test_p_7_60_absence_without_proof_is_bogus(denial, name):
    tree, _zone = a_zone(denial)
    tree.tamper("z", name, "TXT", lambda m: without(m, denial.upper()))
    tree.tamper("z", name, "DS", lambda m: without(m, denial.upper()))
    assert said(tree.prove(name, "TXT")) == MISSING


@BOTH
def test_p_7_40_p_7_50_each_record_of_the_proof_is_needed(denial):
    tree, _zone = a_zone(denial)
    for victim in range(len(records_of(tree, "d.z", denial))):
        for rdtype in ("A", "DS"):
            tree.tamper("z", "d.z", rdtype, lambda m, i=victim: dropped(m, denial, i))
        assert said(tree.prove("d.z", "A")) == MISSING


def records_of(tree, name, denial):
    message = tree.zones[n("z")].answer(n(name), 1)
    return sorted({r.name for r in message.authority if r.rdtype == kind(denial)})


def kind(denial):
    return {"nsec": 47, "nsec3": 50}[denial]


def dropped(message, denial, index):
    owners = sorted({r.name for r in message.authority if r.rdtype == kind(denial)})
    message.authority = [r for r in message.authority if r.name != owners[index]]
    return message


def with_nsecs(*records):
    """Let the zone answer with these NSEC records: (owner, next, types)."""

    def change(message):
        zone = message.zone
        message.authority = [
            rrset
            for owner, next_name, types in records
            for rrset in zone.nsec(n(owner), dns.name.from_text(next_name), types)
        ]
        return message

    return change


def forge(tree, zone, name, rdtype, *records):
    """Answer DS as always and the question itself with these NSEC records."""

    def change(message):
        message.zone = zone
        return with_nsecs(*records)(message)

    tree.tamper("z", name, rdtype, change)


def answers_of(*records, name="d.z", rdtype="A"):
    tree, zone = a_zone()
    forge(tree, zone, name, rdtype, *records)
    return said(tree.prove(name, rdtype))


CONTRADICTION = (Security.BOGUS, Flaw.DENIAL_CONTRADICTION)
WRONG = (Security.BOGUS, Flaw.DENIAL_WRONG)
BASE = [RRSIG, NSEC]

FORGED = {
    "the gap is elsewhere": ([("e.z", "f.z.", BASE)], MISSING),
    "the gap ends at the name": ([("b.z", "d.z.", BASE)], MISSING),
    "the wildcard is not denied": ([("c.z", "f.z.", BASE)], MISSING),
    "one gap covers both": ([("z", "f.z.", [SOA, *BASE])], SECURE),
    "two gaps": ([("c.z", "f.z.", BASE), ("z", "b.z.", [SOA, *BASE])], SECURE),
    "a zone of one name": ([("z", "z.", [SOA, *BASE])], SECURE),
    "the last one wraps to the apex": (
        [("c.z", "z.", BASE), ("z", "b.z.", [SOA, *BASE])],
        SECURE,
    ),
    "the next name is outside of the zone": (
        [("c.z", "zz.", BASE), ("z", "b.z.", [SOA, *BASE])],
        MISSING,
    ),
    "the next name is before, and not the apex": (
        [("c.z", "b.z.", BASE), ("z", "b.z.", [SOA, *BASE])],
        MISSING,
    ),
    "the record lists the type": ([("d.z", "e.z.", [A, *BASE])], CONTRADICTION),
    "the record lists CNAME": ([("d.z", "e.z.", [CNAME, *BASE])], CONTRADICTION),
    "the side above a cut": ([("d.z", "e.z.", [NS, *BASE])], WRONG),
    "a cut with DS": ([("d.z", "e.z.", [NS, DS, *BASE])], WRONG),
    "NXNAME": ([("d.z", "\\000.d.z.", [*BASE, 128])], SECURE),
}


@pytest.mark.parametrize(("records", "expected"), FORGED.values(), ids=FORGED)
def test_p_7_40_to_p_7_45_what_nsec_records_prove(records, expected):
    assert answers_of(*records) == expected


BELOW = {
    "an ordinary name": ([A], SECURE),
    "a delegation": ([NS], MISSING),
    "a signed delegation": ([NS, DS], MISSING),
    "a DNAME": ([DNAME], MISSING),
    "the apex": ([NS, SOA], SECURE),
}


@pytest.mark.parametrize(("types", "expected"), BELOW.values(), ids=BELOW)
def test_p_7_43_a_record_above_says_nothing_below_a_cut_or_a_dname(types, expected):
    records = [("d.z", "e.z.", [*types, *BASE])]
    assert answers_of(*records, name="x.d.z", rdtype="A") == expected


def test_p_7_45_a_bitmap_that_lists_cds_contradicts_an_empty_answer():
    assert answers_of(("d.z", "e.z.", [59, 60, *BASE]), rdtype="CDS") == CONTRADICTION


def test_p_7_45_a_name_that_does_not_exist_has_no_types():
    tree, _zone = a_zone("compact")
    proof = tree.prove("d.z", "CDS")
    assert (said(proof), proof.absence) == (SECURE, Absence.NXDOMAIN)


def test_p_7_61_a_proof_for_another_name_or_out_of_its_time_is_none():
    tree, zone = a_zone()
    for owner in ("z", "b.z", "*.c.z"):
        zone.spoil(owner, "NSEC", expiration=int((NOW - DAY / 24).timestamp()))
    assert said(tree.prove("d.z", "A")) == (Security.BOGUS, Flaw.EXPIRED)


def test_an_nsec_expanded_from_a_wildcard_proves_nothing():
    """Else `*.w.z NSEC` could be shown as the record of any name below w.z."""
    tree, zone = a_zone()
    zone.put("*.v.z", "A", "192.0.2.1")

    def expanded(message):
        source = zone.nsec(n("*.v.z"), n("w.z"), [A, *BASE])
        fake = an_rrset(n("q.v.z"), NSEC, source[0][0].to_text())
        message.authority = [fake, signature_set(fake, source[1][0])]
        message.answer = []
        return message

    tree.tamper("z", "q.v.z", "TXT", expanded)
    assert said(tree.prove("q.v.z", "TXT")) == MISSING


# Wildcards: section 7.3.


@BOTH
def test_p_7_30_p_7_33_a_wildcard_answer_is_secure_with_its_proof_and_says_so(denial):
    tree, _zone = a_zone(denial)
    proof = tree.prove("any.w.z", "TXT")
    assert (said(proof), proof.wildcard) == (SECURE, True)
    far = tree.prove("a.b.c.w.z", "TXT")
    assert (said(far), far.wildcard) == (SECURE, True)
    assert not tree.prove("b.z", "A").wildcard


@BOTH
def test_p_7_30_a_wildcard_answer_without_proof_is_bogus(denial):
    tree, _zone = a_zone(denial)
    tree.tamper("z", "any.w.z", "TXT", lambda m: without(m, denial.upper()))
    assert said(tree.prove("any.w.z", "TXT")) == (
        Security.BOGUS,
        Flaw.WILDCARD_UNPROVEN,
    )


def test_p_7_53_a_wildcard_proof_above_the_cap_is_no_security():
    tree, _zone = a_zone("nsec3")
    _tree, heavy = a_zone("nsec3", iterations=51)
    tree.tamper("z", "any.w.z", "TXT", lambda _m: heavy.answer(n("any.w.z"), 16))
    proof = tree.prove("any.w.z", "TXT")
    assert said(proof) == (Security.INSECURE, Flaw.NSEC3_ITERATIONS)


@BOTH
def test_p_7_31_the_wildcard_asked_for_by_name_needs_no_proof(denial):
    tree, _zone = a_zone(denial)
    proof = tree.prove("*.w.z", "TXT")
    assert (said(proof), proof.wildcard) == (SECURE, False)


@BOTH
def test_p_7_32_a_wildcard_without_the_type(denial):
    tree, _zone = a_zone(denial)
    proof = tree.prove("any.w.z", "A")
    assert (said(proof), proof.absence) == (SECURE, Absence.NODATA)


@BOTH
def test_p_7_32_all_parts_of_a_wildcard_nodata_are_needed(denial):
    tree, _zone = a_zone(denial)
    parts = len(records_of(tree, "zz.w.z", denial))
    assert parts > 1
    for victim in range(parts):
        for rdtype in ("A", "DS"):
            tree.tamper(
                "z", "zz.w.z", rdtype, lambda m, i=victim: dropped(m, denial, i)
            )
        assert said(tree.prove("zz.w.z", "A")) == MISSING


@BOTH
def test_p_7_32_a_wildcard_alias_leads_on(denial):
    tree, _zone = a_zone(denial)
    proof = tree.prove("any.c.z", "A")
    assert (said(proof), proof.wildcard, proof.aliases) == (SECURE, True, (n("b.z"),))


@BOTH
@pytest.mark.parametrize("name", ["q.closer.w.z", "q.empty.w.z"])
def test_p_7_32_no_wildcard_matches_past_a_closer_name(denial, name):
    tree, zone = a_zone(denial)
    assert tree.prove(name, "TXT").absence is Absence.NXDOMAIN

    def expanded(message):
        wild = zone.nodes[n("*.w.z")][16]
        fake = an_rrset(n(name), 16, '"wild"')
        message.answer = [
            fake,
            signature_set(fake, an_rrsig(wild, zone.signers[0], n("z"))),
        ]
        return message

    tree.tamper("z", name, "TXT", expanded)
    assert said(tree.prove(name, "TXT")) == (Security.BOGUS, Flaw.WILDCARD_UNPROVEN)


def test_p_7_32_a_wildcard_does_not_answer_for_an_empty_name():
    tree, zone = a_zone()

    def expanded(message):
        wild = zone.nodes[n("*.w.z")][16]
        fake = an_rrset(n("empty.w.z"), 16, '"wild"')
        message.answer = [
            fake,
            signature_set(fake, an_rrsig(wild, zone.signers[0], n("z"))),
        ]
        return message

    tree.tamper("z", "empty.w.z", "TXT", expanded)
    assert said(tree.prove("empty.w.z", "TXT")) == (
        Security.BOGUS,
        Flaw.WILDCARD_UNPROVEN,
    )


def test_p_7_32_a_wildcard_at_a_cut_denies_ds_alone():
    records = [("c.z", "f.z.", BASE), ("*.z", "b.z.", [NS, *BASE])]
    assert answers_of(*records) == WRONG
    assert answers_of(*records, rdtype="DS") == SECURE


# NSEC3: section 7.5.


@pytest.mark.parametrize("iterations", [0, 1, 50])
@pytest.mark.parametrize("salt", [b"", b"\xaa\xbb", bytes(32)])
def test_p_7_54_salt_and_iterations_up_to_the_caps(iterations, salt):
    tree, _zone = a_zone("nsec3", iterations=iterations, salt=salt)
    budget = Budget(nsec3_hashes=2_000)
    assert said(tree.prove("d.z", "A", budget=budget)) == SECURE


def test_p_7_53_more_iterations_than_the_cap_count_as_no_security():
    tree, _zone = a_zone("nsec3", iterations=51)
    proof = tree.prove("d.z", "A")
    assert said(proof) == (Security.INSECURE, Flaw.NSEC3_ITERATIONS)
    assert proof.blame == q("z", "d.z", "DS")
    assert said(tree.prove("d.z", "A", limits=Limits(nsec3_iterations=20))) == said(
        proof
    )


def test_p_7_53_the_signature_comes_before_the_cap():
    tree, zone = a_zone("nsec3", iterations=51)
    for name in ("d.z", "z", "*.z"):
        zone.spoil(hashed(zone, name), "NSEC3", unsigned=True)
    chain = zone._nsec3_chain()
    for owner, _next, _types in chain:
        zone.spoil(Name((owner.encode(), *zone.apex.labels)), "NSEC3", unsigned=True)
    assert said(tree.prove("d.z", "A")) == (Security.BOGUS, Flaw.UNSIGNED)


def hashed(zone, name):
    return Name((zone.hash(n(name)).encode(), *zone.apex.labels))


def test_p_7_54_a_salt_beyond_the_cap_is_a_limit():
    tree, _zone = a_zone("nsec3", salt=bytes(33))
    assert said(tree.prove("d.z", "A")) == (Security.INDETERMINATE, Flaw.LIMIT)


def rewritten(zone, change):
    """Return a tampering that rewrites the text of every NSEC3 record."""

    def tamper(message):
        authority = []
        for rrset in message.authority:
            if rrset.rdtype == 50:
                text = change(rrset[0].to_text())
                authority += zone.sign(an_rrset(rrset.name, 50, text))
            elif rrset.covers != 50:
                authority.append(rrset)
        message.authority = authority
        return message

    return tamper


ODD = {
    "an unknown hash algorithm": lambda text: "2" + text[1:],
    "an unknown flag": lambda text: "1 2" + text[3:],
    "a next hash of another length": lambda text: " ".join(
        [*text.split()[:4], "CPNMU", *text.split()[5:]]
    ),
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_p_7_52_odd_records_are_ignored(change):
    tree, zone = a_zone("nsec3")
    for rdtype in ("A", "DS"):
        tree.tamper("z", "d.z", rdtype, rewritten(zone, change))
    assert said(tree.prove("d.z", "A")) == MISSING


@pytest.mark.parametrize(
    "label", ["short", "not-base32-hex!", "0123456789abcdef" * 2 + "00"]
)
def test_owners_that_are_no_hash_are_ignored(label):
    tree, zone = a_zone("nsec3")

    def moved(message):
        owner = Name((label.encode(), *zone.apex.labels))
        next_hash = zone._nsec3_chain()[0][1]
        message.authority = zone.sign(
            an_rrset(owner, 50, f"1 0 0 - {next_hash} A RRSIG")
        )
        return message

    for rdtype in ("A", "DS"):
        tree.tamper("z", "d.z", rdtype, moved)
    assert said(tree.prove("d.z", "A")) == MISSING


def test_a_hash_below_another_name_than_the_apex_is_ignored():
    tree, zone = a_zone("nsec3")

    def moved(message):
        authority = []
        for rrset in message.authority:
            if rrset.rdtype == 50:
                owner = Name((rrset.name.labels[0], b"b", *zone.apex.labels))
                authority += zone.sign(an_rrset(owner, 50, rrset[0].to_text()))
        message.authority = authority
        return message

    for rdtype in ("A", "DS"):
        tree.tamper("z", "d.z", rdtype, moved)
    assert said(tree.prove("d.z", "A")) == MISSING


def test_p_7_52_p_7_54_two_chains_in_one_response_are_tried_apart():
    tree, _zone = a_zone("nsec3")
    _tree, other = a_zone("nsec3", salt=b"\xff", iterations=1)

    def both(message):
        again = other.answer(n("d.z"), message.question[0].rdtype)
        message.authority += [r for r in again.authority if 50 in (r.rdtype, r.covers)]
        return message

    for rdtype in ("A", "DS"):
        tree.tamper("z", "d.z", rdtype, both)
    assert said(tree.prove("d.z", "A")) == SECURE

    def halves(message):
        again = other.answer(n("d.z"), message.question[0].rdtype)
        first = [r for r in message.authority if 50 in (r.rdtype, r.covers)][:2]
        second = [r for r in again.authority if 50 in (r.rdtype, r.covers)][2:]
        message.authority = first + second
        return message

    for rdtype in ("A", "DS"):
        tree.tamper("z", "d.z", rdtype, halves)
    assert said(tree.prove("d.z", "A")) == MISSING


def test_p_7_54_upper_case_owners_are_the_same():
    tree, _zone = a_zone("nsec3")

    def shouted(message):
        for rrset in message.authority:
            if 50 in (rrset.rdtype, rrset.covers):
                rrset.name = Name(
                    (rrset.name.labels[0].upper(), *rrset.name.labels[1:])
                )
        return message

    for rdtype in ("A", "DS"):
        tree.tamper("z", "d.z", rdtype, shouted)
    assert said(tree.prove("d.z", "A")) == SECURE


NSEC3_ENCLOSERS = {
    "an ordinary name": ("A", SECURE),
    "a delegation": ("NS", MISSING),
    "a DNAME": ("DNAME", MISSING),
    "the apex of a zone": ("NS SOA", SECURE),
}


@pytest.mark.parametrize(
    ("types", "expected"), NSEC3_ENCLOSERS.values(), ids=NSEC3_ENCLOSERS
)
def test_rfc_5155_8_3_the_encloser_must_be_able_to_have_names_below(types, expected):
    tree, zone = a_zone("nsec3")
    apex = zone.hash(n("z"))

    def change(message):
        authority = []
        for rrset in message.authority:
            if rrset.rdtype == 50:
                text = rrset[0].to_text()
                if rrset.name.labels[0].decode().lower() == apex:
                    text = " ".join([*text.split()[:5], types])
                authority += zone.sign(an_rrset(rrset.name, 50, text))
        message.authority = authority
        return message

    for rdtype in ("A", "DS"):
        tree.tamper("z", "d.z", rdtype, change)
    assert said(tree.prove("d.z", "A")) == expected


def test_p_7_55_s_35_a_name_of_many_labels_spends_the_hashes_and_ends():
    tree, zone = a_zone("nsec3")
    name = Name((b"a",) * 120 + n("z").labels)
    salts = [bytes((i,)) * 8 for i in range(16)]

    def swarm(message):
        message.authority = []
        for salt in salts:
            zone.salt, zone.iterations = salt, 50
            h, next_hash, types = zone._nsec3_chain()[0]
            message.authority += zone.nsec3(h, next_hash, types)
        zone.salt, zone.iterations = b"", 0
        return message

    tree.tamper("z", "a.z", "DS", swarm)

    started = time.process_time()
    proof = tree.prove(name, "A")

    assert said(proof) == (Security.INDETERMINATE, Flaw.LIMIT)
    assert proof.detail == "the allowance of NSEC3 hashes is used up"
    assert time.process_time() - started < 2


@BOTH
def test_s_17_s_35_more_denials_than_sixteen_are_a_limit(denial):
    tree, zone = a_zone(denial)

    def swarm(message):
        for i in range(17):
            message.authority += zone.nsec(n(f"q{i}.z"), n(f"r{i}.z"), BASE)
        return message

    tree.tamper("z", "d.z", "DS", swarm)
    assert said(tree.prove("d.z", "A")) == (Security.INDETERMINATE, Flaw.LIMIT)


def test_hashes_are_those_of_the_standard():
    """RFC 5155, appendix A: example with 12 iterations and salt aabbccdd."""
    salt = bytes.fromhex("aabbccdd")
    vectors = {
        "example": "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom",
        "a.example": "35mthgpgcu1qg68fab165klnsnk3dpvl",
        "ai.example": "gjeqe526plbf1g8mklp59enfd789njgi",
        "*.w.example": "r53bq7cc2uvmubfu5ocmm6pers9tk9en",
    }
    for name, text in vectors.items():
        expected = base64.b32hexdecode(text.upper())
        assert hash_name(n(name).to_wire(), salt, 12) == expected


# Opt-out, and delegations without DS: sections 7.5 and 7.6.


@BOTH
def test_p_7_50_p_7_60_a_delegation_without_ds_is_proven_insecure(denial):
    tree, _zone = a_zone(denial)
    plain = tree.zone("plain.z")
    plain.put("www.plain.z", "A", "192.0.2.1")
    proof = tree.prove("www.plain.z", "A")
    assert said(proof) == (Security.INSECURE, Flaw.NO_DS)
    assert [c.zone for c in proof.cuts] == [n("."), n("z"), n("plain.z")]


def an_opt_out_zone():
    tree, zone = a_zone("nsec3", opt_out=True)
    plain = tree.zone("plain.z")
    plain.put("www.plain.z", "A", "192.0.2.1")
    plain.put("plain.z", "CDS", CDS)
    return tree, zone


@pytest.mark.parametrize("name", ["plain.z", "www.plain.z"])
def test_p_7_51_opt_out_may_hide_an_insecure_delegation(name):
    tree, _zone = an_opt_out_zone()
    proof = tree.prove(name, "A")
    assert said(proof) == (Security.INSECURE, Flaw.NO_DS)
    assert proof.zone == n("plain.z")


def test_p_1_30_p_7_51_an_absence_under_opt_out_is_not_secure():
    tree, _zone = an_opt_out_zone()
    proof = tree.prove("d.z", "A")
    assert said(proof) == (Security.INSECURE, Flaw.OPT_OUT)
    assert proof.absence is Absence.NXDOMAIN
    assert proof.zone == n("z")


def test_p_7_51_ds_under_opt_out_is_not_secure_either():
    tree, _zone = an_opt_out_zone()
    proof = tree.prove("plain.z", "DS")
    assert said(proof) == (Security.INSECURE, Flaw.OPT_OUT)


def test_rfc_5155_9_2_a_wildcard_answer_under_opt_out_is_not_secure():
    tree, _zone = an_opt_out_zone()
    proof = tree.prove("any.w.z", "TXT")
    assert said(proof) == (Security.INSECURE, Flaw.OPT_OUT)
    assert said(tree.prove("any.c.z", "A"))[0] is Security.INSECURE


def test_names_that_have_a_hash_are_secure_in_an_opt_out_zone():
    tree, _zone = an_opt_out_zone()
    assert said(tree.prove("b.z", "A")) == SECURE
    assert said(tree.prove("b.z", "TXT")) == SECURE
    assert said(tree.prove("*.w.z", "TXT")) == SECURE


@BOTH
def test_p_7_61_the_proof_of_another_zone_is_none(denial):
    tree, _zone = a_zone(denial)
    tree.zone("plain.z")
    evil = tree.zone("evil", a_signer(13, "evil"), denial=denial)
    evil.put("plain.evil", "NS", "ns.invalid.")

    def foreign(message):
        again = evil.answer(n("plain.evil"), 43)
        message.authority = again.authority
        return message

    tree.tamper("z", "plain.z", "DS", foreign)
    proof = tree.prove("www.plain.z", "A")
    assert said(proof) == (Security.BOGUS, Flaw.WRONG_SIGNER)


def test_responses_keep_their_class_of_absence_when_the_code_says_otherwise():
    """The code is not signed: the proof decides."""
    tree, _zone = a_zone()
    tree.tamper("z", "d.z", "A", coded(0))
    assert tree.prove("d.z", "A").absence is Absence.NXDOMAIN


def test_the_newest_of_several_proofs_bounds_the_time():
    tree, zone = a_zone()
    zone.spoil("z", "NSEC", inception=int((NOW - DAY / 4).timestamp()))
    zone.spoil("*.c.z", "NSEC", expiration=int((NOW + DAY / 4).timestamp()))
    proof = replace(tree.prove("d.z", "A"))
    assert (proof.not_before, proof.not_after) == (NOW - DAY / 4, NOW + DAY / 4)


def test_p_7_50_a_referral_under_opt_out_needs_no_word_on_the_wildcard():
    """RFC 5155, sections 7.2.4 and 8.9: encloser and next closer are enough."""
    tree, zone = an_opt_out_zone()

    def as_servers_do(message):
        message.authority = zone.deny(n("z"), n("plain.z"))
        return message

    tree.tamper("z", "plain.z", "DS", as_servers_do)
    assert said(tree.prove("www.plain.z", "A")) == (Security.INSECURE, Flaw.NO_DS)
