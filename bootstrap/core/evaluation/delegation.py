"""The parent's side at one moment, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import Ds


@unique
class Suspension(StrEnum):
    """Why automation is off for a child; exactly these reasons (P-5.46)."""

    OOB_REMOVAL = "OOB_REMOVAL"
    HOLDER_OPT_OUT = "HOLDER_OPT_OUT"
    REGISTRAR_AUTOMATES = "REGISTRAR_AUTOMATES"
    PROPRIETARY_LOCK = "PROPRIETARY_LOCK"
    SECURITY_ALARM = "SECURITY_ALARM"


@dataclass(frozen=True, slots=True)
class Delegation:
    """A child and what the registry holds and the parent publishes about it (P-8.2).

    `glue` pairs a nameserver with one address in text. `statuses` are the EPP
    status words of the registry object. `version` counts changes of the
    registry's data: the optimistic lock of a decision (P-2.1, S-61).
    """

    child: Name
    parent: Name
    nameservers: tuple[Name, ...]
    glue: tuple[tuple[Name, str], ...] = ()
    ds: tuple[Ds, ...] = ()
    statuses: tuple[str, ...] = ()
    registrar: str = ""
    suspended: Suspension | None = None
    pending_change: bool = False
    version: int = 0
    ns_changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What we remember of a child, as far as a verdict may depend on it.

    `newest_inception` is that of the last accepted CDS/CDNSKEY or signal
    that went to the parent (P-4.5), `oob_change_at` the last DS change by another channel.
    `troubled_since` gives, by reason code, since when without a break an R
    code was seen; `retries_spent` says that the retry schedule is used up.
    """

    newest_inception: datetime | None = None
    oob_change_at: datetime | None = None
    signed_since: datetime | None = None
    troubled_since: tuple[tuple[str, datetime], ...] = ()
    retries_spent: bool = False

    @property
    def last_change(self) -> datetime | None:
        """What a request must be newer than (P-4.5, S-40); None: nothing yet."""
        moments = (self.newest_inception, self.oob_change_at)
        return max((moment for moment in moments if moment), default=None)
