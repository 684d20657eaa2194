"""How much work one evaluation may cost; spent explicitly (P-7.80, P-7.81)."""

from __future__ import annotations

from dataclasses import dataclass


class BudgetSpent(Exception):
    """The evaluation has used up its allowance of `what`."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the allowance of {what} is used up")
        self.what = what


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
