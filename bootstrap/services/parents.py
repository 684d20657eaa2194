"""Which backend speaks to a zone's primary, and with which key.

Only the publisher can read the key files (S-80): call this nowhere else.
"""

from __future__ import annotations

import logging
from pathlib import Path

from bootstrap.core.dns.names import parse_name
from bootstrap.models import Zone
from bootstrap.registry.absent import AbsentRegistry
from bootstrap.registry.addresses import InvalidEndpoint, parse_endpoint
from bootstrap.registry.dynamic_update import DynamicUpdate
from bootstrap.registry.ports import Registry
from bootstrap.registry.rows import Reading, SourceRefused
from bootstrap.registry.tsigkeys import KeyFileInvalid, read_keys

from .sources import keys_in, transferred

log = logging.getLogger("bootstrap.publisher")


def registry_for(zone: Zone) -> Registry:
    """Return the parent behind `zone`; one that is badly configured says so when used."""
    if not zone.primary or not zone.tsig_key_file:
        return AbsentRegistry(f"{zone.name} has no primary or no TSIG key file")
    try:
        key, *others = read_keys(Path(zone.tsig_key_file))
        primary = parse_endpoint(zone.primary)
    except (InvalidEndpoint, KeyFileInvalid) as exc:
        return AbsentRegistry(str(exc))
    for warning in key.warnings:
        log.warning("publisher.key_file zone=%s: %s", zone.name, warning)
    successor = others[0] if others else None
    name = parse_name(zone.name)
    return DynamicUpdate(zone=name, primary=primary, key=key, successor=successor)


def transfer_of(zone: Zone) -> Reading:
    """Return all delegations as the primary has them, by transfer with our key.

    Raises:
        SourceRefused: badly configured, or refused by the primary.
    """
    try:
        primary = parse_endpoint(zone.primary)
    except InvalidEndpoint as exc:
        raise SourceRefused(str(exc)) from exc
    return transferred(primary, parse_name(zone.name), keys_in(zone.tsig_key_file))
