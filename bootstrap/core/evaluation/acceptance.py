"""Would this DS RRset break the child? protocol.md 3, one function a check.

The answer is earned: `proven` lists what was shown to hold, `needed` what must
hold, and `ACC_OK` is for whoever calls to conclude from the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import Key, RdataType, Signed
from bootstrap.core.dnssec import algorithms
from bootstrap.core.dnssec.security import Flaw
from bootstrap.core.dnssec.signatures import Unverified, Verified, is_usable

from .answers import REQUEST_TYPES
from .compare import KeyId, key_ids
from .findings import Finding
from .policy import AcceptancePolicy
from .reasons import Reason
from .requests import Content, cds_records
from .trial import DATA_TYPES, Copy, Outcome, Trial

BROKEN: Final = MappingProxyType(
    {
        RdataType.DNSKEY: Reason.ACC_DNSKEY_NOT_SIGNED_BY_REF,
        RdataType.SOA: Reason.ACC_SERVER_BOGUS,
        RdataType.NS: Reason.ACC_SERVER_BOGUS,
        RdataType.CDS: Reason.ACC_APEX_CDS_BOGUS,
        RdataType.CDNSKEY: Reason.ACC_APEX_CDS_BOGUS,
        RdataType.A: Reason.ACC_SERVER_BOGUS,
        RdataType.AAAA: Reason.ACC_SERVER_BOGUS,
        RdataType.MX: Reason.ACC_SERVER_BOGUS,
    }
)
"""What it is called when an RRset of this type does not verify."""
BY_FLAW: Final = MappingProxyType(
    {
        Flaw.NOT_YET_VALID: Reason.ACC_SIG_INCEPTION_FUTURE,
        Flaw.LIMIT: Reason.VAL_LIMIT,
        Flaw.NSEC3_ITERATIONS: Reason.ACC_NSEC3_ITERATIONS,
    }
)
"""Flaws that have a name of their own, whatever the type."""

MAX_KEYS: Final = 8
MAX_RRSIGS: Final = 8
"""More than these many resolvers will not try (P-3.22)."""
DS_TTL: Final = timedelta(minutes=10)
"""TTL of a fresh DS RRset (P-5.20)."""

DENIAL: Final = "denial"
"""What a copy's negative answer proves, beside its types."""


def check_algorithms(
    trial: Trial, keys: Iterable[KeyId], policy: AcceptancePolicy
) -> Iterator[Finding]:
    """Every algorithm of the request may sign, or none is taken (P-2.45, P-3.10)."""
    usable = any(trial.has_path(copy) for copy in trial.copies)
    for algorithm in sorted({key.algorithm for key in keys}):
        subject = f"algorithm {algorithm}"
        if algorithm in policy.forbidden_algorithms:
            yield Finding(Reason.POL_ALG_FORBIDDEN, subject)
        elif algorithm not in algorithms.VERIFIED_ALGORITHMS:
            tolerated = usable and policy.allow_unknown_algorithms
            yield Finding(Reason.POL_ALG_UNKNOWN, subject, escalated=not tolerated)


def check_digests(cds: Content, policy: AcceptancePolicy) -> Iterator[Finding]:
    """Digest types that the child offers and we do not publish (P-5.2)."""
    offered = {record.digest_type for record in cds_records(cds)}
    for digest_type in sorted(offered - set(policy.digests)):
        yield Finding(Reason.POL_DIGEST_DROPPED, f"digest type {digest_type}")


def check_keys(
    trial: Trial, keys: Iterable[KeyId], policy: AcceptancePolicy
) -> Iterator[Finding]:
    """The keys asked for are in use, strong enough, and marked as usual (P-0.13)."""
    wanted = frozenset(keys)
    used = {key for copy in trial.copies for key in trial.named(copy)}
    present = key_ids(used, trial.child)
    for standby in sorted(wanted - present if present else ()):
        yield Finding(Reason.ACC_STANDBY_KEY, f"key tag {standby.key_tag}")
    for key in sorted(used, key=lambda key: key.to_wire()):
        subject = f"key tag {key.key_tag}"
        if not key.is_sep:
            yield Finding(Reason.ACC_KEY_NOT_SEP, subject)
        if _weak(key, policy):
            yield Finding(Reason.ACC_KEY_WEAK, subject)


def _weak(key: Key, policy: AcceptancePolicy) -> bool:
    """Say whether a key cannot protect: malformed, or RSA shorter than our limit."""
    if key.algorithm not in algorithms.VERIFIED_ALGORITHMS:
        return False
    if key.algorithm in {8, 10}:
        bits = modulus_bits(key.public_key)
        return bits < policy.min_rsa_bits or not is_usable(key)
    return key.is_zone_key and not key.is_revoked and not is_usable(key)


def modulus_bits(public_key: bytes) -> int:
    """Return the length of an RSA modulus (RFC 3110, section 2); 0 if malformed."""
    size, start = int.from_bytes(public_key[:1], "big"), 1
    if not size:
        size, start = int.from_bytes(public_key[1:3], "big"), 3
    return int.from_bytes(public_key[start + size :], "big").bit_length()


def check_path(trial: Trial) -> Iterator[Finding]:
    """Each server's DNSKEY RRset is signed by a key that the DS names (P-3.4).

    Meets P-3.9, P-4.31, P-4.36.
    """
    for copy in trial.copies:
        if not copy.keys:
            yield Finding(Reason.ACC_CHILD_UNSIGNED, copy.address)
        elif not trial.named(copy):
            yield Finding(Reason.ACC_NO_MATCHING_DNSKEY, copy.address)
        elif not _advised(trial.named(copy)):
            yield Finding(Reason.ACC_NO_USABLE_PATH, copy.address)
        else:
            for outcome in trial.path(copy):
                yield from _broken(RdataType.DNSKEY, copy.address, outcome)


def _advised(keys: Iterable[Key]) -> bool:
    """Say whether some key has an algorithm that validators are to know (P-3.4)."""
    rows = (algorithms.ALGORITHMS.get(key.algorithm) for key in keys)
    return any(row and row.verified and row.validate.is_advised for row in rows)


def _broken(rdtype: RdataType, subject: str, outcome: Outcome) -> Iterator[Finding]:
    if isinstance(outcome, Unverified):
        reason = BY_FLAW.get(outcome.flaw, BROKEN[rdtype])
        detail = f"{outcome.flaw}: {outcome.detail}".rstrip(": ")
        yield Finding(reason, f"{subject} {rdtype.name}", detail)


def check_zone_data(trial: Trial, *, signer_rule: bool = False) -> Iterator[Finding]:
    """Each server's data verify under the keys of every server (P-3.5, P-3.6, P-3.13).

    With `signer_rule` another check speaks of requests that do not even verify
    under their own server's keys (RFC 7344, 4.1).
    """
    for copy in trial.copies:
        for rdtype in (RdataType.SOA, RdataType.NS):
            if copy.keys and not copy.of_type(rdtype):
                missing = f"{copy.address} {rdtype.name}"
                yield Finding(Reason.ACC_SERVER_BOGUS, missing, "not there")
        for signed in _data(copy):
            own = trial.verified(signed, copy.keys)
            asks = signed.rrset.rdtype in REQUEST_TYPES
            if not (signer_rule and asks and isinstance(own, Unverified)):
                yield from _data_findings(trial, copy, signed)


def _data(copy: Copy) -> Iterator[Signed]:
    for rdtype in DATA_TYPES:
        yield from copy.of_type(rdtype)


def _data_findings(trial: Trial, copy: Copy, signed: Signed) -> Iterator[Finding]:
    for other, outcome in trial.everywhere(signed):
        subject = copy.address
        for finding in _broken(signed.rrset.rdtype, subject, outcome):
            under = "" if other is copy else f" (keys of {other.address})"
            yield Finding(finding.reason, finding.subject, finding.detail + under)


def check_windows(trial: Trial, policy: AcceptancePolicy) -> Iterator[Finding]:
    """No signature relied on ends soon (P-3.8)."""
    now = trial.context.now
    for copy in trial.copies:
        ttls = [signed.rrset.ttl for signed in copy.of_type(RdataType.DNSKEY)]
        caches = DS_TTL + timedelta(seconds=max(ttls, default=0))
        least = max(policy.min_validity, caches)
        ends = [verified.not_after for verified in relied_on(trial, copy)]
        if ends and min(ends) - now < least:
            detail = f"until {min(ends):%Y-%m-%dT%H:%M:%SZ}"
            yield Finding(Reason.ACC_SIG_NEAR_EXPIRY, copy.address, detail)


def relied_on(trial: Trial, copy: Copy) -> Iterator[Verified]:
    """Yield the genuine RRsets of one copy, under its own keys."""
    outcomes = [
        *trial.path(copy),
        *(trial.verified(signed, copy.keys) for signed in _data(copy)),
    ]
    for outcome in outcomes:
        if isinstance(outcome, Verified):
            yield outcome


def check_completeness(trial: Trial) -> Iterator[Finding]:
    """Every algorithm of the DS signs DNSKEY, SOA and NS (RFC 4035, 2.2; P-3.11).

    Meets P-0.14, P-4.10.
    """
    found = {ds.algorithm for ds in trial.ds} & algorithms.VERIFIED_ALGORITHMS
    for copy in trial.copies:
        if not trial.has_path(copy):
            continue
        for algorithm in sorted(found):
            lacking = ", ".join(_lacking(trial, copy, algorithm))
            if lacking:
                subject = f"{copy.address} algorithm {algorithm}"
                yield Finding(Reason.ACC_ALG_INCOMPLETE, subject, lacking)


def _lacking(trial: Trial, copy: Copy, algorithm: int) -> Iterator[str]:
    for rdtype in (RdataType.DNSKEY, RdataType.SOA, RdataType.NS):
        for signed in copy.of_type(rdtype):
            good = isinstance(trial.verified(signed, copy.keys), Verified)
            if good and not trial.by_algorithm(signed, copy.keys, algorithm):
                yield rdtype.name


def check_denial(trial: Trial) -> Iterator[Finding]:
    """Each server proves what is not there (P-3.5, P-3.13, P-3.24).

    That is a random name, and what people ask the apex for in vain.
    """
    for copy in trial.copies:
        nothing = (*copy.negatives, *copy.lacking) if copy.keys else ()
        for name, response in nothing:
            flaw = trial.denied(copy, name, response)
            if flaw is not None:
                reason = BY_FLAW.get(flaw, Reason.ACC_NSEC_BROKEN)
                yield Finding(reason, copy.address, flaw.value)


def check_work(trial: Trial) -> Iterator[Finding]:
    """No more keys, signatures and equal tags than resolvers try (P-3.22)."""
    for copy in trial.copies:
        keys = len(copy.keys)
        tags = len({(key.algorithm, key.key_tag) for key in copy.keys})
        rrsigs = max((len(signed.rrsigs) for signed in copy.rrsets), default=0)
        if keys > MAX_KEYS:
            yield Finding(Reason.VAL_LIMIT, copy.address, f"{keys} keys")
        if tags < keys:
            yield Finding(Reason.VAL_LIMIT, copy.address, "keys share a tag")
        if rrsigs > MAX_RRSIGS:
            yield Finding(Reason.VAL_LIMIT, copy.address, f"{rrsigs} signatures")


Fact = tuple[str, str]
"""An address, and a type or `DENIAL` that was shown to hold there."""


def needed(addresses: Iterable[str], request: Iterable[RdataType]) -> frozenset[Fact]:
    """Return what must be shown of every address before a DS may be published."""
    types = {RdataType.DNSKEY, RdataType.SOA, RdataType.NS, *request}
    whats = {*(rdtype.name for rdtype in types), DENIAL}
    return frozenset((address, what) for address in addresses for what in whats)


def proven(trial: Trial) -> frozenset[Fact]:
    """Return what holds at each address, under the keys of all of them."""
    return frozenset(fact for copy in trial.copies for fact in _proven(trial, copy))


def _proven(trial: Trial, copy: Copy) -> Iterator[Fact]:
    if trial.has_path(copy):
        yield copy.address, RdataType.DNSKEY.name
    for rdtype in DATA_TYPES:
        found = [
            outcome
            for signed in copy.of_type(rdtype)
            for _, outcome in trial.everywhere(signed)
        ]
        if found and all(isinstance(outcome, Verified) for outcome in found):
            yield copy.address, rdtype.name
    nothing = (*copy.negatives, *copy.lacking)
    flaws = [trial.denied(copy, name, reply) for name, reply in nothing]
    if copy.negatives and not any(flaws):
        yield copy.address, DENIAL


def expiry(trial: Trial) -> datetime | None:
    """Return when the first signature relied on ends."""
    ends = [
        verified.not_after
        for copy in trial.copies
        for verified in relied_on(trial, copy)
    ]
    return min(ends, default=None)


def inception(
    trial: Trial, request: Iterable[RdataType], keys_of: dict[str, tuple[Key, ...]]
) -> datetime | None:
    """Return the oldest of the servers' newest CDS/CDNSKEY inceptions (P-4.5).

    `keys_of` gives by address the keys whose signatures count.
    """
    newest = []
    for copy in trial.copies:
        begins = [
            moment
            for rdtype in request
            for signed in copy.of_type(rdtype)
            for moment in trial.inceptions(signed, keys_of[copy.address])[-1:]
        ]
        newest += [min(begins)] if begins else []
    return min(newest, default=None)


def extra_hosts_findings(
    names: Iterable[Name], troubles: Iterable[Finding], trial: Trial
) -> Iterator[Finding]:
    """Hosts that only the child names are signed like the others (P-3.7)."""
    hosts = ", ".join(str(name) for name in names)
    objections = [
        *troubles,
        *check_path(trial),
        *check_zone_data(trial),
    ]
    if objections:
        causes = sorted({finding.reason.value for finding in objections})
        yield Finding(Reason.ACC_NS_SET_MISMATCH, hosts, " ".join(causes))
    else:
        yield Finding(Reason.ACC_NS_SET_DIFFERS_OK, hosts)
