"""Addresses of servers as text: "ADDRESS" or "ADDRESS#PORT"."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

DNS_PORT: Final = 53
MAX_PORT: Final = 65_535


class InvalidEndpoint(ValueError):
    """The text is no "ADDRESS" or "ADDRESS#PORT"."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server: an address as text, and a port."""

    address: str
    port: int = DNS_PORT

    def __str__(self) -> str:
        return f"{self.address}#{self.port}"


def parse_endpoint(text: str, default_port: int = DNS_PORT) -> Endpoint:
    """Return the endpoint that `text` names.

    Raises:
        InvalidEndpoint: no address, or no port.
    """
    address, mark, port = text.strip().partition("#")
    try:
        canonical = str(ip_address(address))
    except ValueError as exc:
        raise InvalidEndpoint(f"{text!r} does not begin with an address") from exc
    if not mark:
        return Endpoint(canonical, default_port)
    if not port.isascii() or not port.isdigit() or not 0 < int(port) <= MAX_PORT:
        raise InvalidEndpoint(f"{text!r} has no usable port behind '#'")
    return Endpoint(canonical, int(port))
