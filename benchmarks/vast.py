"""A registry of any size: its candidates on Knot, all others synthesised.

The parent zone is written line by line and served by Knot. It opts out of proofs for
unsigned delegations (RFC 5155, section 6), as zones of this size do, so that these
need no signatures. Children that announce nothing are delegated to nameservers of
their own, in the zones of the same operators as the candidates'.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from dns.rdatatype import RdataType

from bootstrap.core.dns.names import parse_name
from bootstrap.lab.scenes import HARBOUR, LANTERN, many
from tests.support.daemons import Daemon

from . import knots
from .measuring import ROOT

HOSTS: Final = (f"quiet1.{LANTERN}", f"quiet2.{HARBOUR}")
"""Nameservers of the silent children."""
QUIET: Final = "quiet.json"


@dataclass
class Synthesis(Daemon):
    """One process that answers for all silent children of a parent."""

    parent: str = ""

    def prepare(self) -> None:
        """Need no file."""

    def command(self) -> list[str]:
        """Return the server's command line, on the servers' processor."""
        script = str(ROOT / "benchmarks" / "synthesis.py")
        given = [str(self.port), self.parent, ",".join(HOSTS), *self.addresses]
        return ["taskset", "-c", str(knots.CORE), sys.executable, script, *given]


@contextmanager
def running(count: int, *, good: int) -> Iterator[dict[str, Any]]:
    """Serve `count` delegations, `good` per cent of them candidates; yield the manifest."""
    folder = made(count, good)
    with knots.serving(folder) as manifest:
        parent = manifest["parents"][0]["name"]
        quiet = Synthesis(
            folder / "quiet", addresses(folder), knots.PORT, parent=parent
        )
        with quiet:
            yield manifest


def made(count: int, good: int) -> Path:
    """Return the folder of such a registry, written where it is not there yet."""

    def fill(folder: Path) -> None:
        candidates = count * good // 100
        world = many(candidates)
        parent = replace(world.parents[0], denial="nsec3", opt_out=True)
        lab = knots.laboratory(replace(world, parents=(parent,)), folder)
        network = lab.built.network
        found = [network.host(parse_name(host)) for host in HOSTS]
        # Without it no server may answer from the chain (RFC 5155, section 7.3).
        apex = parse_name(parent.name)
        network.zones[apex].zone.put_text(apex, RdataType.NSEC3PARAM, "1 0 0 -")
        (folder / QUIET).write_text(json.dumps([a for each in found for a in each]))
        knots.write(lab)
        with (folder / knots.ZONES / f"{parent.name}.zone").open("a") as output:
            output.writelines(
                f"{child}. 3600 NS {host}.\n"
                for child in silent(parent.name, count - candidates)
                for host in HOSTS
            )

    return knots.kept(f"vast-{count}-{good}", fill)


def addresses(folder: Path) -> list[str]:
    """Return the addresses of the silent children's nameservers."""
    return list(json.loads((folder / QUIET).read_text()))


def silent(parent: str, count: int) -> Iterator[str]:
    """Yield the names of the silent children."""
    return (f"s{number:07}.{parent}" for number in range(count))
