"""What one pair of CDS and CDNSKEY RRsets asks for, and whether it is well formed.

The sentinel is tested before any key tag or digest is computed (P-2.44, P-9.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from bootstrap.core.dns.records import (
    DELETE_CDNSKEY,
    DELETE_CDS,
    DIGEST_LENGTHS,
    Ds,
    Key,
    RdataType,
)

from .findings import Finding
from .reasons import Reason

Content = tuple[bytes, ...]
"""The rdata of an RRset, sorted; empty when there is none."""

FIXED_OCTETS: Final = 4
"""Of the fields before digest or public key, in both types."""
ALGORITHM_AT: Final = 3
"""Where both types keep the algorithm: the fourth octet of CDNSKEY …"""
CDS_ALGORITHM_AT: Final = 2
"""… and the third of CDS (RFC 4034, sections 2.1 and 5.1)."""


@unique
class Request(StrEnum):
    """What is asked of the parent."""

    NONE = "none"
    KEYS = "keys"
    DELETE = "delete"
    MIXED = "mixed"  # a sentinel beside something else (`CMP_DELETE_MIXED`)


COMBINED: Final = MappingProxyType(
    {
        (Request.NONE, Request.NONE): Request.NONE,
        (Request.NONE, Request.KEYS): Request.KEYS,
        (Request.NONE, Request.DELETE): Request.DELETE,
        (Request.KEYS, Request.NONE): Request.KEYS,
        (Request.KEYS, Request.KEYS): Request.KEYS,
        (Request.DELETE, Request.NONE): Request.DELETE,
        (Request.DELETE, Request.DELETE): Request.DELETE,
    }
)
"""(CDS, CDNSKEY) to request (P-2.43); whatever else is MIXED."""


def request_of(cds: Content, cdnskey: Content) -> Request:
    """Return what the two RRsets ask for together; only a sentinel removes (P-4.21)."""
    parts = (_one(cds, DELETE_CDS), _one(cdnskey, DELETE_CDNSKEY))
    return COMBINED.get(parts, Request.MIXED)


def _one(content: Content, sentinel: bytes) -> Request:
    if not content:
        return Request.NONE
    if sentinel not in content:
        return Request.KEYS
    return Request.DELETE if content == (sentinel,) else Request.MIXED


def cds_records(content: Content) -> tuple[Ds, ...]:
    """Return the records that name a key: no sentinel, nothing like one (P-9.1)."""
    return tuple(
        Ds.from_wire(rdata) for rdata in content if not _algorithm_zero(rdata, cds=True)
    )


def cdnskey_records(content: Content) -> tuple[Key, ...]:
    """Return the records that are keys: no sentinel, nothing like one."""
    return tuple(
        Key.from_wire(rdata)
        for rdata in content
        if not _algorithm_zero(rdata, cds=False)
    )


def _algorithm_zero(rdata: bytes, *, cds: bool) -> bool:
    """Say whether the record is no key; too short ones are none either."""
    if len(rdata) < FIXED_OCTETS:
        return True
    return rdata[CDS_ALGORITHM_AT if cds else ALGORITHM_AT] == 0


def content_findings(
    rdtype: RdataType, content: Content, limit: int
) -> Iterator[Finding]:
    """Yield what is wrong with the records of one RRset (protocol.md 2.4; P-2.41)."""
    subject = rdtype.name
    if len(content) > limit:
        yield Finding(Reason.CDS_TOO_MANY, subject, f"{len(content)} records")
    cds = rdtype == RdataType.CDS
    sentinel = DELETE_CDS if cds else DELETE_CDNSKEY
    for rdata in content:
        if rdata != sentinel and _algorithm_zero(rdata, cds=cds):
            yield Finding(Reason.CDS_MALFORMED_SENTINEL, subject, rdata.hex())
    if cds:
        yield from _digests(cds_records(content))
    else:
        yield from _keys(cdnskey_records(content))


def _digests(records: Iterable[Ds]) -> Iterator[Finding]:
    for record in records:
        expected = DIGEST_LENGTHS.get(record.digest_type, len(record.digest) or 1)
        if len(record.digest) != expected or record.digest_type == 0:
            yield Finding(Reason.CDS_BAD_DIGEST_LENGTH, "CDS", record.to_text())


def _keys(keys: Iterable[Key]) -> Iterator[Finding]:
    for key in keys:
        detail = f"key tag {key.key_tag}"
        if key.protocol != 3:  # noqa: PLR2004 - RFC 4034, section 2.1.2
            yield Finding(Reason.CDNSKEY_BAD_PROTOCOL, "CDNSKEY", detail)
        if not key.is_zone_key:
            yield Finding(Reason.CDNSKEY_NOT_ZONE_KEY, "CDNSKEY", detail)
        if key.is_revoked:
            yield Finding(Reason.CDNSKEY_REVOKED, "CDNSKEY", detail)
