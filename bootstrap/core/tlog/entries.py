"""What an entry of the trail looks like, byte for byte.

Canonical JSON (RFC 8785) of integers and strings only: what is stored is what
is hashed, never a re-serialisation (S-89). Personal values are not part of an
entry, only their salted digests are (S-95). The layout is security.md 5.4.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import rfc8785

from .types import SECOND, EntryType

MAX_BYTES: Final = 16_384
"""Longest entry; bundles of the log could hold 65,535 (S-89)."""
MAX_INTEGER: Final = 2**53 - 1
"""RFC 8785 numbers are IEEE 754 doubles: beyond this they lose digits."""
SALT_BYTES: Final = 16
RANDOM_BYTES: Final = 10
LEAF_PREFIX: Final = b"\x00"

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]


class NotCanonical(Exception):
    """The value has no place in an entry: a float, an unknown type, too much."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """Evidence that an entry rests on: SHA-256 (hex), media type, octets, SHA-512.

    The last one is empty where it is not known.
    """

    digest: str
    media: str
    size: int
    second: str = ""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A personal value, and the salt that keeps its digest from being guessed (P-8.34).

    In the manner of RFC 9901: `encoded` is base64url of the JSON array
    [salt, name, value], the digest is over its ASCII form. Deleting salt and
    value leaves every proof valid.
    """

    salt: str
    name: str
    value: str

    @classmethod
    def make(cls, name: str, value: str, salt: bytes) -> Disclosure:
        """Return the disclosure of `value`; `salt` is 128 random bits.

        Raises:
            ValueError: the salt is not 16 octets long.
        """
        if len(salt) != SALT_BYTES:
            raise ValueError("a salt has 16 octets")
        return cls(_base64url(salt), name, value)

    @property
    def encoded(self) -> str:
        """The form that is hashed and handed out."""
        array = json.dumps([self.salt, self.name, self.value], ensure_ascii=False)
        return _base64url(array.encode())

    @property
    def digest(self) -> str:
        """Base64url SHA-256 of `encoded`: what the entry holds."""
        return _digest_of(self)


@lru_cache(8)
def _digest_of(disclosure: Disclosure) -> str:
    """Hash a disclosure; entry and row ask for it, one after the other."""
    return _base64url(hashlib.sha256(disclosure.encoded.encode()).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened, with its place in its stream.

    `previous` is the digest (hex) of the stream's entry before this one, empty
    for the first. `actor_ref` is a pseudonym where the actor is a person.
    """

    id: UUID
    type: EntryType
    stream: str
    number: int
    previous: str
    at: datetime
    actor_kind: str
    actor_ref: str
    data: Mapping[str, object] = field(default_factory=dict)
    evidence: tuple[Attachment, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()
    cause: tuple[UUID, ...] = ()
    software: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the canonical bytes.

        Raises:
            NotCanonical: something in `data` has no canonical form, or the
                entry is longer than 16 KiB.
        """
        body = canonical(
            {
                "actor": {"kind": self.actor_kind, "ref": self.actor_ref},
                "cause": [str(uid) for uid in self.cause],
                "data": plain({**self.data, **self._seconds()}),
                "ev": [
                    {"h": blob.digest, "m": blob.media, "s": blob.size}
                    for blob in self.evidence
                ],
                "id": str(self.id),
                "n": self.number,
                "prev": self.previous or None,
                # sorted, so that their order tells nothing
                "sd": sorted(found.digest for found in self.disclosures),
                "stream": self.stream,
                "sw": dict(self.software),
                "ts": timestamp(self.at),
                "type": self.type.value,
                "v": 1,
            }
        )
        if len(body) > MAX_BYTES:
            raise NotCanonical(f"the entry has {len(body)} octets of {MAX_BYTES}")
        return body

    def _seconds(self) -> dict[str, list[str]]:
        """Return the second hashes of the evidence, in its order (P-8.25)."""
        found = [blob.second for blob in self.evidence]
        return {SECOND: found} if any(found) else {}


def canonical(value: Mapping[str, Any]) -> bytes:
    """Return RFC 8785 of strings and integers.

    Where all is ASCII that is what the standard library writes, much quicker: keys
    sort alike, and no number is a float.
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode() if text.isascii() else rfc8785.dumps(dict(value))


def plain(value: object) -> Json:
    """Return `value` in the types that an entry may hold; bytes become hex.

    Raises:
        NotCanonical: a float, an integer beyond 2**53 - 1, or another type.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return {_text(str(key)): plain(item) for key, item in value.items()}
    for kind, spell in SPELLINGS:
        if isinstance(value, kind):
            return spell(value)
    if isinstance(value, frozenset):
        return plain(sorted(value))
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    raise NotCanonical(f"{type(value).__name__} has no place in an entry")


def digest(body: bytes) -> str:
    """Return the SHA-256 of an entry in hex: the next entry's `prev`."""
    return hashlib.sha256(body).hexdigest()


def leaf_hash(body: bytes) -> bytes:
    """Return the hash of an entry as a leaf of the tree (RFC 6962, section 2.1)."""
    return hashlib.sha256(LEAF_PREFIX + body).digest()


def uuid7(at: datetime, random: bytes) -> UUID:
    """Return the UUID of a moment (RFC 9562, section 5.7); 10 random octets.

    Raises:
        ValueError: `random` has another length.
    """
    if len(random) != RANDOM_BYTES:
        raise ValueError("a UUID of version 7 takes 10 random octets")
    milliseconds = int(at.timestamp() * 1000)
    number = (milliseconds << 80) | int.from_bytes(random, "big")
    number = number & ~(0xF << 76) | (0x7 << 76)
    number = number & ~(0x3 << 62) | (0x2 << 62)
    return UUID(int=number)


def timestamp(at: datetime) -> str:
    """Return a moment as entries spell it: UTC, microseconds, "Z".

    Raises:
        NotCanonical: the time has no zone.
    """
    if at.tzinfo is None:
        raise NotCanonical("a time without zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _integer(value: int) -> int:
    if abs(value) > MAX_INTEGER:
        raise NotCanonical(f"{value} is beyond 2**53 - 1")
    return int(value)


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as exc:
        raise NotCanonical("a lone surrogate is no text") from exc
    return str(value)


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


SPELLINGS: Final[tuple[tuple[type, Callable[[Any], Json]], ...]] = (
    (str, _text),
    (int, _integer),
    (bytes, bytes.hex),
    (datetime, timestamp),
    (UUID, str),
)
"""How the plain types are spelled; the first that fits."""
