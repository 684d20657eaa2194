"""What the registry demands of a DS change: data, versioned, never code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptancePolicy:
    """Limits and windows of an evaluation (protocol.md, sections 3 and 10)."""

    digests: tuple[int, ...] = (2,)
    """Digest types that we publish (P-5.2)."""
    forbidden_algorithms: tuple[int, ...] = (1, 3, 5, 6, 7, 12)
    allow_unknown_algorithms: bool = False
    max_records: int = 6
    """CDS or CDNSKEY records in one RRset (`CDS_TOO_MANY`)."""
    max_nameservers: int = 13
    max_addresses_per_nameserver: int = 8
    max_addresses: int = 40
    nsec3_iterations: int = 50
    min_rsa_bits: int = 1024
    min_validity: timedelta = timedelta(hours=24)
    """Least remaining life of every signature relied on (P-3.8)."""
    min_signed_age: timedelta = timedelta(0)
    """How long a child must have been seen signed (P-3.20)."""
    quiet_after_ns_change: timedelta = timedelta(minutes=5)
    """Not a reason to refuse, only to publish later (S-63)."""
    demand_uses: bool = True
    """A candidate's addresses and mail were asked for (P-3.13); evidence of before
    there was this demand does not have it, and so holds false."""
    single_path_to_staff: bool = False
    stale_signal_alarm: timedelta = timedelta(hours=24)
    excluded_statuses: tuple[str, ...] = ()
    """Status words of the registry that bar automation (`PRE_STATUS_NOT_ACTIVE`)."""
    registrars_without_disable: tuple[str, ...] = ()
    """Registrars that cannot turn DNSSEC off: no first DS (BCP 246, 7.1(5))."""
    skip_families: tuple[int, ...] = ()
    """Address families (4, 6) that our site lacks (P-2.23)."""
