"""Checkpoints leave the house: to real receivers on loopback, octet by octet (P-8.30)."""

from __future__ import annotations

import base64
import socketserver
import threading
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bootstrap import config
from bootstrap.services import checkpoints

ROOT = base64.b64encode(bytes(32)).decode()
NOTE = f"portal.example/audit\n7\n{ROOT}\n\n\u2014 portal.example/audit AAAAAAAA\n"


@contextmanager
def serving(server):
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}
    )
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Hook(BaseHTTPRequestHandler):
    """Keeps what is posted, and answers as it was told to."""

    status = 204

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.got.append(  # type: ignore[attr-defined]  # put there by the test
            (self.headers["Content-Type"], self.rfile.read(length))
        )
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@contextmanager
def a_hook(status: int):
    handler = type("Answering", (Hook,), {"status": status})
    server = HTTPServer(("127.0.0.1", 0), handler)
    server.got = []  # type: ignore[attr-defined]  # for the handler
    with serving(server):
        yield server


def test_a_webhook_gets_the_signed_note_as_it_is():
    with a_hook(204) as hook:
        target = config.Target("http", f"http://127.0.0.1:{hook.server_port}/log")
        checkpoints.deliver(target, NOTE)
    assert hook.got == [("text/plain; charset=utf-8", NOTE.encode())]


@pytest.mark.parametrize("status", [404, 503])
def test_a_webhook_that_says_no_is_told(status):
    with a_hook(status) as hook:
        target = config.Target("http", f"http://127.0.0.1:{hook.server_port}/log")
        with pytest.raises(checkpoints.NotDelivered, match=str(status)):
            checkpoints.deliver(target, NOTE)


def test_a_webhook_that_is_not_there_is_told():
    with a_hook(204) as hook:
        port = hook.server_port
    target = config.Target("http", f"http://127.0.0.1:{port}/")
    with pytest.raises(checkpoints.NotDelivered, match="refused"):
        checkpoints.deliver(target, NOTE)


class Mailbox(socketserver.StreamRequestHandler):
    """As much of SMTP as takes one message (RFC 5321)."""

    def handle(self) -> None:
        self.say("220 here")
        while line := self.rfile.readline().strip().upper():
            if line.startswith(b"DATA"):
                self.say("354 go on")
                self.server.got.append(self.message())  # type: ignore[attr-defined]
            self.say("221 bye" if line.startswith(b"QUIT") else "250 yes")

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())

    def message(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        return b"".join(lines)


def test_mail_carries_the_note_to_whoever_keeps_it(settings):
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox)
    server.got = []  # type: ignore[attr-defined]  # for the handler
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address[:2]
    with serving(server):
        checkpoints.deliver(config.Target("mailto", "auditor@registry.example"), NOTE)

    (octets,) = server.got  # type: ignore[attr-defined]
    message = message_from_bytes(octets)
    assert message["To"] == "auditor@registry.example"
    assert message["Subject"] == "checkpoint 7"
    body = message.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().replace("\r\n", "\n").rstrip("\n") == NOTE.rstrip("\n")


def test_mail_that_nobody_takes_is_told(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(checkpoints.NotDelivered, match="mailto:"):
        checkpoints.deliver(config.Target("mailto", "a@registry.example"), NOTE)
