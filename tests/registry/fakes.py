"""A TCP server whose answers are the test's own: whole messages, parts, or silence."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bootstrap.registry.addresses import Endpoint

Answer = Callable[[bytes], Iterator[bytes]]
"""From one question to raw octets, length prefixes included (see `framed`)."""


def framed(*messages: bytes) -> bytes:
    """Return messages as they travel over TCP."""
    return b"".join(struct.pack("!H", len(wire)) + wire for wire in messages)


@contextmanager
def serving(answer: Answer) -> Iterator[Endpoint]:
    """Serve on loopback until the block ends; every connection gets one answer."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            (length,) = struct.unpack("!H", self._exactly(2))
            for part in answer(self._exactly(length)):
                self.request.sendall(part)

        def _exactly(self, octets: int) -> bytes:
            got = b""
            while len(got) < octets:
                got += self.request.recv(octets - len(got))
            return got

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

        def handle_error(self, *_args: object) -> None:
            """The client may go away at any time."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Endpoint("127.0.0.1", server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
