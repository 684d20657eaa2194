"""The situations of protocol.md, appendix F, served by servers that we did not write.

The laboratory makes the zones and starts nothing. What each of its addresses holds
goes into zone files; Knot, BIND, NSD and PowerDNS serve them, at the same addresses:

    root, top-level domains, parents    Knot
    hosts below lantern.example         BIND
    hosts below harbour.test            NSD
    siblings and hosts in the child     PowerDNS
    servers that misbehave              one each, set up to do so

So whatever a server decides by itself (what proves a denial, what a wildcard makes,
what goes along with a referral) is decided by theirs, and must lead us to the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import dns.exception
import dns.rdata
import dns.rdatatype
from dns.rdata import Rdata
from dns.rdatatype import RdataType
from dns.rrset import RRset

from bootstrap.core.dns.names import Name, in_domain, signaling_domain
from bootstrap.lab.defects import Denial, Flawed
from bootstrap.lab.denial import Denier
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.primary import Primary
from bootstrap.lab.situations import Situation, catalogue, world_for
from tests.support.daemons import Bind, Daemon, Knot, Nsd
from tests.support.odd_daemons import (
    Crowded,
    Forgetful,
    Hung,
    Presigned,
    Recursor,
    SigningLive,
)

FIXTURE: Final = re.compile(r"F\d+")
PORT: Final = 53
ONLY_BY_THE_LAB: Final = {
    "F24": "no server of today answers a query with EDNS without it",
    "F26": "its empty answers lack the SOA, which all four add",
    "F31-doubled": "servers send a set, which holds a record once",
    "F54": "all four know empty non-terminals",
    "F57-nxname": "Debian's Knot denies names compactly, but without NXNAME",
    "F60": "none denies a name that it answers for",
}
"""Situations of the appendix that need a server out of its mind, and why."""
ODD: Final = {
    "f25": "CDS too short to be one: only Knot loads it",
    "f25-length": "CDS with a digest too short: BIND refuses it",
    "f31-mixed": "BIND checks CDS against DNSKEY",
    "f31-tag": "the same",
    "f31-sha256": "the same",
    "f31-flags": "the same",
    "f31-length": "the same",
    "f32": "the same",
    "f78": "without NSEC, BIND takes the zone for unsigned",
}
"""Situations whose zones not every server loads; Knot serves them, and why."""
ONLINE: Final = "signs live"
UNPROVEN: Final = {Flawed.NO_DENIAL, Flawed.WRONG_DENIAL}


def situations() -> dict[str, Situation]:
    """Return the situations of appendix F that are a matter of zones and servers."""
    return {i: s for i, s in catalogue().items() if FIXTURE.match(i)}


def served() -> dict[str, Situation]:
    """Return those that real servers serve."""
    return {i: s for i, s in situations().items() if i not in ONLY_BY_THE_LAB}


@dataclass
class Group:
    """Addresses that one process serves: of each zone they hold the same copy."""

    kind: str
    addresses: list[str] = field(default_factory=list)
    contents: dict[Name, Denier] = field(default_factory=dict)

    def takes(self, kind: str, contents: Mapping[Name, Denier]) -> bool:
        """Say whether an address of that kind may join."""
        return kind == self.kind and all(
            self.contents.get(apex, copy) is copy for apex, copy in contents.items()
        )


def groups(lab: Lab) -> list[Group]:
    """Return who serves what; every address of the laboratory is in one group."""
    hosts = {
        address: host
        for host, addresses in lab.built.network.hosts.items()
        for address in addresses
    }
    found: list[Group] = []
    for address, server in lab.built.network.servers.items():
        behaviours = set(server.behaviours.values())
        kind = behaviours.pop() if behaviours else _kind(lab, hosts[address])
        group = next((g for g in found if g.takes(kind, server.contents)), None)
        if group is None:
            group = Group(kind)
            found.append(group)
        group.addresses.append(address)
        group.contents.update(server.contents)
    return found


def _kind(lab: Lab, host: Name) -> str:
    text = host.to_text()
    if host.labels[1].decode() in ODD:
        return "Knot"
    if text.endswith(".lantern.example."):
        return "BIND"
    if text.endswith(".harbour.test."):
        return "NSD"
    if any(host.is_subdomain(child) for child in lab.built.children):
        return "PowerDNS"
    return "PowerDNS" if ".hoster." in text else "Knot"


# ── zone files ────────────────────────────────────────────────────────────────


def zone_file(denier: Denier, lab: Lab) -> str:
    """Return a zone with its signatures and denials, as any server can load it."""
    zone = denier.zone
    if zone.is_signed and zone.signing.denial is Denial.NSEC3:
        signing = zone.signing
        salt = signing.salt.hex() or "-"
        parameters = f"1 0 {signing.iterations} {salt}"
        zone.put_text(zone.apex, RdataType.NSEC3PARAM, parameters)
    unproven = {defect.kind for defect in zone.signing.defects} & UNPROVEN
    lines = []
    for rrset in Primary(denier, frozenset(), lab.now)._all():
        covered = {getattr(rdata, "type_covered", rrset.rdtype) for rdata in rrset}
        if not (unproven and covered & {RdataType.NSEC, RdataType.NSEC3}):
            lines += [_line(rrset, rdata) for rdata in rrset]
    return "\n".join(lines) + "\n"


def _line(rrset: RRset, rdata: Rdata) -> str:
    """Return a record in its type's own form, or opaque where it has none."""
    kind = dns.rdatatype.to_text(rrset.rdtype)
    wire = rdata.to_wire() or b""
    try:
        own = dns.rdata.from_wire(rrset.rdclass, rrset.rdtype, wire, 0, len(wire))
        text = own.to_text()
    except (dns.exception.DNSException, ValueError):
        text = f"\\# {len(wire)} {wire.hex()}"
    return f"{rrset.name} {rrset.ttl} IN {kind} {text}"


def zone_files(group: Group, lab: Lab) -> dict[str, str]:
    """Return the zones of a group by name."""
    return {
        apex.to_text(): zone_file(denier, lab)
        for apex, denier in group.contents.items()
    }


# ── servers that misbehave ────────────────────────────────────────────────────


def _nothing(group: Group, lab: Lab, folder: Path) -> Daemon:
    stub = {"elsewhere.": _stub("elsewhere.")}
    return Nsd(folder, group.addresses, zones=stub)


def _without_file(group: Group, lab: Lab, folder: Path) -> Daemon:
    return Forgetful(folder, group.addresses, zones=zone_files(group, lab))


def _hung(group: Group, lab: Lab, folder: Path) -> Daemon:
    return Hung(folder, group.addresses, zones=zone_files(group, lab))


def _signing_live(group: Group, lab: Lab, folder: Path) -> Daemon:
    zones, keys = {}, {}
    for apex, denier in group.contents.items():
        bare = denier.zone.copy()
        (keys[apex.to_text()],) = bare.keys
        bare.keys = ()
        bare.put(apex, RdataType.DNSKEY, [])
        zones[apex.to_text()] = zone_file(Denier.of(bare), lab)
    server = SigningLive(folder, group.addresses, zones=zones)
    server.keys = keys
    return server


def _crowded(group: Group, lab: Lab, folder: Path) -> Daemon:
    return Crowded(folder, group.addresses, zones=zone_files(group, lab))


def _parent_alone(group: Group, lab: Lab, folder: Path) -> Daemon:
    """Serve the zone above: it refers whoever asks for the child to its servers."""
    above = _above(group, lab)
    zones = {above.to_text(): zone_file(lab.built.network.zones[above], lab)}
    return Knot(folder, group.addresses, zones=zones)


def _empty_parent(group: Group, lab: Lab, folder: Path) -> Daemon:
    """Serve a zone above that knows of no child."""
    above = _above(group, lab).to_text()
    return Nsd(folder, group.addresses, zones={above: _stub(above)})


def _recursor(group: Group, lab: Lab, folder: Path) -> Daemon:
    hints = f'zone "." {{ type hint; file "{lab.root_hints}"; }};\n'
    return Recursor(folder, group.addresses, extra=hints)


def _above(group: Group, lab: Lab) -> Name:
    (child,) = group.contents
    return lab.built.children[child].parent


def _stub(zone: str) -> str:
    return (
        f"{zone} 60 IN SOA ns.{zone} hostmaster.{zone} 1 60 60 60 60\n"
        f"{zone} 60 IN NS ns.{zone}\n"
    )


def _plain(group: Group, lab: Lab, folder: Path) -> Daemon:
    files, addresses = zone_files(group, lab), group.addresses
    match group.kind:
        case "BIND":
            return Bind(folder, addresses, zones=files, extra="")
        case "NSD":
            return Nsd(folder, addresses, zones=files)
        case "Knot":
            return Knot(folder, addresses, zones=files)
        case _:
            return Presigned(folder, addresses, zones=files)


MADE: Final[Mapping[str, Callable[[Group, Lab, Path], Daemon]]] = {
    "silent": _hung,
    "refused": _nothing,
    "servfail": _without_file,
    "upward-referral": _parent_alone,
    "recursor": _recursor,
    "nxdomain": _empty_parent,
    "no-tcp": _crowded,
    ONLINE: _signing_live,
}
"""By what the laboratory would do: a real server that does it."""


TOLD: Final = {
    "silent": "NSD (stopped)",
    "refused": "NSD (without the zone)",
    "servfail": "NSD (without the zone's file)",
    "upward-referral": "Knot (with the parent alone)",
    "recursor": "BIND (as a resolver)",
    "nxdomain": "NSD (with an empty parent)",
    "no-tcp": "NSD (with no connection left)",
    ONLINE: "Knot (signing live)",
}
"""The same in words."""


def who_serves(lab: Lab) -> dict[str, tuple[str, str]]:
    """Return by situation who serves the child, and who its signals."""
    kinds: dict[Name, set[str]] = {}
    for group in groups(lab):
        for apex in group.contents:
            kinds.setdefault(apex, set()).add(TOLD.get(group.kind, group.kind))
    found = {}
    for apex, placer in lab.built.children.items():
        hosts = [placer.host(token) for token in placer.recipe.nameservers]
        signals = {
            kind
            for host in hosts
            if (zone := lab.built.network.enclosing(signaling_domain(host)))
            for kind in kinds[zone.zone.apex]
            if not in_domain(apex, host)
        }
        own = kinds[apex]
        found[placer.child.situation] = _listed(own), _listed(signals)
    return found


def _listed(kinds: set[str]) -> str:
    return ", ".join(sorted(kinds))


def table(lab: Lab) -> str:
    """Return the table of docs/conformance.md."""
    servers = who_serves(lab)
    lines = ["| case | child | signals |", "|---|---|---|"]
    for identifier in sorted(situations(), key=_order):
        own, signals = servers.get(identifier, ("", ""))
        if identifier in ONLY_BY_THE_LAB:
            own, signals = "the laboratory alone", ONLY_BY_THE_LAB[identifier]
        lines.append(f"| {identifier} | {own} | {signals or 'none'} |")
    return "\n".join(lines) + "\n"


def _order(identifier: str) -> tuple[int, str]:
    number = FIXTURE.match(identifier)
    return int(number[0][1:]) if number else 0, identifier


def unstarted(folder: Path) -> Lab:
    """Return a laboratory with all zones, which listens nowhere."""
    lab = Lab(
        world_for(served(), ipv6=False),
        clock=lambda: datetime.now(UTC),
        folder=folder / "lab",
        seed=b"tests",
        prefix="127.72",
        port=PORT,
    )
    for apex, denier in list(lab.built.network.zones.items()):
        if denier.zone.signing.denial is Denial.COMPACT:
            _move(lab, apex, denier)
    return lab


def _move(lab: Lab, apex: Name, denier: Denier) -> None:
    """Give a zone with compact denial a nameserver of its own, which signs live."""
    network, zone = lab.built.network, denier.zone
    for server in network.servers.values():
        server.contents.pop(apex, None)
    above = network.enclosing(apex.parent())
    if above is None:
        raise LookupError(f"no zone above {apex}")
    host = Name((b"live", *above.zone.apex.labels))
    (address,) = network.host(host)
    network.delegate(apex, [host], [key.ds(apex) for key in zone.keys])
    zone.put_text(apex, RdataType.NS, host.to_text())
    network.serve(apex, denier, [address])
    network.servers[address].behaviours[apex] = ONLINE


@contextmanager
def running(folder: Path) -> Iterator[Lab]:
    """Serve everything; yields the laboratory, which itself listens nowhere."""
    lab = unstarted(folder)
    lab.write_files()
    recursors: list[tuple[Recursor, Name]] = []
    with ExitStack() as stack:
        for number, group in enumerate(groups(lab)):
            make = MADE.get(group.kind, _plain)
            daemon = make(group, lab, folder / str(number))
            stack.enter_context(daemon)
            if isinstance(daemon, Recursor):
                recursors += [(daemon, child) for child in group.contents]
        for recursor, child in recursors:
            recursor.hear(child)
        yield lab
