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
from bootstrap.registry.tsigkeys import KeyFileInvalid, read_key_file

log = logging.getLogger("bootstrap.publisher")


def registry_for(zone: Zone) -> Registry:
    """Return the parent behind `zone`; one that is badly configured says so when used."""
    if not zone.primary or not zone.tsig_key_file:
        return AbsentRegistry(f"{zone.name} has no primary or no TSIG key file")
    try:
        key = read_key_file(Path(zone.tsig_key_file))
        primary = parse_endpoint(zone.primary)
    except (InvalidEndpoint, KeyFileInvalid) as exc:
        return AbsentRegistry(str(exc))
    for warning in key.warnings:
        log.warning("publisher.key_file zone=%s: %s", zone.name, warning)
    return DynamicUpdate(zone=parse_name(zone.name), primary=primary, key=key)
