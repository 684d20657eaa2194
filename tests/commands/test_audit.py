"""The log from a shell: verified, proven, exported, and what a newcomer is told."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from bootstrap.core.tlog import merkle, notes
from bootstrap.models import AuditEntry
from bootstrap.services import audit
from bootstrap.services.actors import SCANNER
from tests.services.builders import NOW
from tests.support.trail import triggers_away

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def folder(settings, tmp_path, monkeypatch):
    """A folder to stand in, and a log in it that nothing is sealed in yet."""
    settings.BOOTSTRAP = {
        **settings.BOOTSTRAP,
        "AUDIT_ORIGIN": "portal.example/audit",
        "AUDIT_LOG_DIR": str(tmp_path / "log"),
        "AUDIT_KEY_FILE": str(tmp_path / "key"),
    }
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(count, *, later=timedelta()):
    return [
        audit.record(
            "scan.failed", stream="child:a.", actor=SCANNER, now=NOW + later, n=n
        )
        for n in range(count)
    ]


def seal():
    call_command("sealer", "--once", "--make-key")


def test_an_entry_is_proven_into_two_files_that_hold_together(folder, capsys):
    entry = write(5)[2]
    seal()

    call_command("audit", "prove", str(entry.uid))

    proof = folder / f"entry-{entry.uid}.tlog-proof"
    beside = folder / f"entry-{entry.uid}.json"
    assert f"{proof.name}, and the entry itself in {beside.name}" in (
        capsys.readouterr().out
    )
    index, path, checkpoint = notes.read_proof(proof.read_text())
    head = notes.Checkpoint.from_text(notes.read(checkpoint).text)
    leaf = merkle.leaf_hash(beside.read_bytes())
    merkle.check_inclusion(leaf, index, head.size, path, head.root)


MISTAKES = {
    "no entry named": (("prove",), "the following arguments are required: entry"),
    "no id": (("prove", "17"), "'17' is no id such as 019ab3e0-"),
    "an id of nothing": (
        ("prove", "019ab3e0-8a2c-7c1e-9d2f-5b0c4e6a7f10"),
        "there is no entry 019ab3e0-",
    ),
    "no day": (("verify", "--since", "yesterday"), "is no day such as 2026-11-24"),
    "no folder of its own": (("export", "-o", "."), ". is not empty"),
}


@pytest.mark.parametrize(("words", "told"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_what_was_wanted(folder, words, told):
    (folder / "something").touch()

    with pytest.raises(CommandError, match=told):
        call_command("audit", *words)


def test_an_entry_that_is_not_sealed_yet_says_who_seals(folder):
    (entry,) = write(1)

    with pytest.raises(
        CommandError, match=r"not yet sealed: is `manage.py sealer` run"
    ):
        call_command("audit", "prove", str(entry.uid))
    with pytest.raises(CommandError, match="is for the entry itself"):
        call_command("audit", "prove", str(entry.uid), "-o", "entry.json")
    assert list(folder.glob("entry*")) == []


def test_the_export_of_a_day_holds_its_entries_and_satisfies_a_stranger(folder):
    # Days gone by: what the sealer adds has the time of the clock.
    write(300, later=timedelta(days=-2))
    write(300, later=timedelta(days=-1))
    write(300)
    seal()

    day = f"{NOW - timedelta(days=1):%Y-%m-%d}"
    until = f"{NOW:%Y-%m-%d}"
    call_command("audit", "export", "--from", day, "--to", until)

    export = folder / "audit-export"
    assert json.loads((export / "partial").read_text()) == {"first": 256, "last": 768}
    told = stranger(export)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "512 entries of 9" in told.stdout


def stranger(export):
    verifier = ROOT / "tools" / "audit_verify.py"
    return subprocess.run(
        [sys.executable, verifier, export, "--key", export / "key"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_verify_looks_at_all_of_it_or_at_what_came_since(capsys):
    write(300)
    write(300, later=timedelta(days=1))
    seal()
    since = f"{NOW + timedelta(days=1):%Y-%m-%d}"

    call_command("audit", "verify", "--full")
    call_command("audit", "verify", "--since", since)
    said = capsys.readouterr().out

    size = AuditEntry.objects.filter(leaf__isnull=False).count()
    assert f"everything holds: {size} entries of {size}" in said
    assert f"everything holds: {size - 256} entries of {size}" in said


def test_verify_names_a_changed_entry_unless_it_is_older_than_asked_for(capsys):
    write(300)
    write(300, later=timedelta(days=1))
    seal()
    old = AuditEntry.objects.order_by("pk")[100]
    with triggers_away():
        AuditEntry.objects.filter(pk=old.pk).update(type="scan.verdict")
    since = f"{NOW + timedelta(days=1):%Y-%m-%d}"

    call_command("audit", "verify", "--since", since)
    with pytest.raises(CommandError, match="1 do not hold"):
        call_command("audit", "verify")

    assert f"WRONG: leaf 100: entry {old.uid}" in capsys.readouterr().out


def test_verify_believes_the_key_that_was_kept_and_no_other(folder):
    write(1)
    seal()
    kept = folder / "kept"
    kept.write_text((folder / "log" / "key").read_text())
    other = folder / "other"
    other.write_text("portal.example/audit+00000000+AAAA")

    call_command("audit", "verify", "--key", str(kept))
    with pytest.raises(CommandError, match="--key"):
        call_command("audit", "verify", "--key", str(other))
