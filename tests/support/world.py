"""A small Internet of real servers, on loopback, port 53.

    .               Knot (signs)               127.53.0.1
    example.        Knot (signs, UPDATE, AXFR)  127.53.0.2   the registry's primary
                    BIND (secondary)            127.53.0.3
    net.            NSD (RSA/SHA-256)           127.53.0.4
    op1.net.        BIND (ECDSA P-256)          127.53.1.1   ns1.op1.net, _signal.ns1
    op2.net.        NSD (Ed25519)               127.53.1.2   ns2.op2.net, _signal.ns2
    op3.net.        PowerDNS (signs live)       127.53.1.3   ns3.op3.net, _signal.ns3
                                                ::1

Children of example., all without DS at the start:

    good, ed        at op1 and op2: signed (P-256, Ed25519), CDS, signals: all well
    live            at op3: PowerDNS signs and publishes CDS by itself
    partial         at op1 and op2: no signal under ns2
    unsigned        at op1 and op2
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.daemons import Bind, Knot, Nsd, PowerDns, Tsig
from tests.support.signing import Signer

ROOT = "127.53.0.1"
PARENT = "127.53.0.2"
PARENT_SECONDARY = "127.53.0.3"
NET = "127.53.0.4"
OP1 = "127.53.1.1"
OP2 = "127.53.1.2"
OP3 = "127.53.1.3"
OP3_IPV6 = "::1"
PROGRAMS = (
    "knotd",
    "keymgr",
    "named",
    "dnssec-signzone",
    "nsd",
    "pdns_server",
    "pdnsutil",
)
NETWORKS = "127.0.0.0/8,::1/128"
"""What DNS_ALLOWED_NETWORKS must be for this world."""


def soa(zone: str, server: str) -> str:
    """Return TTL, SOA and NS lines; short times, since nobody should cache."""
    return (
        f"$TTL 60\n{zone} 60 IN SOA {server} hostmaster.{server} 1 3600 600 86400 10\n"
        f"{zone} 60 IN NS {server}\n"
    )


@dataclass
class World:
    """The running servers, and what a validator and a registry need to know."""

    folder: Path
    root: Knot
    parent: Knot
    secondary: Bind
    op1: Bind
    op2: Nsd
    op3: PowerDns
    tsig: Tsig

    @property
    def hints(self) -> Path:
        """A root hints file."""
        path = self.folder / "root.hints"
        path.write_text(f". 3600 IN NS a.root.\na.root. 3600 IN A {ROOT}\n")
        return path

    @property
    def anchors(self) -> Path:
        """A trust anchor file: the root's DS."""
        path = self.folder / "root.anchor"
        path.write_text("\n".join(self.root.ds(".")) + "\n")
        return path

    @property
    def tsig_file(self) -> Path:
        """The key that may change DS records at the parent."""
        return self.tsig.file(self.folder / "registry.key")

    def environment(self) -> dict[str, str]:
        """Return the settings with which the product lives in this world."""
        return {
            "DNS_ROOT_HINTS": str(self.hints),
            "DNS_TRUST_ANCHORS": str(self.anchors),
            "DNS_ALLOWED_NETWORKS": NETWORKS,
            "DNS_LAB_PACE": "unlimited",
        }


def child_zone(name: str, servers: list[str], extra: str = "") -> str:
    """Return an unsigned child zone."""
    others = "".join(f"{name} 60 IN NS {server}\n" for server in servers[1:])
    return (
        soa(name, servers[0]) + others + f"www.{name} 60 IN A 192.0.2.80\n"
        f'{name} 60 IN TXT "a child"\n' + extra
    )


@contextmanager
def running(folder: Path) -> Iterator[World]:
    """Start all servers; they are gone when the block ends."""
    keys = folder / "keys"
    tsig = Tsig("registry", base64.b64encode(secrets.token_bytes(32)).decode())
    both = ["ns1.op1.net.", "ns2.op2.net."]

    children = {
        "good.example.": Signer(keys, "good.example."),
        "ed.example.": Signer(keys, "ed.example.", "ED25519"),
        "partial.example.": Signer(keys, "partial.example."),
    }
    zones = {
        name: key.sign(child_zone(name, both, key.request(name)))
        for name, key in children.items()
    }
    zones["unsigned.example."] = child_zone("unsigned.example.", both)

    signals = {1: "", 2: ""}
    for name, key in children.items():
        for number in signals:
            if (name, number) != ("partial.example.", 2):
                host = both[number - 1]
                signals[number] += key.request(f"_dsboot.{name}_signal.{host}")

    op1, op1_ds = _operator(
        keys, "op1.net.", "ns1.op1.net.", OP1, signals[1], "ECDSAP256SHA256"
    )
    op2, op2_ds = _operator(
        keys, "op2.net.", "ns2.op2.net.", OP2, signals[2], "ED25519"
    )

    with ExitStack() as stack:
        op3 = stack.enter_context(_power_dns(folder / "op3"))
        net_key = Signer(keys, "net.", "RSASHA256")
        net = net_key.sign(
            soa("net.", "ns.net.")
            + f"ns.net. 60 IN A {NET}\n"
            + f"op1.net. 60 IN NS ns1.op1.net.\nns1.op1.net. 60 IN A {OP1}\nop1.net. 60 IN DS {op1_ds}\n"
            + f"op2.net. 60 IN NS ns2.op2.net.\nns2.op2.net. 60 IN A {OP2}\nop2.net. 60 IN DS {op2_ds}\n"
            + f"op3.net. 60 IN NS ns3.op3.net.\nns3.op3.net. 60 IN A {OP3}\n"
            + f"ns3.op3.net. 60 IN AAAA {OP3_IPV6}\nop3.net. 60 IN DS {_pdns_ds(op3, 'op3.net')}\n"
        )
        stack.enter_context(Nsd(folder / "net", [NET], zones={"net.": net}))
        bind = stack.enter_context(Bind(folder / "op1", [OP1], zones={**op1, **zones}))
        nsd = stack.enter_context(Nsd(folder / "op2", [OP2], zones={**op2, **zones}))

        delegations = "".join(
            f"{name} 60 IN NS {host}\n" for name in zones for host in both
        )
        parent = stack.enter_context(
            Knot(
                folder / "parent",
                [PARENT],
                signed=["example."],
                updater=tsig,
                secondaries=[PARENT_SECONDARY],
                zones={
                    "example.": soa("example.", "ns1.nic.example.")
                    + "example. 60 IN NS ns2.nic.example.\n"
                    + f"ns1.nic.example. 60 IN A {PARENT}\nns2.nic.example. 60 IN A {PARENT_SECONDARY}\n"
                    + delegations
                    + "live.example. 60 IN NS ns3.op3.net.\n"
                },
            )
        )
        secondary = stack.enter_context(
            Bind(
                folder / "secondary",
                [PARENT_SECONDARY],
                secondary_of={"example.": PARENT},
            )
        )
        root = stack.enter_context(
            Knot(
                folder / "root",
                [ROOT],
                signed=["."],
                zones={
                    ".": soa(".", "a.root.")
                    + f"a.root. 60 IN A {ROOT}\n"
                    + f"net. 60 IN NS ns.net.\nns.net. 60 IN A {NET}\nnet. 60 IN DS {net_key.ds}\n"
                    + "example. 60 IN NS ns1.nic.example.\nexample. 60 IN NS ns2.nic.example.\n"
                    + f"ns1.nic.example. 60 IN A {PARENT}\nns2.nic.example. 60 IN A {PARENT_SECONDARY}\n"
                    + "\n".join(parent.ds("example."))
                    + "\n"
                },
            )
        )
        yield World(folder, root, parent, secondary, bind, nsd, op3, tsig)


def _operator(
    keys: Path, zone: str, host: str, address: str, signals: str, algorithm: str
) -> tuple[dict[str, str], str]:
    """Return an operator's zone and its signaling zone, signed, and the DS."""
    signaling = f"_signal.{host}"
    signal_key = Signer(keys, signaling, algorithm)
    own_key = Signer(keys, zone, algorithm)
    signed = {
        signaling: signal_key.sign(soa(signaling, host) + signals),
        zone: own_key.sign(
            soa(zone, host) + f"{host} 60 IN A {address}\n"
            f"{signaling} 60 IN NS {host}\n{signaling} 60 IN DS {signal_key.ds}\n"
        ),
    }
    return signed, own_key.ds


def _pdns_ds(server: PowerDns, zone: str) -> str:
    """Return the SHA-256 DS rdata of a zone that PowerDNS signs."""
    lines = server.pdnsutil("export-zone-ds", zone).splitlines()
    rdata = [line.split("DS", 1)[1].split(";")[0].split() for line in lines]
    return next(" ".join(fields) for fields in rdata if fields[2] == "2")


def _power_dns(folder: Path) -> PowerDns:
    """Return the third operator: keys are made before the signals are written."""
    host, zone, signaling = "ns3.op3.net.", "op3.net.", "_signal.ns3.op3.net."
    own = soa(zone, host) + f"{host} 60 IN A {OP3}\n{host} 60 IN AAAA {OP3_IPV6}\n"
    server = PowerDns(
        folder,
        [OP3, OP3_IPV6],
        zones={
            zone: own,
            signaling: soa(signaling, host),
            "live.example.": child_zone("live.example.", [host]),
        },
        signed=["op3.net", signaling.rstrip("."), "live.example"],
    )
    folder.mkdir(parents=True, exist_ok=True)
    server.prepare()
    ds = _pdns_ds(server, "live.example")
    shown = server.pdnsutil("show-zone", "live.example").splitlines()
    line = next(line for line in shown if " IN DNSKEY " in line)
    key = line.split(" IN DNSKEY ", 1)[1].split(";")[0].strip()
    owner = f"_dsboot.live.example.{signaling}"
    server.zones[signaling] += f"{owner} 60 IN CDS {ds}\n{owner} 60 IN CDNSKEY {key}\n"
    server.zones[zone] += (
        f"{signaling} 60 IN NS {host}\n"
        f"{signaling} 60 IN DS {_pdns_ds(server, signaling.rstrip('.'))}\n"
    )
    return server
