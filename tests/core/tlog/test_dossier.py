"""A dossier holds or says what does not: by our check, and by the one file alone.

Each trial goes to both: `dossier_checks`, and `tools/audit_verify.py`, which
imports nothing of ours.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings, strategies as st

from bootstrap.core.evidence.dossiers import ed25519
from bootstrap.core.tlog import archive, dossier, dossier_checks, notes
from bootstrap.core.tlog.dossier import DossierMalformed, Proven
from bootstrap.core.tlog.types import EntryType
from tests.support import dossiers
from tests.support.dossiers import (
    ADA,
    LIFE,
    Signer,
    a_dossier,
    move,
    octets,
    spoil,
)
from tools import audit_verify

KEY = Signer().public


def ours(data: bytes, key: notes.VerifierKey = KEY) -> tuple[str, ...]:
    """Return what our check finds wrong."""
    try:
        found = dossier.decode(data)
    except DossierMalformed as exc:
        return (str(exc),)
    return dossier_checks.check(found, key, ed25519).faults


def alone(tmp_path, capsys, data: bytes, key: notes.VerifierKey = KEY) -> str:
    """Return what the stand-alone verifier finds wrong; nothing when all holds."""
    path = tmp_path / "dossier"
    path.write_bytes(data)

    status = audit_verify.main([str(path), "--key", key.to_text()])

    told = capsys.readouterr()
    text = told.out + told.err
    assert (status == 0) == ("everything holds" in text)
    return "" if status == 0 else text


def test_what_is_encoded_is_read_again():
    found = a_dossier()

    assert dossier.decode(dossier.encode(found)) == found


def test_a_change_that_went_well_holds_for_both(tmp_path, capsys):
    data = octets()

    found = dossier_checks.check(dossier.decode(data), KEY, ed25519)

    assert found.faults == ()
    assert found.state == "settled"
    assert found.checkpoint is not None
    assert [told.type for told in found.told] == [
        str(step.type) for step in LIFE if step.own
    ]
    assert alone(tmp_path, capsys, data) == ""


def test_the_stand_alone_verifier_says_what_it_has_seen(tmp_path, capsys):
    (tmp_path / "d").write_bytes(octets())

    audit_verify.main([str(tmp_path / "d"), "--key", KEY.to_text(), "--json"])

    told = json.loads(capsys.readouterr().out)
    assert told["state"] == "settled"
    assert json.loads(told["change"])["new_ds"] == [dossiers.DS]
    assert told["types"]["publication.sent"] == 1


def without(place: int):
    """Return the dossier that lacks one entry and hides it as well as it can."""
    right = a_dossier()
    left = (*right.entries[:place], *right.entries[place + 1 :])
    return replace(right, entries=left, first=right.first + (place == 0))


@pytest.mark.parametrize("place", range(len(LIFE) - 1))
def test_no_entry_is_missing_but_at_the_end(place, tmp_path, capsys):
    data = dossier.encode(without(place))

    assert ours(data)
    assert alone(tmp_path, capsys, data)


def test_what_ends_earlier_is_told_as_it_was_then(tmp_path, capsys):
    """Nothing in a log shows that no later entry exists; the state says how far."""
    data = dossier.encode(without(len(LIFE) - 1))

    found = dossier_checks.check(dossier.decode(data), KEY, ed25519)

    assert (found.faults, found.state) == ((), "visible")
    assert alone(tmp_path, capsys, data) == ""


@pytest.mark.parametrize("kind", ["json", "tlog-proof"])
def test_a_file_that_is_announced_is_there(kind, tmp_path, capsys):
    files = archive.unpack(octets())
    del files[f"entries/000000004.{kind}"], files["SHA256SUMS"]
    data = summed(files)

    assert f"entries/000000004.{kind}" in ours(data)[0]
    assert "entries/000000004" in alone(tmp_path, capsys, data)


def summed(files: dict[str, bytes]) -> bytes:
    """Return the archive with new sums, as a forger would make it."""
    sums = (f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in sorted(files))
    return archive.pack({**files, "SHA256SUMS": "".join(sums).encode()})


def forged(name: str, content: bytes) -> bytes:
    files = archive.unpack(octets())
    del files["SHA256SUMS"]
    return summed({**files, name: content})


def foreign_entry():
    """Return the dossier in which an entry of another stream stands for one."""
    right = a_dossier()
    log, _places = dossiers.a_log()
    other = log.proven([2], right.checkpoint)
    return replace(right, entries=(*right.entries[:3], *other, *right.entries[4:]))


def renamed(**changes: Any) -> bytes:
    return rfc8785.dumps({**json.loads(a_dossier().canonical), **changes})


def other_bundle() -> dict[str, bytes]:
    return {hashlib.sha256(b"other").hexdigest(): b"other"}


def another_checkpoint() -> str:
    log, _places = dossiers.a_log()
    log.add(EntryType.LOG_HEARTBEAT, "log")
    return log.head()


def other_proofs(change):
    found = a_dossier()
    spoiled = tuple(Proven(e.body, change(e.proof)) for e in found.entries)
    return octets(entries=spoiled)


EVIDENCE = f"evidence/{hashlib.sha256(dossiers.BUNDLE).hexdigest()}.cbor"
FORGERIES = {
    "an entry changed": (
        lambda: forged("entries/000000003.json", b"{}"),
        "entries/000000003.json",
    ),
    "an entry of another stream": (lambda: dossier.encode(foreign_entry()), "entries/"),
    "entries exchanged": (
        lambda: octets(entries=tuple(reversed(a_dossier().entries))),
        "entries/",
    ),
    "proofs exchanged": (
        lambda: octets(
            entries=tuple(
                Proven(one.body, two.proof)
                for one, two in zip(
                    a_dossier().entries, reversed(a_dossier().entries), strict=True
                )
            )
        ),
        "entries/",
    ),
    "the checkpoint of a larger log": (
        lambda: octets(checkpoint=another_checkpoint()),
        "entries/",
    ),
    "proofs to another checkpoint than the dossier's": (
        lambda: other_proofs(
            lambda proof: proof.replace("\nindex", "\nextra x\nindex")
        ),
        "entries/",
    ),
    "proofs without a checkpoint": (
        lambda: other_proofs(lambda proof: proof.partition("\n\n")[0]),
        "entries/",
    ),
    "a checkpoint of another key": (
        lambda: octets(checkpoint=dossiers.a_log()[0].head(Signer(seed=b"1" * 32))),
        "signed",
    ),
    "a checkpoint whose signature is wrong": (
        lambda: octets(checkpoint=wrongly_signed()),
        "signature",
    ),
    "another proposal": (
        lambda: octets(canonical=renamed(new_ds=["1 13 2 AB"])),
        "proposal.json",
    ),
    "no proposal": (lambda: octets(canonical=b"[]"), "proposal.json"),
    "evidence that hashes otherwise": (
        lambda: forged(EVIDENCE, b"something else"),
        EVIDENCE,
    ),
    "no evidence": (lambda: octets(evidence={}), EVIDENCE),
    "evidence that nothing rests on": (
        lambda: octets(evidence={**a_dossier().evidence, **other_bundle()}),
        "evidence/",
    ),
    "a file that has no place": (lambda: forged("entries/x.json", b"{}"), "x.json"),
    "another stream's name": (
        lambda: octets(stream="child:other.example."),
        "entries/",
    ),
    "the end before the end": (
        lambda: octets(entries=a_dossier().entries[:3]),
        "not about the proposal",
    ),
    "another beginning": (lambda: octets(first=1), "entries/"),
    "another version of the format": (
        lambda: forged("dossier.json", index_with(version=2)),
        "dossier.json",
    ),
    "no index": (lambda: forged("dossier.json", b"[]"), ""),
}


def index_with(**changes: Any) -> bytes:
    told = json.loads(archive.unpack(octets())["dossier.json"])
    return rfc8785.dumps({**told, **changes})


def wrongly_signed() -> str:
    note = notes.read(dossiers.a_log()[0].head())
    line = note.signatures[0]
    wrong = replace(line, value=bytes(64))
    return replace(note, signatures=(wrong,)).to_text()


@pytest.mark.parametrize(("make", "named"), FORGERIES.values(), ids=FORGERIES)
def test_a_forged_dossier_is_refused_and_says_which_part(make, named, tmp_path, capsys):
    data = make()

    found = ours(data)

    assert found
    assert named in " ".join(found)
    told = alone(tmp_path, capsys, data)
    assert told
    assert named.split("/")[0] in told


STORIES = {
    "nothing was approved": (
        spoil(3, type=EntryType.NOTE_WRITTEN, data={}, own=False),
        "000000006",
    ),
    "one voice of two": (
        spoil(1, type=EntryType.NOTE_WRITTEN, data={}, own=False),
        "voices",
    ),
    "the same person twice": (spoil(3, actor=("staff", ADA)), "voices"),
    "an approval of something else": (
        spoil(
            3, data={**move(2, "candidate", "approved", voices=1), "digest": "0" * 64}
        ),
        "approved",
    ),
    "a move that is not told": (
        spoil(4, type=EntryType.NOTE_WRITTEN, data={}, own=False),
        "000000007",
    ),
    "a version that is not told": (
        spoil(5, data=move(5, "sending", "sent")),
        "000000007",
    ),
    "a beginning that is none": (
        spoil(0, type=EntryType.PROPOSAL_RENEWED),
        "begins",
    ),
    "a second beginning": (spoil(2, type=EntryType.PROPOSAL_CREATED, own=True), ""),
    "a step dated before the last": (
        spoil(5, spoiled={"at": dossiers.AT.replace(year=2020)}),
        "dated",
    ),
    "a gap in the stream": (spoil(5, spoiled={"number": 99}), "number 99"),
    "another entry before": (spoil(5, spoiled={"previous": "0" * 64}), "follow"),
}


@pytest.mark.parametrize(("steps", "named"), STORIES.values(), ids=STORIES)
def test_a_wrong_story_is_refused_although_the_log_tells_it(
    steps, named, tmp_path, capsys
):
    """S-64, S-73, S-88."""
    data = octets(steps)

    found = " ".join(ours(data))

    assert found
    assert named in found
    assert alone(tmp_path, capsys, data)


def test_who_asked_for_the_change_cannot_have_approved_it():
    data = octets(spoil(0, actor=("staff", ADA)))

    assert "who asked for the change approved it" in " ".join(ours(data))


def test_a_rule_approves_without_voices(tmp_path, capsys):
    step = replace(
        LIFE[3], actor=("rule", "policy"), data=move(2, "candidate", "approved")
    )
    data = octets((LIFE[0], step, *LIFE[4:]))

    assert ours(data) == ()
    assert alone(tmp_path, capsys, data) == ""


def test_the_origin_is_that_of_the_key():
    """A log's key never vouches for a log of another name."""
    log, places = dossiers.a_log()
    key = Signer().public
    other = notes.Checkpoint("other.example/log", len(log.bodies), b"\0" * 32)
    head = notes.Note(other.to_text()).signed(key, Signer().private.sign).to_text()
    data = octets(checkpoint=head, entries=log.proven(places, head))

    assert "another log" in ours(data)[0]


@pytest.mark.parametrize("first", range(0, 132, 33))
def test_a_flipped_octet_anywhere_is_refused_by_both(first, tmp_path, capsys):
    """S-93: every 33rd octet of the whole file, another bit each."""
    data = octets()

    for at in range(first, len(data), 132):
        spoiled = bytearray(data)
        spoiled[at] ^= 1 << (at % 8)
        assert ours(bytes(spoiled)), at
        assert alone(tmp_path, capsys, bytes(spoiled)), at


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_content_makes_the_check_fail_otherwise_than_by_refusing(data):
    """Any file of the archive replaced, with right sums."""
    files = archive.unpack(octets())
    del files["SHA256SUMS"]
    name = data.draw(st.sampled_from(sorted(files)))
    before = files[name]
    content = data.draw(
        st.one_of(
            st.binary(max_size=300),
            st.integers(0, len(before)).map(lambda cut: before[:cut]),
            st.sampled_from([b"[]", b"{}", b"null", b"[" * 100_000, b'"\\ud800"']),
        )
    )
    spoiled = summed({**files, name: content})

    found = ours(spoiled)
    try:
        wrong = audit_verify.verify_dossier(spoiled, KEY.to_text()).wrong
    except audit_verify.FAULTS:
        wrong = ["unusable"]

    harmless = name == "README.txt" or content == before
    if name == "dossier.json":
        return  # the mark of who took it is of no weight
    assert bool(found) != harmless or name == "README.txt"
    assert bool(wrong) != harmless


def test_more_entries_than_the_limit_are_not_read():
    data = forged("dossier.json", index_with(last=10**9))

    assert "entries" in ours(data)[0]
