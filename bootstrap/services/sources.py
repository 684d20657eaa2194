"""Where delegations come from: a zone file, a CSV file, or a zone transfer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.core.dns.names import Name, parse_name, unrooted
from bootstrap.models import Zone
from bootstrap.registry.addresses import Endpoint, InvalidEndpoint, parse_endpoint
from bootstrap.registry.csvfile import read_csv_file
from bootstrap.registry.rows import SourceRefused, unwatched
from bootstrap.registry.transfer import transfer
from bootstrap.registry.tsigkeys import KeyFileInvalid, TsigKey, read_keys
from bootstrap.registry.zonefile import read_zone_file

if TYPE_CHECKING:
    from bootstrap.registry.rows import Reading

Watch = Callable[[int], None]
log = logging.getLogger("bootstrap.sources")


@unique
class SourceKind(StrEnum):
    """What kind of source; part of the trail."""

    ZONE_FILE = "zone-file"
    CSV = "csv"
    AXFR = "axfr"


@dataclass(frozen=True, slots=True)
class Source:
    """`where` is a path, or "ADDRESS[#PORT]" of a transfer with an optional key."""

    kind: SourceKind
    where: str
    key_file: Path | None = None

    @property
    def knows_registry(self) -> bool:
        """It tells statuses and registrars, not the zone's content alone."""
        return self.kind is SourceKind.CSV

    def as_of(self, now: datetime) -> datetime:
        """Return when it was taken from the parent, as far as can be told."""
        if self.kind is SourceKind.AXFR:
            return now
        return datetime.fromtimestamp(Path(self.where).stat().st_mtime, UTC)


def open_source(source: Source, zone: Zone, watch: Watch = unwatched) -> Reading:
    """Return the delegations of `zone` from there.

    `watch` is told octets of a file, or records of a transfer, so far.

    Raises:
        SourceRefused: unreadable, truncated, not of this zone, or a key file or
            address that cannot be used. Nothing of it may be used.
    """
    parent = parse_name(zone.name)
    match source.kind:
        case SourceKind.ZONE_FILE:
            return read_zone_file(Path(source.where), parent, watch)
        case SourceKind.CSV:
            return read_csv_file(Path(source.where), parent, watch)
        case SourceKind.AXFR:
            try:
                server = parse_endpoint(source.where)
            except InvalidEndpoint as exc:
                raise SourceRefused(str(exc)) from exc
            return transferred(server, parent, keys_in(source.key_file), watch)


def keys_in(path: Path | str | None) -> tuple[TsigKey, ...]:
    """Return the key of a file, both of a rotation, or none where no file is given.

    Raises:
        SourceRefused: the file cannot be used.
    """
    if not path:
        return ()
    try:
        return read_keys(Path(path))
    except KeyFileInvalid as exc:
        raise SourceRefused(str(exc)) from exc


def transferred(
    server: Endpoint,
    parent: Name,
    keys: tuple[TsigKey, ...],
    watch: Watch = unwatched,
) -> Reading:
    """Return a transfer, signed with the first of the keys that the server takes (S-81).

    Raises:
        SourceRefused: none of them, or for another cause.
    """
    for key in keys[:-1]:
        try:
            return transfer(server, parent, key, watch=watch)
        except SourceRefused as refusal:
            log.info("transfer zone=%s: %s; next key", unrooted(parent), refusal)
    return transfer(server, parent, keys[-1] if keys else None, watch=watch)
