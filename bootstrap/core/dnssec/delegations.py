"""What one response says of a zone cut: DS, DNSKEY and NS, judged alone.

Asked of the servers of the zone above: is there a cut at this name, and is it
signed? Only what that zone itself signed counts, for its servers may serve the
zone below as well and answer for that one (P-7.12, P-7.13).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from bootstrap.core.dns.messages import Rcode, Response, find
from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import Ds, Key, RdataType

from . import algorithms
from .absence import Absent
from .aliases import dname_above
from .budget import Limits
from .denial import collect, genuine
from .security import Absence, Flaw
from .signatures import Context, Unverified, Verified, ZoneKeys, is_usable, verify


class Cutting(IntEnum):
    """Whether a zone begins at a name; of two proofs the first one counts."""

    SIGNED = 1  # a DS RRset is there
    NONE = 2  # proven: the zone goes on
    NOTHING_BELOW = 3  # proven: neither the name nor any below it is there
    ALIASED = 4  # a DNAME above the name: the zone ends there
    UNSIGNED = 5  # proven: a delegation without DS
    HIDDEN = 6  # opt-out: an unsigned delegation may be there, or nothing


@dataclass(frozen=True, slots=True)
class CutProof:
    """The outcome of one DS question.

    `contradicted` says that the response code was NXDOMAIN where the proof
    says that the name exists (P-1.25).
    """

    cutting: Cutting
    used: tuple[Verified, ...]
    ds: tuple[Ds, ...] = ()
    contradicted: bool = False

    @property
    def order(self) -> tuple[object, ...]:
        """Place among proofs from several servers: the first one counts."""
        return (self.cutting, *newest(self.used))


@dataclass(frozen=True, slots=True)
class KeysProof:
    """The validated DNSKEY RRset of a zone."""

    keys: ZoneKeys
    used: tuple[Verified, ...]

    @property
    def order(self) -> tuple[object, ...]:
        """Place among proofs from several servers: the first one counts."""
        return newest(self.used)


def newest(used: tuple[Verified, ...]) -> tuple[object, ...]:
    """Return a sort key by which later signatures come first, then by content."""
    latest = max(verified.starts for verified in used)
    content = tuple(verified.signed.rrset.rdatas for verified in used)
    return -latest, content


def cut_at(
    response: Response, name: Name, zone: ZoneKeys, context: Context
) -> CutProof | Unverified:
    """Return whether a zone is cut off at `name`, which is below `zone`.

    Raises:
        BudgetSpent: the evaluation's allowance is used up.
    """
    ds = response.answered(name, RdataType.DS)
    ds = ds or find(response.authority, name, RdataType.DS)
    if ds is not None:
        return _signed(verify(ds, zone, context))
    alias = _alias(response, name, zone, context)
    if alias is not None:
        return alias
    absent = collect(response, zone, context).absence(name, RdataType.DS)
    return absent if isinstance(absent, Unverified) else _absent(absent, response)


def _signed(outcome: Verified | Unverified) -> CutProof | Unverified:
    if isinstance(outcome, Unverified):
        return outcome
    if outcome.encloser is not None:
        return Unverified(Flaw.WILDCARD_UNPROVEN, "a DS RRset made by a wildcard")
    rdatas = outcome.signed.rrset.rdatas
    ds = tuple(Ds.from_wire(rdata) for rdata in rdatas)
    return CutProof(Cutting.SIGNED, (outcome,), ds)


def _alias(
    response: Response, name: Name, zone: ZoneKeys, context: Context
) -> CutProof | Unverified | None:
    """Return what a CNAME at the name, or a DNAME above it, says of a cut.

    An owner of CNAME has no other types, so no delegation (RFC 1034, section
    3.6.2); below a DNAME nothing exists in this zone (RFC 6672, section 2.4).
    """
    found = dname_above(response, name, zone.zone)
    cutting = Cutting.ALIASED
    if found is None:
        found = response.answered(name, RdataType.CNAME)
        cutting = Cutting.NONE
    if found is None:
        return None
    outcome = genuine(found, response, zone, context)
    if isinstance(outcome, Unverified):
        return outcome
    return CutProof(Cutting.HIDDEN if outcome.opt_out else cutting, outcome.used)


def _absent(absent: Absent, response: Response) -> CutProof:
    if absent.at_insecure_cut:
        return CutProof(Cutting.UNSIGNED, absent.used)
    if absent.opt_out:
        return CutProof(Cutting.HIDDEN, absent.used)
    if absent.absence is Absence.NXDOMAIN:
        return CutProof(Cutting.NOTHING_BELOW, absent.used)
    contradicted = response.rcode == Rcode.NXDOMAIN
    return CutProof(Cutting.NONE, absent.used, contradicted=contradicted)


def keys_of(
    response: Response, zone: Name, ds: tuple[Ds, ...], context: Context
) -> KeysProof | Unverified:
    """Return the keys of `zone`, vouched for by one of `ds`.

    Raises:
        BudgetSpent: the evaluation's allowance is used up.
    """
    signed = response.answered(zone, RdataType.DNSKEY)
    if signed is None:
        return Unverified(Flaw.NO_DNSKEY, "the answer has no DNSKEY")
    if len(signed.rrset.rdatas) > context.limits.dnskeys:
        return Unverified(Flaw.LIMIT, f"{len(signed.rrset.rdatas)} DNSKEY records")
    keys = tuple(Key.from_wire(rdata) for rdata in signed.rrset.rdatas)
    entry = _entry_keys(keys, zone, ds, context.limits)
    if isinstance(entry, Unverified):
        return entry
    outcome = verify(signed, ZoneKeys(zone, entry), context)
    if isinstance(outcome, Unverified):
        return outcome
    if outcome.encloser is not None:
        return Unverified(Flaw.WILDCARD_UNPROVEN, "a DNSKEY RRset made by a wildcard")
    return KeysProof(ZoneKeys(zone, keys), (outcome,))


def _entry_keys(
    keys: tuple[Key, ...], zone: Name, ds: tuple[Ds, ...], limits: Limits
) -> tuple[Key, ...] | Unverified:
    """Return the keys that a usable DS names (P-7.4, P-7.5, S-37, P-7.7)."""
    if len(ds) > limits.ds:
        return Unverified(Flaw.LIMIT, f"{len(ds)} DS records")
    candidates = [
        (record, key)
        for record in sorted(filter(algorithms.is_usable, ds))
        for key in keys
        if (key.key_tag, key.algorithm) == (record.key_tag, record.algorithm)
    ]
    fitting = [
        k for record, k in candidates if k.ds(zone, record.digest_type) == record
    ]
    if len(candidates) - len(fitting) > limits.failed_digests:
        return Unverified(Flaw.LIMIT, "too many digests failed")
    entry = tuple(key for key in dict.fromkeys(fitting) if is_usable(key))
    return entry or Unverified(Flaw.NO_MATCHING_KEY, "no DNSKEY fits a DS")


def begins_at(response: Response, name: Name) -> bool:
    """Say whether an unsigned zone begins at `name`: a referral, or its own NS."""
    answered = response.answered(name, RdataType.NS)
    return (answered or find(response.authority, name, RdataType.NS)) is not None
