"""What one response says to the question itself, in signed and unsigned zones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from bootstrap.core.dns.messages import Rcode, Response, find
from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import RdataType, RRset, Signed

from .absence import Absent
from .aliases import dname_above, fits, target_of
from .delegations import newest
from .denial import Genuine, collect, genuine
from .security import Absence, Flaw
from .signatures import Context, Unverified, Verified, ZoneKeys


class Form(IntEnum):
    """What kind of answer it is; of two proven ones the first counts."""

    DATA = 1
    ALIAS = 2
    ABSENT = 3
    REFERRAL = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, proven if `used` is not empty: an RRset, an alias, or nothing."""

    form: Form
    used: tuple[Verified, ...] = ()
    signed: Signed | None = None
    target: Name | None = None
    absence: Absence | None = None
    wildcard: bool = False
    opt_out: bool = False

    @property
    def order(self) -> tuple[object, ...]:
        """Place among answers from several servers: the first one counts."""
        if self.used:
            return (self.form, *newest(self.used))
        content = self.signed.rrset.rdatas if self.signed else ()
        return self.form, content, self.target, self.absence or ""


_DS_ALIASED = Unverified(Flaw.MALFORMED, "a CNAME answers for DS")  # P-7.14
_CROWDED = Unverified(Flaw.MALFORMED, "other data beside a CNAME")  # P-7.72
_WRONG_CNAME = Unverified(Flaw.MALFORMED, "the CNAME is not what the DNAME makes")


def _data(response: Response, name: Name, rdtype: RdataType) -> Signed | None:
    signed = response.answered(name, rdtype)
    if signed is None and rdtype == RdataType.DS:
        signed = find(response.authority, name, rdtype)  # beside a referral
    return signed


def _alias(
    response: Response, name: Name, rdtype: RdataType, zone: Name
) -> Signed | None:
    if rdtype == RdataType.CNAME:
        return None
    found = dname_above(response, name, zone)
    return found or response.answered(name, RdataType.CNAME)


def proven(
    response: Response,
    name: Name,
    rdtype: RdataType,
    zone: ZoneKeys,
    context: Context,
) -> Answer | Unverified:
    """Return what `response` proves, in a zone whose keys are known.

    Raises:
        BudgetSpent: the evaluation's allowance is used up.
    """
    data = _data(response, name, rdtype)
    alias = _alias(response, name, rdtype, zone.zone)
    if (
        data is not None
        and alias is not None
        and alias.rrset.owner.labels == name.labels
    ):
        return _CROWDED
    if data is not None:
        return _as_answer(Form.DATA, genuine(data, response, zone, context))
    if alias is not None:
        return _proven_alias(alias, response, (name, rdtype), zone, context)
    absent = collect(response, zone, context).absence(name, rdtype)
    if isinstance(absent, Absent):
        return Answer(
            Form.ABSENT, absent.used, absence=absent.absence, opt_out=absent.opt_out
        )
    return absent


def _as_answer(form: Form, outcome: Genuine | Unverified) -> Answer | Unverified:
    if isinstance(outcome, Unverified):
        return outcome
    return Answer(
        form,
        outcome.used,
        signed=outcome.verified.signed,
        wildcard=outcome.wildcard,
        opt_out=outcome.opt_out,
    )


def _proven_alias(
    alias: Signed,
    response: Response,
    asked: tuple[Name, RdataType],
    zone: ZoneKeys,
    context: Context,
) -> Answer | Unverified:
    name, rdtype = asked
    if rdtype == RdataType.DS:
        return _DS_ALIASED
    answer = _as_answer(Form.ALIAS, genuine(alias, response, zone, context))
    if isinstance(answer, Unverified):
        return answer
    return _led(answer, alias.rrset, response, name)


def _led(
    answer: Answer, rrset: RRset, response: Response, name: Name
) -> Answer | Unverified:
    """Return the alias with its target, which must be the one the server says."""
    target = target_of(rrset, name)
    if isinstance(target, Unverified):
        return target
    if rrset.owner.labels != name.labels and not fits(response, name, target):
        return _WRONG_CNAME
    return replace(answer, target=target)


def plain(
    response: Response, name: Name, rdtype: RdataType, zone: Name
) -> Answer | Unverified:
    """Return what `response` says in a zone that proves nothing (INSECURE)."""
    data = _data(response, name, rdtype)
    if data is not None:
        return Answer(Form.DATA, signed=data)
    alias = _alias(response, name, rdtype, zone)
    if alias is not None:
        return _led(Answer(Form.ALIAS, signed=alias), alias.rrset, response, name)
    referral = find(response.authority, name, RdataType.NS)
    is_below = name != zone and rdtype != RdataType.DS
    if referral is not None and is_below and not response.aa:
        return Answer(Form.REFERRAL)
    nothing = response.rcode == Rcode.NXDOMAIN
    return Answer(Form.ABSENT, absence=Absence.NXDOMAIN if nothing else Absence.NODATA)
