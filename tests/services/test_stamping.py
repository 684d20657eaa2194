"""Time stamps by a real authority on loopback: OpenSSL's own (RFC 3161, P-8.24)."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from bootstrap import config
from bootstrap.services import log_exporting, stamping
from bootstrap.services.logfiles import LogFiles
from tests.conftest import needs
from tests.support import certificates

from . import test_keeping
from .test_checkpoints import serving
from .test_keeping import a_keeper, write

time = test_keeping.time
pytestmark = pytest.mark.django_db

TSA = """
[ tsa ]
default_tsa = ours
[ ours ]
serial = {folder}/serial
signer_cert = {folder}/cert.pem
signer_key = {folder}/key.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
"""


class Stamper(BaseHTTPRequestHandler):
    """Answers with what `openssl ts -reply` makes of a question."""

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.server.answer(asked)  # type: ignore[attr-defined]  # put there below
        self.server.asked.append(self.headers["Content-Type"])  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def an_authority(folder: Path) -> HTTPServer:
    folder.mkdir()
    certificates.make(folder, "tsa.example", ExtendedKeyUsageOID.TIME_STAMPING)
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(TSA.format(folder=folder))

    def answer(asked: bytes) -> bytes:
        (folder / "asked").write_bytes(asked)
        words = ["-config", "tsa.cnf", "-queryfile", "asked", "-out", "answer"]
        reply = ["openssl", "ts", "-reply", *words]
        subprocess.run(reply, check=True, capture_output=True, cwd=folder)
        return (folder / "answer").read_bytes()

    server = HTTPServer(("127.0.0.1", 0), Stamper)
    server.asked, server.answer = [], answer  # type: ignore[attr-defined]  # for the handler
    return server


@pytest.fixture
def tsa(tmp_path):
    needs("openssl")
    with serving(an_authority(tmp_path / "tsa")) as server:
        yield server


def believed(server: HTTPServer, folder: Path) -> config.Authority:
    url = f"http://127.0.0.1:{server.server_port}/tsr"
    return config.Authority(url, folder / "cert.pem")


@pytest.fixture
def keeper(tmp_path, time, tsa):
    keeper = a_keeper(tmp_path / "keeper", time)
    trusted = believed(tsa, tmp_path / "tsa")
    return replace(keeper, ledger=replace(keeper.ledger, timestamps=trusted))


def kept(keeper):
    return sorted(path.name for path in keeper.files.folder.glob("timestamps/*"))


def test_a_checkpoint_is_stamped_once_a_day_and_the_stamp_leaves_with_exports(
    keeper, tsa, time, tmp_path
):
    write(2)
    keeper.start()
    keeper.round()
    time.pass_(hours=5)
    write(1)
    keeper.round()
    first = kept(keeper)
    assert tsa.asked == ["application/timestamp-query"]
    time.pass_(hours=20)
    keeper.round()

    assert len(tsa.asked) == 2
    assert first == ["3.note", "3.tsr"]
    assert (
        (keeper.files.folder / "timestamps" / "3.note")
        .read_text()
        .startswith("portal.example/audit\n3\n")
    )
    folder = LogFiles(tmp_path / "export")
    log_exporting.export(keeper.files, folder, since=None, until=None)
    assert sorted(p.name for p in folder.folder.glob("timestamps/*")) == kept(keeper)


def test_a_strangers_library_agrees_about_the_stamp(keeper, tmp_path):
    rfc3161 = pytest.importorskip("rfc3161_client")
    x509 = pytest.importorskip("cryptography.x509")
    write(2)
    keeper.round()
    (name,) = (path for path in keeper.files.folder.glob("timestamps/*.tsr"))
    root = x509.load_pem_x509_certificate((tmp_path / "tsa" / "cert.pem").read_bytes())
    answer = rfc3161.decode_timestamp_response(name.read_bytes())
    verifier = rfc3161.VerifierBuilder().add_root_certificate(root).build()

    assert verifier.verify_message(answer, name.with_suffix(".note").read_bytes())
    with pytest.raises(rfc3161.VerificationError):
        verifier.verify_message(answer, b"another checkpoint")


WRONG = {
    "of another question": lambda server, _folder: _always(server, server.answer),
    "no time stamp": lambda server, _folder: setattr(
        server, "answer", lambda _asked: b"<html>"
    ),
}


def _always(server, answer):
    """Answer every question as if it were the first."""
    query = ["openssl", "ts", "-query", "-digest", "00" * 32, "-sha256", "-cert"]
    made = subprocess.run(query, capture_output=True, check=True).stdout
    first = answer(made)
    server.answer = lambda _asked: first


@pytest.mark.parametrize("spoil", WRONG.values(), ids=WRONG)
def test_an_answer_that_does_not_hold_is_not_kept_and_asked_for_again(
    keeper, tsa, time, tmp_path, spoil, caplog
):
    right = tsa.answer
    spoil(tsa, tmp_path)
    write(1)
    keeper.round()
    assert kept(keeper) == []
    assert "checkpoint.not_stamped" in caplog.text
    tsa.answer = right
    time.pass_(minutes=30)
    keeper.round()
    assert kept(keeper) == []
    time.pass_(minutes=40)
    keeper.round()
    assert len(kept(keeper)) == 2


def test_the_stamp_of_an_authority_that_nobody_named_is_refused(tmp_path, tsa):
    files = LogFiles(tmp_path / "log")
    with serving(an_authority(tmp_path / "other")) as other:
        trusted = believed(other, tmp_path / "tsa")
        with pytest.raises(stamping.NotStamped, match="openssl ts -verify"):
            stamping.stamp("a note\n", 1, trusted, files)
    assert not (files.folder / "timestamps").exists()


def test_an_authority_without_certificates_stops_the_sealer_at_start(
    settings, tmp_path
):
    settings.BOOTSTRAP = {
        **settings.BOOTSTRAP,
        "AUDIT_ORIGIN": "portal.example/audit",
        "AUDIT_KEY_FILE": str(tmp_path / "key"),
        "AUDIT_TSA": "http://127.0.0.1/",
    }
    with pytest.raises(config.Unusable, match="AUDIT_TSA_CERTIFICATES"):
        config.ledger()
    settings.BOOTSTRAP = {**settings.BOOTSTRAP, "AUDIT_TSA": "tsa.example"}
    with pytest.raises(config.Unusable, match="AUDIT_TSA: must be"):
        config.ledger()
