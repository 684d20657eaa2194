"""How to make a change with the software that may run there: commands to copy.

Nobody is asked which software answers. The names of nameservers tell some managed
services; otherwise the operator picks. Commands are made only of names and
contents that are plain in every shell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _, gettext_noop

from .changes import Change

PLAIN_NAME: Final = re.compile(r"(?:[a-z0-9_-]+\.)+", re.ASCII)
PLAIN_CONTENT: Final = re.compile(r"[0-9A-Za-z+/= ]+", re.ASCII)
TTL: Final = 3600

SERVICES: Final = (
    ("deSEC", (".desec.io", ".desec.org")),
    ("Cloudflare", (".ns.cloudflare.com",)),
    ("Glauca HexDNS", (".glauca.digital",)),
)
"""Managed services that are known to publish signals themselves, by their hosts."""


@dataclass(frozen=True, slots=True)
class Guide:
    """What to do with one software: a sentence, and commands when there are any."""

    software: str
    sentence: str
    commands: str = ""
    likely: bool = False


def guides(changes: Sequence[Change], nameservers: Sequence[str]) -> tuple[Guide, ...]:
    """Return a guide for each software that may answer; the known one first."""
    if not changes:
        return ()
    known = _service(nameservers)
    if known:
        return (known,)
    if not all(_is_plain(change) for change in changes):
        return ()
    apex = all(change.owner == change.zone for change in changes)
    return tuple(
        Guide(name, _(at_apex if apex else elsewhere), commands(changes))
        for name, at_apex, elsewhere, commands in SOFTWARE
    )


def _service(nameservers: Sequence[str]) -> Guide | None:
    for name, endings in SERVICES:
        hosts = [host.lower().rstrip(".") for host in nameservers]
        if hosts and all(host.endswith(endings) for host in hosts):
            sentence = _(
                "Your nameservers belong to this service, which publishes such records"
                " itself. Switch DNSSEC on in its panel; if it is on, show this page to"
                " its support."
            )
            return Guide(name, sentence, likely=True)
    return None


def _is_plain(change: Change) -> bool:
    return bool(
        PLAIN_NAME.fullmatch(change.owner)
        and PLAIN_NAME.fullmatch(change.zone)
        and PLAIN_CONTENT.fullmatch(change.content)
    )


def _zones(changes: Sequence[Change]) -> list[tuple[str, list[Change]]]:
    zones = sorted({change.zone for change in changes})
    return [(zone, _once([c for c in changes if c.zone == zone])) for zone in zones]


def _once(changes: Sequence[Change]) -> list[Change]:
    """Return each record once: the software serves all its addresses."""
    kept = {(c.line, c.remove): c for c in changes}
    return list(kept.values())


def _knot(changes: Sequence[Change]) -> str:
    lines: list[str] = []
    for zone, some in _zones(changes):
        lines.append(f"knotc zone-begin {zone}")
        for c in some:
            verb, ttl = ("unset", "") if c.remove else ("set", f" {TTL}")
            lines.append(
                f"knotc zone-{verb} {zone} {c.owner}{ttl} {c.rdtype} '{c.content}'"
            )
        lines.append(f"knotc zone-commit {zone}")
    return "\n".join(lines)


def _bind(changes: Sequence[Change]) -> str:
    lines = ["nsupdate -l <<'END'"]
    for zone, some in _zones(changes):
        lines.append(f"zone {zone}")
        for c in some:
            verb, ttl = ("delete", "") if c.remove else ("add", f" {TTL}")
            lines.append(f"update {verb} {c.owner}{ttl} {c.rdtype} {c.content}")
        lines.append("send")
    return "\n".join([*lines, "END"])


def _powerdns(changes: Sequence[Change]) -> str:
    lines: list[str] = []
    for zone, some in _zones(changes):
        bare = zone.rstrip(".")
        if any(c.remove for c in some):
            lines.append(f"pdnsutil edit-zone {bare}")
            continue
        lines += [
            f"pdnsutil add-record {bare} {_relative(c.owner, zone)}"
            f" {c.rdtype} {TTL} '{c.content}'"
            for c in some
        ]
        lines.append(f"pdnsutil rectify-zone {bare}")
    return "\n".join(lines)


def _relative(owner: str, zone: str) -> str:
    return "@" if owner == zone else owner.removesuffix(f".{zone}")


def _nsd(changes: Sequence[Change]) -> str:
    lines: list[str] = []
    for zone, some in _zones(changes):
        bare = zone.rstrip(".")
        lines += [f"; {bare}"]
        lines += [f"; - {c.line}" if c.remove else c.line for c in some]
        lines += [f"ldns-signzone {bare}.zone KSK ZSK", f"nsd-control reload {bare}"]
    return "\n".join(lines)


SOFTWARE: Final[tuple[tuple[str, str, str, Callable[[Sequence[Change]], str]], ...]] = (
    (
        "Knot DNS",
        gettext_noop(
            "Knot publishes CDS and CDNSKEY itself with cds-cdnskey-publish: always in"
            " the zone's policy. By hand:"
        ),
        gettext_noop("The zone must be signed by Knot. On the primary server:"),
        _knot,
    ),
    (
        "BIND 9",
        gettext_noop(
            "BIND publishes CDS and CDNSKEY itself under dnssec-policy, as soon as the"
            " key has been visible for long enough. By hand:"
        ),
        gettext_noop(
            "The zone must be signed under dnssec-policy and allow local updates"
            " (update-policy local). On the primary server:"
        ),
        _bind,
    ),
    (
        "PowerDNS",
        gettext_noop(
            "PowerDNS publishes them itself after pdnsutil set-publish-cds and"
            " set-publish-cdnskey. By hand, with direct-dnskey=yes:"
        ),
        gettext_noop(
            "The zone must be secured (pdnsutil secure-zone), and pdns.conf must have"
            " direct-dnskey=yes. Then:"
        ),
        _powerdns,
    ),
    (
        "NSD",
        gettext_noop(
            "NSD serves what a signer made. Change the zone file, sign it again, reload:"
        ),
        gettext_noop(
            "NSD serves what a signer made. Change the zone file, sign it again, reload:"
        ),
        _nsd,
    ),
)
"""Name, sentence for records of the child itself, sentence for others, commands."""
