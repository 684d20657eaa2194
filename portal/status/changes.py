"""What exactly to change: the records that are missing, or are other than they must be.

Computed from what the last evaluation saw. Where everything is as it should be
for one nameserver, nothing is listed for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import dns.exception
import dns.rdata

from bootstrap.core.dns.names import (
    Name,
    UnusableSignalingName,
    out_of_domain,
    parse_name,
    signaling_domain,
    signaling_name,
    unrooted,
)
from bootstrap.core.dns.records import Key

Json = Mapping[str, Any]
TYPES: Final = ("CDS", "CDNSKEY")
APART: Final = frozenset(
    {
        "APEX_PARTIAL",
        "APEX_CDS_DIFFER",
        "APEX_CDNSKEY_DIFFER",
        "APEX_DIGEST_ONLY_DIFFER",
    }
)
"""Reasons that some servers of the child do not say what the others say."""
VOUCHING: Final = frozenset(
    {"CMP_SIGNALS_DIFFER", "CMP_SIGNAL_APEX_DIFFER", "CMP_SIGNAL_EMPTY_APEX_NOT"}
)
"""Reasons that a signal is not what the child publishes."""
REPLACED: Final = frozenset(
    {
        "ACC_NO_MATCHING_DNSKEY",
        "CMP_CDS_DIGEST_WRONG",
        "CMP_DELETE_MIXED",
        "CDS_MALFORMED_SENTINEL",
    }
)
"""Reasons where what is published must go, not only what is missing come."""


@dataclass(frozen=True, slots=True)
class Change:
    """One record to add or to remove; `server` is empty where all servers are meant.

    `owner` and `zone` end in a dot, as in a zone file.
    """

    server: str
    owner: str
    rdtype: str
    content: str
    zone: str
    remove: bool = False

    @property
    def line(self) -> str:
        """The record as a line of a zone file."""
        return f"{self.owner} {self.rdtype} {self.content}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What an evaluation saw of a child, as stored."""

    child: str
    nameservers: Sequence[str]
    views: Sequence[Json] = ()
    signals: Sequence[Json] = ()

    @property
    def owner(self) -> Name:
        """The child as a name."""
        return parse_name(self.child)

    def published(self, rdtype: str) -> frozenset[str]:
        """Return the records of a type that any server of the child publishes."""
        return frozenset(
            str(content)
            for view in self.views
            for answer in view.get("answers", ())
            if answer.get("type") == rdtype
            for content in answer.get("records", ())
        )


def changes(reason: str, recipe: str, seen: Seen) -> tuple[Change, ...]:
    """Return what would mend it, in order; nothing where no record is at fault."""
    if reason in APART:
        found = _apart(seen)
    elif reason in VOUCHING or "_signal." in recipe:
        found = _signals(seen)
    elif reason == "CMP_APEX_EMPTY_SIGNAL_NOT":
        found = _announced_elsewhere(seen)
    else:
        found = _apex(reason, recipe, seen)
    return tuple(sorted(set(found), key=_order))


def _order(change: Change) -> tuple[str, str, int, bool, str]:
    kind = TYPES.index(change.rdtype)
    return change.server, change.owner, kind, change.remove, change.content


def _signals(seen: Seen) -> Iterator[Change]:
    """Compare each host's signal with what the child announces (RFC 9615, 4.2)."""
    wanted = {rdtype: seen.published(rdtype) for rdtype in TYPES}
    if not any(wanted.values()):
        wanted["CDS"] = _from_keys(seen)
    told = {str(signal.get("nameserver")): signal for signal in seen.signals}
    for host in _signaling_hosts(seen.owner, seen.nameservers):
        signal = told.get(unrooted(host), {})
        owner = signaling_name(seen.owner, host).to_text()
        for rdtype in TYPES:
            proof = signal.get(rdtype.lower()) or {}
            zone = _zone_of(proof) or signaling_domain(host).to_text()
            yield from _between(
                _told(proof), wanted[rdtype], (unrooted(host), owner, rdtype, zone)
            )


def _told(proof: Json) -> frozenset[str]:
    secure = proof.get("security") == "secure" and not proof.get("aliases")
    usable = secure and not proof.get("wildcard")
    return frozenset(map(str, proof.get("records", ()))) if usable else frozenset()


def _zone_of(proof: Json) -> str:
    zone = proof.get("zone")
    return f"{zone}." if zone and proof.get("security") == "secure" else ""


def _between(
    found: Iterable[str], wanted: Iterable[str], place: tuple[str, str, str, str]
) -> Iterator[Change]:
    server, owner, rdtype, zone = place
    has, needs = {_plain(c): c for c in found}, {_plain(c): c for c in wanted}
    for plain in needs.keys() - has.keys():
        yield Change(server, owner, rdtype, needs[plain], zone)
    for plain in has.keys() - needs.keys():
        yield Change(server, owner, rdtype, has[plain], zone, remove=True)


def _plain(content: str) -> str:
    """Return a content that is equal for equal records, however they are spaced."""
    head, rest = content.split()[:3], "".join(content.split()[3:])
    is_hex = all(c in "0123456789abcdefABCDEF" for c in rest)
    return " ".join((*head, rest.upper() if is_hex else rest))


def _apart(seen: Seen) -> Iterator[Change]:
    """Compare each server with what most of them say."""
    owner = seen.owner.to_text()
    for rdtype in TYPES:
        answers = dict(_answers(seen.views, rdtype))
        said = list(answers.values())
        usual = max(said, key=lambda one: (said.count(one), sorted(one)), default=())
        for server, records in answers.items():
            yield from _between(records, usual, (server, owner, rdtype, owner))


def _answers(
    views: Sequence[Json], rdtype: str
) -> Iterator[tuple[str, frozenset[str]]]:
    for view in views:
        server = f"{view.get('nameserver', '')} ({view.get('server', '')})"
        for answer in view.get("answers", ()):
            if answer.get("type") == rdtype and answer.get("reason", "").startswith(
                "NS_OK"
            ):
                yield server, frozenset(map(str, answer.get("records", ())))


def _announced_elsewhere(seen: Seen) -> Iterator[Change]:
    """Say what the signals announce and the child itself does not."""
    owner = seen.owner.to_text()
    for signal in seen.signals:
        for rdtype in TYPES:
            missing = _told(signal.get(rdtype.lower()) or {})
            if not seen.published(rdtype):
                yield from _between((), missing, ("", owner, rdtype, owner))


def _apex(reason: str, recipe: str, seen: Seen) -> Iterator[Change]:
    """Fill in the recipe; leave out what is published already."""
    owner = seen.owner.to_text()
    wanted: dict[str, set[str]] = {rdtype: set() for rdtype in TYPES}
    for line in recipe.splitlines():
        _, rdtype, content = line.split(maxsplit=2)
        wanted[rdtype] |= set(_from_keys(seen) if "{ds}" in content else {content})
    for rdtype in (rdtype for rdtype in TYPES if wanted[rdtype]):
        for change in _between(
            seen.published(rdtype), wanted[rdtype], ("", owner, rdtype, owner)
        ):
            if not change.remove or reason in REPLACED:
                yield change


def _from_keys(seen: Seen) -> frozenset[str]:
    """Return the DS of each SEP key of the child, by SHA-256 (RFC 8624)."""
    keys = [_key(text) for text in seen.published("DNSKEY")]
    owner = seen.owner
    return frozenset(k.ds(owner).to_text() for k in keys if k is not None and k.is_sep)


def _key(text: str) -> Key | None:
    try:
        wire = dns.rdata.from_text("IN", "DNSKEY", text).to_wire()
        return Key.from_wire(wire) if wire is not None else None
    except (dns.exception.DNSException, ValueError):
        return None  # not a key that anybody could publish


def _signaling_hosts(owner: Name, nameservers: Sequence[str]) -> Iterator[Name]:
    for host in out_of_domain(owner, [parse_name(text) for text in nameservers]):
        try:
            signaling_name(owner, host)
        except UnusableSignalingName:
            continue  # told by the reason of the evaluation itself
        yield host


def concerned(reason: str, signals: Sequence[Json]) -> tuple[str, ...]:
    """Return the signaling names that this reason is about."""
    return tuple(
        str(signal["name"])
        for signal in signals
        if reason in signal.get("reasons", ()) and signal.get("name")
    )
