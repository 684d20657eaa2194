"""Records as values: RRsets, signatures, DS, keys, and the delete sentinels.

Rdata is canonical wire bytes (RFC 4034, section 6.2), sorted and without
duplicates, so that equality of values is equality of content.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

import dns.exception
import dns.rdata
import dns.rdataclass
from dns.rdatatype import RdataType

from .names import Name, packed
from .wire import name_at

__all__ = ["RdataType"]

SHA1: Final = 1
SHA256: Final = 2
SHA384: Final = 4
DIGESTS: Final = {SHA1: "sha1", SHA256: "sha256", SHA384: "sha384"}
DIGEST_LENGTHS: Final = {1: 20, 2: 32, 3: 32, 4: 48, 5: 32, 6: 32}
"""Octets of a digest by type (IANA "Digest Algorithms"); others are unknown."""

DELETE_CDS: Final = bytes.fromhex("0000000000")
"""`0 0 0 00` (RFC 8078, section 4, erratum 5049; P-2.40)."""
DELETE_CDNSKEY: Final = bytes.fromhex("0000030000")
"""`0 3 0 AA==` (RFC 8078, section 4, erratum 5049; P-2.40)."""

_RRSIG: Final = struct.Struct("!HBBIIIH")
_FIXED: Final = struct.Struct("!HBB")

ZONE_FLAG: Final = 0x0100
REVOKE_FLAG: Final = 0x0080
SEP_FLAG: Final = 0x0001


@lru_cache(maxsize=4_096)
def _key_tag(rdata: bytes) -> int:
    total = (sum(rdata[::2]) << 8) + sum(rdata[1::2])
    return (total + (total >> 16)) & 0xFFFF


class UnknownDigest(Exception):
    """This digest type cannot be computed here."""


@dataclass(frozen=True, slots=True)
class RRset:
    """The records of one owner and type (RFC 9499); TTL in seconds."""

    owner: Name
    rdtype: RdataType
    ttl: int
    rdatas: tuple[bytes, ...]

    def same_content(self, other: RRset) -> bool:
        """Compare rdata only: TTL and owner never matter (P-1.21)."""
        return self.rdtype == other.rdtype and self.rdatas == other.rdatas

    def parsed(self) -> tuple[dns.rdata.Rdata, ...]:
        """Return the rdata as dnspython objects, for types with structure."""
        return tuple(
            dns.rdata.from_wire(dns.rdataclass.IN, self.rdtype, rdata, 0, len(rdata))
            for rdata in self.rdatas
        )


@dataclass(frozen=True, slots=True)
class Rrsig:
    """One RRSIG (RFC 4034, section 3.1); times are 32-bit serial numbers."""

    type_covered: RdataType
    algorithm: int
    labels: int
    original_ttl: int
    expiration: int
    inception: int
    key_tag: int
    signer: Name
    signature: bytes

    @classmethod
    def from_wire(cls, rdata: bytes) -> Self:
        """Return the signature in canonical rdata, whose form was checked before."""
        covered, algorithm, labels, ttl, expiration, inception, key_tag = (
            _RRSIG.unpack_from(rdata)
        )
        signer, end = name_at(rdata, _RRSIG.size)
        return cls(
            type_covered=RdataType.make(covered),
            algorithm=algorithm,
            labels=labels,
            original_ttl=ttl,
            expiration=expiration,
            inception=inception,
            key_tag=key_tag,
            signer=signer,
            signature=rdata[end:],
        )

    def prefix(self) -> bytes:
        """Return the rdata without the signature: what is signed first."""
        return _RRSIG.pack(
            self.type_covered,
            self.algorithm,
            self.labels,
            self.original_ttl,
            self.expiration,
            self.inception,
            self.key_tag,
        ) + packed(self.signer)


@dataclass(frozen=True, slots=True)
class Signed:
    """An RRset with the RRSIGs that came with it, verified or not."""

    rrset: RRset
    rrsigs: tuple[Rrsig, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Ds:
    """The rdata of DS and CDS (RFC 4034, section 5.1; RFC 7344, section 3.1)."""

    key_tag: int
    algorithm: int
    digest_type: int
    digest: bytes

    @classmethod
    def from_wire(cls, rdata: bytes) -> Self:
        """Return the record of `rdata`.

        Raises:
            ValueError: fewer than four octets.
        """
        if len(rdata) < 4:  # noqa: PLR2004 - the fixed fields
            raise ValueError("DS rdata is shorter than its fixed fields")
        first, second, third = _FIXED.unpack_from(rdata)
        return cls(first, second, third, rdata[4:])

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the record of presentation rdata, "12345 13 2 ABCD…".

        Raises:
            ValueError: the text has not that form, or a number is out of range.
        """
        try:
            tag, algorithm, digest_type, *digest = text.split()
            fixed = _FIXED.pack(int(tag), int(algorithm), int(digest_type))
            octets = bytes.fromhex("".join(digest))
        except (ValueError, struct.error) as exc:
            raise ValueError(f"not DS rdata: {text!r}") from exc
        if not octets:
            raise ValueError(f"DS rdata without a digest: {text!r}")
        return cls.from_wire(fixed + octets)

    def to_wire(self) -> bytes:
        """Return the rdata."""
        fixed = _FIXED.pack(self.key_tag, self.algorithm, self.digest_type)
        return fixed + self.digest

    def to_text(self) -> str:
        """Return presentation rdata with upper-case hex."""
        digest = self.digest.hex().upper()
        return f"{self.key_tag} {self.algorithm} {self.digest_type} {digest}"


@dataclass(frozen=True, slots=True)
class Key:
    """The rdata of DNSKEY and CDNSKEY (RFC 4034, section 2.1)."""

    flags: int
    protocol: int
    algorithm: int
    public_key: bytes

    @classmethod
    def from_wire(cls, rdata: bytes) -> Self:
        """Return the record of `rdata`.

        Raises:
            ValueError: fewer than four octets.
        """
        if len(rdata) < 4:  # noqa: PLR2004 - the fixed fields
            raise ValueError("DNSKEY rdata is shorter than its fixed fields")
        first, second, third = _FIXED.unpack_from(rdata)
        return cls(first, second, third, rdata[4:])

    def to_wire(self) -> bytes:
        """Return the rdata."""
        fixed = _FIXED.pack(self.flags, self.protocol, self.algorithm)
        return fixed + self.public_key

    @property
    def key_tag(self) -> int:
        """The key tag (RFC 4034, appendix B); algorithm 1 is not supported."""
        return _key_tag(self.to_wire())

    @property
    def is_zone_key(self) -> bool:
        """The ZONE flag is set."""
        return bool(self.flags & ZONE_FLAG)

    @property
    def is_revoked(self) -> bool:
        """The REVOKE flag is set (RFC 5011, section 2.1)."""
        return bool(self.flags & REVOKE_FLAG)

    @property
    def is_sep(self) -> bool:
        """The SEP flag is set; it decides nothing (P-7.5)."""
        return bool(self.flags & SEP_FLAG)

    def ds(self, owner: Name, digest_type: int = SHA256) -> Ds:
        """Return the DS of this key at `owner` (RFC 4034, section 5.1.4).

        Raises:
            UnknownDigest: we cannot compute this digest type.
        """
        if digest_type not in DIGESTS:
            raise UnknownDigest(f"digest type {digest_type}")
        hashed = hashlib.new(DIGESTS[digest_type])
        hashed.update(packed(owner) + self.to_wire())
        return Ds(self.key_tag, self.algorithm, digest_type, hashed.digest())


def text_of(rdtype: RdataType, rdata: bytes) -> str:
    """Return rdata in presentation form; what has none, as hexadecimal digits."""
    if rdtype in {RdataType.CDS, RdataType.DS} and len(rdata) > _FIXED.size:
        return Ds.from_wire(rdata).to_text()
    try:
        parsed = dns.rdata.from_wire(dns.rdataclass.IN, rdtype, rdata, 0, len(rdata))
    except dns.exception.DNSException:
        return rdata.hex().upper()
    return parsed.to_text()
