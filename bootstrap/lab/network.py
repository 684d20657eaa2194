"""Zones and servers in the making: who serves what at which address."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import dns.name
from dns.rdatatype import RdataType

from bootstrap.core.dns.names import MAX_WIRE, ROOT, Name, wire_length

from . import rdatas
from .defects import Defect, Signing
from .denial import Denier
from .keys import Keyring, Role, ZoneKey
from .servers import NameServer
from .zones import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bootstrap.core.dns.records import Ds

HOSTS_A_NETWORK: Final = 250
LOOPBACK6: Final = "::1"
UNUSED: Final = "unused"
INFRASTRUCTURE_TTL: Final = 3600
HOSTMASTER_OCTETS: Final = len("hostmaster") + 1


@dataclass
class Network:
    """All zones and servers of a world, with the addresses handed out so far.

    `prefix` is the first two octets of the loopback addresses, "127.53".
    """

    keyring: Keyring
    now: datetime
    prefix: str = "127.53"
    ipv6: bool = False
    """The machine has ::1; else nothing is published for IPv6."""
    servers: dict[str, NameServer] = field(default_factory=dict)
    hosts: dict[Name, tuple[str, ...]] = field(default_factory=dict)
    zones: dict[Name, Denier] = field(default_factory=dict)
    """One copy of each zone, by apex: where delegations and addresses are put."""
    settled: bool = False
    """The world is complete: from now on changes raise serials and empty caches."""
    _count: int = 0

    def address(self) -> str:
        """Return the next free address."""
        third, fourth = divmod(self._count, HOSTS_A_NETWORK)
        self._count += 1
        return f"{self.prefix}.{third}.{fourth + 1}"

    def host(
        self, name: Name, count: int = 1, *, ipv6: bool = False
    ) -> tuple[str, ...]:
        """Return the addresses of a nameserver, made and published if need be.

        The one IPv6 address of a loopback is shared by all that ask for it.
        """
        if name not in self.hosts:
            also = (LOOPBACK6,) if ipv6 and self.ipv6 else ()
            self.hosts[name] = (*(self.address() for _ in range(count)), *also)
            for address in self.hosts[name]:
                self.servers.setdefault(address, NameServer(address))
            zone = self.enclosing(name)
            if zone is not None:
                self.publish_address(zone.zone, name)
        return self.hosts[name]

    def publish_address(self, zone: Zone, host: Name) -> None:
        """Put the addresses of `host` into a zone, as data or as glue."""
        addresses = self.hosts[host]
        zone.put_text(host, RdataType.A, *(a for a in addresses if ":" not in a))
        zone.put_text(host, RdataType.AAAA, *(a for a in addresses if ":" in a))
        self.changed(zone.apex)

    def name_address(self, name: Name, address: str) -> None:
        """Publish an address that nothing of ours answers at."""
        if address == UNUSED:
            address = f"{self.prefix}.255.254"
        self._put(name, RdataType.A, address)

    def alias(self, name: Name, target: Name) -> None:
        """Publish a name as an alias."""
        self._put(name, RdataType.CNAME, str(target))

    def _put(self, name: Name, rdtype: RdataType, text: str) -> None:
        zone = self.enclosing(name)
        if zone is not None:
            zone.zone.put_text(name, rdtype, text)
            self.changed(zone.zone.apex)

    def spoil(self, name: Name, defect: str) -> None:
        """Let the signatures of a name's addresses be wrong, or what `defect` says."""
        upper = defect.endswith(":DS")  # which belongs to the zone above
        denier = self.enclosing(name.parent() if upper else name)
        if denier is not None:
            addresses = (f"{defect}:@:A", f"{defect}:@:AAAA")
            _add_defects(denier.zone, (defect,) if ":" in defect else addresses, name)
            self.changed(denier.zone.apex)

    def other_copy(self, zone: Zone, signing: Signing) -> None:
        """Let the first server of a zone have a copy that is signed otherwise."""
        hosts = sorted(r.target for r in zone.rrset(zone.apex, RdataType.NS) or ())
        copy = zone.copy()
        copy.signing = signing
        self.serve(zone.apex, Denier.of(copy), self.hosts[hosts[0]])

    def enclosing(self, name: Name) -> Denier | None:
        """Return the deepest zone that `name` lies in or is the apex of."""
        while name not in self.zones:
            if name == ROOT:
                return None
            name = name.parent()
        return self.zones[name]

    def keys(self, label: str, algorithm: int) -> tuple[ZoneKey, ...]:
        """Return the one key of an infrastructure zone."""
        return (self.keyring.key(f"{label}/csk", algorithm, Role.CSK),)

    def zone(
        self,
        apex: Name,
        nameservers: Iterable[Name],
        keys: tuple[ZoneKey, ...],
        signing: Signing | None = None,
    ) -> Zone:
        """Return a new zone with SOA and NS; `register` makes it known."""
        zone = Zone(
            apex,
            signed_at=self.now,
            keys=keys,
            signing=signing,
            foreign=self._above(apex),
        )
        hosts = sorted(nameservers)
        mailbox = f"hostmaster.{_dotted(apex)}"
        if wire_length(apex) + HOSTMASTER_OCTETS > MAX_WIRE:
            mailbox = str(hosts[0])
        soa = f"{hosts[0]} {mailbox} 1 3600 600 604800 60"
        zone.put_text(apex, RdataType.SOA, soa)
        zone.put_text(apex, RdataType.NS, *(str(host) for host in hosts))
        return zone

    def _above(self, apex: Name) -> Zone | None:
        """Return the TLD's zone, for signatures made above a cut (P-1.24)."""
        tld = Name(apex.labels[-2:])
        above = self.zones.get(tld)
        return above.zone if above and tld != apex else None

    def register(self, zone: Zone, hosts: Iterable[Name]) -> Denier:
        """Let `hosts` serve a zone, and let it be the copy that is worked on."""
        denier = self.zones[zone.apex] = Denier.of(zone)
        for host in hosts:
            self.serve(zone.apex, denier, self.host(host))
        return denier

    def serve(self, apex: Name, denier: Denier, addresses: Iterable[str]) -> None:
        """Let servers answer from this copy of the zone `apex`."""
        for address in addresses:
            server = self.servers[address]
            server.contents[apex] = denier
            server.forget()

    def delegate(
        self, child: Name, nameservers: Iterable[Name], ds: Iterable[Ds] = ()
    ) -> None:
        """Put NS, DS and glue of `child` into the zone above it."""
        above = self.enclosing(child.parent())
        if above is None:
            raise LookupError(f"no zone above {child}")
        zone, hosts = above.zone, list(nameservers)
        zone.put_text(
            child, RdataType.NS, *(str(h) for h in hosts), ttl=INFRASTRUCTURE_TTL
        )
        self.put_ds(child, ds)
        for host in hosts:
            if host.is_subdomain(child) and host in self.hosts:
                self.publish_address(zone, host)
        self.changed(zone.apex)

    def put_ds(self, child: Name, ds: Iterable[Ds]) -> None:
        """Put the DS of `child` into the zone above it; without any, remove it."""
        above = self.enclosing(child.parent())
        if above is None:
            raise LookupError(f"no zone above {child}")
        records = [rdatas.from_wire(RdataType.DS, d.to_wire()) for d in ds]
        above.zone.put(child, RdataType.DS, records)
        self.changed(above.zone.apex)

    def cut(self, host: Name) -> None:
        """Make a nameserver's name an unsigned zone of its own, which it serves."""
        zone = self.zone(host, [host], ())
        self.register(zone, [host])
        self.delegate(host, [host])

    def touch(self, zone: Zone) -> None:
        """Raise the serial of a zone after a change, and let it be seen."""
        if self.settled:
            zone.touch(self.now)
            self.changed(zone.apex)

    def changed(self, apex: Name) -> None:
        """Let every server of a zone forget its kept answers."""
        if not self.settled:
            return
        for server in self.servers.values():
            if apex in server.contents:
                server.forget()


def _add_defects(zone: Zone, texts: Iterable[str], owner: Name) -> None:
    added = (Defect.parse(text, owner) for text in texts)
    zone.signing = replace(zone.signing, defects=(*zone.signing.defects, *added))


def _dotted(apex: Name) -> str:
    return "" if apex == ROOT else str(apex)


def name_of(text: str) -> Name:
    """Return the name that a declaration spells, in the case that it has."""
    return dns.name.from_text(text)


def has_ipv6() -> bool:
    """Say whether this machine has the IPv6 loopback address."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind((LOOPBACK6, 0))
    except OSError:
        return False
    return True
