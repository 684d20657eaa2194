"""What every parent can do for us, and what can go wrong; no protocol in here.

A backend reads a delegation, publishes one change under the condition that the
parent still holds what the decision was about (S-62), and reads back. It never
retries and never decides: that is the publisher's part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from bootstrap.core.dns.names import Name, unrooted
from bootstrap.core.dns.records import Ds
from bootstrap.core.evaluation.delegation import Delegation

PREREQUISITE_RCODES: Final = frozenset({"NXDOMAIN", "YXDOMAIN", "NXRRSET", "YXRRSET"})
"""The parent no longer holds what was expected (RFC 2136, section 2.2)."""


@dataclass(frozen=True, slots=True)
class Change:
    """Replace the DS RRset of `child`; all sets are complete, `ttl` in seconds.

    `nameservers` and `old` are what the parent must still hold, exactly. An
    empty `new` removes the set. `old` equal to `new` changes the TTL alone.
    """

    child: Name
    parent: Name
    nameservers: tuple[Name, ...]
    old: tuple[Ds, ...]
    new: tuple[Ds, ...]
    ttl: int

    def __post_init__(self) -> None:
        if not self.nameservers:
            # A DS for a name without a delegation is accepted by some servers (F-12).
            raise ValueError(f"no nameservers expected of {unrooted(self.child)}")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The parent said yes: which code, and the bytes both ways.

    It is no proof of effect (F-12): read back.
    """

    rcode: str
    request: bytes
    response: bytes


@dataclass(frozen=True, slots=True)
class Published:
    """The DS RRset that the primary serves; `ttl` is None when there is none.

    `serial` is that of the parent's SOA, where the backend knows one.
    """

    ds: tuple[Ds, ...]
    ttl: int | None = None
    serial: int | None = None


class RegistryRefused(Exception):
    """The parent answered, authentically or as far as it could, with a no."""

    def __init__(
        self, rcode: str, detail: str = "", request: bytes = b"", response: bytes = b""
    ) -> None:
        super().__init__(f"{rcode}: {detail}" if detail else rcode)
        self.rcode = rcode
        self.detail = detail
        self.request = request
        self.response = response

    @property
    def prerequisite_failed(self) -> bool:
        """The parent holds something else than expected: read back."""
        return self.rcode in PREREQUISITE_RCODES


class RegistryUnreachable(Exception):
    """No usable answer, and certainly nothing was applied."""

    def __init__(
        self, detail: str, request: bytes = b"", response: bytes = b""
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.request = request
        self.response = response


class RegistryUnconfigured(RegistryUnreachable):
    """We lack what it takes to speak to this parent: address or usable key."""


class OutcomeUnknown(RegistryUnreachable):
    """Something was sent and no authentic answer came: read back (S-75)."""


class Registry(Protocol):
    """One parent zone, as whoever may change its DS RRsets sees it."""

    def delegation(self, child: Name) -> Delegation:
        """Return what the parent holds of `child` now; no nameservers if nothing.

        Raises:
            RegistryUnreachable: the primary gave no usable answer.
        """
        ...

    def publish(self, change: Change) -> Receipt:
        """Apply `change` whole, if the parent still holds what it expects.

        Raises:
            RegistryRefused: with the parent's code; nothing was applied.
            OutcomeUnknown: sent, and no authentic answer came.
            RegistryUnreachable: nothing was sent.
        """
        ...

    def read_back(self, child: Name) -> Published:
        """Return the DS RRset that the primary serves for `child`.

        Raises:
            RegistryUnreachable: the primary gave no usable answer.
        """
        ...
