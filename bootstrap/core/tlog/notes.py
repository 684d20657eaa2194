"""Checkpoints and signed notes: C2SP tlog-checkpoint, signed-note, tlog-cosignature.

Text and key ids only. Ed25519 comes in as a function, so that this module needs
nothing but the standard library and the signer may live elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from .merkle import HASH_SIZE

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
ID_OCTETS: Final = 4
KEY_OCTETS: Final = 32
SIGNATURE_OCTETS: Final = 64
TIME_OCTETS: Final = 8
DASH: Final = "\u2014"
DIGITS: Final = 20
"""Of the largest number of 64 bits; Python refuses to read very long ones."""

Sign = Callable[[bytes], bytes]
"""Message → Ed25519 signature of 64 octets."""
Verify = Callable[[bytes, bytes, bytes], bool]
"""(public key of 32 octets, signature, message) → is it right?"""


class NoteWrong(Exception):
    """The text is no signed note, or no checkpoint; the message says why."""


class NotSigned(Exception):
    """No signature of the wanted key verifies."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name, as `name+id+base64` spells it."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The key id: four octets (signed-note, "Signatures")."""
        tail = bytes([self.kind]) + self.public
        return hashlib.sha256(self.name.encode() + b"\n" + tail).digest()[:ID_OCTETS]

    def to_text(self) -> str:
        """Return the vkey."""
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the key that a vkey spells.

        Raises:
            NoteWrong: not a vkey, or its id is not that of the key.
        """
        parts = text.strip().split("+", 2)
        try:
            name, identifier, encoded = parts
            raw = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as exc:
            raise NoteWrong("a verifier key has the form name+id+base64") from exc
        if len(raw) != KEY_OCTETS + 1:
            raise NoteWrong("the verifier key has not 32 octets")
        key = cls(name, raw[0], raw[1:])
        _check_name(name)
        if key.id.hex() != identifier:
            raise NoteWrong("the verifier key's id belongs to another key")
        return key


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who, which key, and the octets after the key id."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """Return the line, without its end."""
        encoded = base64.b64encode(self.key_id + self.value).decode()
        return f"{DASH} {self.name} {encoded}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, ending in a newline, and its signatures."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def to_text(self) -> str:
        """Return the signed note."""
        return self.text + "\n" + "".join(f"{s.line()}\n" for s in self.signatures)

    def signed(self, key: VerifierKey, sign: Sign) -> Note:
        """Return the note with one more plain signature."""
        made = Signature(key.name, key.id, sign(self.text.encode()))
        return Note(self.text, (*self.signatures, made))

    def cosigned(self, key: VerifierKey, sign: Sign, *, seconds: int) -> Note:
        """Return the note with one more witness's line, made at a UNIX time."""
        stamp = seconds.to_bytes(TIME_OCTETS, "big")
        made = Signature(key.name, key.id, stamp + sign(_cosigned(seconds, self.text)))
        return Note(self.text, (*self.signatures, made))

    def check(self, key: VerifierKey, verify: Verify) -> int | None:
        """Check the signature of `key`; return a witness's UNIX time, else None.

        Lines of unknown keys are ignored, as the format asks.

        Raises:
            NotSigned: no line of this key, or its signature is wrong.
        """
        for line in self.signatures:
            if (line.name, line.key_id) == (key.name, key.id):
                if key.kind == COSIGNATURE and len(line.value) > TIME_OCTETS:
                    seconds = int.from_bytes(line.value[:TIME_OCTETS], "big")
                    message = _cosigned(seconds, self.text)
                    if verify(key.public, line.value[TIME_OCTETS:], message):
                        return seconds
                elif verify(key.public, line.value, self.text.encode()):
                    return None
                raise NotSigned(f"the signature of {key.name} is wrong")
        raise NotSigned(f"{key.name} has not signed")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree at a size: origin, leaves, root, and further lines of the log's own."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Return the text that is signed."""
        root = base64.b64encode(self.root).decode()
        lines = [self.origin, str(self.size), root, *self.extensions]
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the checkpoint in a note's text.

        Raises:
            NoteWrong: it has not that form.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1]:  # noqa: PLR2004 - three lines and the end
            raise NoteWrong("a checkpoint has origin, size and root, a line each")
        origin, size, encoded, *extensions = lines[:-1]
        if not _is_number(size) or str(int(size)) != size:
            raise NoteWrong("the checkpoint's size is not a decimal number")
        try:
            root = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as exc:
            raise NoteWrong("the checkpoint's root is not base64") from exc
        if len(root) != HASH_SIZE or not origin or not all(extensions):
            raise NoteWrong("the checkpoint has an empty line or a short root")
        return cls(origin, int(size), root, tuple(extensions))


def read(text: str) -> Note:
    """Return the signed note that `text` spells.

    Raises:
        NoteWrong: it has not that form.
    """
    body, separator, tail = text.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise NoteWrong("a note ends in signature lines after an empty line")
    lines = tail[:-1].split("\n")
    return Note(body + "\n", tuple(_signature(line) for line in lines))


def _signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != DASH:  # noqa: PLR2004 - dash, name, base64
        raise NoteWrong("a signature line is a dash, a name and base64")
    try:
        raw = base64.b64decode(parts[2], validate=True)
    except (ValueError, binascii.Error) as exc:
        raise NoteWrong("a signature is not base64") from exc
    if len(raw) <= ID_OCTETS:
        raise NoteWrong("a signature has no octets after its key id")
    _check_name(parts[1])
    return Signature(parts[1], raw[:ID_OCTETS], raw[ID_OCTETS:])


def _is_number(text: str) -> bool:
    """Say whether this is a decimal number of at most 64 bits, or nearly so."""
    return text.isascii() and text.isdigit() and len(text) <= DIGITS


def _check_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() for c in name):
        raise NoteWrong("a key's name is empty or has a space or a plus sign")


def _cosigned(seconds: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def proof_text(index: int, path: Sequence[bytes], checkpoint: str) -> str:
    """Return an inclusion proof as C2SP tlog-proof: index, path, checkpoint."""
    lines = ["c2sp.org/tlog-proof@v1", f"index {index}"]
    lines += [base64.b64encode(part).decode() for part in path]
    return "".join(f"{line}\n" for line in lines) + "\n" + checkpoint


def read_proof(text: str) -> tuple[int, tuple[bytes, ...], str]:
    """Return index, path and checkpoint of an inclusion proof.

    Raises:
        NoteWrong: it has not that form.
    """
    head, separator, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines[0] != "c2sp.org/tlog-proof@v1":
        raise NoteWrong("not a proof of the form c2sp.org/tlog-proof@v1")
    lines = [line for line in lines[1:] if not line.startswith("extra ")]
    word, _space, number = lines[0].partition(" ") if lines else ("", "", "")
    if word != "index" or not _is_number(number):
        raise NoteWrong("the proof has no index")
    try:
        path = tuple(base64.b64decode(line, validate=True) for line in lines[1:])
    except (ValueError, binascii.Error) as exc:
        raise NoteWrong("a line of the proof is not base64") from exc
    return int(number), path, checkpoint
