"""Whatever happens on the way: changed content is never SECURE, and what does
not change content never changes the outcome (protocol.md, 7.2, 7.8; S-33).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from hypothesis import given, settings, strategies as st

from bootstrap.core.dns.messages import Malformed, Response, read
from bootstrap.core.dns.records import RdataType, RRset, Signed
from bootstrap.core.dnssec import crypto
from bootstrap.core.dnssec.budget import Budget
from bootstrap.core.dnssec.chain import Needs, Proof, Question, validate
from bootstrap.core.dnssec.memory import Memory
from bootstrap.core.dnssec.security import Security
from tests.support.signed import DAY, NOW, SIGNAL, Tree, a_signer, a_tree, n

ABSENT = f"_dsboot.other.{SIGNAL.partition('.example.')[2]}"
CASES = [
    (SIGNAL, "CDS", "nsec"),
    (SIGNAL, "CDS", "nsec3"),
    (SIGNAL, "CDNSKEY", "nsec"),
    (SIGNAL, "CDNSKEY", "nsec3"),
    (SIGNAL, "CDNSKEY", "compact"),
    (ABSENT, "CDS", "nsec"),
    (ABSENT, "CDS", "nsec3"),
    ("w.plain.net", "A", "nsec"),
    ("any.wild.net", "TXT", "nsec"),
    ("any.wild.net", "TXT", "nsec3"),
    ("alias.net", "A", "nsec"),
]


@cache
def world(name: str, rdtype: str, denial: str) -> tuple[Tree, Proof]:
    tree = a_tree(denial=denial)
    net = tree.zones[n("net")]
    net.put("*.wild.net", "TXT", '"wild"')
    net.put("alias.net", "CNAME", "ns1.example.net.")
    plain = tree.zone("plain.net")
    plain.put("w.plain.net", "A", "192.0.2.1")
    return tree, tree.prove(name, rdtype)


@cache
def recorded(name: str, rdtype: str, denial: str):
    """Return the answers of an honest run, and its proof."""
    tree, _proof = world(name, rdtype, denial)
    proof = tree.prove(name, rdtype)
    return dict(tree.seen), proof, tree.anchors


def again(name, rdtype, seen, anchors, now=NOW) -> Proof | Needs:
    return validate(
        n(name),
        RdataType.make(rdtype),
        seen=seen,
        anchors=anchors,
        now=now,
        budget=Budget(),
    )


def content(proof: Proof | Needs):
    """What a decision may depend on: all but the TTL."""
    assert isinstance(proof, Proof)
    rdatas = proof.answer.rrset.rdatas if proof.answer else None
    return replace(proof, answer=None), rdatas


SECTIONS = ("answer", "authority")


def signed_places(response: Response):
    return [(s, i) for s in SECTIONS for i in range(len(getattr(response, s)))]


def changed(
    response: Response, section: str, index: int, new: Signed | None
) -> Response:
    signed = list(getattr(response, section))
    signed[index : index + 1] = [new] if new else []
    sections: dict[str, Any] = {section: tuple(signed)}
    return replace(response, **sections)


def drop_rrset(signed, draw):
    return None


def drop_signatures(signed, draw):
    return replace(signed, rrsigs=())


def drop_a_record(signed, draw):
    if len(signed.rrset.rdatas) < 2:
        return None
    return replace(signed, rrset=replace(signed.rrset, rdatas=signed.rrset.rdatas[1:]))


def flip_rdata(signed, draw):
    rdatas = list(signed.rrset.rdatas)
    which = draw(st.integers(0, len(rdatas) - 1))
    # The last octet: of a digest, a key, an address, or of a bitmap.
    rdatas[which] = rdatas[which][:-1] + bytes((rdatas[which][-1] ^ 1 or 1,))
    return replace(signed, rrset=replace(signed.rrset, rdatas=tuple(rdatas)))


def a_field(field, change):
    def mutate(signed, draw):
        rrsigs = tuple(
            replace(r, **{field: change(getattr(r, field))}) for r in signed.rrsigs
        )
        return replace(signed, rrsigs=rrsigs)

    return mutate


def truncate_signature(signed, draw):
    return a_field("signature", lambda s: s[: draw(st.integers(0, 63))])(signed, draw)


def flip_signature(signed, draw):
    bit = draw(st.integers(0, 511))

    def flip(signature):
        octets = bytearray(signature)
        octets[bit // 8 % len(octets)] ^= 1 << bit % 8
        return bytes(octets)

    return a_field("signature", flip)(signed, draw)


SPOILERS = [
    drop_rrset,
    drop_signatures,
    drop_a_record,
    flip_rdata,
    truncate_signature,
    flip_signature,
    a_field("expiration", lambda t: t + 86_400),
    a_field("inception", lambda t: t - 86_400),
    a_field("original_ttl", lambda t: t + 1),
    a_field("key_tag", lambda t: t ^ 1),
    a_field("algorithm", lambda a: {13: 15}.get(a, 13)),
    a_field("labels", lambda c: c - 1 if c else 1),
    a_field("signer", lambda s: n("net") if s != n("net") else n("org")),
]


@settings(max_examples=600, deadline=None)
@given(st.data(), st.sampled_from(CASES))
def test_a_spoiled_answer_is_never_secure_with_other_content(data, case):
    name, rdtype, _denial = case
    seen, honest, anchors = recorded(*case)
    question = data.draw(st.sampled_from(sorted(seen, key=str)))
    response = seen[question][0]
    places = signed_places(response)
    if not places:
        return
    section, index = data.draw(st.sampled_from(places))
    spoil = data.draw(st.sampled_from(SPOILERS))
    victim = getattr(response, section)[index]
    mutated = changed(response, section, index, spoil(victim, data.draw))

    proof = again(name, rdtype, {**seen, question: (mutated,)}, anchors)

    if isinstance(proof, Needs) or proof.security is not Security.SECURE:
        return
    # What was spoiled bears no weight: SOA, NS, glue, or a record too many.
    assert content(proof) == content(honest)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(CASES))
def test_answers_swapped_between_questions_prove_nothing_new(data, case):
    name, rdtype, _denial = case
    seen, honest, anchors = recorded(*case)
    questions = sorted(seen, key=str)
    first, second = (data.draw(st.sampled_from(questions)) for _ in range(2))
    swapped = {**seen, first: seen[second], second: seen[first]}

    proof = again(name, rdtype, swapped, anchors)

    if isinstance(proof, Proof) and proof.security is Security.SECURE:
        assert content(proof)[1] == content(honest)[1]
        assert proof.absence == honest.absence


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(CASES), st.integers(-20 * 86_400, 20 * 86_400))
def test_out_of_its_time_nothing_is_secure(case, seconds):
    name, rdtype, _denial = case
    seen, honest, anchors = recorded(*case)
    now = NOW + seconds * (DAY / 86_400)

    proof = again(name, rdtype, seen, anchors, now)

    assert isinstance(proof, Proof)
    inside = NOW - DAY <= now <= NOW + 7 * DAY
    assert proof.security is (honest.security if inside else Security.BOGUS)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CASES), st.sampled_from(["wrong", "root"]))
def test_under_another_anchor_nothing_is_secure(case, label):
    name, rdtype, _denial = case
    seen, _honest, anchors = recorded(*case)
    other = a_signer(13, f"not {label}").key.ds(n("."))
    proof = again(name, rdtype, seen, (replace(anchors[0], ds=other),))
    assert isinstance(proof, Proof)
    assert proof.security is Security.BOGUS


def shuffled(response: Response, draw) -> Response:
    """Return the same content in another order, with other TTLs."""
    sections: dict[str, Any] = {}
    for section in (*SECTIONS, "additional"):
        order = draw(st.permutations(getattr(response, section)))
        sections[section] = tuple(
            Signed(
                RRset(
                    signed.rrset.owner,
                    signed.rrset.rdtype,
                    draw(st.integers(0, 10_000)),
                    signed.rrset.rdatas,
                ),
                tuple(draw(st.permutations(signed.rrsigs))),
            )
            for signed in order
        )
    return replace(response, **sections)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(CASES))
def test_order_and_ttl_change_nothing(data, case):
    name, rdtype, _denial = case
    seen, honest, anchors = recorded(*case)
    other = {q: (shuffled(r[0], data.draw),) for q, r in seen.items()}
    assert content(again(name, rdtype, other, anchors)) == content(honest)


def in_random_case(wire: bytes, draw) -> bytes:
    """Change the case of the letters of the question, which all names point to."""
    octets = bytearray(wire)
    end = wire.index(b"\0", 12)
    for position in range(12, end):
        if (
            chr(octets[position]).isalpha()
            and octets[position] > 64
            and draw(st.booleans())
        ):
            octets[position] ^= 0x20
    return bytes(octets)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(CASES))
def test_the_case_of_names_changes_nothing(data, case):
    name, rdtype, _denial = case
    seen, honest, anchors = recorded(*case)
    tree, _proof = world(*case)
    other = {}
    for question in seen:
        message = tree.zones[question.zone].answer(question.name, question.rdtype)
        wire = in_random_case(message.to_wire(max_size=65535), data.draw)
        other[question] = (read(wire, question.name, question.rdtype),)
    found = again(name, rdtype, other, anchors)
    # ECDSA signs anew each time: only the signatures' octets differ.
    assert content(found) == content(honest)


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(CASES))
def test_octets_changed_in_transit_never_make_other_content_secure(data, case):
    name, rdtype, _denial = case
    seen, honest, anchors = recorded(*case)
    tree, _proof = world(*case)
    question = data.draw(st.sampled_from(sorted(seen, key=str)))
    message = tree.zones[question.zone].answer(question.name, question.rdtype)
    octets = bytearray(message.to_wire(max_size=65535))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(octets) - 1))
        octets[at] = data.draw(st.integers(0, 255))
    try:
        responses: tuple[Response, ...] = (
            read(bytes(octets), question.name, question.rdtype),
        )
    except Malformed:
        responses = ()

    proof = again(name, rdtype, {**seen, question: responses}, anchors)

    if isinstance(proof, Proof) and proof.security is Security.SECURE:
        assert content(proof)[1] == content(honest)[1]
        assert proof.absence == honest.absence


@settings(max_examples=80, deadline=None)
@given(st.data(), st.sampled_from(CASES))
def test_p_7_92_the_order_of_servers_changes_nothing(data, case):
    name, rdtype, _denial = case
    seen, _honest, anchors = recorded(*case)
    several: dict[Question, tuple[Response, ...]] = {}
    for question, (response,) in seen.items():
        answers = [response]
        for section, index in signed_places(response)[:1]:
            victim = getattr(response, section)[index]
            answers.append(
                changed(response, section, index, drop_signatures(victim, None))
            )
        several[question] = tuple(answers)
    first = again(name, rdtype, several, anchors)
    turned = {q: tuple(data.draw(st.permutations(r))) for q, r in several.items()}
    assert content(again(name, rdtype, turned, anchors)) == content(first)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(CASES))
def test_memory_changes_neither_outcome_nor_spending(data, case):
    name, rdtype, _denial = case
    seen, _honest, anchors = recorded(*case)
    memo: dict[bytes, bool] = {}
    found = []
    for kept in (None, memo, memo):
        if data.draw(st.booleans()):
            crypto._verifies.cache_clear()
        budget = Budget()
        proof = validate(
            n(name),
            RdataType.make(rdtype),
            seen=seen,
            anchors=anchors,
            now=NOW,
            budget=budget,
            memo=kept,
        )
        found.append((proof, budget))
    assert found[0] == found[1] == found[2]


def tampered(seen, draw) -> dict[Question, tuple[Response, ...]]:
    """Return answers of which some are missing, silent, changed or doubled."""
    found = dict(seen)
    for question in draw(st.lists(st.sampled_from(sorted(seen, key=str)), max_size=3)):
        (response,) = seen[question]
        places = signed_places(response)
        worse = response
        if places:
            section, index = draw(st.sampled_from(places))
            victim = getattr(response, section)[index]
            mutate = draw(st.sampled_from([drop_signatures, flip_rdata, drop_rrset]))
            worse = changed(response, section, index, mutate(victim, draw))
        answers = [None, (), (worse,), (worse, response), (response, worse)]
        chosen = draw(st.sampled_from(answers))
        if chosen is None:
            found.pop(question, None)
        else:
            found[question] = chosen
    return found


@settings(max_examples=300, deadline=None)
@given(st.data(), st.lists(st.sampled_from(CASES), min_size=1, max_size=4))
def test_a_shared_memory_of_walks_changes_neither_outcome_nor_spending(data, cases):
    memory = data.draw(
        st.sampled_from([Memory(), Memory(walks=5, looks=2, ways=2), Memory(walks=0)])
    )
    for case in cases:
        name, rdtype, _denial = case
        seen, _honest, anchors = recorded(*case)
        given_ = tampered(seen, data.draw)
        asked = {
            "name": n(name),
            "rdtype": RdataType.make(rdtype),
            "seen": given_,
            "anchors": anchors,
            "now": NOW + data.draw(st.sampled_from([DAY * 0, DAY * 400])),
        }
        allowance = data.draw(st.sampled_from([(400, 200), (3, 200), (400, 2)]))
        found = []
        for kept in (None, memory, memory):
            budget = Budget(*allowance)
            proof = validate(**asked, budget=budget, memory=kept)
            found.append((proof, budget))
        assert found[0] == found[1] == found[2]


def test_a_memory_spares_the_walk_and_asks_for_the_same_answers():
    name, rdtype, _denial = CASES[0]
    seen, honest, anchors = recorded(*CASES[0])
    memory = Memory()
    looked = []

    class Watched(dict[Question, tuple[Response, ...]]):
        def get(self, question, default=None):
            looked.append(question)
            return super().get(question, default)

    def once() -> Proof | Needs:
        looked.append(None)
        return validate(
            n(name),
            RdataType.make(rdtype),
            seen=Watched(seen),
            anchors=anchors,
            now=NOW,
            budget=Budget(),
            memory=memory,
        )

    assert once() == honest
    proof = once()
    assert proof == honest
    second = looked.index(None, 1)
    first = list(dict.fromkeys(looked[1:second]))
    assert list(dict.fromkeys(looked[second + 1 :])) == first
    key = next(iter(memory._walks))
    assert memory.walked(key, {}) is None
    kept = memory.walked(key, seen)
    assert kept is not None
    assert kept.outcome is proof
