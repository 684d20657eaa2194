"""The signer: holds the log's key, and never signs two histories (S-91).

Its whole memory is one small file: the size and root that it signed last. It
signs a checkpoint only with a proof that the tree has grown from there, and
remembers it before it gives the signature away.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from bootstrap.core.tlog import merkle, notes

PRIVATE_MODE: Final = 0o400


class WillNotSign(Exception):
    """The request contradicts what was signed before."""


class KeyUnusable(Exception):
    """The key file is missing, readable by others, or no Ed25519 seed."""


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether an Ed25519 signature is right."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def make_key(path: Path) -> None:
    """Write a new key: 32 octets in base64, readable by its owner only.

    Raises:
        FileExistsError: there is a file already; it is left alone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = Ed25519PrivateKey.generate().private_bytes_raw()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(seed) + b"\n")


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs checkpoints of the log `origin` with the key in `key_file`."""

    origin: str
    key_file: Path
    state_file: Path

    @property
    def public(self) -> notes.VerifierKey:
        """The key that checkpoints are verified with."""
        raw = self._private().public_key().public_bytes_raw()
        return notes.VerifierKey(self.origin, notes.ED25519, raw)

    @property
    def clock(self) -> notes.VerifierKey:
        """The same key as a cosigner: its line says when the checkpoint was made."""
        return notes.VerifierKey(self.origin, notes.COSIGNATURE, self.public.public)

    def last(self) -> tuple[int, bytes]:
        """Return size and root that were signed last; (0, empty) before the first."""
        if not self.state_file.exists():
            return 0, merkle.EMPTY_ROOT
        held = json.loads(self.state_file.read_text())
        return int(held["size"]), bytes.fromhex(held["root"])

    def sign(
        self, checkpoint: notes.Checkpoint, proof: Sequence[bytes], *, now: datetime
    ) -> notes.Note:
        """Return the checkpoint with our signature, and a cosignature with the time.

        `proof` is the consistency proof from `last()` to the checkpoint. The
        time, in seconds, is `now`: the plain signature has no place for one.

        Raises:
            WillNotSign: another origin, a smaller tree, or a proof that does not
                lead from what was signed last.
        """
        if checkpoint.origin != self.origin:
            raise WillNotSign(f"this key signs {self.origin}, not {checkpoint.origin}")
        with self._locked():
            size, root = self.last()
            private = self._private()  # unusable: nothing is remembered
            if checkpoint.size < size:
                raise WillNotSign(
                    f"{size} leaves were signed; {checkpoint.size} are fewer"
                )
            try:
                merkle.check_consistency(
                    size, root, checkpoint.size, checkpoint.root, proof
                )
            except merkle.ProofWrong as exc:
                raise WillNotSign(str(exc)) from exc
            self._remember(checkpoint)
        sign = private.sign
        note = notes.Note(checkpoint.to_text()).signed(self.public, sign)
        return note.cosigned(self.clock, sign, seconds=int(now.timestamp()))

    def _private(self) -> Ed25519PrivateKey:
        try:
            if self.key_file.stat().st_mode & 0o077:
                raise KeyUnusable(f"{self.key_file} can be read by others: chmod 400")
            seed = base64.b64decode(self.key_file.read_bytes(), validate=False)
            return Ed25519PrivateKey.from_private_bytes(seed)
        except OSError as exc:
            raise KeyUnusable(f"{self.key_file}: {exc.strerror}") from exc
        except ValueError as exc:
            raise KeyUnusable(
                f"{self.key_file} holds no Ed25519 seed in base64"
            ) from exc

    def _remember(self, checkpoint: notes.Checkpoint) -> None:
        beside = self.state_file.with_suffix(".new")
        with beside.open("w") as file:
            json.dump({"size": checkpoint.size, "root": checkpoint.root.hex()}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(self.state_file)
        descriptor = os.open(self.state_file.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.state_file.parent.mkdir(parents=True, exist_ok=True)
        with self.state_file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
