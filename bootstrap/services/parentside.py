"""What a parent's own servers say of a delegation that no row knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_address

import dns.name

from bootstrap import clock
from bootstrap.config import World
from bootstrap.core.dns.messages import Malformed, Response, find, read
from bootstrap.core.dns.names import Name, canonical, parse_name, unrooted
from bootstrap.core.dns.records import Ds, RdataType
from bootstrap.core.evaluation.delegation import Delegation
from bootstrap.core.evaluation.observations import Observation, seen
from bootstrap.core.evaluation.queries import Lookup, Query
from bootstrap.models import Zone
from bootstrap.registry.addresses import parse_endpoint


class ParentSilent(Exception):
    """No server of the parent gave a usable answer."""


async def delegation(child: Name, zone: Zone, world: World) -> Delegation:
    """Return the delegation of `child` as a server of its parent gives it.

    Without nameservers when the parent does not delegate the name.

    Raises:
        ParentSilent: no server of the parent gave a usable answer.
    """
    parent = parse_name(zone.name)
    for port, address in await _servers(parent, zone, world):
        async with world.scanner(clock=clock.now, port=port) as eyes:
            referral, ds = (
                _read(observation)
                for observation in await eyes.ask(
                    Query(address, parent, child, rdtype)
                    for rdtype in (RdataType.NS, RdataType.DS)
                )
            )
        if referral is not None and ds is not None:
            return _delegation(child, parent, referral, ds)
    raise ParentSilent(f"{unrooted(child)}: no server of {zone.name} answers")


def _read(observation: Observation) -> Response | None:
    if observation.received is None:
        return None
    query = observation.query
    try:
        return read(observation.received, query.name, query.rdtype)
    except Malformed:
        return None


def _delegation(
    child: Name, parent: Name, referral: Response, ds: Response
) -> Delegation:
    cut = find(referral.authority, child, RdataType.NS) or find(
        referral.answer, child, RdataType.NS
    )
    hosts = [_host(rdata) for rdata in cut.rrset.rdatas] if cut else []
    held = ds.answered(child, RdataType.DS)
    return Delegation(
        child=child,
        parent=parent,
        nameservers=tuple(sorted(hosts)),
        glue=tuple(_glue(referral, hosts)),
        ds=tuple(sorted(map(Ds.from_wire, held.rrset.rdatas))) if held else (),
    )


def _host(rdata: bytes) -> Name:
    return canonical(dns.name.from_wire(rdata, 0)[0])


def _glue(referral: Response, hosts: Sequence[Name]) -> Iterable[tuple[Name, str]]:
    for host in sorted(hosts):
        for rdtype in (RdataType.A, RdataType.AAAA):
            found = find(referral.additional, host, rdtype)
            for rdata in found.rrset.rdatas if found else ():
                yield host, str(ip_address(rdata))


async def _servers(
    parent: Name, zone: Zone, world: World
) -> Sequence[tuple[int | None, str]]:
    """Return port and address of each server: as configured, or as looked up."""
    if zone.servers:
        endpoints = [parse_endpoint(text, world.dns.port) for text in zone.servers]
        return [(endpoint.port, endpoint.address) for endpoint in endpoints]
    async with world.scanner(clock=clock.now) as eyes:
        found = await eyes.lookup((Lookup(parent, RdataType.NS),))
        hosts = sorted(
            {
                _host(rdata)
                for rdatas in _rdatas(found, parent, RdataType.NS)
                for rdata in rdatas
            }
        )
        wanted = [
            Lookup(host, rdtype)
            for host in hosts
            for rdtype in (RdataType.A, RdataType.AAAA)
        ]
        located = await eyes.lookup(wanted)
    addresses = {
        str(ip_address(rdata))
        for lookup in wanted
        for rdatas in _rdatas(located, lookup.name, lookup.rdtype)
        for rdata in rdatas
    }
    return [(None, address) for address in sorted(addresses)]


def _rdatas(
    observations: Iterable[Observation], name: Name, rdtype: RdataType
) -> Iterable[tuple[bytes, ...]]:
    for responses in seen(observations).values():
        for response in responses:
            answer = response.answered(name, rdtype)
            if answer is not None and response.aa:
                yield answer.rrset.rdatas
