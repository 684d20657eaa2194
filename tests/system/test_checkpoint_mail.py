"""Checkpoints by mail, set up by the environment alone, to a real server (P-8.30)."""

from __future__ import annotations

import socket
import ssl
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support import certificates
from tests.support.product import Product

pytestmark = pytest.mark.system
TO, FROM = "auditor@registry.example", "portal@registry.example"


class Mailbox:
    """Keeps what was handed over, by whom and to whom."""

    def __init__(self):
        self.got = []

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802 - the library's name
        secured = session.ssl is not None and session.authenticated
        self.got.append((secured, envelope.mail_from, envelope.rcpt_tos, envelope))
        return "250 kept"


def known(_server, _session, _envelope, _mechanism, told):
    right = LoginPassword(b"sealer", b"secret")
    return AuthResult(success=told == right)


def a_free_port() -> int:
    with socket.create_server(("localhost", 0)) as chosen:
        port: int = chosen.getsockname()[1]
        return port


@pytest.fixture
def server(tmp_path):
    """A mail server that takes nothing without TLS and a password."""
    certificates.make(tmp_path, "localhost", ExtendedKeyUsageOID.SERVER_AUTH)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    controller = Controller(
        Mailbox(),
        hostname="localhost",
        port=a_free_port(),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=known,
    )
    controller.start()
    yield controller
    controller.stop()


def product(folder, server, **changes):
    return Product(
        folder / "product",
        {
            "AUDIT_ORIGIN": "portal.example/audit",
            "AUDIT_LOG_DIR": str(folder / "log"),
            "AUDIT_KEY_FILE": str(folder / "log.key"),
            "AUDIT_PUBLISH": f"mailto:{TO}",
            "EMAIL_HOST": "localhost",
            "EMAIL_PORT": str(server.port),
            "EMAIL_SECURITY": "starttls",
            "EMAIL_HOST_USER": "sealer",
            "EMAIL_HOST_PASSWORD": "secret",
            "EMAIL_FROM": FROM,
            "SSL_CERT_FILE": str(folder / "cert.pem"),
            **changes,
        },
    )


def test_the_sealer_mails_the_signed_checkpoint_over_tls(server, tmp_path):
    installed = product(tmp_path, server)
    installed.migrate()
    key = installed.manage("sealer", "--once", "--make-key")

    ((secured, sender, receivers, envelope),) = server.handler.got
    assert (secured, sender, receivers) == (True, FROM, [TO])
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert message["Subject"].startswith("checkpoint ")
    body = message.get_content().replace("\r\n", "\n")
    assert body == (tmp_path / "log" / "checkpoint").read_text()
    assert body.split("\n")[0] in key
