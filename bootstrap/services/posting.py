"""One POST to a machine of somebody else, at an address that was looked at first.

The address that passed the table is the one that is connected to; the name is not
resolved again (S-1, S-2). No redirect is followed, no proxy is used.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from bootstrap.scanner.egress import Egress

WITHIN: Final = 10.0
"""Seconds for each step: connect, send, answer."""
PORTS: Final = {"https": 443, "http": 80}


class NotSent(Exception):
    """Nothing, or not everything, went through; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to: `host` goes into the header and the certificate's check."""

    scheme: str
    host: str
    port: int
    path: str


def parse(url: str) -> Target:
    """Return the target of an address.

    Raises:
        NotSent: it is no address that can be posted to.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
        host = (parts.hostname or "").encode("idna").decode()
    except (ValueError, KeyError) as wrong:
        raise NotSent("an address begins with https:// and a host") from wrong
    plain = url.isascii() and url.isprintable() and " " not in url
    if not host or not plain or parts.username is not None or parts.fragment:
        raise NotSent("an address has a host, and neither a user nor a fragment")
    query = f"?{parts.query}" if parts.query else ""
    return Target(parts.scheme, host, port, (parts.path or "/") + query)


def post(url: str, octets: bytes, *, headers: Mapping[str, str], egress: Egress) -> int:
    """Return the status that came back.

    Raises:
        NotSent: a forbidden address, no connection, no TLS, no answer in time.
    """
    target = parse(url)
    address = _address(target, egress)
    if target.scheme != "https" and not egress.is_laboratory(address):
        raise NotSent("without TLS only to networks that are allowed by name")
    connection = _Pinned(target, address)
    try:
        connection.request("POST", target.path, octets, dict(headers))
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as trouble:
        raise NotSent(f"{type(trouble).__name__}: {trouble}") from trouble
    finally:
        connection.close()


def _address(target: Target, egress: Egress) -> str:
    """Return the one address to connect to; one bad address refuses them all."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except OSError as trouble:
        raise NotSent(f"{target.host} cannot be resolved") from trouble
    addresses = [str(place[0]) for *_rest, place in found]
    for address in addresses:
        if objection := egress.objection(address):
            raise NotSent(f"forbidden: {objection}")
    return addresses[0]


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, whatever the host's name resolves to by now."""

    def __init__(self, target: Target, address: str) -> None:
        super().__init__(target.host, target.port, timeout=WITHIN)
        self.default_port = PORTS[target.scheme]  # so that Host names other ports
        self.target = target
        self.address = address

    def connect(self) -> None:
        """Open the socket, with TLS where the address says so."""
        self.sock = socket.create_connection((self.address, self.port), WITHIN)
        if self.target.scheme == "https":
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.target.host)
