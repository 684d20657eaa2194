"""The DS RRset that would be published: our digests of the child's keys.

protocol.md 3: one DS per key and digest type of our policy. The child chooses
the keys, the parent chooses the digests (RFC 9975, section 3.1; P-2.45).
"""

from __future__ import annotations

from collections.abc import Iterable

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import DIGESTS, SHA1, SHA256, Ds, Key

from .compare import ids, key_ids
from .requests import Content, cdnskey_records, cds_records


def candidate_of(
    cds: Content,
    cdnskey: Content,
    *,
    owner: Name,
    dnskeys: Iterable[Key],
    digests: tuple[int, ...],
) -> tuple[Ds, ...]:
    """Return the DS set for a request, sorted; empty when no key can be derived.

    A digest type is published for all keys or for none (P-3.12).
    """
    keys = frozenset(cdnskey_records(cdnskey)) or _named(cds, dnskeys, owner)
    given = [record for record in cds_records(cds) if record.digest_type == SHA256]
    wanted = ids(given) | key_ids(keys, owner)
    records: set[Ds] = set()
    for digest_type in digests:
        made = _of_type(digest_type, keys, given, owner)
        if len(made) == len(wanted):
            records |= made
    return tuple(sorted(records))


def _of_type(
    digest_type: int, keys: Iterable[Key], given: Iterable[Ds], owner: Name
) -> set[Ds]:
    if digest_type not in DIGESTS or digest_type == SHA1:
        return set()  # RFC 9905, section 2
    made = {key.ds(owner, digest_type) for key in keys}
    return made | set(given) if digest_type == SHA256 else made


def _named(cds: Content, dnskeys: Iterable[Key], owner: Name) -> frozenset[Key]:
    """Return the keys in use that a CDS RRset names, by any digest but SHA-1."""
    records = {r for r in cds_records(cds) if r.digest_type in DIGESTS}
    return frozenset(
        key
        for key in dnskeys
        for record in records
        if record.digest_type != SHA1 and key.ds(owner, record.digest_type) == record
    )
