"""Builds a network from a declared world: root, TLDs, parents, operators, children."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import dns.name
import dns.tsig

from bootstrap.core.dns.names import ROOT, Name, canonical, signaling_domain

from .defects import Defect, Denial, Signing
from .denial import Denier
from .network import Network, name_of
from .placing import Placer
from .primary import Change, Primary
from .recipes import SignalRecipe
from .signaling import signaling_zone
from .worlds import UPDATE_KEY, Child, Operator, Parent, World

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from .zones import Zone

ROOT_SERVERS: Final = ("ns1.root-servers.", "ns2.root-servers.")
TLD_ALGORITHM: Final = 13
SECRET_OCTETS: Final = 32


@dataclass
class ServedParent:
    """A parent zone at work: its primary, and the zones of its secondaries."""

    declared: Parent
    name: Name
    primary: Primary
    primary_address: str
    secondary_address: str
    secondary: Zone

    @property
    def copies(self) -> tuple[Zone, ...]:
        """All copies of the zone; one, where the secondary does not lag."""
        first = self.primary.zone
        return (first,) if first is self.secondary else (first, self.secondary)


@dataclass
class Assembled:
    """A network and where its parts are."""

    network: Network
    parents: dict[Name, ServedParent] = field(default_factory=dict)
    children: dict[Name, Placer] = field(default_factory=dict)
    operators: dict[Name, Operator] = field(default_factory=dict)
    tsig: dns.tsig.Key | None = None

    @property
    def root(self) -> Denier:
        """The root zone."""
        return self.network.zones[ROOT]


def assemble(
    world: World,
    network: Network,
    *,
    clock: Callable[[], datetime],
    state: Path | None = None,
    secret: bytes | None = None,
) -> Assembled:
    """Return the network of `world`; parents take up their journals in `state`."""
    secret = secret or secrets.token_bytes(SECRET_OCTETS)
    built = Assembled(network, tsig=dns.tsig.Key(UPDATE_KEY, secret, "hmac-sha256"))
    _root(network, world)
    for tld in sorted({name_of(_top(text)) for text in _zone_names(world)}):
        _infrastructure(network, tld, ("ns1", "ns2"), Name((b"nic", *tld.labels)))
    for parent in world.parents:
        _parent(built, parent)
    for operator in world.operators:
        _operator(built, operator)
    for child in world.children:
        add_child(built, child)
    network.settled = True
    for parent in world.parents:
        _open_for_updates(built, parent, clock, state)
    return built


def add_child(built: Assembled, child: Child) -> Placer:
    """Place a child and remember how."""
    placer = Placer(built.network, child)
    built.children[placer.apex] = placer
    placer.place()
    return placer


def _zone_names(world: World) -> list[str]:
    return [p.name for p in world.parents] + [o.zone for o in world.operators]


def _top(text: str) -> str:
    return text.rstrip(".").rpartition(".")[2]


def _root(network: Network, world: World) -> None:
    hosts = [name_of(text) for text in ROOT_SERVERS]
    keys = network.keys("root", world.root_algorithm)
    root = network.zone(ROOT, hosts, keys)
    network.register(root, hosts)
    for host in hosts:
        network.publish_address(root, host)


def _infrastructure(
    network: Network, apex: Name, labels: tuple[str, ...], below: Name
) -> None:
    """Make a secure zone with nameservers of its own, at `below`."""
    hosts = [Name((label.encode(), *below.labels)) for label in labels]
    keys = network.keys(str(apex), TLD_ALGORITHM)
    _enter(network, network.zone(apex, hosts, keys), hosts)


def _enter(
    network: Network, zone: Zone, hosts: list[Name], *, secure: bool = True
) -> None:
    network.register(zone, hosts)
    for host in hosts:
        network.publish_address(zone, host)
    ds = [key.ds(zone.apex) for key in zone.keys] if secure else []
    network.delegate(zone.apex, hosts, ds)


def _parent(built: Assembled, parent: Parent) -> None:
    network, apex = built.network, canonical(name_of(parent.name))
    hosts = [Name((label, *apex.labels)) for label in (b"ns1", b"ns2")]
    keys = network.keys(str(apex), parent.algorithm)
    signing = Signing(
        denial=Denial(parent.denial),
        opt_out=parent.opt_out,
        iterations=parent.iterations,
        defects=tuple(Defect.parse(text, apex) for text in parent.defects),
    )
    zone = network.zone(apex, hosts, keys, signing)
    _enter(network, zone, hosts, secure=parent.secure)
    for address in network.host(hosts[0]) + network.host(hosts[1]):
        if parent.behaviour:
            network.servers[address].behaviours[apex] = parent.behaviour


def _operator(built: Assembled, operator: Operator) -> None:
    network, apex = built.network, canonical(name_of(operator.zone))
    hosts = [Name((label.encode(), *apex.labels)) for label in operator.nameservers]
    keys = network.keys(str(apex), operator.algorithm)
    signing = Signing(denial=Denial(operator.denial), iterations=operator.iterations)
    zone = network.zone(apex, hosts, keys if operator.secure else (), signing)
    _enter(network, zone, hosts, secure=operator.secure)
    built.operators[apex] = operator
    if operator.signals:
        ordinary = SignalRecipe(signed=operator.secure, algorithm=operator.algorithm)
        for host in hosts:
            signaling_zone(network, signaling_domain(host), ordinary)


def _open_for_updates(
    built: Assembled,
    parent: Parent,
    clock: Callable[[], datetime],
    state: Path | None,
) -> None:
    """Split primary and secondary, and take up what was applied in earlier lives."""
    network, apex = built.network, canonical(name_of(parent.name))
    first, second = (
        network.hosts[Name((label, *apex.labels))][0] for label in (b"ns1", b"ns2")
    )
    denier = network.zones[apex]
    following = denier
    if parent.secondary_delay:
        following = Denier.of(denier.zone.copy())
        network.serve(apex, following, [second])
    if built.tsig is None:
        raise LookupError("no key for updates")
    server = network.servers[first]
    server.keyring[built.tsig.name] = built.tsig
    primary = Primary(
        denier,
        frozenset({built.tsig.name}),
        clock,
        journal=state / f"journal-{apex.to_text(omit_final_dot=True)}"
        if state
        else None,
        open_transfer=parent.open_transfer,
    )
    server.primaries[apex] = primary
    served = ServedParent(parent, apex, primary, first, second, following.zone)
    built.parents[apex] = served

    def at_once(change: Change) -> None:
        network.changed(apex)
        if following is not denier:
            change.apply(following.zone, clock())

    primary.publish = at_once
    primary.replay()
