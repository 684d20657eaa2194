"""The files that a laboratory leaves for its clients: hints, anchor, key, manifest."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING, Any, Final

from bootstrap.core.dns.names import ROOT, unrooted

from .assembly import ROOT_SERVERS
from .network import name_of
from .worlds import UPDATE_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from .assembly import Assembled, ServedParent
    from .placing import Placer

HINTS: Final = "root.hints"
ANCHORS: Final = "root.anchors"
TSIG: Final = "update.key"
MANIFEST: Final = "manifest.json"
SECRETS: Final = "laboratory.secret"
SEED_OCTETS: Final = 32


def secrets_of(folder: Path, seed: bytes | None = None) -> tuple[bytes, bytes]:
    """Return the seed of all keys and the TSIG secret; made once a folder."""
    path = folder / SECRETS
    if not path.exists():
        made = hashlib.shake_256(seed or secrets.token_bytes(SEED_OCTETS))
        path.touch(mode=0o600)
        path.write_bytes(made.digest(2 * SEED_OCTETS))
    both = path.read_bytes()
    return both[:SEED_OCTETS], both[SEED_OCTETS:]


def write(built: Assembled, folder: Path) -> None:
    """Write root hints, trust anchor and TSIG key."""
    hints = [f". 3600000 NS {host}" for host in ROOT_SERVERS]
    for host in ROOT_SERVERS:
        addresses = built.network.hosts[name_of(host)]
        hints += [f"{host} 3600000 A {address}" for address in addresses]
    (folder / HINTS).write_text("\n".join(hints) + "\n")
    ds = (key.ds(ROOT).to_text() for key in built.root.zone.keys)
    (folder / ANCHORS).write_text("".join(f". IN DS {text}\n" for text in ds))
    path = folder / TSIG
    path.touch(mode=0o600)
    path.write_text(_tsig(built))


def manifest(
    built: Assembled, port: int, folder: Path, *, networks: tuple[str, ...]
) -> dict[str, Any]:
    """Return addresses, files, parents and children as JSON values."""
    return {
        "port": port,
        "networks": list(networks),
        "root_hints": str(folder / HINTS),
        "trust_anchors": str(folder / ANCHORS),
        "tsig_key": str(folder / TSIG),
        "parents": [_parent(parent, port) for parent in built.parents.values()],
        "operators": [unrooted(name) for name in built.operators],
        "children": [_child(placer) for placer in built.children.values()],
    }


def _parent(parent: ServedParent, port: int) -> dict[str, Any]:
    addresses = (parent.primary_address, parent.secondary_address)
    return {
        "name": unrooted(parent.name),
        "policy": parent.declared.policy,
        "primary": f"{parent.primary_address}#{port}",
        "servers": list(addresses),
    }


def _child(placer: Placer) -> dict[str, Any]:
    hosts = [placer.host(token) for token in placer.recipe.nameservers]
    return {
        "name": unrooted(placer.apex),
        "situation": placer.child.situation,
        "nameservers": [unrooted(host) for host in hosts],
    }


def _tsig(built: Assembled) -> str:
    if built.tsig is None:
        raise LookupError("no key for updates")
    secret = base64.b64encode(built.tsig.secret).decode()
    name = UPDATE_KEY.rstrip(".")
    return f'key "{name}" {{\n\talgorithm hmac-sha256;\n\tsecret "{secret}";\n}};\n'
