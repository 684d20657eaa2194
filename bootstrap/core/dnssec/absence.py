"""What a proof of absence says, whichever records it is made of.

The type bitmap at a name is read alike for NSEC and NSEC3; the traps are the
two sides of a zone cut, which share an owner (RFC 6840, sections 4.1 and 4.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bootstrap.core.dns.records import RdataType

from .security import Absence, Flaw
from .signatures import Unverified, Verified

NXNAME: Final = 128
"""The type whose bit says that the name does not exist (RFC 9824, section 3.1)."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A proven absence and the records that prove it.

    `types` is what exists at the name itself, None when no record of the proof
    has that name. `opt_out` says that unsigned delegations may hide in the gap:
    such a proof is not secure (RFC 5155, section 9.2; P-1.30).
    """

    absence: Absence
    used: tuple[Verified, ...]
    types: frozenset[int] | None = None
    opt_out: bool = False

    @property
    def at_insecure_cut(self) -> bool:
        """A delegation without DS is at the name (RFC 6840, section 4.4; P-7.60)."""
        return self.types is not None and is_parent_side(self.types)


@dataclass(frozen=True, slots=True)
class NoCloser:
    """A proof that nothing closer to a name exists than its wildcard (P-7.30)."""

    used: tuple[Verified, ...]
    opt_out: bool = False


MISSING: Final = Unverified(Flaw.DENIAL_MISSING, "no record proves the absence")


def is_parent_side(types: frozenset[int]) -> bool:
    """Say whether a bitmap belongs to the upper side of a zone cut (P-7.43)."""
    return RdataType.NS in types and RdataType.SOA not in types


def hides_what_is_below(types: frozenset[int]) -> bool:
    """Say whether names below the owner are none of this record's business.

    Below a delegation another zone speaks, below a DNAME nothing does
    (RFC 6840, section 4.1; RFC 5155, section 8.3).
    """
    return is_parent_side(types) or RdataType.DNAME in types


def objection(types: frozenset[int], rdtype: RdataType) -> Unverified | None:
    """Return why a record that lists `types` does not deny `rdtype` at its name.

    Meets P-7.44.
    """
    if rdtype == RdataType.DS:
        if RdataType.SOA in types:
            return Unverified(
                Flaw.DENIAL_WRONG, "the lower side of the cut denies DS"
            )  # P-7.13
    elif is_parent_side(types):
        return Unverified(Flaw.DENIAL_WRONG, "the upper side of a cut denies more")
    if NXNAME not in types and not types.isdisjoint((rdtype, RdataType.CNAME)):
        return Unverified(
            Flaw.DENIAL_CONTRADICTION, "the proof of absence lists the type"
        )  # RFC 6840, section 4.3; P-7.45
    return None


def at_name(
    types: frozenset[int], rdtype: RdataType, used: tuple[Verified, ...]
) -> Absent | Unverified:
    """Return what a record at the very name proves of `rdtype` (P-7.41, P-7.45)."""
    found = objection(types, rdtype)
    if found is not None:
        return found
    absence = Absence.NXDOMAIN if NXNAME in types else Absence.NODATA
    return Absent(absence, used, types)
