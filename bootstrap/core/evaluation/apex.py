"""All servers' answers together: what the child asks for, or why that is unclear.

protocol.md 2.4. Bootstrapping is strict about servers and contents; updates
compare keys and take what was received (P-0.10, P-0.11). Both end in one of
the five states of the matrix (protocol.md 2.6).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from itertools import product
from types import MappingProxyType
from typing import Final

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import RdataType

from .answers import REQUEST_TYPES, Answer
from .classify import USABLE, USABLE_FOR_UPDATE
from .compare import between_types, digest_only, eligible, key_ids
from .findings import Finding
from .paths import Path
from .policy import AcceptancePolicy
from .reasons import MEANINGS, Reason
from .requests import Content, Request, cdnskey_records, content_findings, request_of

REQUIRED_TYPES: Final = (
    RdataType.SOA,
    RdataType.CDS,
    RdataType.CDNSKEY,
    RdataType.DNSKEY,
)
"""What every address must answer before a first DS (P-2.30)."""

DIFFER: Final = MappingProxyType(
    {
        RdataType.CDS: Reason.APEX_CDS_DIFFER,
        RdataType.CDNSKEY: Reason.APEX_CDNSKEY_DIFFER,
    }
)


@unique
class ApexState(StrEnum):
    """The rows of the bootstrap matrix."""

    NONE = "A0"
    KEYS = "A1"
    DELETE = "A2"
    INCONSISTENT = "A3"
    INCOMPLETE = "A4"


@dataclass(frozen=True, slots=True)
class Apex:
    """What the servers say together; contents are those agreed on (P-5.1)."""

    state: ApexState
    findings: tuple[Finding, ...] = ()
    cds: Content = ()
    cdnskey: Content = ()


Contents = Mapping[RdataType, Mapping[Content, tuple[str, ...]]]
"""By type: each distinct content, and the addresses that serve it."""


def usable(path: Path) -> frozenset[Reason]:
    """Return the classes of answers that count as a response (P-0.10)."""
    return USABLE if path is Path.BOOTSTRAP else USABLE_FOR_UPDATE


def read_apex(
    answers: Iterable[Answer],
    *,
    child: Name,
    path: Path,
    complete: bool,
    policy: AcceptancePolicy,
) -> Apex:
    """Return what the child's servers ask for together.

    `complete` says that every required response is there and usable.
    """
    counted = [answer for answer in answers if answer.reason in usable(path)]
    contents = _contents(counted)
    requests = _requests(counted)
    findings = tuple(_findings(contents, requests, counted, child, path, policy))
    asked = requests - {Request.NONE}
    if not asked and Request.NONE in requests:
        return Apex(ApexState.NONE, (Finding(Reason.APEX_NO_CDS, _subject(child)),))
    state = _state(findings, requests, complete=complete)
    if state in {ApexState.KEYS, ApexState.DELETE}:
        findings += (Finding(Reason.APEX_CONSISTENT, _subject(child)),)
    if state is ApexState.INCOMPLETE:
        findings += (Finding(Reason.APEX_INCOMPLETE, _subject(child)),)
    return Apex(
        state,
        findings,
        _agreed(contents[RdataType.CDS]),
        _agreed(contents[RdataType.CDNSKEY]),
    )


def _subject(child: Name) -> str:
    return child.to_text(omit_final_dot=True)


def _state(
    findings: Iterable[Finding], requests: frozenset[Request], *, complete: bool
) -> ApexState:
    if not complete or not requests:
        return ApexState.INCOMPLETE
    if any(not _harmless(finding) for finding in findings):
        return ApexState.INCONSISTENT
    return ApexState.DELETE if Request.DELETE in requests else ApexState.KEYS


def _harmless(finding: Finding) -> bool:
    """Say whether a request with this finding can still be judged further.

    No note is found before the state of the apex is.
    """
    return MEANINGS[finding.reason].held


def _contents(answers: Iterable[Answer]) -> Contents:
    contents: dict[RdataType, dict[Content, tuple[str, ...]]] = {
        rdtype: {} for rdtype in REQUEST_TYPES
    }
    for answer in answers:
        if answer.asks:
            servers = contents[answer.rdtype]
            content = answer.content
            servers[content] = (*servers.get(content, ()), answer.address)
    return contents


def _agreed(contents: Mapping[Content, object]) -> Content:
    """Return all records that any server has; one content when they agree."""
    return tuple(sorted({rdata for content in contents for rdata in content}))


def _requests(answers: Iterable[Answer]) -> frozenset[Request]:
    """Return what each server asks for, over servers that answered both types."""
    by_server: dict[tuple[str, str], dict[RdataType, set[Content]]] = {}
    for answer in answers:
        if answer.asks:
            server = by_server.setdefault((answer.address, answer.vantage), {})
            server.setdefault(answer.rdtype, set()).add(answer.content)
    return frozenset(
        request_of(cds, cdnskey)
        for server in by_server.values()
        for cds, cdnskey in product(
            server.get(RdataType.CDS, {()}), server.get(RdataType.CDNSKEY, {()})
        )
        if len(server) == len(REQUEST_TYPES) or cds or cdnskey
    )


def _findings(
    contents: Contents,
    requests: frozenset[Request],
    answers: list[Answer],
    child: Name,
    path: Path,
    policy: AcceptancePolicy,
) -> Iterator[Finding]:
    yield from _format(contents, policy)
    yield from _vantages(answers)
    if Request.MIXED in requests:
        yield Finding(Reason.CMP_DELETE_MIXED, "CDS CDNSKEY")
    elif Request.DELETE in requests and len(requests) > 1:
        yield Finding(Reason.CMP_DELETE_PARTIAL, "CDS CDNSKEY")
    else:
        for rdtype in REQUEST_TYPES:
            yield from _across(rdtype, contents[rdtype], child, path)
        yield from _types(contents, answers, child)


def _format(contents: Contents, policy: AcceptancePolicy) -> Iterator[Finding]:
    found = {
        finding
        for rdtype in REQUEST_TYPES
        for content in contents[rdtype]
        for finding in content_findings(rdtype, content, policy.max_records)
    }
    yield from sorted(found)


def _types(
    contents: Contents, answers: Iterable[Answer], child: Name
) -> Iterator[Finding]:
    dnskeys = {
        key
        for answer in answers
        if answer.rdtype == RdataType.DNSKEY
        for key in cdnskey_records(answer.content)
    }
    cds = _agreed(contents[RdataType.CDS])
    cdnskey = _agreed(contents[RdataType.CDNSKEY])
    yield from between_types(cds, cdnskey, child, dnskeys)


def _across(
    rdtype: RdataType,
    contents: Mapping[Content, tuple[str, ...]],
    child: Name,
    path: Path,
) -> Iterator[Finding]:
    """Compare the servers' contents of one type (P-2.42, P-0.15, P-4.30, P-4.34)."""
    present = [content for content in contents if content]
    if present and () in contents:
        missing = ", ".join(sorted(set(contents[()])))
        yield Finding(Reason.APEX_PARTIAL, rdtype.name, f"missing at {missing}")
    if len(present) < 2:  # noqa: PLR2004 - nothing to compare
        return
    if rdtype == RdataType.CDS and digest_only(present):
        if path is Path.BOOTSTRAP:
            yield Finding(Reason.APEX_DIGEST_ONLY_DIFFER, rdtype.name)
    elif path is Path.BOOTSTRAP or _keys_differ(rdtype, present, child):
        yield Finding(DIFFER[rdtype], rdtype.name, _who(contents))


def _keys_differ(rdtype: RdataType, contents: list[Content], child: Name) -> bool:
    if rdtype == RdataType.CDS:
        return len({eligible(content) for content in contents}) > 1
    return len({key_ids(cdnskey_records(c), child) for c in contents}) > 1


def _who(contents: Mapping[Content, tuple[str, ...]]) -> str:
    groups = sorted(", ".join(sorted(set(who))) for who in contents.values())
    return " | ".join(groups)


def _vantages(answers: Iterable[Answer]) -> Iterator[Finding]:
    """Compare what one address says to different vantage points (RFC 8078, 5)."""
    seen: dict[tuple[str, RdataType], dict[str, set[Content]]] = {}
    for answer in answers:
        if answer.asks:
            views = seen.setdefault((answer.address, answer.rdtype), {})
            views.setdefault(answer.vantage, set()).add(answer.content)
    for (address, rdtype), views in sorted(seen.items()):
        if len({frozenset(view) for view in views.values()}) > 1:
            yield Finding(Reason.APEX_VANTAGE_DIFFER, f"{address} {rdtype.name}")
