"""A parent's primary: DNS UPDATE with prerequisites, zone transfer, and a journal.

RFC 2136 and RFC 8945. The key may change DS of delegations and nothing else;
like BIND, a DS for a name without delegation is dropped without a word.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import dns.message
import dns.name
import dns.rdataclass
import dns.rrset
import dns.update
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from . import rdatas, wires

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from dns.message import Message
    from dns.rdata import Rdata
    from dns.rrset import RRset

    from bootstrap.core.dns.names import Name

    from .denial import Denier
    from .zones import Zone

RRSETS_A_MESSAGE: Final = 100
TRANSFERS: Final = frozenset({RdataType.AXFR, RdataType.IXFR})


class Unmet(Exception):
    """A prerequisite does not hold, or the update is refused, with this rcode."""

    def __init__(self, rcode: Rcode) -> None:
        super().__init__(rcode.name)
        self.rcode = rcode


@dataclass(frozen=True, slots=True)
class Change:
    """What one update made of the DS RRsets of some names; an empty set is none."""

    serial: int
    ds: tuple[tuple[Name, tuple[Rdata, ...]], ...]
    ttl: int

    def apply(self, zone: Zone, now: datetime) -> None:
        """Make `zone` have these DS RRsets and this serial."""
        for owner, records in self.ds:
            if zone.rrset(owner, RdataType.NS):
                zone.put(owner, RdataType.DS, records, self.ttl)
        zone.touch(now, serial=self.serial)


@dataclass
class Primary:
    """The server that takes updates of one parent zone.

    `publish` is called with each change that was applied, so that secondaries
    can follow. `keys` are the names of the TSIG keys that may update.
    """

    denier: Denier
    keys: frozenset[Name]
    clock: Callable[[], datetime]
    publish: Callable[[Change], None] = lambda _: None
    journal: Path | None = None
    open_transfer: bool = True
    changes: list[Change] = field(default_factory=list)

    @property
    def zone(self) -> Zone:
        """The zone as it is now."""
        return self.denier.zone

    def replay(self) -> None:
        """Apply what the journal holds from an earlier life."""
        if self.journal is None or not self.journal.exists():
            return
        for line in self.journal.read_text().splitlines():
            change = _change_of(json.loads(line))
            change.apply(self.zone, self.clock())
            self.publish(change)

    def update(self, message: Message) -> Rcode:
        """Carry out an UPDATE entirely, or say why not (RFC 2136, section 3)."""
        try:
            self._check_zone(message)
            self._check_prerequisites(message.sections[1])
            wanted = self._wanted(message.sections[2])
        except Unmet as unmet:
            return unmet.rcode
        changed = {n: ds for n, ds in wanted.items() if ds != self._records(n)}
        if changed:
            self._commit(changed, message.sections[2])
        return Rcode.NOERROR

    def transfer(self, query: Message) -> Iterator[bytes]:
        """Yield the messages of an AXFR of the zone, or one that refuses it."""
        if not self._may_transfer(query):
            yield wires.failure(query, Rcode.REFUSED)
            return
        soa = self.zone.nodes[self.zone.apex][RdataType.SOA]
        rrsets = [soa, *(r for r in self._all() if r is not soa), soa]
        tsig_ctx = None
        for start in range(0, len(rrsets), RRSETS_A_MESSAGE):
            response = dns.message.make_response(query)
            response.flags |= dns.flags.AA
            response.answer = rrsets[start : start + RRSETS_A_MESSAGE]
            yield response.to_wire(max_size=65535, multi=True, tsig_ctx=tsig_ctx)
            tsig_ctx = response.tsig_ctx

    def _may_transfer(self, query: Message) -> bool:
        asked = query.question[0].name.canonicalize()
        allowed = self.open_transfer or query.keyname in self.keys
        return allowed and asked == self.zone.apex

    def _all(self) -> Iterator[RRset]:
        zone = self.zone
        for owner, node in zone.nodes.items():
            mine = zone.cut_at_or_above(owner) in (None, owner)
            for rdtype, rrset in node.items():
                yield rrset
                if mine and rdtype in zone.types_at(owner) - _unsigned_at(zone, owner):
                    yield from filter(None, [zone.rrsigs(owner, rdtype)])
        if zone.is_signed:
            for owner in self.denier.chain_names():
                record = self.denier.record_of(owner)
                yield from filter(None, [record, zone.signed(record)])

    def _check_zone(self, message: Message) -> None:
        zones = message.sections[0]
        if len(zones) != 1 or zones[0].rdtype != RdataType.SOA:
            raise Unmet(Rcode.FORMERR)
        if zones[0].name != self.zone.apex:
            raise Unmet(Rcode.NOTAUTH)
        if not message.had_tsig or message.keyname not in self.keys:
            raise Unmet(Rcode.REFUSED)

    def _check_prerequisites(self, section: Sequence[RRset]) -> None:
        exact: dict[tuple[Name, RdataType], set[Rdata]] = {}
        for rrset in section:
            self._check_inside(rrset)
            if rrset.deleting is None:
                exact.setdefault((rrset.name, rrset.rdtype), set()).update(rrset)
            else:
                self._check_existence(rrset)
        for (owner, rdtype), expected in exact.items():
            if set(self.zone.rrset(owner, rdtype) or ()) != expected:
                raise Unmet(Rcode.NXRRSET)

    def _check_inside(self, rrset: RRset) -> None:
        if not rrset.name.is_subdomain(self.zone.apex):
            raise Unmet(Rcode.NOTZONE)

    def _check_existence(self, rrset: RRset) -> None:
        """Check one of the four value-independent prerequisites (2.4.1, 2.4.3 ff)."""
        wanted = rrset.deleting == dns.rdataclass.ANY
        if rrset.rdtype == RdataType.ANY:
            if (rrset.name in self.zone.nodes) != wanted:
                raise Unmet(Rcode.NXDOMAIN if wanted else Rcode.YXDOMAIN)
        elif (self.zone.rrset(rrset.name, rrset.rdtype) is not None) != wanted:
            raise Unmet(Rcode.NXRRSET if wanted else Rcode.YXRRSET)

    def _wanted(self, section: Sequence[RRset]) -> dict[Name, tuple[Rdata, ...]]:
        """Return what the update would make of each DS RRset that it names.

        Raises:
            Unmet: something other than a DS would change (S-81).
        """
        result: dict[Name, set[Rdata]] = {}
        for rrset in section:
            self._check_inside(rrset)
            if rrset.rdtype != RdataType.DS or rrset.name == self.zone.apex:
                raise Unmet(Rcode.REFUSED)
            records = result.setdefault(rrset.name, set(self._records(rrset.name)))
            if rrset.deleting == dns.rdataclass.ANY:
                records.clear()
            elif rrset.deleting == dns.rdataclass.NONE:
                records.difference_update(rrset)
            else:
                records.update(rrset)
        delegated = (n for n in result if self.zone.rrset(n, RdataType.NS))
        return {name: tuple(sorted(result[name])) for name in delegated}

    def _records(self, name: Name) -> tuple[Rdata, ...]:
        return tuple(sorted(self.zone.rrset(name, RdataType.DS) or ()))

    def _commit(
        self, changed: dict[Name, tuple[Rdata, ...]], section: Sequence[RRset]
    ) -> None:
        """Write the journal, then the zone, so that no answer outlives a crash."""
        ttl = max(rrset.ttl for rrset in section)
        change = Change(self.zone.serial + 1, tuple(changed.items()), ttl)
        if self.journal:
            with self.journal.open("a") as file:
                file.write(json.dumps(_line_of(change)) + "\n")
                file.flush()
                os.fsync(file.fileno())
        change.apply(self.zone, self.clock())
        self.changes.append(change)
        self.publish(change)


def _unsigned_at(zone: Zone, owner: Name) -> set[RdataType]:
    """Return the types that are not signed at `owner`: NS at a cut."""
    return set() if owner == zone.apex else {RdataType.NS}


def _line_of(change: Change) -> dict[str, object]:
    ds = {owner.to_text(): [r.to_text() for r in rs] for owner, rs in change.ds}
    return {"serial": change.serial, "ttl": change.ttl, "ds": ds}


def _change_of(line: dict[str, object]) -> Change:
    held = line["ds"]
    if not isinstance(held, dict):
        raise TypeError("a journal line without DS")
    ds = tuple(
        (
            dns.name.from_text(owner),
            tuple(rdatas.from_text(RdataType.DS, text) for text in texts),
        )
        for owner, texts in held.items()
    )
    return Change(int(str(line["serial"])), ds, int(str(line["ttl"])))
