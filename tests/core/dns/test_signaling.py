"""What a walk reads off one answer, and which names it takes for children (P-1.42)."""

from __future__ import annotations

import dns.name
import pytest
from hypothesis import given, strategies as st

from bootstrap.core.dns.messages import Rcode, Response
from bootstrap.core.dns.names import parse_name, place, signaling_name
from bootstrap.core.dns.records import RdataType, RRset, Signed
from bootstrap.core.dns.signaling import Ending, Step, child_at, step

HOST = parse_name("ns1.op.example")
TEST = parse_name("test")
WITHIN = parse_name("test._signal.ns1.op.example")
LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=20)


def name(text):
    """Return a name, whose labels may hold anything."""
    return dns.name.from_text(text)


def nsec(owner, following):
    rdata = name(following).to_wire() + b"\x00\x01\x40"
    return Signed(RRset(name(owner), RdataType.NSEC, 300, (rdata,)), ())


def nsec3():
    owner = name("abc._signal.ns1.op.example")
    return Signed(RRset(owner, RdataType.NSEC3, 300, (b"\x01",)), ())


def an_answer(*authority, answer=(), rcode=Rcode.NOERROR):
    return Response(
        name=WITHIN,
        rdtype=RdataType.NSEC,
        rcode=rcode,
        aa=True,
        tc=False,
        ad=False,
        edns=True,
        dnssec_ok=True,
        edes=(),
        nsid=b"",
        answer=tuple(answer),
        authority=authority,
        additional=(),
        size=100,
    )


S = "_signal.ns1.op.example."
A = f"_dsboot.a.test.{S}"
B = f"_dsboot.b.test.{S}"


@given(st.lists(LABEL, min_size=1, max_size=4))
def test_p_1_42_the_child_of_a_signaling_name_is_read_back(labels):
    child = parse_name(".".join([*labels, "test"]))

    assert child_at(signaling_name(child, HOST), HOST, (TEST,)) == child


@pytest.mark.parametrize(
    "text",
    [
        f"a.test.{S}",  # no _dsboot
        f"_dsboot.{S}",  # no child
        f"_dsboot.test.{S}",  # the zone itself
        f"_dsboot.a.other.{S}",  # nobody's child of ours
        f"_dsboot.a.nottest.{S}",
        "_dsboot.a.test._signal.ns2.op.example.",  # another host
        "_dsboot.a.test.ns1.op.example.",  # no _signal
        f"_ds.a.test.{S}",
        "_dsboot.",
        ".",
    ],
)
def test_p_1_42_other_names_are_discarded(text):
    assert child_at(name(text), HOST, (TEST,)) is None


def test_letters_of_any_case_are_one_child():
    assert child_at(name(f"_DSBOOT.A.Test.{S}"), HOST, (TEST,)) == parse_name("a.test")


@pytest.mark.parametrize(
    ("at", "answer", "expected"),
    [
        # An empty non-terminal: the interval that holds it leads to its first name.
        (str(WITHIN), an_answer(nsec(S, A)), Step(name(A))),
        (A, an_answer(answer=[nsec(A, B)]), Step(name(B))),
        (A, an_answer(answer=[nsec(A, f"zz.{S}")]), Step(None, Ending.COMPLETE)),
        # The last name of the zone: back to the apex.
        (A, an_answer(answer=[nsec(A, S)]), Step(None, Ending.COMPLETE)),
        (str(WITHIN), an_answer(nsec(A, S)), Step(None, Ending.SILENT)),
        # Beside the wildcard's interval the one that counts is found.
        (
            f"b.test.{S}",
            an_answer(nsec(S, f"_dsboot.a.alpha.{S}"), nsec(A, B)),
            Step(name(B)),
        ),
        (str(WITHIN), an_answer(nsec3()), Step(None, Ending.HASHED)),
        (str(WITHIN), an_answer(), Step(None, Ending.UNSIGNED)),
        (
            str(WITHIN),
            an_answer(nsec(str(WITHIN), "\\000." + str(WITHIN))),
            Step(None, Ending.MADE_UP),
        ),
        (
            str(WITHIN),
            an_answer(nsec(f"tesr~.{S}", f"test\\000.{S}")),
            Step(None, Ending.MADE_UP),
        ),
        (A, an_answer(rcode=Rcode.REFUSED), Step(None, Ending.REFUSED)),
        (A, an_answer(rcode=Rcode.SERVFAIL), Step(None, Ending.REFUSED)),
        (
            str(WITHIN),
            an_answer(nsec(f"a.{S}", f"zz.{S}"), rcode=Rcode.NXDOMAIN),
            Step(None, Ending.COMPLETE),
        ),
    ],
)
def test_p_1_42_a_step_leads_to_the_next_name_or_says_why_not(at, answer, expected):
    assert step(answer, name(at), WITHIN) == expected


@given(st.data())
def test_p_1_42_a_walk_ends_whatever_it_is_told(data):
    texts = st.sampled_from([S, A, B, f"_dsboot.c.test.{S}", f"\\000.{S}", "x.", "."])
    at, steps = WITHIN, 0
    while True:
        intervals = data.draw(st.lists(st.tuples(texts, texts), max_size=2))
        one = step(an_answer(*(nsec(*each) for each in intervals)), at, WITHIN)
        if one.next is None:
            assert one.ending is not None
            return
        assert place(one.next) > place(at)
        assert one.next.is_subdomain(WITHIN)
        at, steps = one.next, steps + 1
        assert steps <= 3
