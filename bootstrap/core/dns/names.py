"""Names: canonical form, in-domain tests, signaling names and their length law.

Names are `dns.name.Name`: wire labels, absolute, in lower case once they pass
`canonical` or `parse_name`. Text exists at the edges only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import dns.exception
import dns.name
from dns.name import Name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["ROOT", "Name"]

ROOT: Final[Name] = dns.name.root
SIGNAL: Final = b"_signal"
DSBOOT: Final = b"_dsboot"
MAX_WIRE: Final = 255
"""Longest name in octets (RFC 1035, section 3.1)."""
FRAME: Final = 15
"""Octets that the two labels add, less the root byte counted twice (P-1.5)."""


class InvalidName(Exception):
    """The text is no domain name; the message says what is wrong with it."""


class UnusableSignalingName(Exception):
    """No signaling name can be formed for this child and nameserver (P-1.5)."""


class Interned(Name):
    """A canonical name that knows its hash: names are keys wherever we look.

    It equals, and hashes as, any other spelling of the same name.
    """

    __slots__ = ("_hash",)

    _hash: int

    def __init__(self, labels: Iterable[bytes]) -> None:
        super().__init__(map(bytes.lower, labels))
        object.__setattr__(self, "_hash", super().__hash__())

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if type(other) is Interned:
            return self is other or self.labels == other.labels
        return isinstance(other, Name) and self.fullcompare(other)[1] == 0

    def __ne__(self, other: object) -> bool:
        return not self == other

    def is_subdomain(self, other: Name) -> bool:
        """Say whether this name is at or below `other`."""
        if type(other) is Interned:
            return self.labels[-len(other.labels) :] == other.labels
        return super().is_subdomain(other)

    def parent(self) -> Name:
        """Return the name one label up.

        Raises:
            dns.name.NoParent: there is none.
        """
        return interned(self.labels[1:]) if len(self.labels) > 1 else super().parent()

    def __reduce__(self) -> tuple[Callable[..., Name], tuple[object, ...]]:
        return interned, (self.labels,)


def canonical(name: Name) -> Name:
    """Return `name` with ASCII letters in lower case (RFC 4034, section 6.2; P-1.3)."""
    if type(name) is Interned:
        return name
    return interned(tuple(map(bytes.lower, name.labels)))


@lru_cache(maxsize=32_768)
def interned(labels: tuple[bytes, ...]) -> Name:
    """Return the name of these labels, the root's included: the same one each time.

    Raises:
        dns.name.NameTooLong: more than 255 octets.
    """
    if labels != tuple(map(bytes.lower, labels)):
        return Name(labels)
    return Interned(labels)


def is_within(name: Name, zone: Name) -> bool:
    """Say whether canonical `name` is at or below canonical `zone`."""
    return name.labels[-len(zone.labels) :] == zone.labels


def tail(name: Name, count: int) -> Name:
    """Return the last `count` labels of `name`, the root's included."""
    return interned(name.labels[-count:])


def place(name: Name) -> tuple[bytes, ...]:
    """Return the sort key of canonical order (RFC 4034, section 6.1)."""
    return name.labels[::-1]


def parse_name(text: str) -> Name:
    """Return the canonical absolute name that `text` spells.

    U-labels become A-labels (IDNA 2008); a missing last dot is supplied.

    Raises:
        InvalidName: the text is empty, too long, or not a name.
    """
    stripped = text.strip()
    if not stripped:
        raise InvalidName("the name is empty")
    try:
        name = dns.name.from_text(stripped, idna_codec=dns.name.IDNA_2008_Practical)
    except (dns.exception.DNSException, UnicodeError) as exc:
        raise InvalidName(f"{stripped!r} is not a domain name: {exc}") from exc
    return canonical(name)


def pack(labels: Iterable[bytes]) -> bytes:
    """Return labels, the root's included, as an uncompressed name."""
    return b"".join([bytes((len(label),)) + label for label in labels])


def packed(name: Name) -> bytes:
    """Return the canonical octets of `name` (RFC 4034, section 6.2)."""
    # Lengths are below 64 and so no letters: folding cannot touch them.
    return pack(name.labels).lower()


@lru_cache(maxsize=8_192)
def unrooted(name: Name) -> str:
    """Return `name` as text without its last dot; the root stays a dot."""
    return name.to_text(omit_final_dot=True) if name != ROOT else "."


def wire_length(name: Name) -> int:
    """Return the octets of `name` on the wire, root byte included."""
    return sum(len(label) + 1 for label in name.labels)


def in_domain(child: Name, nameserver: Name) -> bool:
    """Say whether `nameserver` is at or below `child` (RFC 9499; P-1.11)."""
    return nameserver.is_subdomain(child)


def out_of_domain(child: Name, nameservers: Iterable[Name]) -> tuple[Name, ...]:
    """Return the distinct nameservers that owe a signal, sorted (P-1.4, P-1.12)."""
    hosts = {canonical(host) for host in nameservers}
    return tuple(sorted(host for host in hosts if not in_domain(child, host)))


def signaling_domain(nameserver: Name) -> Name:
    """Return `_signal.<nameserver>` (RFC 9615, section 1.1).

    Raises:
        UnusableSignalingName: the name is longer than 255 octets.
    """
    return _join((SIGNAL, *nameserver.labels), nameserver)


def signaling_name(child: Name, nameserver: Name) -> Name:
    """Return the name at which `nameserver` vouches for `child` (P-1.1, P-1.2).

    RFC 9615, section 3.2: `_dsboot`, the child's labels, `_signal`, then the
    nameserver's hostname, all in lower case.

    Raises:
        UnusableSignalingName: the name is longer than 255 octets (P-1.5).
    """
    labels = (DSBOOT, *child.labels[:-1], SIGNAL, *nameserver.labels)
    return _join(labels, nameserver)


def _join(labels: tuple[bytes, ...], nameserver: Name) -> Name:
    try:
        return canonical(Name(labels))
    except dns.name.NameTooLong as exc:
        raise UnusableSignalingName(
            f"the signaling name under {unrooted(nameserver)} has more than"
            f" {MAX_WIRE} octets"
        ) from exc
