"""What people ask a child for, asked of it before it gets a DS (P-3.13).

Its addresses and its mail: an answer that would not validate under the candidate
DS is an outage, whatever SOA and NS say. Asked of candidates alone, because it
costs three questions more of every address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from bootstrap.core.dns.records import RdataType

from .answers import USED_TYPES, Answer
from .case import Case
from .classify import USABLE_FOR_UPDATE
from .compare import requested_keys
from .paths import Path
from .proofs import Prove
from .queries import Carrier, Query
from .requests import Content, Request, cdnskey_records, request_of
from .signals import read_signals
from .updates import current_keys

ASKED_FIRST: Final = frozenset(
    {RdataType.SOA, RdataType.NS, RdataType.DNSKEY, RdataType.CDS, RdataType.CDNSKEY}
)


def use_queries(
    addresses: Iterable[str],
    answers: tuple[Answer, ...],
    case: Case,
    path: Path,
    prove: Prove,
) -> Iterator[Query]:
    """Return the questions to ask of each address; none of what is no candidate.

    Servers that gave nothing usable are not asked for more.
    """
    child = case.delegation.child
    alive = {a.address for a in answers if a.reason in USABLE_FOR_UPDATE}
    if is_candidate(answers, case, path, prove):
        for address in sorted(alive.intersection(addresses)):
            for rdtype in USED_TYPES:
                yield Query(address, child, child, rdtype, Carrier.TCP)


def is_candidate(
    answers: tuple[Answer, ...], case: Case, path: Path, prove: Prove
) -> bool:
    """Say whether what was seen so far may end in another DS set.

    An update may do without servers that are long dead (P-2.31), a first DS may not.
    """
    asked = [answer for answer in answers if answer.rdtype in ASKED_FIRST]
    first = [answer for answer in asked if answer.reason in USABLE_FOR_UPDATE]
    if path is Path.BOOTSTRAP and first != asked:
        return False
    cds, cdnskey = (
        _contents(first, rdtype) for rdtype in (RdataType.CDS, RdataType.CDNSKEY)
    )
    if request_of(cds, cdnskey) is not Request.KEYS:
        return False
    if path is Path.BOOTSTRAP:
        child, hosts = case.delegation.child, case.delegation.nameservers
        signals = read_signals(child, hosts, prove)
        return bool(signals) and all(any(signal.contents) for signal in signals)
    return _is_new(cds, cdnskey, first, case)


def _contents(answers: Iterable[Answer], rdtype: RdataType) -> Content:
    found = {r for a in answers if a.rdtype == rdtype for r in a.content}
    return tuple(sorted(found))


def _is_new(
    cds: Content, cdnskey: Content, answers: Iterable[Answer], case: Case
) -> bool:
    """Say whether other keys are asked for than those that the DS names (P-4.7)."""
    child = case.delegation.child
    known = cdnskey_records(_contents(answers, RdataType.DNSKEY))
    current = current_keys(case.delegation.ds, known, child)
    return requested_keys(cds, cdnskey, child) != current
