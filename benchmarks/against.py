"""The product beside other ways to the same answers, interleaved, on the same servers.

A straightforward scanner with dnspython, a shell loop of dig and delv, and Unbound
validating the signals with nothing in its cache.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.daemons import Unbound, missing, program

from . import knots, scans
from .installation import ZONE, Installation, databases, manage
from .measuring import Row, timed
from .report import Report, Target

RESOLVER: Final = "127.99.0.1"
RESOLVER_PORT: Final = 5399
DNS_PORT: Final = 53
LOOPED: Final = int(os.environ.get("BENCH_LOOPED", "5"))
"""Children that the shell loop evaluates: it takes a quarter of a second for each."""
SLOW: Final = "CPU of the evaluation in Python: see docs/performance.md, section 5"


@dataclass
class Cold(Unbound):
    """Unbound as it ships, on the processor of what is measured; empty at each start."""

    def prepare(self) -> None:
        """Leave out what makes the tests' resolver forget."""
        super().prepare()
        path = self.folder / "unbound.conf"
        path.write_text(re.sub(r"  (cache|infra)-\S+-ttl: 1\n", "", path.read_text()))

    def command(self) -> list[str]:
        """Return its command line on that processor."""
        return ["taskset", "-c", str(scans.CORE), *super().command()]


def against(folder: Path) -> Report:
    """Evaluate candidates in every way in turn; compare children a second."""
    lacking = missing("knotd", "dnsperf", "unbound", "dig", "delv", "taskset")
    if lacking or os.geteuid() != 0:
        why = ", ".join(lacking) or "port 53 needs root"
        return Report("against others", [], notes=[f"left out: {why}"])
    with (
        knots.running(scans.COUNT, also=(DNS_PORT,)) as manifest,
        databases(folder) as found,
    ):
        return Comparison(manifest, found[-1], folder).report()


def against_mix(folder: Path) -> Report:
    """Evaluate what is due where few are candidates, in two ways in turn."""
    with (
        scans.world(folder, good=scans.MIX) as manifest,
        databases(folder) as found,
    ):
        measured = Comparison(manifest, found[-1], folder)
        measured.installation.prepare(measured.database, "all")
        for _ in range(scans.RUNS):
            measured.run_ours("--due")
            measured.run_plain()
        rate = measured.rate() / measured.plain.rate
    rows = [measured.ours, measured.start, measured.plain]
    what = "for one of a straightforward scanner, mix"
    notes = [f"{scans.MIX} % are candidates; {scans.where()}", measured.by_cpu()]
    targets = [Target(what, rate, 15, 30, "x", bound=SLOW)]
    return Report("against others, mix", rows, targets, notes, against=measured.plain)


class Comparison:
    """One laboratory, and what is measured in it."""

    def __init__(self, manifest: dict[str, Any], database: Any, folder: Path) -> None:  # noqa: ANN401 - SQLite or PostgreSQL
        self.manifest = manifest
        self.database = database
        self.folder = folder
        self.path = folder / "manifest.json"
        self.path.write_text(json.dumps(manifest))
        self.installation = Installation(manifest)
        self.step = max(1, scans.COUNT // 200)
        sampled = len(manifest["children"][:: self.step])
        self.ours = Row(f"the product, {database.name}", scans.COUNT, "children")
        self.start = Row("the product, nothing to do", 1, "starts")
        self.plain = Row("a straightforward scanner", sampled, "children")
        self.loop = Row("a loop of dig and delv", LOOPED, "children")
        self.signals = signals(manifest)
        self.unbound = Row("Unbound, cold, signals", len(self.signals), "questions")

    def report(self) -> Report:
        """Measure all in turn, as often as asked."""
        self.installation.prepare(self.database, "all")
        for _ in range(scans.RUNS):
            self.run_ours("--zone", ZONE)
            self.run_plain()
            self.run_resolver()
        rows = [self.ours, self.start, self.plain, self.loop, self.unbound]
        sizes = f"{self.plain.units} children by the scanner, {LOOPED} by the loop"
        notes = [
            f"{sizes}; {scans.where()}",
            "ratios leave the start of the product's process out",
            "neither scanner nor loop nor Unbound keeps anything",
            self.by_cpu(),
        ]
        return Report("against others", rows, self.targets(), notes, against=self.plain)

    def run_plain(self) -> None:
        """Let the straightforward scanner evaluate its share."""
        plain = [sys.executable, "-m", "benchmarks.straightforward"]
        plain += [str(self.path), str(self.step)]
        self.plain.samples.append(timed(plain, {}, scans.CORE))

    def rate(self) -> float:
        """Return children a second by the product, its start left out."""
        return self.ours.units / (self.ours.wall - self.start.wall)

    def by_cpu(self) -> str:
        """Return the ratio to the scanner by CPU time, which a busy machine spares."""
        ours = (self.ours.cpu - self.start.cpu) / self.ours.units
        plain = self.plain.cpu / self.plain.units
        return f"by CPU time for one of the scanner: {plain / ours:.2f} x"

    def run_ours(self, *what: str) -> None:
        """Scan in a new copy of the database, then find nothing to do."""
        environment = self.installation.environment(self.database.fresh("all"))
        scan = manage("scan", *what)
        self.ours.samples.append(timed(scan, environment, scans.CORE))
        nothing = manage("scan", "--due")
        self.start.samples.append(timed(nothing, environment, scans.CORE))

    def run_resolver(self) -> None:
        """Let the loop and dnsperf ask a resolver that was just started."""
        with resolver(self.manifest, self.folder) as anchor:
            loop = ["sh", str(written_loop(self.manifest, anchor, self.folder))]
            self.loop.samples.append(timed(loop, {}, scans.CORE))
        with resolver(self.manifest, self.folder):
            path = self.folder / "signals"
            path.write_text("".join(f"{line}\n" for line in self.signals))
            command = [program("dnsperf") or "dnsperf", "-d", str(path), "-n", "1"]
            command += ["-s", RESOLVER, "-p", str(RESOLVER_PORT), "-D", "-q", "100"]
            self.unbound.samples.append(timed(command, {}, knots.CORE))

    def targets(self) -> list[Target]:
        """Return the ratios of performance.md, section 4."""
        rate = self.rate()
        signals_a_second = rate * self.unbound.units / scans.COUNT
        plain, loop = rate / self.plain.rate, rate / self.loop.rate
        unbound = signals_a_second / self.unbound.rate
        return [
            Target(
                "for one of a straightforward scanner", plain, 7, 12, "x", bound=SLOW
            ),
            Target("for one of the dig and delv loop", loop, 200, 400, "x", bound=SLOW),
            Target("signals, for one of Unbound's", unbound, 0.7, 1.1, "x", bound=SLOW),
        ]


def signals(manifest: dict[str, Any]) -> list[str]:
    """Return every question about a signal, as dnsperf reads it."""
    return [
        f"_dsboot.{child['name']}._signal.{host}. {rdtype}"
        for child in manifest["children"]
        for host in child["nameservers"]
        for rdtype in ("CDS", "CDNSKEY")
    ]


@contextmanager
def resolver(manifest: dict[str, Any], folder: Path) -> Iterator[Path]:
    """Run Unbound below the laboratory's root; yield delv's anchor file."""
    anchors = Path(manifest["trust_anchors"]).read_text()
    fields = anchors.split()
    tag, algorithm, digest_type, digest = fields[fields.index("DS") + 1 :][:4]
    anchor = folder / "delv.anchor"
    anchor.write_text(
        f'trust-anchors {{ . static-ds {tag} {algorithm} {digest_type} "{digest}"; }};\n'
    )
    hints = Path(manifest["root_hints"]).read_text()
    unbound = Cold(
        folder / "unbound",
        [RESOLVER],
        port=RESOLVER_PORT,
        hints=hints,
        anchor=anchors,
    )
    with unbound:
        yield anchor


def written_loop(manifest: dict[str, Any], anchor: Path, folder: Path) -> Path:
    """Write the loop: dig at every server of a child, delv for every signal."""
    servers = addresses(manifest)
    lines = [f"cd {folder}"]
    delv = f"delv @{RESOLVER} -p {RESOLVER_PORT} -a {anchor} +root=."
    for child in manifest["children"][:LOOPED]:
        name = child["name"]
        for host in child["nameservers"]:
            dig = (
                f"dig +dnssec +norecurse @{servers[host]} -p {manifest['port']} {name}"
            )
            lines += [f"{dig} {kind} > apex.{kind}" for kind in ("SOA", "NS", "DNSKEY")]
            for kind in ("CDS", "CDNSKEY"):
                signal = f"_dsboot.{name}._signal.{host}. {kind}"
                lines += [
                    f"{dig} {kind} +short | grep -v '^{kind} ' | sort > apex.{kind}",
                    f"{delv} {signal} > signal.{kind}",
                    f"grep -q 'fully validated' signal.{kind} || echo not validated",
                ]
    path = folder / "loop.sh"
    path.write_text("\n".join(lines) + "\n")
    return path


def addresses(manifest: dict[str, Any]) -> dict[str, str]:
    """Return an address for each nameserver, as the root's servers lead to it."""
    from .straightforward import dns, scanner  # noqa: PLC0415 - asks before it is measured

    eyes = scanner(manifest)
    hosts = {h for child in manifest["children"][:LOOPED] for h in child["nameservers"]}
    return {host: eyes.addresses(dns.name.from_text(host))[0] for host in sorted(hosts)}
