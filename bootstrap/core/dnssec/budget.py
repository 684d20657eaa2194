"""How much work one evaluation may cost; spent explicitly (P-7.80, P-7.81)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


class BudgetSpent(Exception):
    """The evaluation has used up its allowance of `what`."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the allowance of {what} is used up")
        self.what = what


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one RRset or one response may ask of us (P-7.80, S-17, S-33 to S-37)."""

    rrsigs: int = 8
    """Signatures of one RRset that pass the filter; verifications of one RRset."""
    failures: int = 4
    """Verifications of one RRset that may fail before we stop."""
    colliding_keys: int = 2
    """Keys with the same tag and algorithm (P-7.6)."""
    dnskeys: int = 16
    ds: int = 8
    failed_digests: int = 4
    nsec3_iterations: int = 50
    """RFC 9276, section 3.2."""
    nsec3_salt: int = 32
    """Octets."""
    denials: int = 16
    """NSEC and NSEC3 RRsets of one response."""
    aliases: int = 8


DEFAULT_LIMITS: Final = Limits()


@dataclass(slots=True)
class Budget:
    """Counters of one evaluation: the only mutable value of the core."""

    verifications: int = 400
    nsec3_hashes: int = 200

    def spend_verification(self) -> None:
        """Take one signature verification.

        Raises:
            BudgetSpent: none is left.
        """
        if self.verifications <= 0:
            raise BudgetSpent("signature verifications")
        self.verifications -= 1

    def spend_hashes(self, count: int) -> None:
        """Take `count` hash computations: names × (iterations + 1).

        Raises:
            BudgetSpent: fewer are left.
        """
        if self.nsec3_hashes < count:
            raise BudgetSpent("NSEC3 hashes")
        self.nsec3_hashes -= count
