"""Root hints from text: where resolution begins (RFC 9609).

The form is that of IANA's named.root: NS records of the root and the addresses
of their targets. Reading the file itself is the caller's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from .names import ROOT, InvalidName, Name, parse_name, unrooted

Hints = tuple[tuple[Name, tuple[str, ...]], ...]
"""Root servers with their addresses, in the order of the file."""


class HintsMalformed(Exception):
    """The text holds no root hints; the message says where it fails and why."""


def read_hints(text: str) -> Hints:
    """Return the root servers of a hints file; never none.

    Raises:
        HintsMalformed: a line is no record of this use, a server has no
            address, or there is no server.
    """
    servers: dict[Name, None] = {}
    addresses: dict[Name, list[str]] = {}
    for number, owner, rdtype, value in _records(text):
        try:
            if rdtype == "NS":
                servers[_server(owner, value)] = None
            else:
                addresses.setdefault(owner, []).append(_address(rdtype, value))
        except (InvalidName, ValueError) as exc:
            raise HintsMalformed(f"line {number}: {exc}") from exc
    return _joined(servers, addresses)


def _server(owner: Name, value: str) -> Name:
    if owner != ROOT:
        raise ValueError(f"{unrooted(owner)} is not the root")
    return parse_name(value)


def _address(rdtype: str, value: str) -> str:
    match rdtype:
        case "A":
            return str(IPv4Address(value))
        case "AAAA":
            return str(IPv6Address(value))
        case _:
            raise ValueError(f"{rdtype} has no use here")


def _joined(servers: dict[Name, None], addresses: dict[Name, list[str]]) -> Hints:
    if not servers:
        raise HintsMalformed("there is no NS record of the root in it")
    for host in servers:
        if host not in addresses:
            raise HintsMalformed(f"{unrooted(host)} has no address")
    return tuple((host, tuple(addresses[host])) for host in servers)


def _records(text: str) -> Iterator[tuple[int, Name, str, str]]:
    """Yield line number, owner, type and value of each record."""
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition(";")[0].split()
        if not words:
            continue
        if words[0].startswith("$") or line[0].isspace():
            raise HintsMalformed(f"line {number}: each record must name its owner")
        fields = [w for w in words[1:] if not w.isdigit() and w.upper() != "IN"]
        if len(fields) != 2:  # noqa: PLR2004 - type and value
            raise HintsMalformed(f"line {number}: expected owner, type and value")
        try:
            owner = ROOT if words[0] == "." else parse_name(words[0])
        except InvalidName as exc:
            raise HintsMalformed(f"line {number}: {exc}") from exc
        yield number, owner, fields[0].upper(), fields[1]
