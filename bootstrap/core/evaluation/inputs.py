"""Which observations each check rests on, told from what was asked (P-8.8).

An observation belongs to *parts* of the story: the parent's word about DS, the
child's servers, the signals. A check rests on parts. It may need less of them,
never more: on its parts alone it finds the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import Final

from bootstrap.core.dns.records import RdataType

from .answers import REQUEST_TYPES
from .case import Case
from .verdict import Check, Mark

BITS: Final = 8
ADDRESS_TYPES: Final = frozenset({RdataType.A, RdataType.AAAA})
Labels = tuple[bytes, ...]


class Part(Enum):
    """What an observation is about; it may be about several things."""

    PARENT = auto()  # look-ups of the child's DS: the child's name, and all above it
    SERVERS = auto()  # hosts and all above them, and what servers of the child say
    SIGNALS = auto()  # look-ups of signals: their names, and all above them


NOTHING: Final[tuple[Part, ...]] = ()
PARENT: Final = (Part.PARENT,)
SERVERS: Final = (Part.SERVERS,)
SIGNALS: Final = (Part.SIGNALS,)
ALL: Final = tuple(Part)
BASIS: Final[Mapping[str, tuple[Part, ...]]] = {
    "check_own_site": SERVERS,
    "check_preconditions": NOTHING,
    "check_published_ds": PARENT,
    "check_nameservers": SERVERS,
    "check_responses": SERVERS,
    "check_apex": SERVERS,
    "check_signals": SIGNALS,
    "check_agreement": SERVERS + SIGNALS,
    "check_current_chain": SERVERS,
    "check_signer": SERVERS,
    "check_replay": SERVERS + SIGNALS,
    "check_change": SERVERS,
    "check_keys": SERVERS,
    "check_path": SERVERS,
    "check_zone_data": SERVERS,
    "check_windows": SERVERS,
    "check_completeness": SERVERS,
    "check_denial": SERVERS,
    "check_ns_set": SERVERS,
    "check_work": SERVERS,
    "check_quiet_time": NOTHING,
    "check_size_of_keys": SERVERS,
    "check_nsec3_iterations": SERVERS,
}
"""Total over all checks and notes; any other may rest on everything. What rests on no observation rests on what the
registry held, the policy, the history and the time."""


def inputs_of(case: Case, checks: Iterable[Check]) -> tuple[bytes, ...]:
    """Return for each check the places of the observations that it rests on.

    That is a set of bits: the first observation is the lowest of the first octet.
    Octets without any at the end are left out. A check that does not apply rests
    on nothing.
    """
    parts = parts_of(case)
    known: dict[tuple[Part, ...], bytes] = {NOTHING: b""}
    found = []
    for check in checks:
        basis = NOTHING if check.mark is Mark.SKIPPED else BASIS.get(check.id, ALL)
        if basis not in known:
            known[basis] = _octets(basis, parts)
        found.append(known[basis])
    return tuple(found)


def _octets(basis: tuple[Part, ...], parts: Mapping[Part, int]) -> bytes:
    number = 0
    for part in basis:
        number |= parts[part]
    return number.to_bytes((number.bit_length() + BITS - 1) // BITS, "little")


def places(bits: bytes) -> tuple[int, ...]:
    """Return the places in a set of bits, in order."""
    number = int.from_bytes(bits, "little")
    return tuple(place for place in range(number.bit_length()) if number >> place & 1)


def parts_of(case: Case) -> dict[Part, int]:
    """Return the observations of each part, as bits; what fits nowhere is in all."""
    child = case.delegation.child.labels
    asked = [
        (1 << place, seen.query.zone.labels, seen.query.name.labels, seen.query.rdtype)
        for place, seen in enumerate(case.observations)
    ]
    hosts = _above(name for _, _, name, rdtype in asked if rdtype in ADDRESS_TYPES)
    signals = _above(
        name
        for _, zone, name, rdtype in asked
        if rdtype in REQUEST_TYPES and zone != child
    )
    above = _above([child])
    found = dict.fromkeys(Part, 0)
    for bit, zone, name, _ in asked:
        own = zone == child
        parts = [Part.SERVERS] if own or name in hosts else []
        if not own and name in signals:
            parts.append(Part.SIGNALS)
        if not own and name in above:
            parts.append(Part.PARENT)
        for part in parts or Part:
            found[part] |= bit
    return found


def _above(names: Iterable[Labels]) -> frozenset[Labels]:
    """Return names and all names above them, as labels."""
    return frozenset(
        labels[start:] for labels in set(names) for start in range(len(labels))
    )
