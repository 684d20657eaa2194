"""Real primaries for one test zone: Knot and BIND, each with a key for DS only."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from bootstrap.core.dns.names import parse_name
from bootstrap.registry.addresses import Endpoint
from bootstrap.registry.dynamic_update import DynamicUpdate
from bootstrap.registry.tsigkeys import parse_key
from tests.support.daemons import Bind, Knot, Tsig

PARENT = "test."
UPDATER = Tsig("updater", base64.b64encode(b"u" * 32).decode())
STRANGER = Tsig("stranger", base64.b64encode(b"s" * 32).decode())
ADDRESS = "127.0.0.1"
CHILDREN = 40


def zone_text() -> str:
    """Return a zone with children c0 to c39, each with ns1 and ns2.op.example."""
    lines = [
        "$TTL 300",
        "@ IN SOA a.nic h.nic 2026112401 3600 900 1209600 60",
        "@ NS a.nic",
        "a.nic A 127.0.0.1",
        "taken NS ns1.op.example.\nalias CNAME a.nic",
    ]
    for n in range(CHILDREN):
        lines += [f"c{n} NS ns1.op.example.", f"c{n} NS ns2.op.example."]
    return "\n".join(lines) + "\n"


@dataclass
class UpdatableBind(Bind):
    """BIND with an update policy; `Bind` itself serves plain zones."""

    def prepare(self) -> None:
        """Write the zone and its policy."""
        self.write("updatable.zone", zone_text())
        self.extra = (
            f'key "{UPDATER.name}" {{ algorithm hmac-sha256;'
            f' secret "{UPDATER.secret}"; }};\n'
            f'zone "{PARENT}" {{ type primary; file "updatable.zone";\n'
            f"  allow-transfer {{ key {UPDATER.name}; }};\n"
            f"  update-policy {{ grant {UPDATER.name} subdomain {PARENT} DS; }};\n}};\n"
        )
        super().prepare()


def knot(folder, port: int) -> Knot:
    """Return a Knot primary that signs the zone itself."""
    return Knot(
        folder,
        [ADDRESS],
        port,
        zones={PARENT: zone_text()},
        signed=[PARENT],
        updater=UPDATER,
    )


def bind(folder, port: int) -> UpdatableBind:
    """Return a BIND primary."""
    return UpdatableBind(folder, [ADDRESS], port)


def client(port: int, tsig: Tsig = UPDATER, patience: float = 10.0) -> DynamicUpdate:
    """Return our side of the conversation."""
    text = f'key "{tsig.name}" {{ algorithm hmac-sha256; secret "{tsig.secret}"; }};'
    return DynamicUpdate(
        parse_name(PARENT),
        Endpoint(ADDRESS, port),
        parse_key(text, "key"),
        patience,
    )
