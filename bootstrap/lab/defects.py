"""What can be asked to be wrong with a zone's signatures and denials, as data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Final, Self

import dns.name
import dns.rdatatype

from bootstrap.core.dns.names import Name

from .crafted import Crafted

if TYPE_CHECKING:
    from bootstrap.core.dns.records import RdataType


@unique
class Denial(StrEnum):
    """How a zone proves what is not there."""

    NSEC = "nsec"
    NSEC3 = "nsec3"
    COMPACT = "compact"  # RFC 9824


@unique
class Flawed(StrEnum):
    """One way in which signatures or denials can be wrong."""

    EXPIRED = "expired"
    FUTURE = "future"
    NEAR_EXPIRY = "near-expiry"
    OLD = "old"  # valid, but made weeks ago: a replay
    INVERTED = "inverted"  # expires before it begins
    STRIPPED = "stripped"
    CORRUPT = "corrupt"
    WRONG_KEY = "wrong-key"  # made by a key that the zone does not publish
    FOREIGN = "foreign"  # signed by the zone above, as if there were no cut
    PADDED = "padded"  # a signature with an octet too many
    ALIEN = "alien"  # said to be made with an algorithm that nobody knows
    MISLABELED = "mislabeled"  # said to be made with another key's algorithm
    OVERLONG = "overlong"  # said to be of a name with a label more
    EXPANDED = "expanded"  # made for a wildcard that would have this name
    MANY = "many"  # eight more, all of them good
    PAST = "past"  # eight more, of the past
    DROWNED = "drowned"  # five more, older and wrong
    ONLINE = "online"  # a wildcard's answer, signed as if the name were there
    BARE = "bare"  # a wildcard's answer without the proof that goes with it
    NO_DENIAL = "no-denial"  # negative answers without proof
    WRONG_DENIAL = "wrong-denial"  # a proof that covers another name
    ENT_NXDOMAIN = "ent-nxdomain"  # empty non-terminals are said not to exist
    CONTRADICTED = "contradicted"  # "no such name" for a type beside a living one


DENIALS: Final = frozenset(
    {
        Flawed.NO_DENIAL,
        Flawed.WRONG_DENIAL,
        Flawed.ENT_NXDOMAIN,
        Flawed.CONTRADICTED,
    }
)

Window = tuple[timedelta, timedelta]
"""Inception and expiration, relative to the moment of signing."""

WINDOWS: Final[dict[Flawed, Window]] = {
    Flawed.EXPIRED: (timedelta(days=-30), timedelta(days=-3)),
    Flawed.FUTURE: (timedelta(days=3), timedelta(days=30)),
    Flawed.NEAR_EXPIRY: (timedelta(days=-13), timedelta(hours=2)),
    Flawed.OLD: (timedelta(days=-60), timedelta(days=14)),
    Flawed.INVERTED: (timedelta(days=14), timedelta(days=-14)),
}


@dataclass(frozen=True, slots=True)
class Defect:
    """`kind` holds of the RRsets of `owner` and `rdtype`; None means all of them.

    `key` narrows it to signatures of the key with that label.
    """

    kind: Flawed
    owner: Name | None = None
    rdtype: RdataType | None = None
    key: str | None = None

    @classmethod
    def parse(cls, text: str, apex: Name) -> Self:
        """Return the defect of "kind[:owner[:type[:key]]]"; `*` stands for all.

        Owners are relative to `apex`, "@" is the apex itself.

        Raises:
            ValueError: an unknown kind or type.
        """
        kind, owner, rdtype, key = (*text.split(":"), *["*"] * 3)[:4]
        return cls(
            Flawed(kind),
            None if owner == "*" else _relative(owner, apex),
            None if rdtype == "*" else dns.rdatatype.from_text(rdtype),
            None if key == "*" else key,
        )

    def hits(self, owner: Name, rdtype: RdataType, key: str | None = None) -> bool:
        """Say whether this RRset, signed by this key, is affected."""
        return (
            self.owner in (None, owner)
            and self.rdtype in (None, rdtype)
            and (self.key is None or self.key == key)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """How a zone is signed; windows are relative to the moment of signing."""

    denial: Denial = Denial.NSEC
    iterations: int = 0
    salt: bytes = b""
    opt_out: bool = False
    window: Window = (timedelta(hours=-1), timedelta(days=14))
    defects: tuple[Defect, ...] = ()
    crafted: tuple[Crafted, ...] = ()
    cds_signers: tuple[str, ...] = ()
    """Labels of the keys that sign CDS and CDNSKEY at the apex; empty: KSK, CSK."""

    def flawed(
        self, kind: Flawed, owner: Name, rdtype: RdataType, key: str | None = None
    ) -> bool:
        """Say whether a defect of this kind hits."""
        return any(d.kind is kind and d.hits(owner, rdtype, key) for d in self.defects)

    def window_of(self, owner: Name, rdtype: RdataType, key: str) -> Window:
        """Return inception and expiration of one signature."""
        for defect in self.defects:
            if defect.kind in WINDOWS and defect.hits(owner, rdtype, key):
                return WINDOWS[defect.kind]
        return self.window


def _relative(text: str, apex: Name) -> Name:
    if text == "@":
        return apex
    return dns.name.from_text(text, origin=apex).canonicalize()
