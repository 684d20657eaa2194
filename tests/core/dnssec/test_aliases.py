"""CNAME and DNAME (protocol.md, section 7.7; P-1.27)."""

from __future__ import annotations

import pytest

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import RdataType, RRset
from bootstrap.core.dnssec.aliases import target_of
from bootstrap.core.dnssec.budget import Limits
from bootstrap.core.dnssec.chain import Absence
from bootstrap.core.dnssec.security import Flaw, Security
from bootstrap.core.dnssec.signatures import Unverified
from tests.support.signed import (
    CDS,
    SIGNAL,
    Tree,
    a_signer,
    a_tree,
    an_rrset,
    n,
    stripped,
)

SECURE = (Security.SECURE, None)


def said(proof):
    return proof.security, proof.flaw


def a_web() -> Tree:
    """Return a tree with names in `z.` to alias, and an unsigned `plain.`."""
    tree = Tree()
    tree.zone(".", a_signer(13, "root"))
    zone = tree.zone("z", a_signer(13, "z"))
    zone.put("end.z", "A", "192.0.2.1")
    plain = tree.zone("plain")
    plain.put("end.plain", "A", "192.0.2.2")
    other = tree.zone("y", a_signer(13, "y"))
    other.put("end.y", "A", "192.0.2.3")
    return tree


def chain(tree, *names, end):
    for name, target in zip(names, (*names[1:], end), strict=True):
        tree.zones[n(name.split(".")[-1])].put(name, "CNAME", f"{target}.")


def test_p_7_70_p_7_73_each_link_is_validated_and_told():
    tree = a_web()
    chain(tree, "a.z", "b.y", "c.z", end="end.y")
    proof = tree.prove("a.z", "A")
    assert said(proof) == SECURE
    assert proof.name == n("a.z")
    assert proof.aliases == (n("b.y"), n("c.z"), n("end.y"))
    assert proof.answer is not None
    assert proof.answer.rrset.owner == n("end.y")
    assert (proof.zone, proof.signer) == (n("y"), n("y"))
    assert {c.zone for c in proof.cuts} == {n("."), n("z"), n("y")}


def test_p_7_70_the_weakest_link_decides():
    tree = a_web()
    chain(tree, "a.z", end="end.plain")
    assert said(tree.prove("a.z", "A")) == (Security.INSECURE, Flaw.NO_DS)
    chain(tree, "b.plain", end="end.z")
    proof = tree.prove("b.plain", "A")
    assert said(proof) == (Security.INSECURE, Flaw.NO_DS)
    assert proof.aliases == (n("end.z"),)
    tree.tamper("y", "end.y", "A", stripped)
    chain(tree, "c.plain", end="end.y")
    assert said(tree.prove("c.plain", "A")) == (Security.BOGUS, Flaw.UNSIGNED)
    tree.tamper("y", "end.y", "A", lambda _m: ())
    assert said(tree.prove("c.plain", "A")) == (
        Security.INDETERMINATE,
        Flaw.UNREACHABLE,
    )


def test_p_7_70_an_alias_may_lead_to_nothing():
    tree = a_web()
    chain(tree, "a.z", end="nothing.y")
    proof = tree.prove("a.z", "A")
    assert (said(proof), proof.absence) == (SECURE, Absence.NXDOMAIN)
    assert proof.aliases == (n("nothing.y"),)


@pytest.mark.parametrize("names", [("a.z",), ("a.z", "b.z"), ("a.z", "b.y", "c.z")])
def test_p_7_70_a_loop_has_no_end_and_proves_nothing(names):
    tree = a_web()
    chain(tree, *names, end=names[0])
    proof = tree.prove("a.z", "A")
    assert said(proof) == (Security.INDETERMINATE, Flaw.ALIAS_LOOP)
    assert proof.answer is None


def test_p_7_70_s_11_eight_aliases_are_followed_and_a_ninth_is_not():
    tree = a_web()
    chain(tree, *[f"a{i}.z" for i in range(1, 10)], end="end.z")
    assert said(tree.prove("a2.z", "A")) == SECURE
    assert len(tree.prove("a2.z", "A").aliases) == 8
    assert said(tree.prove("a1.z", "A")) == (Security.INDETERMINATE, Flaw.ALIAS_LOOP)
    assert said(tree.prove("a1.z", "A", limits=Limits(aliases=9))) == SECURE


def test_an_alias_asked_for_itself_is_not_followed():
    tree = a_web()
    chain(tree, "a.z", end="end.z")
    proof = tree.prove("a.z", "CNAME")
    assert (said(proof), proof.aliases) == (SECURE, ())


def test_names_below_an_alias_are_looked_for_in_the_zone():
    tree = a_web()
    chain(tree, "a.z", end="end.y")
    tree.zones[n("z")].put("x.a.z", "A", "192.0.2.9")
    proof = tree.prove("x.a.z", "A")
    assert (said(proof), proof.aliases) == (SECURE, ())


def test_p_7_72_an_unsigned_alias_in_a_signed_zone_is_bogus():
    tree = a_web()
    chain(tree, "a.z", end="end.z")
    for rdtype in ("A", "DS"):
        tree.tamper("z", "a.z", rdtype, stripped)
    assert said(tree.prove("a.z", "A")) == (Security.BOGUS, Flaw.UNSIGNED)
    assert all(q.name != n("end.z") for q in tree.questions)


def test_p_7_72_an_alias_beside_other_data_is_malformed():
    tree = a_tree()
    sig = tree.zones[n("_signal.ns1.example.net")]

    def crowded(message):
        message.answer += sig.sign(an_rrset(n(SIGNAL), 5, "evil.test."))
        return message

    tree.tamper("_signal.ns1.example.net", SIGNAL, "CDS", crowded)
    assert said(tree.prove(SIGNAL, "CDS")) == (Security.BOGUS, Flaw.MALFORMED)


def test_two_targets_at_one_name_are_malformed():
    targets = (b"\1a\0", b"\1b\0")
    rrset = RRset(n("a.z"), RdataType.CNAME, 300, targets)
    found = target_of(rrset, n("a.z"))
    assert isinstance(found, Unverified)
    assert found.flaw is Flaw.MALFORMED


def test_p_1_27_p_7_73_a_signal_behind_an_alias_says_so():
    tree = a_tree()
    sig = tree.zones[n("_signal.ns1.example.net")]
    sig.drop(SIGNAL, "CDS")
    sig.put(SIGNAL, "CNAME", "elsewhere.example.net.")
    tree.zones[n("example.net")].put("elsewhere.example.net", "CDS", CDS)
    proof = tree.prove(SIGNAL, "CDS")
    assert (said(proof), proof.aliases) == (SECURE, (n("elsewhere.example.net"),))
    assert proof.zone == n("example.net")


def a_redirection():
    tree = a_web()
    tree.zones[n("z")].put("old.z", "DNAME", "new.y.")
    tree.zones[n("y")].put("www.new.y", "A", "192.0.2.4")
    return tree


def test_p_7_71_a_dname_is_followed_and_its_cname_computed():
    tree = a_redirection()
    proof = tree.prove("www.old.z", "A")
    assert said(proof) == SECURE
    assert proof.aliases == (n("www.new.y"),)
    assert proof.answer is not None
    deep = tree.prove("a.b.c.old.z", "A")
    assert (said(deep), deep.absence) == (SECURE, Absence.NXDOMAIN)
    assert deep.aliases == (n("a.b.c.new.y"),)


def test_p_7_71_the_owner_of_a_dname_is_not_redirected():
    tree = a_redirection()
    tree.zones[n("z")].put("old.z", "A", "192.0.2.7")
    proof = tree.prove("old.z", "A")
    assert (said(proof), proof.aliases) == (SECURE, ())


def test_p_7_71_an_unsigned_dname_is_bogus():
    tree = a_redirection()
    for rdtype in ("A", "DS"):
        tree.tamper("z", "www.old.z", rdtype, stripped)
    assert said(tree.prove("www.old.z", "A")) == (Security.BOGUS, Flaw.UNSIGNED)


def test_p_7_71_a_cname_that_the_dname_does_not_make_is_refused():
    tree = a_redirection()

    def bent(message):
        message.answer[-1] = an_rrset(n("www.old.z"), 5, "evil.y.")
        return message

    tree.tamper("z", "www.old.z", "A", bent)
    assert said(tree.prove("www.old.z", "A")) == (Security.BOGUS, Flaw.MALFORMED)


def test_p_7_71_the_cname_may_be_left_out():
    tree = a_redirection()
    tree.tamper("z", "www.old.z", "A", lambda m: m.answer.pop() and m)
    assert said(tree.prove("www.old.z", "A")) == SECURE


def test_p_7_71_a_dname_of_a_zone_above_has_no_say():
    tree = a_redirection()

    def beside(message):
        message.answer = [an_rrset(n("."), 39, "evil.y.")]
        return message

    tree.tamper("z", "b.z", "A", beside)
    proof = tree.prove("b.z", "A")
    assert (said(proof), proof.absence) == (SECURE, Absence.NXDOMAIN)


def test_p_7_71_a_name_too_long_behind_a_dname_cannot_be_followed():
    tree = a_redirection()
    long = ".".join(["a" * 60] * 3)
    tree.zones[n("z")].put("old.z", "DNAME", f"{long}.y.")
    name = Name((b"b" * 60, b"c" * 30, *n("old.z").labels))
    proof = tree.prove(name, "A")
    assert said(proof) == (Security.BOGUS, Flaw.MALFORMED)
    assert proof.detail == "the name behind the DNAME is too long"


def test_p_7_71_s_11_a_dname_that_grows_the_name_ends():
    tree = a_web()
    tree.zones[n("z")].put("grow.z", "DNAME", "a.b.c.grow.z.")
    proof = tree.prove("x.grow.z", "A")
    assert said(proof) == (Security.INDETERMINATE, Flaw.ALIAS_LOOP)
    assert len(tree.questions) <= 30


def test_p_7_71_f53_a_dname_at_the_signaling_domain_is_an_alias():
    tree = a_tree()
    operator = tree.zones[n("example.net")]
    for rdtype in ("NS", "DS"):
        operator.drop("_signal.ns1.example.net", rdtype)
    del operator.nodes[n("_signal.ns1.example.net")]
    operator.put("_signal.ns1.example.net", "DNAME", "signals.example.net.")
    operator.put("_dsboot.example.ch.signals.example.net", "CDS", CDS)
    proof = tree.prove(SIGNAL, "CDS")
    assert said(proof) == SECURE
    assert proof.aliases == (n("_dsboot.example.ch.signals.example.net"),)


def test_aliases_in_insecure_territory_are_followed_too():
    tree = a_web()
    plain = tree.zones[n("plain")]
    plain.put("old.plain", "DNAME", "y.")
    proof = tree.prove("end.old.plain", "A")
    assert said(proof) == (Security.INSECURE, Flaw.NO_DS)
    assert proof.aliases == (n("end.y"),)
    assert proof.answer is not None
    plain.put("old.plain", "DNAME", f"{'.'.join(['a' * 60] * 3)}.y.")
    long = Name((b"b" * 60, b"c" * 30, *n("old.plain").labels))
    assert said(tree.prove(long, "A")) == (Security.BOGUS, Flaw.MALFORMED)
