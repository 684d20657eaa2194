"""What an older database has forgotten is read back from the log's files (S-94)."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from bootstrap.models import (
    AuditEntry,
    AuditHead,
    AuditLeaf,
    AuditPending,
    Checkpoint,
    Proposal,
)
from bootstrap.services import audit, claims, outcomes, proposals, recovering, restoring
from bootstrap.services.actors import PUBLISHER, SCANNER
from bootstrap.services.sealing import RolledBack
from bootstrap.services.sending import Effect, Report
from tests.support.trail import triggers_away

from . import test_keeping
from .builders import DS, NOW, a_domain, a_person, a_proposal
from .parent import told
from .test_keeping import ORIGIN, a_keeper, write

keeper, time = test_keeping.keeper, test_keeping.time
_genuine_evidence = test_keeping._genuine_evidence
pytestmark = pytest.mark.django_db(transaction=True)
LEDGER: tuple[Any, ...] = (AuditPending, AuditLeaf, Checkpoint, AuditHead, AuditEntry)


@contextmanager
def forgotten():
    """Let the ledger and the changes be afterwards what they are now."""
    kept = {model: list(model.objects.order_by("pk")) for model in LEDGER}
    changes = list(Proposal.objects.all())
    yield
    with triggers_away(), transaction.atomic():
        for model in LEDGER:
            model.objects.all()._raw_delete("default")
        for model in reversed(LEDGER):
            model.objects.bulk_create(kept[model])
        for change in changes:
            change.save()


def recover(keeper):
    return recovering.recover(keeper.files, keeper.signer.public, now=NOW)


def rolled_back(keeper, time) -> bool:
    try:
        a_keeper(keeper.ledger.folder.parent, time).start()
    except RolledBack:
        return True
    return False


def test_five_hundred_lost_entries_come_back_with_the_same_root(keeper, time):
    write(300)
    keeper.round()
    write(3)  # sealed only after the backup
    with forgotten():
        write(497)
        keeper.round()
    size, root = keeper.signer.last()
    assert rolled_back(keeper, time)

    done = recover(keeper)

    assert (done.added, done.size) == (500, size)
    assert done.types["scan.failed"] == 500
    assert list(keeper.verifier.everything()) == []
    assert not rolled_back(keeper, time)
    assert keeper.round()
    assert keeper.signer.last()[0] > size
    assert Checkpoint.objects.get(size=size).root == root
    assert restoring.quarantined()
    assert recover(keeper).added == 0


def test_a_change_is_where_its_entries_moved_it_and_goes_on(keeper):
    change = a_proposal(a_domain(), new_ds=[DS])
    keeper.round()
    with forgotten():
        words: Any = {"actor": a_person(), "comment": "yes", "now": NOW}
        proposals.approve(change, digest=change.digest, **words)
        claim = claims.begin(change, actor=PUBLISHER, now=NOW)
        assert isinstance(claim, claims.Claim)
        outcomes.conclude(claim, Report(Effect.APPLIED), actor=PUBLISHER, now=NOW)
        keeper.round()
    assert Proposal.objects.get().state == "candidate"

    recover(keeper)

    found = Proposal.objects.get()
    assert (found.state, found.version, found.sent_at) == ("sent", 4, NOW)
    assert found.domain.ds == [DS]
    assert told(found.domain)[-1] == "publication.sent"


def test_entries_written_in_the_place_of_lost_ones_are_not_overwritten(keeper):
    write(6)
    keeper.round()
    with forgotten():
        write(6)
        keeper.round()
    write(1)

    with pytest.raises(recovering.CannotRecover, match="restore again"):
        recover(keeper)
    assert AuditLeaf.objects.count() == 6


def test_a_database_with_another_history_is_not_filled_up(keeper):
    write(6)
    with forgotten():
        keeper.round()
    entry = AuditEntry.objects.order_by("pk")[0]
    AuditLeaf.objects.create(index=0, entry=entry, hash=bytes(32))

    with pytest.raises(recovering.CannotRecover, match="another history"):
        recover(keeper)


@pytest.mark.parametrize("file", ["tile/entries/000.p/6", "checkpoint"])
def test_files_that_do_not_lead_to_what_was_signed_are_not_believed(keeper, file):
    with forgotten():
        write(6)
        keeper.round()
    path = keeper.files.folder / file
    octets = bytearray(path.read_bytes())
    octets[60] ^= 1
    path.write_bytes(bytes(octets))

    with pytest.raises(recovering.CannotRecover):
        recover(keeper)
    assert not AuditLeaf.objects.exists()


def test_the_command_says_what_came_back(keeper, settings, capsys):
    keeper.start()
    with forgotten():
        audit.record("scan.failed", stream="s", actor=SCANNER, now=NOW)
        keeper.round()
    folder = str(keeper.files.folder)
    settings.BOOTSTRAP = {**settings.BOOTSTRAP, "AUDIT_LOG_DIR": folder}

    call_command("audit", "recover")

    assert "scan.failed" in capsys.readouterr().out
    entry = AuditEntry.objects.get(type="scan.failed")
    assert json.loads(bytes(entry.body))["stream"] == "s"
    (keeper.files.folder / "key").write_text(f"{ORIGIN}+00000000+AA==")
    with pytest.raises(CommandError):
        call_command("audit", "recover")
