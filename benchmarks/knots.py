"""The laboratory's world on Knot: as quick as a real server, and made once.

A world of the laboratory is built and signed, its zones are written down, and one
Knot stands for all servers that share a zone. Files stay in a folder, named after
what they hold, and serve later runs of the same day.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dns.rrset

from bootstrap import clock
from bootstrap.core.dns.names import Name
from bootstrap.lab.denial import Denier
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.network import LOOPBACK6
from bootstrap.lab.scenes import many
from bootstrap.lab.worlds import UPDATE_KEY, World
from bootstrap.lab.zones import Zone
from tests.support.daemons import Daemon, missing, program

CORE: Final = 1
"""The servers' processor; what is measured runs on another."""
PORT: Final = 5390
FRESH: Final = 86_400.0
"""Seconds for which files are used again; their signatures last longer."""
DS: Final = 43
INDEX: Final = "served.json"
ZONES: Final = "zones"
"""Folder of the zone files, below that of their world."""


def is_installed() -> bool:
    """Say whether Knot is here."""
    return not missing("knotd", "taskset")


@dataclass
class Served(Daemon):
    """One Knot over zone files that are there already."""

    zones: tuple[str, ...] = ()
    files: Path = Path()
    secret: str = ""
    also: tuple[int, ...] = ()
    """Further ports: resolvers ask at 53 and nowhere else."""

    def prepare(self) -> None:
        """Write the configuration."""
        ports = (self.port, *self.also)
        listen = ", ".join(f"{a}@{port}" for a in self.addresses for port in ports)
        self.write(
            "knot.conf",
            f"""
            server:
                rundir: {self.folder}
                user: root:root
                listen: [{listen}]
                udp-workers: 1
                tcp-workers: 1
                background-workers: 1
            log:
              - target: stderr
                any: warning
            database:
                storage: {self.folder}/db
            key:
              - id: {UPDATE_KEY}
                algorithm: hmac-sha256
                secret: {self.secret}
            acl:
              - id: ours
                key: {UPDATE_KEY}
                action: [transfer, update]
            template:
              - id: default
                storage: {self.files}
                file: "%s.zone"
                acl: ours
                semantic-checks: off
                zonefile-sync: -1
                journal-content: none
            zone:
            """,
        )
        with (self.folder / "knot.conf").open("a") as conf:
            conf.writelines(f"  - domain: {zone or '.'}\n" for zone in self.zones)

    def command(self) -> list[str]:
        """Return knotd's command line, on the servers' processor."""
        knotd = program("knotd") or "knotd"
        return ["taskset", "-c", str(CORE), knotd, "-c", f"{self.folder}/knot.conf"]


@contextmanager
def running(
    count: int, *, good: int = 100, also: tuple[int, ...] = ()
) -> Iterator[dict[str, Any]]:
    """Serve `count` delegations, `good` per cent of them candidates; yield the manifest."""

    def fill(folder: Path) -> None:
        write(laboratory(many(count, share_good=good), folder))

    with serving(kept(f"{count}-{good}", fill), also=also) as manifest:
        yield manifest


def kept(name: str, fill: Callable[[Path], None]) -> Path:
    """Return the folder of a world, filled anew where it is not of today."""
    given = os.environ.get("BENCH_FOLDER")
    folder = Path(given or f"{tempfile.gettempdir()}/dnssec-bootstrap-bench") / name
    index = folder / INDEX
    if not index.exists() or time.time() - index.stat().st_mtime > FRESH:
        shutil.rmtree(folder, ignore_errors=True)
        fill(folder)
    return folder


@contextmanager
def serving(folder: Path, *, also: tuple[int, ...] = ()) -> Iterator[dict[str, Any]]:
    """Serve a world that was written into a folder; yield its manifest."""
    told = json.loads((folder / INDEX).read_text())
    with ExitStack() as stack:
        for number, group in enumerate(told["groups"]):
            knot = Served(
                folder / f"knot{number}",
                group["addresses"],
                PORT,
                zones=tuple(group["zones"]),
                files=folder / ZONES,
                secret=told["secret"],
                also=also,
            )
            stack.enter_context(knot)
        children = {child["name"] for child in told["manifest"]["children"][:1]}
        serving = [g["addresses"] for g in told["groups"] if children & {*g["zones"]}]
        yield {**told["manifest"], "serving": sorted(a for s in serving for a in s)}


def laboratory(world: World, folder: Path) -> Lab:
    """Build a world that is to be written into this folder."""
    return Lab(world, clock=clock.now, folder=folder, seed=b"benchmark", port=PORT)


def write(lab: Lab) -> None:
    """Write down the zones of a world, and who serves them."""
    lab.write_files()
    folder, files = lab.folder, lab.folder / ZONES
    files.mkdir()
    servers = {
        address: server.contents
        for address, server in lab.built.network.servers.items()
        if address != LOOPBACK6 and server.contents
    }
    written: set[Name] = set()
    for contents in servers.values():
        for apex, denier in contents.items():
            if apex not in written:
                _write(denier, files / f"{_label(apex)}.zone")
                written.add(apex)
    groups = [
        {"addresses": sorted(addresses), "zones": sorted(map(_label, zones))}
        for addresses, zones in _grouped(servers, frozenset(lab.built.children))
    ]
    secret = (folder / "update.key").read_text().split('secret "')[1].split('"')[0]
    told = {"groups": groups, "secret": secret, "manifest": lab.manifest()}
    (folder / INDEX).write_text(json.dumps(told))


def _grouped(
    servers: Mapping[str, Mapping[Name, Denier]], children: frozenset[Name]
) -> list[tuple[set[str], set[Name]]]:
    """Return servers that share a zone together, with all of their zones.

    `children` join nobody: each operator's servers are a Knot of their own.
    """
    groups: list[tuple[set[str], set[Name]]] = []
    for address, contents in servers.items():
        apexes, addresses = set(contents), {address}
        for group in [g for g in groups if g[1] & (apexes - children)]:
            groups.remove(group)
            addresses |= group[0]
            apexes |= group[1]
        groups.append((addresses, apexes))
    return groups


def _label(apex: Name) -> str:
    """Return a zone's name as Knot puts it into a file's: that of the root is empty."""
    return apex.to_text(omit_final_dot=True) if len(apex.labels) > 1 else ""


def _write(denier: Denier, path: Path) -> None:
    """Write a zone with its signatures and its chain of denial."""
    zone = denier.zone
    with path.open("w") as output:
        for owner, node in zone.nodes.items():
            cut = zone.cut_at_or_above(owner)
            for rdtype, rrset in node.items():
                output.writelines(_lines(rrset))
                if zone.is_signed and (cut is None or (cut == owner and rdtype == DS)):
                    output.writelines(_lines(zone.rrsigs(owner, rdtype)))
        if zone.is_signed:
            output.writelines(_chain(denier, zone))


def _chain(denier: Denier, zone: Zone) -> Iterator[str]:
    for name in denier.chain_names():
        record = denier.record_of(name)
        yield from _lines(record)
        yield from _lines(zone.signed(record))


def _lines(rrset: dns.rrset.RRset | None) -> Iterator[str]:
    """Yield records in the form of RFC 3597, which needs no knowledge of types."""
    for rdata in rrset or ():
        wire = rdata.to_wire() or b""
        assert rrset is not None
        head = f"{rrset.name} {rrset.ttl} IN TYPE{int(rrset.rdtype)}"
        yield f"{head} \\# {len(wire)} {wire.hex()}\n"
