"""What must be asked next, given what has been seen; empty when nothing is left.

The shell runs a plan, adds the observations and asks for the next one: first
the addresses of all nameservers (P-2.3), then the child's servers over TCP and
the signals (P-2.4 to P-2.11), then whatever the answers call for (P-3.7).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from bootstrap.core.dns.names import (
    Name,
    UnusableSignalingName,
    canonical,
    out_of_domain,
    signaling_name,
)
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.chain import Needs

from . import queries
from .answers import Answer, answers_of
from .case import Case
from .paths import Path, choose_path
from .proofs import Prove, proving
from .queries import Carrier, Lookup, Plan, Query
from .reasons import Reason
from .servers import Reach, delegated, families, is_hostname, reach
from .uses import use_queries

APEX_TYPES: Final = (
    RdataType.SOA,
    RdataType.CDS,
    RdataType.CDNSKEY,
    RdataType.DNSKEY,
    RdataType.NS,
)
"""What every address is asked about the apex (P-2.4 to P-2.8, P-1.15, P-2.12)."""


def plan(case: Case) -> Plan:
    """Return the questions that `case` still lacks; an empty plan when complete."""
    return next_questions(case, proving(case))


def next_questions(case: Case, prove: Prove) -> Plan:
    """Return the first round that is not complete; nothing that was asked before."""
    path = choose_path(case.delegation, case.policy).path
    if path is None:
        return Plan()
    hosts = _sane_hosts(case)
    first = Plan(lookups=tuple(_pending(_address_lookups(hosts, case), prove)))
    if first or not hosts:
        return first
    servers = delegated(case, prove)
    second = Plan(
        tuple(_pending(_signal_lookups(path, case), prove)),
        tuple(_unasked(servers, case)),
    )
    return second or _third(servers, case, path, prove)


def _sane_hosts(case: Case) -> list[Name]:
    """Return the hosts that can be asked: none when there are too many (P-1.70)."""
    hosts = sorted({canonical(host) for host in case.delegation.nameservers})
    if len(hosts) > case.policy.max_nameservers:
        return []
    return [host for host in hosts if is_hostname(host)]


def _address_lookups(hosts: list[Name], case: Case) -> Iterator[Lookup]:
    """Round 1: all addresses, and the parent's DS as published (P-2.2, P-2.3)."""
    for host in hosts:
        for rdtype in families(case.policy):
            yield Lookup(host, rdtype)
    yield Lookup(case.delegation.child, RdataType.DS)


def _signal_lookups(path: Path, case: Case) -> Iterator[Lookup]:
    """Round 2: both types at every required signaling name (P-1.12, P-2.10, P-1.31)."""
    if path is not Path.BOOTSTRAP:
        return
    child = case.delegation.child
    for host in out_of_domain(child, case.delegation.nameservers):
        try:
            name = signaling_name(child, host)
        except UnusableSignalingName:
            continue  # `SIG_NAME_TOO_LONG` is for the verdict to say
        yield Lookup(name, RdataType.CDS)
        yield Lookup(name, RdataType.CDNSKEY)


def _third(servers: Reach, case: Case, path: Path, prove: Prove) -> Plan:
    """Round 3: servers that only the child names, and TCP that does not work."""
    answers = answers_of(case)
    probes = (
        *_udp_probes(servers, answers, case),
        *_uses(servers, answers, case, path, prove),
    )
    asked_for = any(a.asks and a.reason is Reason.NS_OK_DATA for a in answers)
    extra = extra_hosts(case, answers) if asked_for else ()
    if not extra or len(extra) > case.policy.max_nameservers:
        return Plan(queries=probes)
    found = reach(extra, case, prove)
    if found.pending:
        return Plan(found.pending, probes)
    return Plan(queries=(*probes, *_unasked(found, case)))


def extra_hosts(case: Case, answers: Iterable[Answer]) -> tuple[Name, ...]:
    """Return the hosts of the child's own NS RRsets that the parent lacks (P-3.7)."""
    named = {
        host
        for answer in answers
        if answer.rdtype == RdataType.NS and answer.signed
        for host in answer.hosts()
    }
    known = {canonical(host) for host in case.delegation.nameservers}
    return tuple(sorted(named - known))


def _unasked(servers: Reach, case: Case) -> Iterator[Query]:
    asked = {observation.query for observation in case.observations}
    for address in servers.addresses:
        for query in _server_queries(address, case):
            if query not in asked:
                yield query


def _server_queries(address: str, case: Case) -> Iterator[Query]:
    child = case.delegation.child
    for rdtype in APEX_TYPES:
        yield Query(address, child, child, rdtype, Carrier.TCP)
    probe = probe_name(case)
    if probe is not None:
        yield Query(address, child, probe, RdataType.A, Carrier.TCP)


def _udp_probes(
    servers: Reach, answers: tuple[Answer, ...], case: Case
) -> Iterator[Query]:
    """Ask by UDP where TCP gave nothing: is it TCP, or the server? (P-2.20)."""
    child = case.delegation.child
    asked = {observation.query for observation in case.observations}
    for address in servers.addresses:
        mine = [answer for answer in answers if answer.address == address]
        query = Query(address, child, child, RdataType.SOA, Carrier.ANY)
        if mine and not any(a.packet for a in mine) and query not in asked:
            yield query


def _uses(
    servers: Reach,
    answers: tuple[Answer, ...],
    case: Case,
    path: Path,
    prove: Prove,
) -> Iterator[Query]:
    """Ask candidates for what people ask them for (P-3.13)."""
    asked = {observation.query for observation in case.observations}
    for query in use_queries(servers.addresses, answers, case, path, prove):
        if query not in asked:
            yield query


def probe_name(case: Case) -> Name | None:
    """Return the name that should not exist in the child; None: no room for one."""
    return queries.probe_name(case.delegation.child, case.now)


def _pending(lookups: Iterable[Lookup], prove: Prove) -> Iterator[Lookup]:
    for lookup in lookups:
        if isinstance(prove(lookup.name, lookup.rdtype), Needs):
            yield lookup
