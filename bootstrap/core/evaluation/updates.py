"""Change and removal of an existing DS RRset (protocol.md 2.8 and 4).

A validator's "secure" is not enough: the request must be signed by a key that
is in the current DNSKEY and the current DS RRset (RFC 7344, 4.1; P-4.2), on
every server's copy (P-4.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from bootstrap.core.dns.names import Name, unrooted
from bootstrap.core.dns.records import DIGESTS, SHA256, Ds, Key, RdataType, Signed
from bootstrap.core.dnssec import algorithms
from bootstrap.core.dnssec.signatures import Verified

from .compare import KeyId, ids, key_ids
from .delegation import History
from .findings import Finding
from .reasons import Reason
from .requests import Request
from .trial import Copy, Trial


def current_keys(
    ds: Iterable[Ds], known: Iterable[Key], owner: Name
) -> frozenset[KeyId]:
    """Return the keys that the current DS RRset names (P-4.7).

    A record with another digest type counts as the key that it fits, if we have
    seen that key; else it stands for itself and equals no other.
    """
    keys = tuple(known)
    found = set(ids(ds))
    for record in ds:
        if record.digest_type != SHA256:
            fitting = [key for key in keys if _is_of(record, key, owner)]
            found |= key_ids(fitting, owner) or {
                KeyId(record.algorithm, record.key_tag, record.digest)
            }
    return frozenset(found)


def _is_of(record: Ds, key: Key, owner: Name) -> bool:
    known = record.digest_type in DIGESTS
    return known and key.ds(owner, record.digest_type) == record


def check_current_chain(old: Trial, history: History) -> Iterator[Finding]:
    """The child validates under its current DS, on every server (P-4.8, P-1.51).

    A zone that was signed and has lost every signature on a path is not bogus at
    once: something on that path may take them off (P-7.91).
    """
    child = unrooted(old.child)
    if not any(algorithms.is_usable(ds) for ds in old.ds):
        yield Finding(Reason.UPD_DS_UNUSABLE, child)
        return
    signed = {copy for copy in old.copies if old.has_path(copy)}
    for copy in old.copies:
        if copy in signed:
            continue
        if copy.is_stripped and (signed or history.signed_since):
            yield Finding(Reason.UPD_BOGUS, copy.address, "all signatures are missing")
        else:
            yield Finding(Reason.UPD_CHAIN_BOGUS, copy.address)


def check_signer(
    old: Trial, types: Iterable[RdataType], request: Request
) -> Iterator[Finding]:
    """A key of the current DS signed the request on every server (P-4.2, P-4.3).

    Meets P-4.20.
    """
    child = unrooted(old.child)
    found: list[tuple[str, Reason | None]] = []
    for copy in old.copies:
        for rdtype in types:
            for signed in copy.of_type(rdtype):
                subject = f"{copy.address} {rdtype.name}"
                found.append((subject, _objection(old, copy, signed)))
    objections = [(subject, reason) for subject, reason in found if reason]
    if objections and request is Request.DELETE:
        yield Finding(Reason.DEL_NOT_AUTHENTICATED, child, objections[0][0])
        return
    if objections and len(objections) < len(found):
        yield Finding(Reason.UPD_PARTIAL_SIGNER, child, objections[0][0])
    for subject, reason in objections:
        yield Finding(reason, subject)


def _objection(old: Trial, copy: Copy, signed: Signed) -> Reason | None:
    if not signed.rrsigs:
        return Reason.UPD_UNSIGNED
    if isinstance(old.verified(signed, old.matched(copy)), Verified):
        return None
    if isinstance(old.verified(signed, copy.keys), Verified):
        return Reason.UPD_NOT_SIGNED_BY_DS_KEY
    return Reason.UPD_BOGUS


def check_replay(
    child: Name, inception: datetime | None, history: History
) -> Iterator[Finding]:
    """The request is newer than the last one, and than changes by others (P-4.5).

    Meets P-0.16.
    """
    last = history.last_change
    if inception is not None and last is not None and inception <= last:
        yield from _replayed(child, inception, history)


def check_revival(
    child: Name, inceptions: Iterable[datetime], history: History
) -> Iterator[Finding]:
    """Nothing older than the last change brings a DS set back (S-40).

    `inceptions` are those of the child's request and of every signal for it. The
    request that was accepted last may itself be seen again: it says the same.
    """
    oldest, last = min(inceptions, default=None), history.last_change
    if oldest is None or last is None or oldest > last:
        return
    if oldest < last or oldest == history.oob_change_at:
        yield from _replayed(child, oldest, history)


def _replayed(child: Name, inception: datetime, history: History) -> Iterator[Finding]:
    repeated = any(
        code == Reason.UPD_REPLAY.value for code, _since in history.troubled_since
    )
    detail = f"signed {inception:%Y-%m-%dT%H:%M:%SZ}"
    yield Finding(Reason.UPD_REPLAY, unrooted(child), detail, escalated=repeated)


def check_change(
    child: Name, before: frozenset[KeyId], after: frozenset[KeyId]
) -> Iterator[Finding]:
    """What kind of change is asked for (P-4.12)."""
    subject = unrooted(child)
    removed = before - after
    detail = "key tags " + ", ".join(str(key.key_tag) for key in sorted(before ^ after))
    if before == after:
        yield Finding(Reason.UPD_IN_SYNC, subject)
    elif not removed:
        yield Finding(Reason.UPD_ADDED_KEY_ONLY, subject, detail)
    elif before & after:
        yield Finding(Reason.UPD_REMOVED_KEY, subject, detail)
    else:
        yield Finding(Reason.UPD_REPLACED, subject, detail)


def check_path_after(new: Trial) -> Iterator[Finding]:
    """The new DS RRset leaves a valid path somewhere (RFC 7344, 4.1; P-3.2)."""
    if not any(new.has_path(copy) for copy in new.copies):
        yield Finding(Reason.UPD_NO_PATH_AFTER, unrooted(new.child))
