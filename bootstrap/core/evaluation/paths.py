"""Bootstrap, update, or neither: decided from the registry's data, before any packet.

Whether an update is a removal is for the child's servers to say; `judge` finds out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from bootstrap.core.dns.names import unrooted

from .delegation import Delegation, Suspension
from .findings import Finding
from .policy import AcceptancePolicy
from .reasons import Kind, Reason


@unique
class Path(StrEnum):
    """Which part of the standards an evaluation follows."""

    BOOTSTRAP = "bootstrap"  # RFC 9615
    UPDATE = "update"  # RFC 7344, 9975
    REMOVAL = "removal"  # RFC 8078, section 4


@unique
class AuthMethod(StrEnum):
    """How a DS change was authenticated (P-5.61); stored, never renamed."""

    RFC9615 = "RFC9615"
    RFC7344_CHAIN = "RFC7344_CHAIN"
    EPP = "EPP"
    MANUAL = "MANUAL"
    RFC8078_DELAY = "RFC8078_DELAY"
    RFC8078_INCEPTION = "RFC8078_INCEPTION"


STATUSES: Final = MappingProxyType(
    {
        "inactive": Reason.PRE_NOT_DELEGATED,
        "clienthold": Reason.PRE_NOT_DELEGATED,
        "serverhold": Reason.PRE_NOT_DELEGATED,
        "pendingdelete": Reason.PRE_NOT_DELEGATED,
        "redemptionperiod": Reason.PRE_NOT_DELEGATED,
        "pendingrestore": Reason.PRE_NOT_DELEGATED,
        "pendingcreate": Reason.PRE_STATUS_NOT_ACTIVE,
        "pendingupdate": Reason.PRE_PENDING_CHANGE,
        "clientupdateprohibited": Reason.PRE_LOCK_IGNORED,
        "serverupdateprohibited": Reason.PRE_LOCK_IGNORED,
    }
)
"""EPP status words that mean something here (RFC 5731, section 2.3; RFC 3915,
section 3.1); transfer, renew and delete states and locks never matter (P-5.31).

Locks of updates are noted and bar nothing (BCP 246, 6.1; P-0.17, P-5.30)."""

SUSPENSIONS: Final = MappingProxyType(
    {
        Suspension.OOB_REMOVAL: Reason.PRE_AUTOMATION_SUSPENDED,
        Suspension.HOLDER_OPT_OUT: Reason.PRE_OPTED_OUT,
        Suspension.REGISTRAR_AUTOMATES: Reason.PRE_REGISTRAR_AUTOMATES,
        Suspension.PROPRIETARY_LOCK: Reason.PRE_PROPRIETARY_LOCK,
        Suspension.SECURITY_ALARM: Reason.PRE_AUTOMATION_SUSPENDED,
    }
)
"""Total over `Suspension` (P-5.46)."""

DEFAULT_POLICY: Final = AcceptancePolicy()


@dataclass(frozen=True, slots=True)
class Choice:
    """A path, or none; and the findings that led there or go along as notes."""

    path: Path | None
    findings: tuple[Finding, ...] = ()


def choose_path(
    delegation: Delegation, policy: AcceptancePolicy = DEFAULT_POLICY
) -> Choice:
    """Return the path that the registry's data allow (P-1.50; BCP 246, 6.1, 7.1).

    No path means: stop, ask nothing; the findings say why.
    """
    findings = tuple(sorted(set(_preconditions(delegation, policy))))
    if any(finding.kind is not Kind.INFO for finding in findings):
        return Choice(None, findings)
    return Choice(Path.UPDATE if delegation.ds else Path.BOOTSTRAP, findings)


def _preconditions(
    delegation: Delegation, policy: AcceptancePolicy
) -> Iterator[Finding]:
    child = unrooted(delegation.child)
    if not delegation.nameservers:
        yield Finding(Reason.PRE_NOT_DELEGATED, child, "no nameservers")
    for status in delegation.statuses:
        if reason := _status(status, policy):
            yield Finding(reason, child, status)
    if delegation.suspended:
        yield Finding(
            SUSPENSIONS[delegation.suspended], child, delegation.suspended.value
        )
    if delegation.pending_change:
        yield Finding(Reason.PRE_PENDING_CHANGE, child)
    yield from _by_kind(delegation, policy)


def _status(status: str, policy: AcceptancePolicy) -> Reason | None:
    if status in policy.excluded_statuses:
        return Reason.PRE_STATUS_NOT_ACTIVE
    return STATUSES.get(status.lower())


def _by_kind(delegation: Delegation, policy: AcceptancePolicy) -> Iterator[Finding]:
    child = unrooted(delegation.child)
    if delegation.ds:
        yield Finding(Reason.PRE_DS_PRESENT, child, f"{len(delegation.ds)} records")
    elif delegation.registrar in policy.registrars_without_disable:
        yield Finding(Reason.PRE_REGISTRAR_NO_DISABLE, child, delegation.registrar)
