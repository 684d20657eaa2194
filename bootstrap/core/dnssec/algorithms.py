"""What IANA says of algorithms and digests, as data (RFC 9904, 9905, 9906; P-E.1).

Two registries, copied on `SNAPSHOT`: "DNS Security Algorithm Numbers" and
"DNSSEC Delegation Signer (DS) Digest Algorithms". A change of the tables is a
change of policy: it never alters an existing DS.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import date
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from bootstrap.core.dns.records import Ds

SNAPSHOT: Final = date(2026, 11, 1)
"""When the tables were last compared with the registries."""


@unique
class Use(StrEnum):
    """A column of the registries: how strongly a use is advised."""

    MUST = "MUST"
    RECOMMENDED = "RECOMMENDED"
    MAY = "MAY"
    NOT_RECOMMENDED = "NOT RECOMMENDED"
    MUST_NOT = "MUST NOT"

    @property
    def is_advised(self) -> bool:
        """MUST or RECOMMENDED: what an acceptance check demands (P-3.4)."""
        return self in (Use.MUST, Use.RECOMMENDED)


_MUST, _REC, _MAY, _NOT_REC, _NO = Use


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A signing algorithm: use for signing, use for validation.

    `verified` says that we check such signatures (P-7.26). What is not
    verified leaves a zone insecure, as RFC 9905, section 2 asks for SHA-1.
    """

    number: int
    name: str
    sign: Use
    validate: Use
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """A DS digest: its octets, use for delegation, use for validation.

    `implement` is what parents must be able to make: MUST marks the "eligible"
    types of P-0.11. `verified` says that we rely on it: SHA-1 is no longer trusted to bind a key
    (RFC 9905, section 2; RFC 4509, section 3), GOST and SM3 are not computed.
    """

    number: int
    name: str
    octets: int
    delegate: Use
    validate: Use
    implement: Use
    verified: bool = False


ALGORITHMS: Final[Mapping[int, Algorithm]] = MappingProxyType(
    {
        row.number: row
        for row in (
            Algorithm(1, "RSAMD5", _NO, _NO),
            Algorithm(3, "DSA", _NO, _NO),
            Algorithm(5, "RSASHA1", _NO, _REC),
            Algorithm(6, "DSA-NSEC3-SHA1", _NO, _NO),
            Algorithm(7, "RSASHA1-NSEC3-SHA1", _NO, _REC),
            Algorithm(8, "RSASHA256", _REC, _REC, verified=True),
            Algorithm(10, "RSASHA512", _NOT_REC, _REC, verified=True),
            Algorithm(12, "ECC-GOST", _NO, _NO),
            Algorithm(13, "ECDSAP256SHA256", _REC, _REC, verified=True),
            Algorithm(14, "ECDSAP384SHA384", _MAY, _REC, verified=True),
            Algorithm(15, "ED25519", _REC, _REC, verified=True),
            Algorithm(16, "ED448", _MAY, _REC, verified=True),
            Algorithm(17, "SM2SM3", _MAY, _MAY),
            Algorithm(23, "ECC-GOST12", _MAY, _MAY),
            Algorithm(253, "PRIVATEDNS", _MAY, _MAY),
            Algorithm(254, "PRIVATEOID", _MAY, _MAY),
        )
    }
)

DIGESTS: Final[Mapping[int, Digest]] = MappingProxyType(
    {
        row.number: row
        for row in (
            Digest(1, "SHA-1", 20, _NO, _REC, _NO),
            Digest(2, "SHA-256", 32, _REC, _REC, _MUST, verified=True),
            Digest(3, "GOST R 34.11-94", 32, _NO, _MAY, _NO),
            Digest(4, "SHA-384", 48, _MAY, _REC, _MAY, verified=True),
            Digest(5, "GOST R 34.11-2012", 32, _MAY, _MAY, _MAY),
            Digest(6, "SM3", 32, _MAY, _MAY, _MAY),
        )
    }
)

VERIFIED_ALGORITHMS: Final = frozenset(
    number for number, row in ALGORITHMS.items() if row.verified
)
VERIFIED_DIGESTS: Final = frozenset(
    number for number, row in DIGESTS.items() if row.verified
)


def is_usable(ds: Ds) -> bool:
    """Say whether we could validate through `ds` (RFC 4035, section 5.2; P-7.8).

    Meets P-7.9, P-7.10, S-38.
    """
    return ds.algorithm in VERIFIED_ALGORITHMS and ds.digest_type in VERIFIED_DIGESTS


def tables_digest() -> str:
    """Return the SHA-256 of both tables, which a verdict carries (S-45)."""
    rows = [*map(astuple, ALGORITHMS.values()), *map(astuple, DIGESTS.values())]
    text = "\n".join("\t".join(map(str, row)) for row in rows)
    return hashlib.sha256(text.encode()).hexdigest()
