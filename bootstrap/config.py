"""Settings as values: `settings.BOOTSTRAP` read into frozen dataclasses.

Nonsense is refused with the name of the environment variable that holds it
(style.md, rule 27). Nothing here asks the network or the database.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

from django.conf import settings

from bootstrap.core.dns.hints import Hints, HintsMalformed, read_hints
from bootstrap.core.dnssec.anchor_files import AnchorsMalformed, read_anchors
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.workflow.breakers import Limits
from bootstrap.scanner.egress import Egress
from bootstrap.scanner.pacing import UNLIMITED
from bootstrap.scanner.scanner import Scanner
from bootstrap.variables import (
    Network,
    Reader,
    Target as Target,  # noqa: PLC0414 - also taken from here
    Unusable as Unusable,  # noqa: PLC0414 - raised here, caught by its name here
)

T = TypeVar("T")
MAX_PORT: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Dns:
    """Where the scanner starts, whom it may ask, and from where.

    `lab_rate` is the pace towards `allowed` networks in queries per second, 0
    for no limit (S-13). `skip_families` are 4 and 6, those that our site lacks.
    """

    root_hints: Path
    trust_anchors: Path
    port: int = 53
    allowed: tuple[Network, ...] = ()
    denied: tuple[Network, ...] = ()
    lab_rate: float = 20.0
    sources: tuple[str, ...] = ()
    skip_families: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanning:
    """How much a worker takes at a time, and how long it may hold it.

    `lease` must end before the queue hands out the task again, so that nobody
    else works on an item that is still ours (S-74).
    """

    batch: int = 500
    at_once: int = 100
    lease: timedelta = timedelta(seconds=240)
    burst: timedelta = timedelta(seconds=150)
    """A drain stops to claim after this time, well before the task's limit."""
    cpu_seconds: int = 10
    """Computing without a pause after which a worker ends (S-20); 0: never."""
    memory: int = 1_024
    """Mebibytes of data that a worker may have (S-20); 0: any."""
    deaths: int = 3
    full_every: int = 90
    """Days between whole scans of a child that stage one finds silent."""
    """Claims without a finished evaluation until an item is parked (S-82)."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who stamps checkpoints with the time (RFC 3161), and the certificates to believe."""

    url: str
    certificates: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The log of the trail: its files, its name, its key, who is told of it.

    `key_file` and `state_file` belong to the sealer alone (S-91). `witnesses` is
    a file in the syntax of C2SP tlog-policy.
    """

    folder: Path
    origin: str
    key_file: Path
    state_file: Path
    witnesses: Path | None = None
    publish: tuple[Target, ...] = ()
    publish_every: timedelta = timedelta(seconds=60)
    timestamps: Authority | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The Internet, or a laboratory, as the scanner is to see it."""

    dns: Dns
    hints: Hints
    anchors: tuple[Anchor, ...]
    anchor_text: str
    """What the anchors were read from; `services.trusting` says if they count."""

    def scanner(
        self, *, clock: Callable[[], datetime], port: int | None = None
    ) -> Scanner:
        """Return eyes that remember nothing; `port` replaces the usual one."""
        rate = self.dns.lab_rate
        return Scanner(
            hints=self.hints,
            anchors=self.anchors,
            clock=clock,
            egress=Egress(allowed=self.dns.allowed, denied=self.dns.denied),
            lab_pace=replace(UNLIMITED, queries_a_second=rate) if rate else UNLIMITED,
            port=self.dns.port if port is None else port,
            sources=self.dns.sources,
        )

    def control(self, count: int = 4) -> tuple[str, ...]:
        """Return addresses of root servers, of families that our site has."""
        addresses = (address for _name, found in self.hints for address in found)
        usable = (
            address
            for address in addresses
            if ipaddress.ip_address(address).version not in self.dns.skip_families
        )
        return tuple(islice(usable, count))


def world() -> World:
    """Return what the scanner starts from; reads the two files.

    Raises:
        Unusable: a variable holds nonsense, or names a file that does.
    """
    found = dns()
    return World(
        dns=found,
        hints=_read("DNS_ROOT_HINTS", found.root_hints, read_hints),
        anchors=_read("DNS_TRUST_ANCHORS", found.trust_anchors, read_anchors),
        anchor_text=_read("DNS_TRUST_ANCHORS", found.trust_anchors, str),
    )


def _read(variable: str, path: Path, read: Callable[[str], T]) -> T:
    try:
        return read(path.read_text())
    except (OSError, UnicodeDecodeError, HintsMalformed, AnchorsMalformed) as exc:
        raise Unusable(variable, f"{path}: {exc}") from exc


def dns() -> Dns:
    """Return the DNS settings.

    Raises:
        Unusable: a variable holds nonsense.
    """
    read = Reader(settings.BOOTSTRAP)
    return Dns(
        root_hints=read.file("DNS_ROOT_HINTS"),
        trust_anchors=read.file("DNS_TRUST_ANCHORS"),
        port=read.number("DNS_PORT", 1, MAX_PORT),
        allowed=read.networks("DNS_ALLOWED_NETWORKS"),
        denied=read.networks("DNS_DENIED_NETWORKS"),
        lab_rate=read.rate("DNS_LAB_PACE"),
        sources=read.addresses("DNS_SOURCE_ADDRESSES"),
        skip_families=read.families("DNS_SKIP_FAMILIES"),
    )


def scanning() -> Scanning:
    """Return how scans are drained.

    Raises:
        Unusable: a variable holds nonsense.
    """
    read = Reader(settings.BOOTSTRAP)
    found = Scanning(
        batch=read.number("SCAN_BATCH", 1, 10_000),
        at_once=read.number("SCAN_AT_ONCE", 1, 10_000),
        lease=timedelta(seconds=read.number("SCAN_LEASE_SECONDS", 1, 86_400)),
        burst=timedelta(seconds=read.number("SCAN_BURST_SECONDS", 1, 86_400)),
        cpu_seconds=read.number("SCAN_CPU_SECONDS", 0, 3_600),
        memory=read.number("SCAN_MEMORY_MIB", 0, 1_000_000),
        deaths=read.number("SCAN_DEATHS", 1, 100),
        full_every=read.number("SCAN_FULL_DAYS", 1, 365),
    )
    if found.burst >= found.lease:
        raise Unusable("SCAN_BURST_SECONDS", "must be below SCAN_LEASE_SECONDS")
    return found


def discovering() -> timedelta:
    """Return how often a nameserver's list of signals is looked at; 0 for never.

    Raises:
        Unusable: the variable holds nonsense.
    """
    read = Reader(settings.BOOTSTRAP)
    return timedelta(minutes=read.number("DISCOVERY_MINUTES", 0, 100_000))


def publish_stop_file() -> Path | None:
    """Return the file that stops all publication while it exists (S-71)."""
    text = str(settings.BOOTSTRAP["PUBLISH_STOP_FILE"]).strip()
    return Path(text) if text else None


def publisher_state_file() -> Path | None:
    """Return where the publisher keeps how far it has come (S-96)."""
    text = str(settings.BOOTSTRAP["PUBLISHER_STATE_FILE"]).strip()
    return Path(text) if text else None


def breaker_limits() -> Limits:
    """Return what one hour may bring until a breaker opens (S-68, S-69).

    Raises:
        Unusable: not of the form `name=number name=number …`.
    """
    variable = "BREAKER_LIMITS"
    given: dict[str, Any] = {}
    known: dict[str, Callable[[str], float]] = {
        field.name: int if isinstance(field.default, int) else float
        for field in fields(Limits)
    }
    for word in str(settings.BOOTSTRAP[variable]).replace(",", " ").split():
        name, _, text = word.partition("=")
        if name not in known:
            choices = ", ".join(known)
            raise Unusable(variable, f"{name!r} is no limit; there are {choices}")
        try:
            given[name] = known[name](text)
        except ValueError as exc:
            raise Unusable(variable, f"{word!r} holds no number") from exc
        if not 0 <= given[name] < float("inf"):
            raise Unusable(variable, f"{word!r} is below nothing or without end")
    return Limits(**given)


def webhooks() -> Egress:
    """Return which addresses webhooks may be sent to (S-112).

    Raises:
        Unusable: a variable holds nonsense.
    """
    read = Reader(settings.BOOTSTRAP)
    return Egress(
        allowed=read.networks("WEBHOOK_ALLOWED_NETWORKS"),
        denied=read.networks("DNS_DENIED_NETWORKS"),
    )


def log_folder() -> Path:
    """Return where the files of the log are."""
    return Path(str(settings.BOOTSTRAP["AUDIT_LOG_DIR"]))


def scan_details() -> timedelta:
    """Return for how long routine evaluations keep their evidence (P-8.36).

    Raises:
        Unusable: the variable holds nonsense.
    """
    read = Reader(settings.BOOTSTRAP)
    return timedelta(days=read.number("SCAN_DETAIL_DAYS", 1, 36_500))


def witnesses_file() -> Path | None:
    """Return the policy that names the witnesses of the log, if there is one."""
    text = str(settings.BOOTSTRAP["AUDIT_WITNESSES"]).strip()
    return Path(text) if text else None


def ledger() -> Ledger:
    """Return how the trail is sealed; for the sealer.

    Raises:
        Unusable: a variable holds nonsense, or the log has no name or key.
    """
    read = Reader(settings.BOOTSTRAP)
    origin = str(settings.BOOTSTRAP["AUDIT_ORIGIN"]).strip()
    if not origin or "+" in origin or any(c.isspace() for c in origin):
        raise Unusable(
            "AUDIT_ORIGIN",
            "must name the log, without spaces and plus signs, for as long as it"
            " lives: portal.registry.example/audit/2026",
        )
    key_file = str(settings.BOOTSTRAP["AUDIT_KEY_FILE"])
    if not key_file:
        raise Unusable("AUDIT_KEY_FILE", "must name the file of the log's key")
    state_file = str(settings.BOOTSTRAP["AUDIT_STATE_FILE"]) or f"{key_file}.state"
    witnesses = str(settings.BOOTSTRAP["AUDIT_WITNESSES"])
    seconds = read.number("AUDIT_PUBLISH_SECONDS", 1, 86_400)
    return Ledger(
        folder=log_folder(),
        origin=origin,
        key_file=Path(key_file),
        state_file=Path(state_file),
        witnesses=read.file("AUDIT_WITNESSES") if witnesses else None,
        publish=read.targets("AUDIT_PUBLISH"),
        publish_every=timedelta(seconds=seconds),
        timestamps=_authority(read),
    )


def _authority(read: Reader) -> Authority | None:
    url = str(settings.BOOTSTRAP["AUDIT_TSA"]).strip()
    if not url:
        return None
    if not url.startswith(("http://", "https://")):
        raise Unusable("AUDIT_TSA", "must be the http or https address of an authority")
    return Authority(url, read.file("AUDIT_TSA_CERTIFICATES"))


def publishes() -> bool:
    """Say whether workers of the queue may speak to parents' primaries.

    Off by default: a process of its own holds those credentials (`publisher`).
    """
    return bool(settings.BOOTSTRAP["WORKER_PUBLISHES"])
