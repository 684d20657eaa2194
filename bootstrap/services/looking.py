"""What the parent's servers show of a DS set, and whether the child validates.

Every look starts from the root with nothing remembered: the eyes are opened for
it and closed after it. No row is read or written here.
"""

from __future__ import annotations

import asyncio
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Final, Protocol

import dns.name

from bootstrap.core.dns.messages import Malformed, Rcode, Response, read
from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import Ds, RdataType, Signed
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.dnssec.budget import Budget
from bootstrap.core.dnssec.chain import Needs, Seen, validate
from bootstrap.core.dnssec.security import Security
from bootstrap.core.evaluation.observations import Observation, Trouble, seen
from bootstrap.core.evaluation.queries import Lookup, Query
from bootstrap.registry.addresses import Endpoint


class Eyes(Protocol):
    """As much of the scanner as a look after publication needs."""

    async def lookup(self, lookups: Sequence[Lookup]) -> tuple[Observation, ...]:
        """Return every packet on the way from the root to the answers."""
        ...

    async def ask(self, queries: Sequence[Query]) -> tuple[Observation, ...]:
        """Return one observation for each query, in order."""
        ...


EyesFor = Callable[[int | None], AbstractAsyncContextManager[Eyes]]
"""Opens eyes that remember nothing and speak to this port; None is the usual one."""

CHILD_TYPES: Final = (RdataType.SOA, RdataType.DNSKEY)
"""What must validate at the child (P-2.14)."""


@dataclass(frozen=True, slots=True)
class Target:
    """What to look for: the DS set that every server of the parent must show.

    Without `servers`, the addresses of the parent's own NS are looked up.
    """

    child: Name
    parent: Name
    ds: tuple[Ds, ...]
    servers: tuple[Endpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """What one server showed; `ds` is None when it gave no usable answer.

    `message` is the answer itself, where it was usable (P-8.10).
    """

    server: str
    ds: tuple[Ds, ...] | None
    ttl: int | None = None
    serial: int | None = None
    detail: str = ""
    message: bytes | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One look: all servers of the parent, and the walk from the root."""

    target: Target
    shown: tuple[Shown, ...]
    child: Security
    detail: str = ""

    @property
    def everywhere(self) -> bool:
        """Every server shows exactly the set that was published."""
        return bool(self.shown) and all(s.ds == self.target.ds for s in self.shown)

    @property
    def elsewise(self) -> tuple[Ds, ...] | None:
        """The one other set that all servers agree on; None if they do not."""
        sets = {shown.ds for shown in self.shown}
        found = sets.pop() if len(sets) == 1 else None
        return None if found == self.target.ds else found


async def look_at(
    targets: Iterable[Target],
    *,
    eyes_for: EyesFor,
    anchors: tuple[Anchor, ...],
    now: datetime,
) -> list[Look]:
    """Look at all targets side by side; the order out is the order in."""
    looks = (_look(target, eyes_for, anchors, now) for target in targets)
    return list(await asyncio.gather(*looks))


async def _look(
    target: Target, eyes_for: EyesFor, anchors: tuple[Anchor, ...], now: datetime
) -> Look:
    async with eyes_for(None) as eyes:
        servers = target.servers or await _servers_of(target.parent, eyes)
        shown = await _shown(target, servers, eyes_for)
        wanted = tuple(Lookup(target.child, rdtype) for rdtype in CHILD_TYPES)
        walked = seen(await eyes.lookup(wanted))
    security, detail = _validated(target.child, walked, anchors, now)
    return Look(target, shown, security, detail)


async def _shown(
    target: Target, servers: Sequence[Endpoint], eyes_for: EyesFor
) -> tuple[Shown, ...]:
    by_port: dict[int | None, list[str]] = defaultdict(list)
    for server in servers:
        by_port[server.port].append(server.address)
    shown: list[Shown] = []
    for port, addresses in sorted(by_port.items(), key=lambda item: item[0] or 0):
        queries = [
            Query(address, target.parent, name, rdtype)
            for address in addresses
            for name, rdtype in (
                (target.child, RdataType.DS),
                (target.parent, RdataType.SOA),
            )
        ]
        async with eyes_for(port) as eyes:
            found = await eyes.ask(queries)
        pairs = zip(found[::2], found[1::2], strict=True)
        shown += [
            _shown_by(ds, soa)
            for ds, soa in pairs
            if ds.trouble is not Trouble.NO_EGRESS  # our site lacks it (P-2.23)
        ]
    return tuple(shown)


def _shown_by(ds: Observation, soa: Observation) -> Shown:
    server = ds.query.server
    answer = _usable(ds)
    if isinstance(answer, str):
        return Shown(server, None, detail=answer)
    serial = _serial(_usable(soa))
    found = answer.answered(ds.query.name, RdataType.DS)
    if found is None:
        return Shown(server, (), serial=serial, message=ds.received)
    rrset = found.rrset
    values = tuple(sorted(map(Ds.from_wire, rrset.rdatas)))
    return Shown(server, values, rrset.ttl, serial, message=ds.received)


def _usable(observation: Observation) -> Response | str:
    """Return the authoritative answer, or in words why there is none."""
    if observation.received is None:
        return str(observation.trouble)
    query = observation.query
    try:
        response = read(observation.received, query.name, query.rdtype)
    except Malformed as exc:
        return f"malformed: {exc}"
    if response.rcode != Rcode.NOERROR:
        return response.rcode.name
    return response if response.aa else "not authoritative"


def _serial(response: Response | str) -> int | None:
    if isinstance(response, str):
        return None
    found = response.answered(response.name, RdataType.SOA)
    if found is None:
        return None
    numbers = struct.unpack("!5I", found.rrset.rdatas[0][-20:])
    return int(numbers[0])


async def _servers_of(parent: Name, eyes: Eyes) -> tuple[Endpoint, ...]:
    found = await eyes.lookup((Lookup(parent, RdataType.NS),))
    hosts = {
        dns.name.from_wire(rdata, 0)[0]
        for signed in _answers(found, parent, RdataType.NS)
        for rdata in signed.rrset.rdatas
    }
    kinds = (RdataType.A, RdataType.AAAA)
    wanted = tuple(Lookup(host, kind) for host in sorted(hosts) for kind in kinds)
    located = await eyes.lookup(wanted) if wanted else ()
    addresses = {
        str(ip_address(rdata))
        for lookup in wanted
        for signed in _answers(located, lookup.name, lookup.rdtype)
        for rdata in signed.rrset.rdatas
    }
    return tuple(Endpoint(address) for address in sorted(addresses))


def _answers(
    observations: Iterable[Observation], name: Name, rdtype: RdataType
) -> Iterator[Signed]:
    for responses in seen(observations).values():
        for response in responses:
            found = response.answered(name, rdtype)
            if found is not None and response.aa:
                yield found


def _validated(
    child: Name, walked: Seen, anchors: tuple[Anchor, ...], now: datetime
) -> tuple[Security, str]:
    """Return the worst of what DNSSEC says of the child's types, and of which."""
    worst, told = Security.SECURE, ""
    for rdtype in CHILD_TYPES:
        proof = validate(
            child, rdtype, seen=walked, anchors=anchors, now=now, budget=Budget()
        )
        if isinstance(proof, Needs):
            found, flaw = Security.INDETERMINATE, "the walk from the root broke off"
        else:
            found, flaw = proof.security, f"{proof.flaw or ''} {proof.detail}".strip()
        if _RANK[found] > _RANK[worst]:
            worst, told = found, f"{rdtype.name}: {flaw}"
    return worst, told


_RANK: Final = {
    Security.SECURE: 0,
    Security.INSECURE: 1,
    Security.INDETERMINATE: 2,
    Security.BOGUS: 3,
}
