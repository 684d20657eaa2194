"""The one place where sockets are made (S-3), behind the gate of `egress`.

What comes out is connected (or connecting) and never blocks. Whose fault a
failure is, ours or the other side's, is decided here and nowhere else.
"""

from __future__ import annotations

import errno
import resource
import secrets
import socket
from collections.abc import Sequence
from typing import Final

from bootstrap.core.evaluation.observations import Trouble

from .egress import Egress

_EXHAUSTED: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_FILTERED: Final = {errno.EPERM, errno.EACCES}
"""A packet filter or route of our own machine says no."""
_ROUTELESS: Final = {errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
"""Either we have no route, or a router on the way told us so by ICMP."""

_FAR: Final = {
    socket.AF_INET: "192.33.4.12",
    socket.AF_INET6: "2001:500:2::c",
}
"""Addresses (of c.root-servers.net) that any default route covers. Connecting a
datagram socket asks the routing table and sends nothing."""

# Linux: never trust path MTU news for datagrams, never fragment replies' evidence
# (RFC 9715; S-8). The numbers are missing from the socket module.
_IP_MTU_DISCOVER: Final = 10
_IPV6_MTU_DISCOVER: Final = 23
_PMTUDISC_OMIT: Final = 5


class NoSocket(Exception):
    """There will be no conversation; `trouble` says whose fault it is."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class Exhausted(Exception):
    """The system has no descriptor or buffer left; waiting may help (S-14)."""


def room_for_sockets(wanted: int) -> int:
    """Return how many of `wanted` sockets the limit on descriptors allows.

    A third stays for files, the database and the loop itself.
    """
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(4, min(wanted, soft * 2 // 3))


class Sockets:
    """Makes sockets to permitted addresses at one port, from given sources."""

    def __init__(self, egress: Egress, port: int, sources: Sequence[str] = ()) -> None:
        self._egress = egress
        self._port = port
        self._sources = tuple(sources)

    def udp(self, address: str) -> socket.socket:
        """Return a connected datagram socket with a port of the kernel's choice.

        Raises:
            NoSocket: forbidden, or no way to get there.
            Exhausted: no descriptor left.
        """
        made = self._make(address, socket.SOCK_DGRAM)
        try:
            _never_fragment(made)
            made.connect((address, self._port))
        except OSError as exc:
            made.close()
            raise _refusal(exc, made.family) from exc
        return made

    def tcp(self, address: str) -> socket.socket:
        """Return a stream socket that is connecting; await its writability.

        Raises:
            NoSocket: forbidden, or no way to get there.
            Exhausted: no descriptor left.
        """
        made = self._make(address, socket.SOCK_STREAM)
        try:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.connect((address, self._port))
        except BlockingIOError:
            pass
        except OSError as exc:
            made.close()
            raise _refusal(exc, made.family) from exc
        return made

    def _make(self, address: str, kind: socket.SocketKind) -> socket.socket:
        # The very address that is connected to is the one that is checked (S-2).
        if self._egress.objection(address) is not None:
            raise NoSocket(Trouble.FORBIDDEN)
        family = family_of(address)
        try:
            made = socket.socket(family, kind | socket.SOCK_NONBLOCK)
        except OSError as exc:
            raise _refusal(exc, family) from exc
        sources = [s for s in self._sources if family_of(s) == family]
        if sources:
            try:
                made.bind((secrets.choice(sources), 0))
            except OSError as exc:  # not an address of this machine
                made.close()
                raise NoSocket(Trouble.NO_EGRESS) from exc
        return made


def family_of(address: str) -> socket.AddressFamily:
    """Return the family of a literal address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def trouble_of(error: OSError, family: socket.AddressFamily) -> Trouble:
    """Return what `error` of a socket means: theirs, or ours (P-2.23)."""
    if error.errno in _FILTERED:
        return Trouble.NO_EGRESS
    if error.errno in _ROUTELESS and not has_route(family):
        return Trouble.NO_EGRESS
    return Trouble.UNREACHABLE


def has_route(family: socket.AddressFamily) -> bool:
    """Say whether this machine knows a way to the Internet in `family`."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((_FAR[family], 53))
    except OSError:
        return False
    return True


def _refusal(error: OSError, family: socket.AddressFamily) -> NoSocket | Exhausted:
    if error.errno in _EXHAUSTED:
        return Exhausted(str(error))
    return NoSocket(trouble_of(error, family))


def _never_fragment(made: socket.socket) -> None:
    if made.family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PMTUDISC_OMIT)
    else:
        made.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_OMIT)
