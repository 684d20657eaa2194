"""Single faults of dossiers, and lives of every shape: what our check says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st

from bootstrap.core.evidence.dossiers import ed25519
from bootstrap.core.tlog import archive, dossier, dossier_checks, story
from bootstrap.core.tlog.dossier import DossierMalformed
from bootstrap.core.tlog.entries import Attachment
from bootstrap.core.tlog.types import EntryType
from tests.support.dossiers import (
    LIFE,
    Change,
    Log,
    Signer,
    Step,
    a_dossier,
    a_log,
    move,
    octets,
    spoil,
)
from tools import audit_verify

from .test_dossier import KEY, forged, index_with, ours

FILES = {
    "an index that is no JSON": ("dossier.json", b"{", "is no index"),
    "an index with a line break": ("dossier.json", b"{}\n", "is no index"),
    "a proposal that is no UUID": (
        "dossier.json",
        index_with(proposal="x"),
        "is no proposal",
    ),
    "a UUID in capitals": (
        "dossier.json",
        index_with(proposal="0193600D-0000-7000-8000-00000000C0DE"),
        "is no proposal",
    ),
    "a proof that is no text": (
        "entries/000000003.tlog-proof",
        b"\xff",
        "is no text",
    ),
    "a proof of another form": (
        "entries/000000003.tlog-proof",
        b"proof",
        "entries/000000003.tlog-proof: not a proof",
    ),
    "a checkpoint that is none": ("checkpoint", b"none", "checkpoint: a note ends"),
    "a proposal that says too little": (
        "proposal.json",
        b'{"child":"good.example","id":"0"}',
        "does not say its auth_method",
    ),
}


@pytest.mark.parametrize(("name", "content", "named"), FILES.values(), ids=FILES)
def test_a_file_of_another_form_is_named(name, content, named):
    assert named in " ".join(ours(forged(name, content)))


def test_sums_that_name_more_than_there_is_are_refused():
    files = archive.unpack(octets())
    files["SHA256SUMS"] += b"0" * 64 + b"  more\n"

    with pytest.raises(DossierMalformed, match="names other files"):
        dossier.decode(archive.pack(files))


def test_something_in_the_log_that_is_no_entry_is_named():
    log, places = a_log()
    log.bodies[places[3]] = b"[]"
    head = log.head()

    found = ours(octets(checkpoint=head, entries=log.proven(places, head)))

    assert found == ("entries/000000005.json is no entry",)


def other_size() -> Attachment:
    return replace(Change().evidence[0], size=1)


ENTRIES = {
    "another path": (
        spoil(4, data={**move(3, "approved", "sending"), "path": "removal"}),
        "its path is 'removal'",
    ),
    "another DS set": (
        spoil(4, data={**move(3, "approved", "sending"), "new_ds": []}),
        "its new_ds is []",
    ),
    "an approval of no evidence": (spoil(3, evidence=False), "other evidence"),
    "evidence of another size": (
        tuple(
            replace(s, spoiled={"evidence": (other_size(),)}) if s.evidence else s
            for s in LIFE
        ),
        "octets, not 1",
    ),
    "no digest at all": (
        tuple(replace(s, data={**s.data, "digest": ""}) for s in LIFE),
        "is not what was decided about",
    ),
    "sent without a beginning": (
        (
            LIFE[0],
            Step(
                EntryType.PUBLICATION_SENT,
                move(2, "candidate", "sent"),
                evidence=True,
            ),
        ),
        "without approval",
    ),
}


@pytest.mark.parametrize(("steps", "named"), ENTRIES.values(), ids=ENTRIES)
def test_entries_that_contradict_the_proposal_are_refused(steps, named):
    assert named in " ".join(ours(octets(steps)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=8,
)
BODY = json.loads(a_dossier().entries[0].body)


@given(st.sampled_from(sorted(BODY)), JSON)
def test_any_value_of_any_field_is_read_or_refused(name, value):
    body = json.dumps({**BODY, name: value}).encode()

    try:
        told = story.read("x", body)
    except story.NoEntry as refusal:
        assert str(refusal) == "x is no entry"  # noqa: PT017 - or it is read
        return

    assert isinstance(told.version, int)
    assert isinstance(told.proposal + told.digest, str)
    list(story.faults([told], told))


@pytest.mark.parametrize(
    ("name", "value"),
    [("ts", "2026-11-24T13:00:00"), ("ev", [{"h": "00"}]), ("ev", ["x"]), ("n", "x")],
)
def test_an_entry_without_its_form_is_none(name, value):
    with pytest.raises(story.NoEntry):
        story.read("x", json.dumps({**BODY, name: value}).encode())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=8, max_size=8), st.integers(1, 8))
def test_a_life_anywhere_in_a_log_of_any_size_holds_for_both(gaps, length):
    """Wherever its entries are sealed, and however far it has come."""
    change, log, places = Change(), Log(), []
    for gap, step in zip(gaps, LIFE[:length], strict=False):
        for other in range(gap):
            log.add(EntryType.SCAN_VERDICT, f"child:other{other}.example.")
        facts = {**change.facts, **step.data} if step.own else dict(step.data)
        place = log.add(
            step.type,
            change.stream,
            data=facts,
            actor_kind=step.actor[0],
            actor_ref=step.actor[1],
            evidence=change.evidence if step.evidence else (),
        )
        places.append(place)
    if not LIFE[length - 1].own:
        places.pop()
    head = log.head()
    data = octets(first=1, checkpoint=head, entries=log.proven(places, head))

    assert ours(data) == ()
    assert audit_verify.verify_dossier(data, KEY.to_text()).wrong == []


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_entries_left_out_or_put_elsewhere_are_found_by_both(data):
    right = a_dossier()
    order = data.draw(st.permutations(range(len(right.entries))))
    kept = order[: data.draw(st.integers(1, len(order)))]
    spoiled = replace(right, entries=tuple(right.entries[n] for n in kept))
    encoded = dossier.encode(spoiled)

    wrong = audit_verify.verify_dossier(encoded, KEY.to_text()).wrong

    beginning = list(kept) == list(range(len(kept))) and LIFE[len(kept) - 1].own
    assert (ours(encoded) == ()) == beginning
    assert (not wrong) == beginning


def test_the_address_of_evidence_is_its_hash():
    """P-8.26: nothing of the bundle is changed on the way."""
    found = dossier.decode(octets())

    assert {hashlib.sha256(b).hexdigest(): b for b in found.evidence.values()} == dict(
        found.evidence
    )


def test_a_dossier_is_held_to_the_key_and_not_to_its_name():
    other = replace(Signer(seed=b"2" * 32).public, name=KEY.name)

    found = dossier_checks.check(a_dossier(), other, ed25519)

    assert "has not signed" in found.faults[0]


@pytest.mark.parametrize(
    ("voices", "good"), [(0, False), (1, True), (2, True), (3, False)]
)
def test_a_rule_that_had_approved_before_may_count_as_a_voice(voices, good):
    """Approved by rule, held by a breaker, approved by a person."""
    rule = replace(
        LIFE[3], actor=("rule", "policy"), data=move(2, "candidate", "approved")
    )
    held = Step(EntryType.PROPOSAL_HELD, move(3, "approved", "held"))
    person = replace(LIFE[3], data=move(4, "held", "approved", voices=voices))
    data = octets((LIFE[0], rule, held, person))

    assert (ours(data) == ()) == good
    assert (not audit_verify.verify_dossier(data, KEY.to_text()).wrong) == good
