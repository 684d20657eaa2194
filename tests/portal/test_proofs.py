"""What pages say of the proof, and what they hand out to whom (S-116)."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bootstrap import clock
from bootstrap.core.evidence import dossiers as checking
from bootstrap.core.tlog import merkle, notes
from bootstrap.models import AuditEntry, Checkpoint, Proposal
from bootstrap.services import alarms, audit, chain, proposals, sealing, signing
from bootstrap.services.actors import SCANNER
from bootstrap.services.logfiles import LogFiles
from bootstrap.services.signing import Signer
from tests.services import test_dossiers
from tests.support import rows

from .conftest import enter

a_change, decide = test_dossiers.a_change, test_dossiers.decide
pytestmark = pytest.mark.django_db


@pytest.fixture
def seal(tmp_path, settings):
    """Seal all that waits; return the log's key."""
    files = LogFiles(tmp_path / "log")
    settings.BOOTSTRAP = {
        **settings.BOOTSTRAP,
        "AUDIT_LOG_DIR": str(files.folder),
        "AUDIT_ORIGIN": "portal.example/audit",
    }
    signing.make_key(tmp_path / "key")
    signer = Signer("portal.example/audit", tmp_path / "key", tmp_path / "state")

    def run() -> notes.VerifierKey:
        sealing.seal(files=files, signer=signer, now=clock.now())
        files.write("key", signer.public.to_text().encode(), replace=True)
        return signer.public

    return run


@pytest.fixture
def auditor(db):
    return enter(rows.a_person("olga", "auditor"))


@pytest.fixture
def entry(db):
    return audit.record(
        "scan.failed", stream="child:a.example.", actor=SCANNER, now=clock.now()
    )


def page(name: str, *arguments: object) -> str:
    return reverse(f"dashboard:{name}", args=arguments)


def test_an_entry_that_waits_says_so_and_offers_no_proof(auditor, entry):
    text = auditor.get(page("entry", entry.uid)).text

    assert "not yet sealed" in text
    assert page("proof", entry.uid) not in text
    refused = auditor.get(page("proof", entry.uid))
    assert refused.status_code == 409
    assert "not yet sealed" in refused.text


def test_a_sealed_entry_names_its_checkpoint_and_hands_out_its_proof(
    auditor, entry, seal
):
    key = seal()
    audit.record("scan.failed", stream="other", actor=SCANNER, now=clock.now())
    seal()

    text = auditor.get(page("entry", entry.uid)).text
    proof = auditor.get(page("proof", entry.uid))
    octets = auditor.get(page("octets", entry.uid))

    first, newest = Checkpoint.objects.order_by("size")
    assert f"checkpoint {first.size}," in text
    assert f"checkpoint {newest.size}," in text
    assert bytes(newest.root).hex() in text
    index, path, head = notes.read_proof(proof.text)
    note = notes.read(head)
    note.check(key, signing.verify)
    told = notes.Checkpoint.from_text(note.text)
    leaf = merkle.leaf_hash(octets.content)
    merkle.check_inclusion(leaf, index, told.size, path, told.root)
    assert proof["Content-Disposition"].startswith("attachment;")
    assert octets.content == bytes(AuditEntry.objects.get(pk=entry.pk).body)


def test_the_trail_and_the_report_say_how_far_the_log_is_proven(auditor, entry, seal):
    for name in ("trail", "report"):
        assert "No checkpoint yet" in auditor.get(page(name)).text
    seal()
    audit.record("scan.failed", stream="other", actor=SCANNER, now=clock.now())

    trail = auditor.get(page("trail")).text

    size = Checkpoint.objects.get().size
    assert f"checkpoint {size}<" in trail
    assert "1 more waits for the sealer" in trail
    assert trail.count("not yet sealed") == 1
    assert f"{size} entr" in auditor.get(page("report")).text


@pytest.mark.parametrize("subject", [chain.BROKEN, chain.ROLLED_BACK])
def test_a_log_that_fails_is_told_on_every_page_of_it(subject, auditor, seal):
    proposal = a_change()
    seal()
    entry = AuditEntry.objects.get(about=proposal.pk)
    alarms.open_alarm(
        chain.CODE, subject=subject, detail="leaf 3: gone", now=clock.now()
    )

    pages = [page("trail"), page("report"), page("entry", entry.uid)]
    pages += [
        page("proposal", proposal.pk),
        reverse("admin:bootstrap_auditentry_changelist"),
    ]
    pages += [reverse("admin:bootstrap_auditentry_change", args=[entry.pk])]
    pages += [reverse("admin:bootstrap_proposal_change", args=[proposal.pk])]
    for url in pages:
        text = auditor.get(url).text
        assert "verification failing" in text, url
        assert "leaf 3: gone" in text, url


def test_a_sealer_that_is_away_puts_nothing_sealed_in_doubt(auditor, entry, seal):
    seal()
    alarms.open_alarm(
        chain.CODE, subject=chain.SEALER, detail="never seen", now=clock.now()
    )

    text = auditor.get(page("entry", entry.uid)).text

    assert "never seen" in text
    assert "verification failing" not in text


def test_proof_and_octets_of_an_entry_are_for_those_who_read_the_trail(entry, seal):
    seal()
    for role in ("viewer", "reviewer", "approver"):
        browser = enter(rows.a_person(role, role))
        for name in ("proof", "octets"):
            assert browser.get(page(name, entry.uid)).status_code == 403


def take(browser, proposal):
    return browser.post(page("dossier", proposal.pk))


@pytest.mark.parametrize("role", rows.ROLES)
def test_whoever_may_have_the_evidence_may_have_the_dossier(role, seal):
    """Read-only auditors among them."""
    proposal = decide(proposals.approve, "ada", a_change())
    key = seal()
    browser = enter(rows.a_person("olga", role))

    answer = take(browser, proposal)

    found = checking.check(answer.content, key)
    assert found.faults == ()
    assert found.checked is not None
    assert found.checked.state == "approved"
    assert answer["Content-Type"] == "application/x-tar"
    assert str(proposal.pk) in answer["Content-Disposition"]


def test_nobody_else_gets_a_dossier(client, seal):
    proposal = a_change()
    seal()

    assert take(client, proposal).status_code == 302
    outsider = User.objects.create_user("outsider", password="x" * 14)
    assert take(enter(outsider), proposal).status_code == 403
    assert not AuditEntry.objects.filter(type="data.exported").exists()


def test_a_dossier_that_was_taken_is_in_the_trail(auditor, seal):
    proposal = a_change()
    seal()

    answer = take(auditor, proposal)

    newest = AuditEntry.objects.filter(type="data.exported").order_by("-pk")[0]
    told = json.loads(bytes(newest.body))["data"]
    assert (told["what"], told["proposal"]) == ("dossier", str(proposal.pk))
    assert told["sha256"] == hashlib.sha256(answer.content).hexdigest()


def test_a_dossier_that_cannot_be_made_says_what_to_do(auditor, seal):
    proposal = a_change()

    answer = auditor.post(page("dossier", proposal.pk), follow=True)

    assert answer.redirect_chain == [(page("proposal", proposal.pk), 302)]
    assert "is `manage.py sealer` running" in answer.text


def test_the_page_of_a_change_says_how_much_of_it_is_sealed(auditor, seal):
    proposal = a_change()
    seal()
    proposal = decide(proposals.approve, "ada", proposal)

    before = auditor.get(page("proposal", proposal.pk)).text
    seal()
    after = auditor.get(page("proposal", proposal.pk)).text

    assert "1 of 2 steps under a checkpoint" in before
    assert "not yet sealed" in before
    assert "2 of 2 steps under a checkpoint" in after
    assert page("dossier", proposal.pk) in after


def test_a_change_that_the_trail_does_not_tell_has_no_dossier_to_offer(
    auditor, registry
):
    proposal = Proposal.objects.first()
    assert proposal is not None

    text = auditor.get(page("proposal", proposal.pk)).text

    assert "The trail tells nothing of this change." in text
    assert "/dossier/" not in text


def test_the_admin_shows_and_offers_the_same(auditor, entry, seal):
    proposal = a_change()
    seal()

    listed = auditor.get(reverse("admin:bootstrap_auditentry_changelist")).text
    shown = auditor.get(
        reverse("admin:bootstrap_auditentry_change", args=[entry.pk])
    ).text
    change = auditor.get(
        reverse("admin:bootstrap_proposal_change", args=[proposal.pk])
    ).text

    size = Checkpoint.objects.get().size
    assert f"checkpoint {size}" in listed
    assert f"{size} entries under checkpoint {size}" in listed
    assert page("proof", entry.uid) in shown
    assert page("dossier", proposal.pk) in change


def test_the_admin_shows_no_proof_to_those_who_do_not_read_the_trail(entry):
    viewer = enter(rows.a_person("vic"))

    for name, arguments in (("changelist", []), ("change", [entry.pk])):
        url = reverse(f"admin:bootstrap_auditentry_{name}", args=arguments)
        assert viewer.get(url).status_code == 403


def test_a_page_of_the_trail_costs_the_same_however_many_entries_it_has(auditor, entry):
    def queries(count: int) -> int:
        for _ in range(count):
            audit.record("scan.failed", stream="s", actor=SCANNER, now=clock.now())
        with CaptureQueriesContext(connection) as told:
            auditor.get(page("trail"))
        return len(told)

    queries(1)
    assert queries(2) == queries(40)
