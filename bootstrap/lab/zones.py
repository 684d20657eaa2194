"""A zone as the laboratory serves it: records, cuts, and signatures on demand.

Signatures are made when first asked for and kept, so that worlds with many
thousands of zones start at once. No clock: `signed_at` is given.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import dns.rrset
from dns.rdatatype import RdataType

from . import rdatas
from .defects import Defect, Flawed, Signing
from .keys import SIGNS_KEYS, SIGNS_ZONE, Role
from .signatures import sign

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from dns.rdata import Rdata
    from dns.rrset import RRset

    from bootstrap.core.dns.names import Name

    from .keys import ZoneKey

KEY_TYPES: Final = frozenset({RdataType.DNSKEY, RdataType.CDS, RdataType.CDNSKEY})
AT_A_CUT: Final = frozenset({RdataType.NS, RdataType.DS})
TTL: Final = 300
NEGATIVE_TTL: Final = 60
SERIAL_SPACE: Final = 2**32
NO_TIME: Final = timedelta()
CROWDS: Final[dict[Flawed, tuple[int, timedelta, tuple[Flawed, ...]]]] = {
    Flawed.MANY: (8, NO_TIME, ()),
    Flawed.PAST: (8, timedelta(days=60), ()),
    Flawed.DROWNED: (5, NO_TIME, (Flawed.CORRUPT,)),
}
"""How many more signatures, how much older, and what is wrong with them."""


class Zone:
    """The records of one zone, as one server holds them.

    `foreign` is the zone above, whose keys sign what `Flawed.FOREIGN` names.
    """

    def __init__(
        self,
        apex: Name,
        *,
        signed_at: datetime,
        keys: tuple[ZoneKey, ...] = (),
        signing: Signing | None = None,
        foreign: Zone | None = None,
    ) -> None:
        self.apex = apex
        self.keys = keys
        self.signing = signing or Signing()
        self.signed_at = signed_at
        self.foreign = foreign
        self.nodes: dict[Name, dict[RdataType, RRset]] = {}
        self.generation = 0
        """Counts changes of the denial chain's owners: a chain is good for one."""
        self._below: Counter[Name] = Counter()
        self._signatures: dict[tuple[Name, RdataType], RRset | None] = {}
        published = [
            rdatas.from_wire(RdataType.DNSKEY, key.key.to_wire())
            for key in keys
            if key.role is not Role.HIDDEN
        ]
        if published:
            self.put(apex, RdataType.DNSKEY, published)

    @property
    def is_signed(self) -> bool:
        """The zone publishes keys and signs."""
        return any(key.role in SIGNS_ZONE for key in self.keys)

    @property
    def serial(self) -> int:
        """The serial number of the SOA."""
        return int(self.nodes[self.apex][RdataType.SOA][0].serial)

    def put(
        self, owner: Name, rdtype: RdataType, items: Iterable[Rdata], ttl: int = TTL
    ) -> None:
        """Replace an RRset; without rdata, remove it."""
        records = list(items)
        if records:
            self._node(owner)[rdtype] = dns.rrset.from_rdata_list(owner, ttl, records)
        elif owner in self.nodes:
            self.nodes[owner].pop(rdtype, None)
            if not self.nodes[owner]:
                self._forget(owner)
        if rdtype == RdataType.DS and self.signing.opt_out:
            self.generation += 1  # the delegation enters or leaves the NSEC3 chain
        self._signatures.pop((owner, rdtype), None)

    def _node(self, owner: Name) -> dict[RdataType, RRset]:
        if owner not in self.nodes:
            self.nodes[owner] = {}
            self._below.update(self._ancestors(owner))
            self.generation += 1
        return self.nodes[owner]

    def _forget(self, owner: Name) -> None:
        del self.nodes[owner]
        self._below.subtract(self._ancestors(owner))
        self.generation += 1

    def _ancestors(self, owner: Name) -> Iterator[Name]:
        while owner != self.apex:
            owner = owner.parent()
            yield owner

    def put_text(
        self, owner: Name, rdtype: RdataType, *texts: str, ttl: int = TTL
    ) -> None:
        """Replace an RRset by what `texts` spell."""
        self.put(owner, rdtype, [rdatas.from_text(rdtype, t) for t in texts], ttl)

    def touch(self, now: datetime, *, serial: int | None = None) -> None:
        """Raise the serial (by one, or to `serial`); what is signed next is of `now`."""
        soa = self.nodes[self.apex][RdataType.SOA]
        number = (self.serial + 1) % SERIAL_SPACE if serial is None else serial
        self.put(self.apex, RdataType.SOA, [soa[0].replace(serial=number)], soa.ttl)
        self.signed_at = now

    def resign(self, now: datetime) -> None:
        """Drop all signatures, so that they are made afresh, of `now`."""
        self.signed_at = now
        self._signatures.clear()

    def sign_all(self) -> None:
        """Make all signatures now that would be made when asked for."""
        for owner, node in self.nodes.items():
            if self.is_signed and self.cut_at_or_above(owner) is None:
                for rdtype in node:
                    self.rrsigs(owner, rdtype)

    def copy(self) -> Zone:
        """Return an independent zone with the same records, keys and signing."""
        twin = Zone(
            self.apex,
            signed_at=self.signed_at,
            keys=self.keys,
            signing=self.signing,
            foreign=self.foreign,
        )
        twin.nodes = {owner: dict(node) for owner, node in self.nodes.items()}
        twin._below = self._below.copy()
        return twin

    def cut_at_or_above(self, name: Name) -> Name | None:
        """Return the topmost delegation on the way from the apex to `name`."""
        found = None
        while name != self.apex:
            node = self.nodes.get(name)
            if node and RdataType.NS in node:
                found = name
            name = name.parent()
        return found

    def exists(self, name: Name) -> bool:
        """Say whether there is a node or an empty non-terminal of this name."""
        return name in self.nodes or self._below[name] > 0

    def is_empty_non_terminal(self, name: Name) -> bool:
        """Say whether `name` exists only because of names below it."""
        return name not in self.nodes and self._below[name] > 0

    def types_at(self, name: Name) -> set[RdataType]:
        """Return the types that this zone is authoritative for at `name`."""
        types = set(self.nodes.get(name, ()))
        if name != self.apex and RdataType.NS in types:
            types &= AT_A_CUT
        return types

    def rrset(self, owner: Name, rdtype: RdataType) -> RRset | None:
        """Return an RRset, if it is there."""
        return self.nodes.get(owner, {}).get(rdtype)

    def rrsigs(self, owner: Name, rdtype: RdataType) -> RRset | None:
        """Return the signatures of an RRset; None where none belong or are lost."""
        key = (owner, rdtype)
        if key not in self._signatures:
            rrset = self.rrset(owner, rdtype)
            self._signatures[key] = self.signed(rrset) if rrset else None
        return self._signatures[key]

    def signed(self, rrset: RRset) -> RRset | None:
        """Return fresh signatures of `rrset`, which need not be in the zone."""
        owner, rdtype = rrset.name, rrset.rdtype
        if self.signing.flawed(Flawed.STRIPPED, owner, rdtype):
            return None
        signer: Zone = self
        if self.foreign and self.signing.flawed(Flawed.FOREIGN, owner, rdtype):
            signer = self.foreign
        rrsigs = [
            rrsig
            for key in signer.signers(owner, rdtype)
            if not self.signing.flawed(Flawed.STRIPPED, owner, rdtype, key.label)
            for rrsig in self._by(signer, key, rrset)
        ]
        return dns.rrset.from_rdata_list(owner, rrset.ttl, rrsigs) if rrsigs else None

    def _by(self, signer: Zone, key: ZoneKey, rrset: RRset) -> Iterator[Rdata]:
        """Yield what one key says of an RRset: one signature, or too many."""
        plain = self.signing
        yield sign(rrset, key, signer.apex, signing=plain, at=self.signed_at)
        for kind, (count, back, also) in CROWDS.items():
            if plain.flawed(kind, rrset.name, rrset.rdtype, key.label):
                spoiled = (*plain.defects, *(Defect(one) for one in also))
                signing = replace(plain, defects=spoiled)
                for number in range(1, count + 1):
                    at = self.signed_at - back - timedelta(minutes=number)
                    yield sign(rrset, key, signer.apex, signing=signing, at=at)

    def signers(self, owner: Name, rdtype: RdataType) -> list[ZoneKey]:
        """Return the keys whose signatures an RRset carries."""
        at_apex = owner == self.apex and rdtype in KEY_TYPES
        if at_apex and rdtype != RdataType.DNSKEY and self.signing.cds_signers:
            return [k for k in self.keys if k.label in self.signing.cds_signers]
        roles = SIGNS_KEYS if at_apex else SIGNS_ZONE
        return [key for key in self.keys if key.role in roles]
