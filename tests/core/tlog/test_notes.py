"""C2SP signed notes and checkpoints, with real keys."""

from __future__ import annotations

import contextlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from hypothesis import given, strategies as st

from bootstrap.core.tlog import notes
from bootstrap.core.tlog.notes import (
    Checkpoint,
    Note,
    NoteWrong,
    NotSigned,
    VerifierKey,
)

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()
KEY = VerifierKey("log.example/audit", notes.ED25519, PUBLIC)
WITNESS = VerifierKey("witness.example", notes.COSIGNATURE, PUBLIC)
CHECKPOINT = Checkpoint("log.example/audit", 17, bytes(range(32)))


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def signed() -> Note:
    return Note(CHECKPOINT.to_text()).signed(KEY, PRIVATE.sign)


def test_a_signed_checkpoint_reads_back_and_verifies():
    note = notes.read(signed().to_text())

    assert note.check(KEY, verify) is None
    assert Checkpoint.from_text(note.text) == CHECKPOINT


def test_a_witness_adds_a_line_with_its_time():
    note = signed().cosigned(WITNESS, PRIVATE.sign, seconds=1_795_000_000)

    again = notes.read(note.to_text())

    assert again.check(KEY, verify) is None
    assert again.check(WITNESS, verify) == 1_795_000_000


def test_a_changed_text_is_not_signed():
    note = signed()
    changed = Note(note.text.replace("17", "18"), note.signatures)
    with pytest.raises(NotSigned, match="wrong"):
        changed.check(KEY, verify)
    cosigned = note.cosigned(WITNESS, PRIVATE.sign, seconds=5)
    with pytest.raises(NotSigned, match="wrong"):
        Note(changed.text, cosigned.signatures).check(WITNESS, verify)


def test_a_key_that_did_not_sign_is_told_apart():
    other = VerifierKey("log.example/audit", notes.ED25519, b"\1" * 32)
    with pytest.raises(NotSigned, match="has not signed"):
        signed().check(other, verify)


def test_a_verifier_key_round_trips_as_text():
    assert VerifierKey.from_text(KEY.to_text()) == KEY


@pytest.mark.parametrize(
    "text",
    [
        "no plus signs",
        "a+00000000+!!!",
        "a+00000000+AQ==",
        KEY.to_text().replace(KEY.id.hex(), "00000000"),
    ],
)
def test_a_broken_verifier_key_is_refused(text):
    with pytest.raises(NoteWrong):
        VerifierKey.from_text(text)


def test_a_name_with_a_space_is_refused():
    key = VerifierKey("two words", notes.ED25519, PUBLIC)
    with pytest.raises(NoteWrong, match="name"):
        VerifierKey.from_text(key.to_text())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n",
        "a\n1\n\n",
        "a\n01\nAAAA\n",
        "a\n1\n!!\n",
        "a\n1\nAAAA\n",
        "a\nx\n" + "A" * 43 + "=\n",
        "a\n1\n" + "A" * 43 + "=\n\n",
    ],
)
def test_a_broken_checkpoint_is_refused(text):
    with pytest.raises(NoteWrong):
        Checkpoint.from_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\nno dash\n",
        "text\n\n\u2014 name !!\n",
        "text\n\n\u2014 name AAAA\n",
        "text\n\n\u2014 name AAAAAAAA",
        "text\n\n\u2014 a+b AAAAAAAA\n",
    ],
)
def test_a_broken_note_is_refused(text):
    with pytest.raises(NoteWrong):
        notes.read(text)


@given(st.text())
def test_reading_raises_nothing_but_its_own(text):
    for reader in (notes.read, Checkpoint.from_text, VerifierKey.from_text):
        with contextlib.suppress(NoteWrong):
            reader(text)


PATH = (bytes(range(32)), bytes(32))


@pytest.mark.parametrize("path", [PATH, ()], ids=["two", "none"])
def test_a_proof_of_inclusion_reads_back(path):
    text = notes.proof_text(16, path, signed().to_text())

    index, read_path, checkpoint = notes.read_proof(text)

    assert (index, read_path) == (16, path)
    assert notes.read(checkpoint).check(KEY, verify) is None


def test_a_proof_may_say_more_than_we_know():
    text = notes.proof_text(3, PATH, "checkpoint\n")
    extended = text.replace("index 3\n", "extra AAAA\nindex 3\n")

    assert notes.read_proof(extended) == (3, PATH, "checkpoint\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not a proof"),
        ("c2sp.org/tlog-proof@v1\nindex 1\n", "not a proof"),
        ("c2sp.org/tlog-proof@v2\nindex 1\n\n", "not a proof"),
        ("c2sp.org/tlog-proof@v1\n\n", "no index"),
        ("c2sp.org/tlog-proof@v1\nindex -1\n\n", "no index"),
        ("c2sp.org/tlog-proof@v1\nleaf 1\n\n", "no index"),
        ("c2sp.org/tlog-proof@v1\nindex 1\n!!\n\n", "not base64"),
    ],
)
def test_a_broken_proof_is_refused(text, why):
    with pytest.raises(NoteWrong, match=why):
        notes.read_proof(text)


@given(st.text())
def test_reading_a_proof_raises_nothing_but_its_own(text):
    with contextlib.suppress(NoteWrong):
        notes.read_proof("c2sp.org/tlog-proof@v1\n" + text)
