"""One TCP connection to the parent's primary: whole messages under a deadline."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .addresses import DNS_PORT, Endpoint


class ConnectionLost(Exception):
    """No connection, closed early, or out of time; the message says which."""


class Stream:
    """DNS messages over TCP, each behind its length (RFC 1035, section 4.2.2)."""

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self._socket = connected
        self._deadline = deadline

    def extend(self, seconds: float) -> None:
        """Give the next messages this much time from now."""
        self._deadline = time.monotonic() + seconds

    def send(self, wire: bytes) -> None:
        """Send one message.

        Raises:
            ConnectionLost: it may or may not have arrived.
        """
        with self._told("sending"):
            self._socket.settimeout(self._left())
            self._socket.sendall(struct.pack("!H", len(wire)) + wire)

    def receive(self) -> bytes:
        """Return the next message.

        Raises:
            ConnectionLost: closed or silent before a whole message came.
        """
        (length,) = struct.unpack("!H", self._exactly(2))
        return self._exactly(length)

    def _exactly(self, octets: int) -> bytes:
        got = bytearray()
        with self._told("waiting for the answer"):
            while len(got) < octets:
                self._socket.settimeout(self._left())
                part = self._socket.recv(octets - len(got))
                if not part:
                    raise ConnectionLost("closed before a whole message came")
                got += part
        return bytes(got)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        try:
            yield
        except TimeoutError as exc:
            raise ConnectionLost(f"out of time while {doing}") from exc
        except OSError as exc:
            raise ConnectionLost(f"{exc.strerror or exc} while {doing}") from exc


@contextmanager
def connect(server: Endpoint, seconds: float) -> Iterator[Stream]:
    """Yield a stream to `server`; all of it must be over within `seconds`.

    Raises:
        ConnectionLost: no connection.
    """
    deadline = time.monotonic() + seconds
    try:
        where = (server.address, server.port or DNS_PORT)
        connected = socket.create_connection(where, seconds)
    except TimeoutError as exc:
        raise ConnectionLost(f"no connection to {server}: out of time") from exc
    except OSError as exc:
        raise ConnectionLost(f"no connection to {server}: {exc.strerror}") from exc
    with connected:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Stream(connected, deadline)
