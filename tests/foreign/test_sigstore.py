"""A further opinion: PyPI's sigstore accepts our checkpoints and proofs (S-93).

What it checks entries of Rekor with is pointed at ours: the signed note, its Ed25519
signature with our key, and RFC 6962's inclusion up to the signed root. Of the second,
older checkpoint it has no word: it knows no consistency proofs. Nothing is asked of
any network. The functions are internal to it; the lock file says of which version.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import call_command
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore._internal.rekor.checkpoint import SignedCheckpoint, verify_checkpoint
from sigstore._internal.trust import Keyring, RekorKeyring
from sigstore.errors import VerificationError
from sigstore.models import TransparencyLogEntry
from sigstore_models.common.v1 import PublicKey, PublicKeyDetails
from sigstore_models.rekor.v1 import TransparencyLogEntry as Message

from bootstrap import clock
from bootstrap.core.tlog import notes
from bootstrap.models import AuditEntry
from bootstrap.services import audit
from bootstrap.services.actors import SCANNER

ORIGIN = "portal.example/audit/2026"
SIZE = 300
pytestmark = pytest.mark.django_db(transaction=True)


def encoded(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


@dataclass(frozen=True)
class Handed:
    """What `audit prove` has written of one entry, and the log's key."""

    body: bytes
    proof: str
    key: notes.VerifierKey


def keyring(key: notes.VerifierKey) -> RekorKeyring:
    """Return what sigstore takes keys in."""
    public = Ed25519PublicKey.from_public_bytes(key.public)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    details = PublicKeyDetails.PKIX_ED25519
    message = PublicKey(raw_bytes=encoded(der).encode(), key_details=details)
    return RekorKeyring(Keyring([message]))


def as_rekors(handed: Handed) -> TransparencyLogEntry:
    """Return a proof of ours in the form of an entry of Rekor."""
    index, path, checkpoint = notes.read_proof(handed.proof)
    head = SignedCheckpoint.from_text(checkpoint).checkpoint
    message = {
        "log_index": str(index),
        "log_id": {"key_id": encoded(handed.key.id)},
        "kind_version": {"kind": "ours", "version": "1"},
        "inclusion_proof": {
            "log_index": str(index),
            "root_hash": encoded(bytes.fromhex(head.log_hash)),
            "tree_size": str(head.log_size),
            "hashes": [encoded(each) for each in path],
            "checkpoint": {"envelope": checkpoint},
        },
        "canonicalized_body": encoded(handed.body),
    }
    return TransparencyLogEntry(Message.from_dict(message))


def check(handed: Handed, key: notes.VerifierKey | None = None) -> None:
    entry = as_rekors(handed)
    verify_checkpoint(keyring(key or handed.key), entry)
    verify_merkle_inclusion(entry)


@pytest.fixture
def log(settings, tmp_path):
    """A log with more entries than one tile takes."""
    settings.BOOTSTRAP = settings.BOOTSTRAP | {
        "AUDIT_ORIGIN": ORIGIN,
        "AUDIT_LOG_DIR": str(tmp_path / "log"),
        "AUDIT_KEY_FILE": str(tmp_path / "key"),
    }
    for n in range(SIZE):
        audit.record(
            "scan.failed", stream=f"s{n % 5}", actor=SCANNER, now=clock.now(), n=n
        )
    call_command("sealer", "--once", "--make-key")
    return tmp_path / "log"


def handed_out(log, index: int) -> Handed:
    entry = AuditEntry.objects.get(leaf__index=index)
    path = log.parent / f"{index}.tlog-proof"
    call_command("audit", "prove", str(entry.uid), "-o", str(path))
    key = notes.VerifierKey.from_text((log / "key").read_text())
    return Handed(path.with_suffix(".json").read_bytes(), path.read_text(), key)


def test_sigstore_reads_our_checkpoint_as_we_do(log):
    text = (log / "checkpoint").read_text()

    read = SignedCheckpoint.from_text(text).checkpoint

    ours = notes.Checkpoint.from_text(notes.read(text).text)
    assert (read.origin, read.log_size) == (ours.origin, ours.size)
    assert bytes.fromhex(read.log_hash) == ours.root


def test_sigstore_accepts_checkpoint_and_proof_of_any_entry(log):
    size = AuditEntry.objects.filter(leaf__isnull=False).count()

    for index in (0, 1, 127, 128, 255, 256, size - 2, size - 1):
        check(handed_out(log, index))


def test_sigstore_refuses_another_entry_proof_or_key(log):
    handed = handed_out(log, 130)
    other = handed_out(log, 131)
    thief = Handed(handed.body, handed.proof, notes.VerifierKey(ORIGIN, 1, bytes(32)))
    lines = handed.proof.split("\n")
    lines[2], lines[3] = lines[3], lines[2]
    shuffled = Handed(handed.body, "\n".join(lines), handed.key)

    with pytest.raises(VerificationError, match="root hash"):
        check(Handed(other.body, handed.proof, handed.key))
    with pytest.raises(VerificationError, match="root hash"):
        check(shuffled)
    with pytest.raises(VerificationError, match="not found for log ID"):
        check(thief)


def test_sigstore_refuses_a_checkpoint_that_was_changed(log):
    handed = handed_out(log, 130)
    size = notes.Checkpoint.from_text(
        notes.read((log / "checkpoint").read_text()).text
    ).size
    changed = handed.proof.replace(f"\n{size}\n", f"\n{size + 1}\n")
    assert changed != handed.proof

    with pytest.raises(VerificationError, match="invalid signature"):
        check(Handed(handed.body, changed, handed.key))
