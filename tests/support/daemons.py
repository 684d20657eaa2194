"""Real servers from Debian, each in a folder of its own, on loopback only.

Every daemon runs in the foreground as a child of the test process, on an
address of 127.0.0.0/8 (or ::1), and is gone when its `with` block ends.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin"
PATIENCE = 30.0
"""Seconds until a daemon must answer."""


def program(name: str) -> str | None:
    """Return the path of an installed program."""
    return shutil.which(name, path=PATH)


def missing(*names: str) -> list[str]:
    """Return those programs that are not installed."""
    return [name for name in names if program(name) is None]


def run(*command: str | Path, **options: object) -> str:
    """Run a tool to its end and return what it printed; failure raises."""
    parts = [program(str(command[0])) or str(command[0]), *map(str, command[1:])]
    done = subprocess.run(  # type: ignore[call-overload]  # options are passed on
        parts, capture_output=True, text=True, check=False, timeout=120, **options
    )
    if done.returncode:
        raise RuntimeError(f"{parts}: {done.stdout}{done.stderr}")
    return str(done.stdout)


class DaemonFailed(Exception):
    """The daemon ended or never answered; the message holds its log."""


@dataclass
class Daemon:
    """A process that serves `addresses` until the block ends."""

    folder: Path
    addresses: Sequence[str]
    port: int = 53
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def command(self) -> list[str]:
        """Return the command that runs it in the foreground."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Write the configuration."""
        raise NotImplementedError

    @property
    def log(self) -> Path:
        """Where the daemon's output goes."""
        return self.folder / "daemon.log"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prepare()
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it answers on every address."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PATH": PATH},
            )
        deadline = time.monotonic() + PATIENCE
        for address in self.addresses:
            while not self.answers(address):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise DaemonFailed(self.log.read_text(errors="replace")[-4000:])
                time.sleep(0.05)

    def answers(self, address: str) -> bool:
        """Say whether something accepts TCP there."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.settimeout(0.5)
            return probe.connect_ex((address, self.port)) == 0

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process and wait for it."""
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the daemon's folder; the text is dedented."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return path


@dataclass
class Tsig:
    """A TSIG key: HMAC-SHA-256, base64 secret."""

    name: str
    secret: str

    def file(self, path: Path) -> Path:
        """Write the key in BIND's form, readable by its owner only."""
        path.write_text(
            f'key "{self.name}" {{\n    algorithm hmac-sha256;\n'
            f'    secret "{self.secret}";\n}};\n'
        )
        path.chmod(0o600)
        return path


@dataclass
class Knot(Daemon):
    """Knot DNS; zones are given as text, signed by itself where asked.

    `signed` zones get one key each (CSK), made before the start so that its DS
    can go into the parent. `updaters` may change DS records only; `mirrors`
    may transfer.
    """

    zones: dict[str, str] = field(default_factory=dict)
    signed: Sequence[str] = ()
    algorithm: str = "ecdsap256sha256"
    nsec3: bool = False
    updater: Tsig | None = None
    secondaries: Sequence[str] = ()

    def prepare(self) -> None:
        """Write knot.conf and the zone files."""
        for zone, text in self.zones.items():
            self.write(self.zone_file(zone).name, text)
        keys = acl = ""
        notify = "".join(
            f"  - id: peer{n}\n    address: {address}@{self.port}\n"
            for n, address in enumerate(self.secondaries)
        )
        if self.updater:
            keys = (
                f"key:\n  - id: {self.updater.name}\n    algorithm: hmac-sha256\n"
                f"    secret: {self.updater.secret}\n"
            )
            acl = (
                f"  - id: ds-only\n    key: {self.updater.name}\n    action: update\n"
                "    update-type: [DS]\n"
                f"  - id: mirror\n    key: {self.updater.name}\n    action: transfer\n"
            )
        listen = ", ".join(f"{address}@{self.port}" for address in self.addresses)
        secondaries = ", ".join(f"{a}/32" for a in self.secondaries)
        if secondaries:
            acl += (
                f"  - id: peers\n    address: [{secondaries}]\n    action: transfer\n"
            )
        conf = (
            f"server:\n  rundir: {self.folder}\n  user: root:root\n"
            f"  listen: [{listen}]\n"
            f"log:\n  - target: stderr\n    any: info\n"
            f"database:\n  storage: {self.folder}/db\n{keys}"
        )
        if notify:
            conf += f"remote:\n{notify}"
        if acl:
            conf += f"acl:\n{acl}"
        conf += (
            f"policy:\n  - id: csk\n    algorithm: {self.algorithm}\n"
            "    single-type-signing: on\n    cds-cdnskey-publish: none\n"
            f"    nsec3: {'on' if self.nsec3 else 'off'}\n    nsec3-iterations: 0\n"
            "    nsec3-salt-length: 0\n"
        )
        conf += "zone:\n" + "".join(self.zone_section(zone) for zone in self.zones)
        self.write("knot.conf", conf)
        (self.folder / "db").mkdir(exist_ok=True)
        for zone in self.signed if not (self.folder / "db" / "keys").exists() else ():
            self.keymgr(
                zone, "generate", f"algorithm={self.algorithm}", "ksk=yes", "zsk=yes"
            )

    def zone_section(self, zone: str) -> str:
        """Return the configuration of one zone."""
        text = f"  - domain: {zone}\n    storage: {self.folder}\n    file: {self.zone_file(zone).name}\n"
        if zone in self.signed:
            text += "    dnssec-signing: on\n    dnssec-policy: csk\n"
        acls = ["ds-only", "mirror"] if self.updater and zone in self.signed else []
        if self.secondaries:
            acls.append("peers")
            peers = ", ".join(f"peer{n}" for n in range(len(self.secondaries)))
            text += f"    notify: [{peers}]\n"
        return text + (f"    acl: [{', '.join(acls)}]\n" if acls else "")

    def zone_file(self, zone: str) -> Path:
        """Return where the zone's text stands."""
        return self.folder / (f"{zone.rstrip('.') or 'root'}.zone")

    def keymgr(self, zone: str, *arguments: str) -> str:
        """Run keymgr on this instance's keys."""
        return run("keymgr", "-c", self.folder / "knot.conf", zone, *arguments)

    def ds(self, zone: str) -> list[str]:
        """Return the zone's DS with SHA-256, as zone file lines."""
        lines = self.keymgr(zone, "ds").splitlines()
        return [line for line in lines if line.split()[4] == "2"]

    def command(self) -> list[str]:
        """Return knotd's command line."""
        return [program("knotd") or "knotd", "-c", str(self.folder / "knot.conf")]


def _change_loopback(verb: str, addresses: Sequence[str]) -> None:
    """Add addresses to the loopback interface, or take them away (needs root)."""
    present = run("ip", "-o", "address", "show", "dev", "lo")
    wanted = [
        address
        for address in addresses
        if ":" not in address
        and address != "127.0.0.1"
        and (f" {address}/" in present) == (verb == "del")
    ]
    lines = "".join(f"address {verb} {one}/32 dev lo\n" for one in wanted)
    run("ip", "-batch", "-", input=lines)


@dataclass
class Bind(Daemon):
    """BIND 9: plain (pre-signed) primaries, and secondaries of another server."""

    zones: dict[str, str] = field(default_factory=dict)
    secondary_of: dict[str, str] = field(default_factory=dict)
    """Zone and the address of its primary (same port)."""
    extra: str = ""

    def prepare(self) -> None:
        """Write named.conf and the zone files."""
        v4 = "; ".join(a for a in self.addresses if ":" not in a)
        v6 = "; ".join(a for a in self.addresses if ":" in a) or "none"
        conf = (
            f'options {{ directory "{self.folder}"; pid-file none;\n'
            f"  listen-on port {self.port} {{ {v4 or 'none'}; }};\n"
            f"  listen-on-v6 port {self.port} {{ {v6}; }};\n"
            "  tcp-clients 1000; recursion no; allow-transfer { any; }; notify no;\n"
            "  dnssec-validation no; minimal-responses yes; };\n"
            "controls { };\n"
        )
        for zone, text in self.zones.items():
            name = f"{zone.rstrip('.') or 'root'}.zone"
            self.write(name, text)
            conf += f'zone "{zone}" {{ type primary; file "{name}"; check-names ignore; }};\n'
        for zone, primary in self.secondary_of.items():
            conf += (
                f'zone "{zone}" {{ type secondary; masterfile-format text;\n'
                f"  primaries port {self.port} {{ {primary}; }};\n"
                f"  transfer-source {self.addresses[0]}; min-refresh-time 1;\n"
                f"  allow-notify {{ any; }}; max-refresh-time 2;\n"
                f'  file "{zone.rstrip(".")}.secondary"; }};\n'
            )
        self.write("named.conf", conf + self.extra)

    def start(self) -> None:
        """Start, on addresses that an interface really has: named asks for that."""
        _change_loopback("add", self.addresses)
        super().start()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process and take its addresses away again."""
        super().stop(how)
        _change_loopback("del", self.addresses)

    def command(self) -> list[str]:
        """Return named's command line."""
        return [
            program("named") or "named",
            "-g",
            "-c",
            str(self.folder / "named.conf"),
            "-n",
            "1",
        ]


@dataclass
class Nsd(Daemon):
    """NSD: pre-signed zones only."""

    zones: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Write nsd.conf and the zone files."""
        addresses = "".join(f"  ip-address: {a}@{self.port}\n" for a in self.addresses)
        conf = (
            f'server:\n{addresses}  username: ""\n  chroot: ""\n'
            f'  zonesdir: {self.folder}\n  pidfile: ""\n  database: ""\n'
            f"  xfrdfile: {self.folder}/xfrd\n  zonelistfile: {self.folder}/zones\n"
            f"  xfrdir: {self.folder}\n  server-count: 1\n  ip-transparent: no\n"
            "  tcp-count: 1000\n"
            "remote-control:\n  control-enable: no\n"
        )
        for zone, text in self.zones.items():
            name = f"{zone.rstrip('.') or 'root'}.zone"
            self.write(name, text)
            conf += f'zone:\n  name: "{zone}"\n  zonefile: {name}\n'
        self.write("nsd.conf", conf)

    def command(self) -> list[str]:
        """Return nsd's command line."""
        return [program("nsd") or "nsd", "-d", "-c", str(self.folder / "nsd.conf")]


@dataclass
class PowerDns(Daemon):
    """PowerDNS with the BIND backend; it signs live and publishes CDS itself."""

    zones: dict[str, str] = field(default_factory=dict)
    signed: Sequence[str] = ()

    def prepare(self) -> None:
        """Write pdns.conf, the zone files and the keys."""
        named = ""
        for zone, text in self.zones.items():
            name = f"{zone.rstrip('.') or 'root'}.zone"
            path = self.write(name, text)
            named += f'zone "{zone.rstrip(".")}" {{ type master; file "{path}"; }};\n'
        self.write("named.conf", named)
        self.write(
            "pdns.conf",
            f"""
            launch=bind
            bind-config={self.folder}/named.conf
            bind-dnssec-db={self.folder}/keys.sqlite
            local-address={",".join(self.addresses)}
            local-port={self.port}
            socket-dir={self.folder}
            module-dir=/usr/lib/{os.uname().machine}-linux-gnu/pdns
            default-ksk-algorithm=ecdsa256
            default-publish-cds=2
            default-publish-cdnskey=1
            guardian=no
            daemon=no
            disable-syslog=yes
            security-poll-suffix=
            cache-ttl=0
            query-cache-ttl=0
            negquery-cache-ttl=0
            """,
        )
        if (self.folder / "keys.sqlite").exists():
            return
        self.pdnsutil("create-bind-db", str(self.folder / "keys.sqlite"))
        for zone in self.signed:
            self.pdnsutil("add-zone-key", zone, "ksk", "active", "ecdsa256")

    def pdnsutil(self, *arguments: str) -> str:
        """Run pdnsutil on this instance."""
        return run("pdnsutil", f"--config-dir={self.folder}", *arguments)

    def command(self) -> list[str]:
        """Return pdns_server's command line."""
        return [program("pdns_server") or "pdns_server", f"--config-dir={self.folder}"]


@dataclass
class Unbound(Daemon):
    """Unbound as the rest of the world: a validating resolver from the lab's root."""

    hints: str = ""
    anchor: str = ""
    """DS of the root in presentation form."""

    def prepare(self) -> None:
        """Write unbound.conf, hints and anchor."""
        self.write("hints", self.hints)
        self.write("anchor", self.anchor)
        interfaces = "".join(f"  interface: {a}@{self.port}\n" for a in self.addresses)
        self.write(
            "unbound.conf",
            f'server:\n{interfaces}  username: ""\n  chroot: ""\n  pidfile: ""\n'
            f"  directory: {self.folder}\n  do-not-query-localhost: no\n"
            f"  root-hints: {self.folder}/hints\n  trust-anchor-file: {self.folder}/anchor\n"
            "  access-control: 127.0.0.0/8 allow\n  access-control: ::1 allow\n"
            "  do-ip6: yes\n  num-threads: 1\n  cache-max-ttl: 1\n  cache-max-negative-ttl: 1\n"
            "  infra-host-ttl: 1\n  outbound-msg-retry: 3\n  verbosity: 1\n"
            '  module-config: "validator iterator"\n'
            # The lab's zones are under .test and other names that ship as local.
            '  local-zone: "test." nodefault\n  local-zone: "example." nodefault\n'
            "remote-control:\n  control-enable: no\n",
        )

    def command(self) -> list[str]:
        """Return unbound's command line."""
        return [
            program("unbound") or "unbound",
            "-d",
            "-p",
            "-c",
            str(self.folder / "unbound.conf"),
        ]


@dataclass
class Postgres(Daemon):
    """A throw-away PostgreSQL cluster, without fsync, owned by `postgres` when root."""

    port: int = 5433

    @property
    def url(self) -> str:
        """The value of DATABASE_URL."""
        return f"postgres://postgres@{self.addresses[0]}:{self.port}/portal"

    @staticmethod
    def binaries() -> Path | None:
        """Return the folder of the newest installed server, if there is one."""
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        return found[-1].parent if found else None

    def prepare(self) -> None:
        """Make the cluster."""
        binaries = self.binaries()
        if binaries is None:
            raise DaemonFailed("PostgreSQL is not installed")
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            self.open_path()
        data = self.folder / "data"
        if not data.exists():
            self.as_owner(
                str(binaries / "initdb"),
                "-D",
                str(data),
                "-U",
                "postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            )
        self.log.touch()
        self.log.chmod(0o666)

    def open_path(self) -> None:
        """Let the server's user reach its folder: a private parent hides it."""
        parent = self.folder.parent
        if parent.owner() == "root" and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)

    def owner_prefix(self) -> list[str]:
        """Return what runs a command as the cluster's owner."""
        return (
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            if os.geteuid() == 0
            else []
        )

    def as_owner(self, *command: str) -> str:
        """Run a tool as the cluster's owner."""
        return run(*self.owner_prefix(), *command, cwd=self.folder)

    def command(self) -> list[str]:
        """Return postgres's command line."""
        binaries = self.binaries() or Path("/usr/bin")
        settings = {
            "listen_addresses": self.addresses[0],
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": 200,
        }
        options = [part for k, v in settings.items() for part in ("-c", f"{k}={v}")]
        return [
            *self.owner_prefix(),
            str(binaries / "postgres"),
            "-D",
            str(self.folder / "data"),
            *options,
        ]

    def start(self) -> None:
        """Start, then make the database."""
        super().start()
        deadline = time.monotonic() + PATIENCE
        listed = ""
        while not listed:
            try:
                listed = self.psql("SELECT datname FROM pg_database")
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        if "portal" not in listed.split():
            self.psql("CREATE DATABASE portal")

    def psql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement as superuser."""
        return run(
            "psql",
            "-h",
            self.addresses[0],
            "-p",
            str(self.port),
            "-U",
            "postgres",
            "-At",
            "-c",
            statement,
            database,
        )

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Fast shutdown: sessions are ended."""
        super().stop(how)


def versions() -> dict[str, str]:
    """Return what is installed, for the heading of a test run."""
    commands = {
        "knot": ["knotd", "--version"],
        "bind": ["named", "-V"],
        "nsd": ["nsd", "-v"],
        "powerdns": ["pdns_server", "--version"],
        "unbound": ["unbound", "-V"],
        "postgresql": ["psql", "--version"],
        "chromium": ["chromium", "--version"],
    }
    found = {}
    for name, command in commands.items():
        if path := program(command[0]):
            done = subprocess.run(
                [path, *command[1:]],
                capture_output=True,
                text=True,
                check=False,
                timeout=20,
            )
            lines = (done.stdout + done.stderr).strip().splitlines()
            found[name] = lines[0].strip() if lines else "?"
        else:
            found[name] = "not installed"
    return found
