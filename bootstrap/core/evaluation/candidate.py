"""The DS RRset that would be published: our digests of the child's keys (P-4.1).

protocol.md 3: one DS per key and digest type of our policy. The child chooses
the keys, the parent chooses the digests (RFC 9975, section 3.1; P-2.45).
"""

from __future__ import annotations

from collections.abc import Iterable

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import DIGESTS, SHA1, SHA256, Ds, Key

from .compare import ids, is_eligible, key_ids
from .requests import Content, cdnskey_records, cds_records


def candidate_of(
    cds: Content,
    cdnskey: Content,
    *,
    owner: Name,
    dnskeys: Iterable[Key],
    digests: tuple[int, ...],
) -> tuple[Ds, ...]:
    """Return the DS set for a request, sorted; empty when no key is named.

    Keys are those of CDNSKEY and of the eligible CDS records, which are taken as
    they are; further digests are made only of keys that were seen. A digest type
    is published for all keys or for none (P-3.12).
    """
    given = [record for record in cds_records(cds) if is_eligible(record)]
    keys = frozenset(cdnskey_records(cdnskey)) | {
        key for key in dnskeys if key.ds(owner, SHA256) in given
    }
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
