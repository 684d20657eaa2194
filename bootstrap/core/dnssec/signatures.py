"""One RRset, one zone's keys, one time: verified, or why not (RFC 4035, section 5.3).

Everything that can be seen without mathematics is looked at first; what then
remains is capped (S-33). The zone is given, so a signature by any other zone
is worth nothing here (S-30).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bootstrap.core.dns.names import Name, is_within, pack, packed, tail
from bootstrap.core.dns.records import Key, RRset, Rrsig, Signed

from . import algorithms, crypto
from .budget import DEFAULT_LIMITS, Budget, Limits
from .security import Flaw

if TYPE_CHECKING:
    from .memory import Memory

_RECORD: Final = struct.Struct("!HHIH")
_IN: Final = 1
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MASK: Final = 0xFFFF_FFFF
_HALF: Final = 1 << 31
DNSSEC_PROTOCOL: Final = 3

GRAVITY: Final = (
    Flaw.LIMIT,
    Flaw.SIGNER_ABOVE_CUT,
    Flaw.SIGNATURE_WRONG,
    Flaw.EXPIRED,
    Flaw.NOT_YET_VALID,
    Flaw.WINDOW_INVERTED,
    Flaw.NO_MATCHING_KEY,
    Flaw.UNSUPPORTED_ALGORITHM,
    Flaw.WRONG_SIGNER,
    Flaw.MALFORMED,
    Flaw.UNSIGNED,
)
"""Which flaw speaks for an RRset whose signatures fail for several reasons."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a verification depends on beside the records: time and allowance."""

    now: datetime
    budget: Budget
    limits: Limits = DEFAULT_LIMITS
    memo: crypto.Memo | None = None
    memory: Memory | None = None

    @property
    def second(self) -> int:
        """Seconds since 1970: the time as far as signatures know it."""
        return int(self.now.timestamp())


@dataclass(frozen=True, slots=True)
class ZoneKeys:
    """The validated DNSKEY RRset of one zone."""

    zone: Name
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """A genuine RRset: its signer, for how long, and how it came about.

    `starts` and `ends` are seconds since 1970, both within its time.

    `signed` carries the TTL that may be used: the least of received, original
    and remaining life (P-7.23). `encloser` is set when the RRset was expanded
    from the wildcard below that name; a proof that nothing closer exists is
    then still owed (P-7.30).
    """

    signed: Signed
    signer: Name
    starts: int
    ends: int
    encloser: Name | None = None

    @property
    def not_before(self) -> datetime:
        """From when the signature is in force."""
        return moment(self.starts)

    @property
    def not_after(self) -> datetime:
        """Until when the signature is in force."""
        return moment(self.ends)


@dataclass(frozen=True, slots=True)
class Unverified:
    """An RRset that proves nothing, and the cause that weighs most."""

    flaw: Flaw
    detail: str = ""


def verify(signed: Signed, zone: ZoneKeys, context: Context) -> Verified | Unverified:
    """Return whether a key of `zone` signed this RRset, in force now (P-7.11, P-7.25).

    Raises:
        BudgetSpent: the evaluation has no verification left.
    """
    if not signed.rrsigs:
        return Unverified(Flaw.UNSIGNED, "no signature came with it")
    flaws: list[Unverified] = []
    promising = []
    for rrsig in sorted(set(signed.rrsigs), key=_order):
        objection = _objection(signed.rrset, rrsig, zone, context.now)
        if objection is None:
            promising.append(rrsig)
        else:
            flaws.append(objection)
    if len(promising) > context.limits.rrsigs:
        return Unverified(Flaw.LIMIT, f"{len(promising)} signatures")
    found = _first_good(signed.rrset, promising, zone, context)
    if isinstance(found, Rrsig):
        return _verified(signed, found, context.now)
    return min([*flaws, *found], key=lambda flawed: GRAVITY.index(flawed.flaw))


def _order(rrsig: Rrsig) -> tuple[int, int, int, bytes]:
    return rrsig.algorithm, rrsig.key_tag, rrsig.inception, rrsig.signature


def _objection(
    rrset: RRset, rrsig: Rrsig, zone: ZoneKeys, now: datetime
) -> Unverified | None:
    """Return what speaks against a signature before any mathematics (S-33, P-7.20)."""
    apex = zone.zone
    is_ours = rrsig.signer.labels == apex.labels
    if not is_ours or not is_within(rrset.owner, apex):
        above = not is_ours and is_within(apex, rrsig.signer)
        flaw = Flaw.SIGNER_ABOVE_CUT if above else Flaw.WRONG_SIGNER
        return Unverified(flaw, f"signed by {rrsig.signer} in {apex}")
    if rrsig.type_covered != rrset.rdtype or rrsig.labels > label_count(rrset.owner):
        return Unverified(Flaw.MALFORMED, "the signature is for another RRset")
    if rrsig.algorithm not in algorithms.VERIFIED_ALGORITHMS:
        return Unverified(
            Flaw.UNSUPPORTED_ALGORITHM, f"signed with algorithm {rrsig.algorithm}"
        )
    return _window(rrsig, int(now.timestamp()))


def label_count(owner: Name) -> int:
    """Return the labels of `owner` as an RRSIG counts them (RFC 4034, 3.1.3).

    Meets P-7.31, S-31.

    Neither the root nor a leading asterisk counts.
    """
    return len(owner.labels) - 1 - (owner.labels[0] == b"*")


def precedes(first: int, second: int) -> bool:
    """Say whether one serial number is not after another (RFC 1982; P-7.21)."""
    return (second - first) & _MASK < _HALF


def _window(rrsig: Rrsig, now: int) -> Unverified | None:
    """Both ends belong to the window (RFC 4035, section 5.3.1; S-40)."""
    time = now & _MASK
    if not precedes(rrsig.inception, rrsig.expiration):
        return Unverified(Flaw.WINDOW_INVERTED, "it expires before it begins")
    if not precedes(rrsig.inception, time):
        return Unverified(
            Flaw.NOT_YET_VALID, f"from {moment(_near(rrsig.inception, now))}"
        )
    if not precedes(time, rrsig.expiration):
        return Unverified(Flaw.EXPIRED, f"since {moment(_near(rrsig.expiration, now))}")
    return None


def _near(serial: int, now: int) -> int:
    """Return the second of a serial number that is nearest to `now`."""
    return now + (serial - now + _HALF & _MASK) - _HALF


def begins(rrsig: Rrsig, now: datetime) -> datetime:
    """Return from when a signature is in force, of its moments the nearest to `now`."""
    return moment(_near(rrsig.inception, int(now.timestamp())))


def moment(second: int) -> datetime:
    """Return a second since 1970 as a time in UTC."""
    return EPOCH + timedelta(seconds=second)


def _first_good(
    rrset: RRset, rrsigs: list[Rrsig], zone: ZoneKeys, context: Context
) -> Rrsig | list[Unverified]:
    flaws: list[Unverified] = []
    failures = 0
    for rrsig in rrsigs:
        keys = [key for key in zone.keys if _fits(key, rrsig)]
        if not keys:
            detail = f"no key {rrsig.key_tag} of algorithm {rrsig.algorithm}"
            flaws.append(Unverified(Flaw.NO_MATCHING_KEY, detail))
        elif len(keys) > context.limits.colliding_keys:
            flaws.append(Unverified(Flaw.LIMIT, f"{len(keys)} keys of one tag"))
            continue
        data = signed_octets(rrset, rrsig) if keys else b""
        for key in keys:
            if failures >= context.limits.failures:
                return [Unverified(Flaw.LIMIT, f"{failures} signatures failed")]
            context.budget.spend_verification()
            if _verifies(key, rrsig, data, context.memo):
                return rrsig
            failures += 1
            flaws.append(Unverified(Flaw.SIGNATURE_WRONG, f"by key {rrsig.key_tag}"))
    return flaws


def _verifies(key: Key, rrsig: Rrsig, data: bytes, memo: crypto.Memo | None) -> bool:
    made = (key.algorithm, key.public_key, rrsig.signature)
    return crypto.verifies(*made, data, memo)


def _fits(key: Key, rrsig: Rrsig) -> bool:
    return (
        key.algorithm == rrsig.algorithm
        and key.key_tag == rrsig.key_tag
        and is_usable(key)
    )


def is_usable(key: Key) -> bool:
    """Say whether signatures of `key` may count (P-7.5, S-32, S-36)."""
    return (
        key.is_zone_key
        and not key.is_revoked
        and key.protocol == DNSSEC_PROTOCOL
        and crypto.key_check(key.algorithm, key.public_key) is not None
    )


def signed_octets(rrset: RRset, rrsig: Rrsig) -> bytes:
    """Return the octets that `rrsig` covers (RFC 4034, section 3.1.8.1)."""
    owner = packed(rrset.owner)
    if rrsig.labels < label_count(rrset.owner):
        owner = pack((b"*", *encloser_of(rrset.owner, rrsig.labels).labels))
    parts = [rrsig.prefix()]
    for rdata in rrset.rdatas:
        fixed = (rrset.rdtype, _IN, rrsig.original_ttl, len(rdata))
        parts += (owner, _RECORD.pack(*fixed), rdata)
    return b"".join(parts)


def encloser_of(owner: Name, labels: int) -> Name:
    """Return the last `labels` labels of `owner`, and the root."""
    return tail(owner, labels + 1)


def _verified(signed: Signed, rrsig: Rrsig, now: datetime) -> Verified:
    rrset, second = signed.rrset, int(now.timestamp())
    ends = _near(rrsig.expiration, second)
    ttl = max(0, min(rrset.ttl, rrsig.original_ttl, ends - second))
    expanded = rrsig.labels < label_count(rrset.owner)
    return Verified(
        signed=Signed(RRset(rrset.owner, rrset.rdtype, ttl, rrset.rdatas), (rrsig,)),
        signer=rrsig.signer,
        starts=_near(rrsig.inception, second),
        ends=ends,
        encloser=encloser_of(rrset.owner, rrsig.labels) if expanded else None,
    )
