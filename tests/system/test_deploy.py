"""What is shipped for machines that run it: units and a packet filter, tried."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bootstrap.services import signing
from tests.conftest import needs
from tests.support import daemons

pytestmark = pytest.mark.system
DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
EXPOSURE = 20
"""Tenths, as the threshold of systemd-analyze counts (S-119)."""
SCANNER = 12_345
"""A user of the test: no name is needed for rules about it."""

TALK = """
import os, socket, sys
address, port, user = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
listening = socket.create_server((address, port), family=family)
os.setuid(user)
try:
    asking = socket.socket(family)
    asking.settimeout(2)
    asking.connect((address, port))
except OSError as refusal:
    sys.exit(f"refused: {refusal}")
"""


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_s_119_a_unit_leaves_its_process_little_to_do_wrong(unit):
    if daemons.missing("systemd-analyze"):
        pytest.skip("not installed: systemd-analyze")
    done = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=true",
            "--no-pager",
            f"--threshold={EXPOSURE}",
            str(unit),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_process_has_a_unit_and_a_user_of_its_own():  # P-6.20
    texts = {unit.stem: unit.read_text() for unit in UNITS}

    assert {
        f"portal-{p}" for p in ("web", "worker", "publisher", "sealer", "notify")
    } == (set(texts))
    for name, text in texts.items():
        assert f"\nUser={name}\n" in text
        # who listens to anybody knows no secret of the parent, and no key of the log
        assert ("publisher.env" in text) == (name == "portal-publisher")


def talks(address: str, port: int, user: int, addresses: tuple[str, ...] = ()) -> bool:
    """Say whether `user` reaches a service of this very machine behind the filter."""
    setup = "".join(f"ip addr add {each} dev lo && " for each in addresses)
    script = (
        f"ip link set lo up && {setup}"
        f'nft -D worker={SCANNER} -f "$1" && shift && exec "$@"'
    )
    done = subprocess.run(
        [
            "unshare",
            "--net",
            "--",
            "sh",
            "-c",
            script,
            "sh",
            str(DEPLOY / "nftables.conf"),
            sys.executable,
            "-c",
            TALK,
            address,
            str(port),
            str(user),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 or "refused:" in done.stderr, done.stderr
    return done.returncode == 0


@pytest.mark.parametrize(
    ("address", "port"),
    [("127.0.0.1", 5432), ("127.0.0.1", 53), ("::1", 5432), ("10.1.2.3", 53)],
)
def test_s_5_the_scanner_reaches_nothing_of_ours_even_if_its_own_gate_failed(
    address, port
):
    needs("nft", "unshare", "ip")
    ours = (f"{address}/32",) if address.startswith("10.") else ()

    assert talks(address, port, user=0, addresses=ours)
    assert not talks(address, port, user=SCANNER, addresses=ours)


@pytest.mark.parametrize(("port", "reached"), [(53, True), (80, False)])
def test_s_5_the_world_is_asked_at_the_port_of_the_dns_alone(port, reached):
    needs("nft", "unshare", "ip")

    for address, length in (("9.9.9.9", 32), ("2620:fe::fe", 128)):
        ours = (f"{address}/{length}",)
        assert talks(address, port, user=SCANNER, addresses=ours) is reached


SIGN = """
import os, sys
from pathlib import Path
from datetime import UTC, datetime
from bootstrap.core.tlog import merkle, notes
from bootstrap.services import signing
key, state, user = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
os.setuid(user)
head = notes.Checkpoint("portal.example/audit", 0, merkle.EMPTY_ROOT)
try:
    signing.Signer(head.origin, key, state).sign(head, (), now=datetime.now(UTC))
except (signing.KeyUnusable, OSError) as refusal:
    sys.exit(f"refused: {refusal}")
"""


def test_s_91_only_the_sealers_user_can_sign():
    """The web process runs as another user: even with a state of its own, it has no key."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed
        folder = Path(name)
        folder.chmod(0o777)
        signing.make_key(folder / "key")

        def signs(user: int) -> str:
            words = [sys.executable, "-c", SIGN, str(folder / "key")]
            words += [str(folder / f"state-{user}"), str(user)]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            return "" if done.returncode == 0 else done.stderr.strip()

        assert signs(SCANNER) == f"refused: {folder}/key: Permission denied"
        assert not (folder / f"state-{SCANNER}").exists()
        assert signs(0) == ""


def test_s_91_no_unit_but_the_sealers_is_given_what_the_sealer_has():
    for unit in UNITS:
        text = unit.read_text()
        mine = unit.stem == "portal-sealer"
        assert ("sealer.env" in text) is mine
        assert ("portal/sealer" in text) is mine
