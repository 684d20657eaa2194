"""Which addresses serve the child: every address of every nameserver (P-2.3).

The addresses of a host are the union of what look-ups found, validated or in
an insecure zone, and the registry's glue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from bootstrap.core.dns.names import ROOT, Name, canonical, unrooted
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.chain import Absence, Needs, Proof
from bootstrap.core.dnssec.security import Security

from .case import Case
from .delegation import Delegation
from .findings import Finding
from .policy import AcceptancePolicy
from .proofs import Prove, settled
from .queries import Lookup
from .reasons import Reason

FAMILIES: Final = ((4, RdataType.A), (6, RdataType.AAAA))
ADDRESS_OCTETS: Final = {RdataType.A: 4, RdataType.AAAA: 16}


@dataclass(frozen=True, slots=True, order=True)
class Server:
    """One address of one nameserver."""

    nameserver: Name
    address: str


@dataclass(frozen=True, slots=True)
class Reach:
    """The servers of a set of hosts, what speaks against it, what is not known yet."""

    servers: tuple[Server, ...] = ()
    findings: tuple[Finding, ...] = ()
    pending: tuple[Lookup, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Each address once, sorted."""
        return tuple(sorted({server.address for server in self.servers}))


def delegated(case: Case, prove: Prove) -> Reach:
    """Return the servers of the nameservers that the parent names (P-1.10)."""
    return reach(case.delegation.nameservers, case, prove)


def reach(nameservers: Iterable[Name], case: Case, prove: Prove) -> Reach:
    """Return the servers of `nameservers`, within the caps of the policy.

    Meets P-3.25, P-8.4.
    """
    policy = case.policy
    hosts = sorted({canonical(host) for host in nameservers})
    if len(hosts) > policy.max_nameservers:
        return Reach(findings=(_too_many(case, f"{len(hosts)} nameservers"),))
    found = [_host(host, case.delegation, policy, prove) for host in hosts]
    whole = Reach(
        tuple(server for part in found for server in part.servers),
        tuple(finding for part in found for finding in part.findings),
        tuple(lookup for part in found for lookup in part.pending),
    )
    return _capped(whole, case)


def _capped(whole: Reach, case: Case) -> Reach:
    policy = case.policy
    addresses = len(whole.addresses)
    if addresses > policy.max_addresses:
        excess = f"{addresses} addresses"
    elif crowded := _crowded(whole, policy.max_addresses_per_nameserver):
        excess = f"too many addresses of {unrooted(crowded)}"
    else:
        return whole
    return Reach((), (*whole.findings, _too_many(case, excess)), whole.pending)


def _crowded(whole: Reach, limit: int) -> Name | None:
    hosts = [server.nameserver for server in whole.servers]
    return next((host for host in hosts if hosts.count(host) > limit), None)


def _too_many(case: Case, excess: str) -> Finding:
    return Finding(Reason.NS_TOO_MANY, unrooted(case.delegation.child), excess)


def families(policy: AcceptancePolicy) -> tuple[RdataType, ...]:
    """Return the address types that our site can use (P-2.23)."""
    return tuple(t for family, t in FAMILIES if family not in policy.skip_families)


def _host(
    host: Name, delegation: Delegation, policy: AcceptancePolicy, prove: Prove
) -> Reach:
    if not is_hostname(host):
        return Reach(findings=(Finding(Reason.NS_TARGET_INVALID, unrooted(host)),))
    types = families(policy)
    pending = tuple(
        Lookup(host, rdtype)
        for rdtype in types
        if isinstance(prove(host, rdtype), Needs)
    )
    proofs = [settled(prove, host, rdtype) for rdtype in types]
    glue = _glue(host, delegation, policy)
    looked_up = {address for proof in proofs for address in _addresses(proof)}
    findings = tuple(_host_findings(host, proofs, glue, looked_up))
    if any(finding.reason is Reason.NS_TARGET_ALIAS for finding in findings):
        looked_up = set()
    servers = tuple(Server(host, address) for address in sorted(looked_up | glue))
    return Reach(servers, findings, pending)


def _host_findings(
    host: Name, proofs: list[Proof], glue: set[str], looked_up: set[str]
) -> Iterator[Finding]:
    subject = unrooted(host)
    for proof in proofs:
        detail = f"{proof.rdtype.name} {proof.detail}".strip()
        if proof.aliases:
            yield Finding(Reason.NS_TARGET_ALIAS, subject, detail)
        elif proof.security is Security.BOGUS:
            yield Finding(Reason.NS_ADDR_BOGUS, subject, detail)
        elif proof.answer is None and proof.absence is None:  # not even insecurely
            yield Finding(Reason.NS_UNREACHABLE, subject, f"address look-up: {detail}")
    if not looked_up and not glue and all(proof.absence for proof in proofs):
        yield Finding(
            Reason.NS_NO_ADDRESS, subject, escalated=_looks_unregistered(proofs)
        )
    if glue and looked_up and glue != looked_up:
        differing = ", ".join(sorted(glue ^ looked_up))
        yield Finding(Reason.NS_GLUE_MISMATCH, subject, differing)


def _looks_unregistered(proofs: list[Proof]) -> bool:
    """Say whether a TLD denies the host's own domain (RFC 9975, appendix A.2)."""
    return bool(proofs) and all(
        proof.absence is Absence.NXDOMAIN
        and proof.zone is not None
        and len(proof.zone.labels) <= 2  # noqa: PLR2004 - the root or one label
        for proof in proofs
    )


def _addresses(proof: Proof) -> Iterator[str]:
    if proof.security not in {Security.SECURE, Security.INSECURE}:
        return
    if proof.answer is None or proof.answer.rrset.rdtype != proof.rdtype:
        return
    for rdata in proof.answer.rrset.rdatas:
        if len(rdata) == ADDRESS_OCTETS[proof.rdtype]:
            yield str(ip_address(rdata))


def _glue(host: Name, delegation: Delegation, policy: AcceptancePolicy) -> set[str]:
    usable = {family for family, _ in FAMILIES if family not in policy.skip_families}
    found = set()
    for owner, text in delegation.glue:
        if canonical(owner) == host:
            address = _parsed(text)
            if address and address[0] in usable:
                found.add(address[1])
    return found


def _parsed(text: str) -> tuple[int, str] | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None  # the import refuses such lines; old rows may hold them
    return address.version, str(address)


@lru_cache(maxsize=16_384)
def is_hostname(host: Name) -> bool:
    """Say whether `host` can have servers: not the root, a wildcard, an address (P-1.17)."""
    if host == ROOT or b"*" in host.labels:
        return False
    return _parsed(unrooted(host)) is None
