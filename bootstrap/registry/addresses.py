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
    """One server: an address as text, and a port; None is the usual one."""

    address: str
    port: int | None = None

    def __str__(self) -> str:
        return self.address if self.port is None else f"{self.address}#{self.port}"


def parse_endpoint(text: str, default_port: int | None = DNS_PORT) -> Endpoint:
    """Return the endpoint that `text` names; `default_port` if it names none.

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
