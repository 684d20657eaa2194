"""A parent in this process: same promises, faults on demand, for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import Ds
from bootstrap.core.evaluation.delegation import Delegation

from .ports import Change, Published, Receipt, RegistryRefused

Hook = Callable[[Change], None]


def _nothing(_change: Change) -> None:
    """Let it pass."""


@dataclass(slots=True)
class MemoryRegistry:
    """NS and DS sets by child; `applied` lists the changes that had an effect.

    `before` runs before a change is looked at and `after` once it is applied;
    what they raise is what the publisher meets.
    """

    parent: Name
    nameservers: dict[Name, tuple[Name, ...]] = field(default_factory=dict)
    ds: dict[Name, tuple[Ds, ...]] = field(default_factory=dict)
    ttl: dict[Name, int] = field(default_factory=dict)
    serial: int = 1
    applied: list[Change] = field(default_factory=list)
    before: Hook = _nothing
    after: Hook = _nothing
    reading: Callable[[Name], None] = lambda _child: None

    def delegate(
        self, child: Name, *nameservers: Name, ds: tuple[Ds, ...] = ()
    ) -> None:
        """Put a delegation into the zone."""
        self.nameservers[child] = tuple(sorted(nameservers))
        self.ds[child] = ds

    def delegation(self, child: Name) -> Delegation:
        """Return what is held of `child`."""
        self.reading(child)
        return Delegation(
            child=child,
            parent=self.parent,
            nameservers=self.nameservers.get(child, ()),
            ds=self.ds.get(child, ()),
        )

    def publish(self, change: Change) -> Receipt:
        """Apply `change` if its expectations hold.

        Raises:
            RegistryRefused: NXRRSET or YXRRSET, as RFC 2136, section 3.2 has it.
        """
        self.before(change)
        held = self.ds.get(change.child, ())
        if self.nameservers.get(change.child, ()) != tuple(sorted(change.nameservers)):
            raise RegistryRefused("NXRRSET", "the NS RRset differs")
        if held and not change.old:
            raise RegistryRefused("YXRRSET", "there is a DS RRset")
        if held != tuple(sorted(change.old)):
            raise RegistryRefused("NXRRSET", "the DS RRset differs")
        self.ds[change.child] = tuple(sorted(change.new))
        self.ttl[change.child] = change.ttl
        self.serial += 1
        self.applied.append(change)
        self.after(change)
        return Receipt("NOERROR", b"request", b"response")

    def read_back(self, child: Name) -> Published:
        """Return the DS set that is held of `child`."""
        self.reading(child)
        held = self.ds.get(child, ())
        ttl = self.ttl.get(child) if held else None
        return Published(held, ttl, self.serial)
