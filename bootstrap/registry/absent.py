"""A parent that we cannot even try to reach, as a parent like any other."""

from __future__ import annotations

from dataclasses import dataclass

from bootstrap.core.dns.names import Name, unrooted
from bootstrap.core.evaluation.delegation import Delegation

from .ports import Change, Published, Receipt, RegistryUnconfigured


@dataclass(frozen=True, slots=True)
class AbsentRegistry:
    """Every attempt says why: no primary, or no usable key."""

    detail: str

    def delegation(self, child: Name) -> Delegation:
        """Raise RegistryUnconfigured."""
        raise RegistryUnconfigured(f"{unrooted(child)}: {self.detail}")

    def publish(self, change: Change) -> Receipt:
        """Raise RegistryUnconfigured."""
        raise RegistryUnconfigured(f"{unrooted(change.child)}: {self.detail}")

    def read_back(self, child: Name) -> Published:
        """Raise RegistryUnconfigured."""
        raise RegistryUnconfigured(f"{unrooted(child)}: {self.detail}")
