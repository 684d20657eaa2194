"""Go's own transparency log code accepts our log, and refuses a changed one (S-93)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from bootstrap import clock
from bootstrap.core.tlog import archive
from bootstrap.models import (
    AuditDisclosure,
    AuditEntry,
    AuditHead,
    AuditLeaf,
    AuditPending,
    Checkpoint,
)
from bootstrap.services import audit
from bootstrap.services.actors import SCANNER
from tests.conftest import needs
from tests.support import dossiers
from tests.support.trail import triggers_away

HERE = Path(__file__).parent / "go"
PACKAGES = "/usr/share/gocode"
ORIGIN = "portal.example/audit/2026"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def checklog(tmp_path_factory):
    """The checker, built from Debian's packages without any network."""
    needs("go")
    if not Path(PACKAGES, "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip("not installed: golang-golang-x-mod-dev")
    folder = tmp_path_factory.mktemp("go")
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": f"{HERE}:{PACKAGES}",
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "-buildvcs=false",
        "GOPROXY": "off",
        "CGO_ENABLED": "0",
    }
    program = folder / "checklog"
    subprocess.run(
        ["go", "build", "-o", program, "checklog"], env=environment, check=True
    )
    return program


@pytest.fixture
def exported(settings, tmp_path):
    """A log of some checkpoints, as `audit export` hands it out."""
    settings.BOOTSTRAP = {
        **settings.BOOTSTRAP,
        "AUDIT_ORIGIN": ORIGIN,
        "AUDIT_LOG_DIR": str(tmp_path / "log"),
        "AUDIT_KEY_FILE": str(tmp_path / "key"),
        "AUDIT_PUBLISH": str(tmp_path / "drop"),
    }
    for turn in range(2):
        for n in range(280):
            audit.record(
                "scan.failed", stream=f"s{n % 5}", actor=SCANNER, now=clock.now(), n=n
            )
        call_command("sealer", "--once", "--make-key")
        (tmp_path / f"older-{turn}").write_bytes(
            (tmp_path / "log" / "checkpoint").read_bytes()
        )
    call_command("audit", "export", "-o", str(tmp_path / "export"))
    return tmp_path / "export"


def go(program, folder, *older):
    key = (folder / "key").read_text().strip()
    return subprocess.run(
        [program, folder, key, *older], capture_output=True, text=True, check=False
    )


def ours(folder, *older):
    command = [sys.executable, "tools/audit_verify.py", folder, "--key", folder / "key"]
    command += [part for path in older for part in ("--checkpoint", path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_both_accept_the_log_and_that_it_contains_an_older_one(checklog, exported):
    older = exported.parent / "older-0"
    accepted = go(checklog, exported, older)
    assert accepted.returncode == 0, accepted.stderr
    told = ours(exported, older)
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"{accepted.stdout.split()[0]} entries" in told.stdout
    call_command("audit", "verify")


def go_on_a_dossier(program, tmp_path, octets):
    path = tmp_path / "dossier"
    path.write_bytes(octets)
    key = dossiers.Signer().public.to_text()
    return subprocess.run(
        [program, path, key], capture_output=True, text=True, check=False
    )


def test_go_accepts_every_proof_of_a_dossier(checklog, tmp_path):
    accepted = go_on_a_dossier(checklog, tmp_path, dossiers.octets())

    assert accepted.returncode == 0, accepted.stderr
    assert accepted.stdout.startswith("8 of 17 ")


@pytest.mark.parametrize(
    "name", ["entries/000000004.json", "entries/000000004.tlog-proof", "checkpoint"]
)
def test_go_refuses_a_dossier_with_a_changed_entry_proof_or_head(
    checklog, tmp_path, name
):
    files = archive.unpack(dossiers.octets())
    content = bytearray(files[name])
    content[40] ^= 1
    spoiled = archive.pack({**files, name: bytes(content)})

    refused = go_on_a_dossier(checklog, tmp_path, spoiled)

    assert refused.returncode == 1
    assert "refused" in refused.stderr


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def exchange(folder):
    first, second = folder / "tile/entries/000", folder / "tile/entries/001"
    data = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(data)


CHANGES = {
    "an entry": lambda f: flip(f / "tile/entries/000", 900),
    "a tile of leaves": lambda f: flip(f / "tile/0/000", 70),
    "a tile above": lambda f: flip(next((f / "tile/1/000.p").iterdir()), 3),
    "the checkpoint": lambda f: flip(f / "checkpoint", len(ORIGIN) + 1),
    "a lost bundle": lambda f: (f / "tile/entries/001").unlink(),
    "two bundles exchanged": exchange,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_both_refuse_a_changed_log(checklog, exported, change):
    change(exported)
    assert go(checklog, exported).returncode == 1
    assert ours(exported).returncode == 1


def test_both_refuse_a_fork_that_was_signed_with_the_right_key(
    checklog, exported, settings, tmp_path
):
    older = exported.parent / "older-1"
    fork = tmp_path / "fork"
    settings.BOOTSTRAP = {
        **settings.BOOTSTRAP,
        "AUDIT_LOG_DIR": str(fork),
        "AUDIT_STATE_FILE": str(tmp_path / "other-state"),
        "AUDIT_PUBLISH": "",
    }
    with triggers_away():
        Checkpoint.objects.all().delete()
        AuditLeaf.objects.all().delete()
        AuditPending.objects.all().delete()
        AuditEntry.objects.all()._raw_delete("default")
        AuditDisclosure.objects.all().delete()
        AuditHead.objects.all().delete()
    for n in range(700):
        audit.record(
            "scan.failed", stream=f"s{n % 5}", actor=SCANNER, now=clock.now(), n=-n
        )
    call_command("sealer", "--once")
    call_command("audit", "export", "-o", str(tmp_path / "second"))

    second = tmp_path / "second"
    assert go(checklog, second).returncode == 0
    assert go(checklog, second, older).returncode == 1
    assert ours(second, older).returncode == 1


def test_the_command_names_a_changed_entry(exported):
    entry = AuditEntry.objects.order_by("pk")[300]
    with triggers_away():
        AuditEntry.objects.filter(pk=entry.pk).update(body=b"{}")
    with pytest.raises(CommandError, match="do not hold"):
        call_command("audit", "verify")
