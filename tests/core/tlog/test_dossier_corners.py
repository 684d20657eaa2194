"""Corners of a dossier's check that no forgery of its files reaches."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import replace

import pytest
import rfc8785

from bootstrap.core.evidence.dossiers import ed25519
from bootstrap.core.tlog import archive, dossier, dossier_checks, story
from bootstrap.core.tlog.dossier import DossierMalformed
from bootstrap.core.tlog.entries import Attachment
from tests.support import dossiers
from tests.support.dossiers import BUNDLE, Signer, a_dossier, move, octets, spoil
from tools import audit_verify

KEY = Signer().public
ADDRESS = hashlib.sha256(BUNDLE).hexdigest()


def faults(data: bytes) -> tuple[str, ...]:
    return dossier_checks.check(dossier.decode(data), KEY, ed25519).faults


def with_files(**changes: bytes | None) -> bytes:
    """Return the archive with other files and right sums; None removes one."""
    files = archive.unpack(octets())
    del files["SHA256SUMS"]
    kept = {name: c for name, c in {**files, **changes}.items() if c is not None}
    sums = (f"{hashlib.sha256(kept[n]).hexdigest()}  {n}\n" for n in sorted(kept))
    return archive.pack({**kept, "SHA256SUMS": "".join(sums).encode()})


def index_with(**changes: int | str) -> bytes:
    told = json.loads(archive.unpack(octets())["dossier.json"])
    return rfc8785.dumps({**told, **changes})


INDEXES = {
    "no map": (b"[]", "dossier.json is no index"),
    "a field too many": (index_with(colour="red"), "dossier.json is no index"),
    "a number as text": (index_with(first="2"), "dossier.json is no index"),
    "spaces": (index_with().replace(b":", b": "), "dossier.json is no index"),
    "another version": (index_with(version=2), "another format, or another version"),
    "another format": (index_with(format="x"), "another format, or another version"),
    "no UUID": (index_with(proposal="x"), "'x' is no proposal"),
    "a UUID in capitals": (
        index_with(proposal=str(dossiers.PROPOSAL).upper()),
        "is no proposal",
    ),
}


@pytest.mark.parametrize(("index", "why"), INDEXES.values(), ids=INDEXES)
def test_an_index_has_one_form(index, why):
    with pytest.raises(DossierMalformed, match=why):
        dossier.decode(with_files(**{"dossier.json": index}))


def test_sums_of_files_that_are_not_there_are_refused():
    files = archive.unpack(octets())
    more = files["SHA256SUMS"] + f"{ADDRESS}  more\n".encode()

    with pytest.raises(DossierMalformed, match="names other files than there are"):
        dossier.decode(archive.pack({**files, "SHA256SUMS": more}))


def test_a_proposal_says_all_that_is_held_to_it():
    said = json.loads(a_dossier().canonical)
    del said["path"]

    assert faults(octets(canonical=rfc8785.dumps(said))) == (
        "proposal.json does not say its path",
    )


def with_second(second: str) -> Attachment:
    return Attachment(ADDRESS, "application/cbor", len(BUNDLE), second)


def test_evidence_of_before_there_was_a_second_hash_holds_all_the_same():  # P-8.25
    steps = tuple(
        replace(step, spoiled={"evidence": (with_second(""),)})
        if step.evidence
        else step
        for step in dossiers.LIFE
    )

    assert faults(octets(steps)) == ()
    assert b"ev512" not in octets(steps)
    assert not audit_verify.verify_dossier(octets(steps), KEY.to_text()).wrong


def test_the_stand_alone_verifier_holds_evidence_to_its_second_hash():  # P-8.25
    data = octets(spoil(0, spoiled={"evidence": (with_second("ab" * 64),)}))

    told = audit_verify.verify_dossier(data, KEY.to_text()).wrong

    assert told == [f"evidence/{ADDRESS}.cbor has another SHA-512"]


OTHER = "4711 13 2 " + "CD" * 32
STORIES = {
    "an approval of another DS set": (
        spoil(
            3,
            data={
                **move(2, "candidate", "approved", voices=2),
                "new_ds": [OTHER],
            },
        ),
        f"its new_ds is ['{OTHER}'], not",
    ),
    "an approval that rests on nothing": (
        spoil(3, spoiled={"evidence": ()}),
        "rests on other evidence than proposal.json says",
    ),
    "evidence of another length": (
        spoil(0, spoiled={"evidence": (Attachment(ADDRESS, "application/cbor", 1),)}),
        f"has {len(BUNDLE)} octets, not 1",
    ),
    "evidence of another second hash": (  # P-8.25, S-98
        spoil(0, spoiled={"evidence": (with_second("ab" * 64),)}),
        "is not what entries/000000002.json rests on, by its SHA-512",
    ),
    "a second hash too many": (
        spoil(
            0,
            data={"version": 1, "ev512": ["", ""]},
            spoiled={"evidence": (with_second(""),)},
        ),
        "entries/000000002.json: ev512 is not one hash for each of its evidence",
    ),
    "a second hash that is no list": (
        spoil(
            0,
            data={"version": 1, "ev512": "x"},
            spoiled={"evidence": (with_second(""),)},
        ),
        "entries/000000002.json: ev512 is not one hash for each of its evidence",
    ),
}


@pytest.mark.parametrize(("steps", "why"), STORIES.values(), ids=STORIES)
def test_entries_are_held_to_the_proposal_and_its_evidence(steps, why):
    if "length" in why or "octets" in why:
        # the last entry that names the evidence says how long it is
        steps = tuple(
            replace(step, evidence=False) if place else step
            for place, step in enumerate(steps)
        )

    assert why in " ".join(faults(octets(steps)))


def test_a_proof_brings_the_checkpoint_of_the_dossier():
    log, places = dossiers.a_log()
    other = log.head().replace("\n\n", "\nanother line\n\n", 1)
    told = faults(octets(entries=log.proven(places, other)))

    names = (dossier.PROOF.format(number) for number in range(2, 2 + len(places)))
    assert told == tuple(f"{name} brings another checkpoint" for name in names)


def test_octets_that_are_no_entry_are_told_though_the_log_holds_them():
    log, places = dossiers.a_log()
    log.bodies[places[3]] = b"[]"
    head = log.head()
    data = octets(checkpoint=head, entries=log.proven(places, head))

    assert faults(data) == ("entries/000000005.json is no entry",)


ENTRY = json.loads(a_dossier().entries[0].body)
NO_ENTRIES = {
    "no map": b"[]",
    "a number": b"1",
    "nothing": b"",
    "a field less": json.dumps({k: v for k, v in ENTRY.items() if k != "ts"}).encode(),
    "a moment without a zone": json.dumps(
        {**ENTRY, "ts": "2026-11-24T13:00:00"}
    ).encode(),
    "evidence that is no map": json.dumps({**ENTRY, "ev": [{"h": 1}]}).encode(),
    "too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("body", NO_ENTRIES.values(), ids=NO_ENTRIES)
def test_an_entry_has_one_form(body):
    assert story.read("x", json.dumps(ENTRY).encode()).stream == ENTRY["stream"]
    with pytest.raises(story.NoEntry, match="x is no entry"):
        story.read("x", body)


def test_a_proof_that_lost_its_checkpoint_is_refused_by_both():
    found = a_dossier()
    cut = replace(found.entries[0], proof=found.entries[0].proof.partition("\n\n")[0])
    data = dossier.encode(replace(found, entries=(cut, *found.entries[1:])))

    assert faults(data)
    assert audit_verify.verify_dossier(data, KEY.to_text()).wrong
    assert not audit_verify.verify_dossier(octets(), KEY.to_text()).wrong


MESSAGE = b"what a server of the parent answered"
DIGEST = hashlib.sha256(MESSAGE).hexdigest()


def naming(messages: object) -> tuple[dossiers.Step, ...]:
    return spoil(6, data={**move(5, "sent", "visible"), "messages": messages})


NAMED = {"192.0.2.53": DIGEST}
MISSING = f"seen/{DIGEST}.dns, which 192.0.2.53 answered by entries/000000008.json, is missing"
ODD = "entries/000000008.json: messages is not one hash for each server"
MESSAGES = {
    "one that is missing": (NAMED, {}, MISSING),
    "one that nothing names": (
        {},
        {DIGEST: MESSAGE},
        f"seen/{DIGEST}.dns: no entry names it",
    ),
    "names that are none": ([DIGEST], {}, ODD),
    "a name that is no text": ({"192.0.2.53": 1}, {}, ODD),
}


def test_p_8_10_messages_that_an_entry_names_are_in_the_dossier():
    data = octets(naming(NAMED), messages={DIGEST: MESSAGE})

    assert dossier.decode(data).messages == {DIGEST: MESSAGE}
    assert faults(data) == ()
    assert audit_verify.verify_dossier(data, KEY.to_text()).wrong == []


@pytest.mark.parametrize(("named", "there", "why"), MESSAGES.values(), ids=MESSAGES)
def test_p_8_10_messages_and_their_names_belong_together(named, there, why):
    data = octets(naming(named), messages=there)

    assert faults(data) == (why,)
    # a field of another form is an entry that the other one cannot read: no "holds"
    with contextlib.suppress(*audit_verify.FAULTS):
        assert audit_verify.verify_dossier(data, KEY.to_text()).wrong


def test_p_8_10_a_message_has_the_name_of_its_content():
    files = archive.unpack(octets(naming(NAMED), messages={DIGEST: MESSAGE}))
    del files["SHA256SUMS"]
    files[f"seen/{DIGEST}.dns"] = b"another"
    sums = (f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in sorted(files))
    data = archive.pack({**files, "SHA256SUMS": "".join(sums).encode()})

    with pytest.raises(DossierMalformed, match="has another content"):
        dossier.decode(data)
    assert audit_verify.verify_dossier(data, KEY.to_text()).wrong
