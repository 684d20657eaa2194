"""A person is erased, and every proof holds as before (S-95, P-8.34)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from bootstrap.core.tlog import entries
from bootstrap.models import AuditDisclosure, AuditEntry, AuditHead, AuditPerson
from bootstrap.services import audit, erasure, log_exporting
from bootstrap.services.actors import OPERATOR
from bootstrap.services.logfiles import LogFiles

from . import test_keeping
from .builders import NOW, a_person

keeper, time = test_keeping.keeper, test_keeping.time
pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def trail(keeper):
    """A sealed log in which two persons acted, and one was acted upon."""
    for name, comment in (("ada.lovelace", "rang her"), ("bob", "wrote to them")):
        audit.record(
            "proposal.held",
            stream="child:a.",
            actor=a_person(name),
            now=NOW,
            private={"comment": comment},
        )
    audit.record(
        "role.granted",
        stream="people",
        actor=a_person("bob"),
        now=NOW,
        private={"person": "ada.lovelace"},
        subject=audit.pseudonym("ada.lovelace"),
    )
    keeper.start()
    keeper.round()
    return keeper


def erase(name="ada.lovelace"):
    return erasure.person(name, actor=OPERATOR, now=NOW)


def everything_kept(folder: Path) -> str:
    """Return all that the ledger's tables and files hold, as text."""
    models = (AuditEntry, AuditDisclosure, AuditHead, AuditPerson)
    rows = [str(row) for model in models for row in model.objects.values_list()]
    octets = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return "".join(rows) + b"".join(octets).decode("latin-1")


def test_nothing_of_the_ledger_names_an_erased_person(trail, tmp_path):
    assert "ada.lovelace" in everything_kept(tmp_path)

    assert erase() == 2
    trail.round()
    export = LogFiles(tmp_path / "export")
    log_exporting.export(trail.files, export, since=None, until=None)

    assert "ada.lovelace" not in everything_kept(tmp_path)


def test_both_verifiers_are_content_after_an_erasure(trail, tmp_path):
    erase()
    trail.round()
    export = LogFiles(tmp_path / "export")
    log_exporting.export(trail.files, export, since=None, until=None)

    assert list(trail.verifier.everything()) == []
    key = ("--key", str(export.folder / "key"))
    done = subprocess.run(
        [sys.executable, "tools/audit_verify.py", str(export.folder), *key],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_what_others_disclosed_still_fits_its_entry(trail):
    erase()

    kept = AuditDisclosure.objects.filter(value__in=("bob", "wrote to them"))
    assert kept.count() == 3
    for row in kept:
        told = json.loads(bytes(AuditEntry.objects.get(uid=row.entry_uid).body))
        made = entries.Disclosure(row.salt, row.name, row.value).digest
        assert made in told["sd"]


def test_the_erasure_is_an_entry_that_names_the_pseudonym_alone(trail):
    before = audit.pseudonym("ada.lovelace")

    erase()

    body = bytes(AuditEntry.objects.get(type="data.erased").body)
    told = json.loads(body)["data"]
    assert (told["what"], told["count"], told["subject"]) == ("person", 2, before)
    assert b"ada.lovelace" not in body
    assert audit.pseudonym("ada.lovelace") != before  # nobody can link it again


def test_who_may_still_come_in_is_not_erased(trail):
    User.objects.create_user("ada.lovelace")

    with pytest.raises(erasure.StillActive):
        erase()
    assert AuditDisclosure.objects.filter(value="ada.lovelace").exists()


def test_the_words_of_one_entry_go_and_who_said_them_stays(trail, capsys):
    entry = AuditEntry.objects.get(stream="child:a.", number=1)

    call_command("audit", "erase", "--entry", str(entry.uid))

    assert "1 values erased" in capsys.readouterr().out
    left = AuditDisclosure.objects.filter(entry_uid=entry.uid)
    assert [row.name for row in left] == ["actor"]
    with pytest.raises(CommandError, match="keeps nothing apart"):
        call_command("audit", "erase", "--entry", str(entry.uid))


def test_the_command_erases_a_person_once(trail):
    call_command("audit", "erase", "--person", "ada.lovelace")
    with pytest.raises(CommandError, match="names nobody"):
        call_command("audit", "erase", "--person", "ada.lovelace")
