"""Real servers in odd states: stopped, crowded, forgetful, resolving, signing live."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

import dns.message
import dns.query

from bootstrap.core.dns.names import Name
from bootstrap.core.evaluation.plan import APEX_TYPES
from bootstrap.lab.keys import ZoneKey
from tests.support.daemons import Bind, Knot, Nsd, PowerDns


class Hung(Nsd):
    """NSD, stopped in its tracks: connections are taken and nothing comes."""

    def start(self) -> None:
        """Start, then stop all its processes."""
        super().start()
        self._tell(signal.SIGSTOP)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Let it go on, so that it can end."""
        self._tell(signal.SIGCONT)
        super().stop(how)

    def _tell(self, what: signal.Signals) -> None:
        if self.process is not None:
            for pid in (self.process.pid, *_below(self.process.pid)):
                os.kill(pid, what)


def _below(pid: int) -> list[int]:
    """Return a process's children and theirs."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [one for child in map(int, children) for one in (child, *_below(child))]


class Crowded(Nsd):
    """NSD with room for one connection, which somebody else has: UDP alone works."""

    def prepare(self) -> None:
        """Leave that much room, and let its holder keep it."""
        super().prepare()
        path = self.folder / "nsd.conf"
        room = re.sub(r"tcp-count: \d+", "tcp-count: 1", path.read_text())
        path.write_text(room.replace("server:\n", "server:\n  tcp-timeout: 600\n", 1))

    def start(self) -> None:
        """Start, then take the one place."""
        super().start()
        self.holder = socket.create_connection((self.addresses[0], self.port))

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Let it go, and end."""
        self.holder.close()
        super().stop(how)


class Forgetful(Nsd):
    """NSD whose zone files are gone."""

    def prepare(self) -> None:
        """Write all, and lose the zones."""
        super().prepare()
        for path in self.folder.glob("*.zone"):
            path.unlink()


class SigningLive(Knot):
    """Knot that makes each proof for the question, with keys that we give it."""

    keys: Mapping[str, ZoneKey]

    def prepare(self) -> None:
        """Write the configuration, then import the keys."""
        super().prepare()
        path = self.folder / "knot.conf"
        conf = path.read_text().replace(
            "zone:\n", "mod-onlinesign:\n  - id: live\n    policy: csk\nzone:\n"
        )
        for zone in self.zones:
            line = f"    file: {self.zone_file(zone).name}\n"
            conf = conf.replace(line, f"{line}    module: mod-onlinesign/live\n")
        path.write_text(conf)
        for zone, key in self.keys.items():
            pem = self.folder / f"{zone}pem"
            pem.write_bytes(key.private.to_pem())
            number = f"algorithm={key.key.algorithm}"
            self.keymgr(zone, "import-pem", str(pem), number, "ksk=yes", "zsk=yes")


class Recursor(Bind):
    """BIND as a resolver that tells whoever asks what it has heard."""

    def prepare(self) -> None:
        """Resolve from the laboratory's root, for everybody."""
        super().prepare()
        path = self.folder / "named.conf"
        conf = path.read_text().replace(
            "recursion no;",
            "recursion yes; allow-recursion { any; }; allow-query-cache { any; };\n"
            f"  query-source address {self.addresses[0]}; empty-zones-enable no;",
        )
        path.write_text(conf)

    def hear(self, name: Name) -> None:
        """Let it look up what will be asked of it."""
        for rdtype in APEX_TYPES:
            query = dns.message.make_query(name, rdtype, want_dnssec=True)
            dns.query.tcp(query, self.addresses[0], port=self.port, timeout=10)


class Presigned(PowerDns):
    """PowerDNS with zones that somebody else signed."""

    def prepare(self) -> None:
        """Say of each zone that its signatures came with it, and how it denies."""
        super().prepare()
        for zone, text in self.zones.items():
            name = zone.rstrip(".")
            self.pdnsutil("set-presigned", name)
            if found := re.search(r" NSEC3PARAM (\S+ \S+ \S+ \S+)", text):
                self.pdnsutil("set-nsec3", name, found[1])
