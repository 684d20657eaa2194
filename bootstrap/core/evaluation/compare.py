"""When two requests are the same: two comparators (P-0.11).

Bootstrapping compares whole contents, per type (RFC 9615, 4.2 step 4).
Updates compare sets of keys (RFC 9975, section 3.1), looking at CDS records
with an eligible digest type only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import DIGEST_LENGTHS, DIGESTS, SHA256, Ds, Key

from .findings import Finding
from .reasons import Reason
from .requests import Content, cdnskey_records, cds_records


class KeyId(NamedTuple):
    """What makes two keys the same (P-2.44); the digest is SHA-256."""

    algorithm: int
    key_tag: int
    digest: bytes


def eligible(content: Content) -> frozenset[KeyId]:
    """Return the keys that a CDS RRset names by its eligible records.

    Eligible are digest types that are MUST in "Implement for DNSSEC Delegation"
    (RFC 9904): SHA-256 alone.
    """
    return ids(cds_records(content))


def ids(records: Iterable[Ds]) -> frozenset[KeyId]:
    """Return the keys that DS records name with SHA-256."""
    return frozenset(
        KeyId(record.algorithm, record.key_tag, record.digest)
        for record in records
        if is_eligible(record)
    )


def is_eligible(record: Ds) -> bool:
    """Say whether a record names a key in the form that every parent knows."""
    octets = DIGEST_LENGTHS[SHA256]
    return record.digest_type == SHA256 and len(record.digest) == octets


def key_ids(keys: Iterable[Key], owner: Name) -> frozenset[KeyId]:
    """Return the identity of each key at `owner`."""
    return ids(key.ds(owner, SHA256) for key in keys)


def requested_keys(cds: Content, cdnskey: Content, owner: Name) -> frozenset[KeyId]:
    """Return the target set of keys: CDNSKEY if there, else CDS (P-4.4)."""
    keys = cdnskey_records(cdnskey)
    return key_ids(keys, owner) if keys else eligible(cds)


def between_types(
    cds: Content, cdnskey: Content, owner: Name, dnskeys: Iterable[Key] = ()
) -> Iterator[Finding]:
    """Compare CDS with CDNSKEY, and both with the keys in use (RFC 9975, 3.1)."""
    keys = cdnskey_records(cdnskey)
    wrong = list(_wrong_digests(cds, (*keys, *dnskeys), owner))
    yield from wrong
    named = eligible(cds)
    if not wrong and keys and named and named != key_ids(keys, owner):
        differing = sorted({key.key_tag for key in named ^ key_ids(keys, owner)})
        detail = "key tags " + ", ".join(map(str, differing))
        yield Finding(Reason.CMP_CDS_CDNSKEY_MISMATCH, "CDS CDNSKEY", detail)
    if cds_records(cds) and not named and not keys:
        yield Finding(Reason.CDS_NO_ELIGIBLE_DIGEST, "CDS")


def _wrong_digests(cds: Content, keys: Iterable[Key], owner: Name) -> Iterator[Finding]:
    known = tuple(keys)
    for record in cds_records(cds):
        namesakes = [
            key
            for key in known
            if (key.key_tag, key.algorithm) == (record.key_tag, record.algorithm)
        ]
        if namesakes and not any(fits(record, key, owner) for key in namesakes):
            yield Finding(Reason.CMP_CDS_DIGEST_WRONG, "CDS", record.to_text())


def fits(record: Ds, key: Key, owner: Name) -> bool:
    """Say whether `record` may be the DS of `key`: true when we cannot compute it."""
    if record.digest_type not in DIGESTS:
        return True
    return key.ds(owner, record.digest_type) == record


def digest_only(contents: Collection[Content]) -> bool:
    """Say whether CDS contents name the same keys by different digest types.

    Meets P-4.33.
    """
    keys = {eligible(content) for content in contents}
    tags = {
        frozenset((record.key_tag, record.algorithm) for record in cds_records(content))
        for content in contents
    }
    return len(keys) == 1 and len(tags) == 1
