"""The dossier of a proposal: made of what is stored, refused with what to do."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from bootstrap.core.dns.names import unrooted
from bootstrap.core.dnssec.security import Security
from bootstrap.core.evidence import bundle, dossiers as checking
from bootstrap.core.tlog import dossier, notes
from bootstrap.models import (
    AuditDisclosure,
    AuditEntry,
    Breaker,
    Evidence,
    EvidenceBody,
    Proposal,
    Sighting,
)
from bootstrap.registry.memory import MemoryRegistry
from bootstrap.services import (
    audit,
    dossiers,
    evidence,
    holds,
    notes as remarks,
    proposals,
    sealing,
    signing,
)
from bootstrap.services.actors import OPERATOR, PUBLISHER, SCANNER
from bootstrap.services.logfiles import LogFiles
from bootstrap.services.looking import Look, Shown, Target
from bootstrap.services.publication import Ending, publish
from bootstrap.services.sightings import record_look
from bootstrap.services.signing import Signer
from tests.core.evidence.test_shown import answer_of
from tests.core.evidence.test_verify import good
from tests.support.trail import triggers_away
from tools import audit_verify

from .builders import DECIDE, HOLD, NOW, a_domain, a_person, a_scan, a_zone
from .parent import Clock

ORIGIN = "portal.example/audit"
COMMENT = "bootstrap.comment_proposal"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def files(tmp_path) -> LogFiles:
    return LogFiles(tmp_path / "log")


@pytest.fixture
def seal(files, tmp_path, settings):
    """Seal all that waits, as `manage.py sealer` does."""
    settings.BOOTSTRAP = {
        **settings.BOOTSTRAP,
        "AUDIT_LOG_DIR": str(files.folder),
        "AUDIT_ORIGIN": ORIGIN,
    }
    signing.make_key(tmp_path / "key")
    signer = Signer(ORIGIN, tmp_path / "key", tmp_path / "signer.json")

    def run() -> notes.VerifierKey:
        sealing.seal(files=files, signer=signer, now=NOW)
        files.write("key", (signer.public.to_text() + "\n").encode(), replace=True)
        return signer.public

    return run


def a_change(**changes) -> Proposal:
    """Return a candidate that rests on real evidence."""
    found = good()
    delegation = found.case.delegation
    zone = a_zone(unrooted(delegation.parent), **changes)
    domain = a_domain(
        zone,
        unrooted(delegation.child),
        nameservers=[unrooted(host) for host in delegation.nameservers],
        version=delegation.version,
    )
    (digest,) = evidence.store([found], now=NOW)
    kept = Evidence.objects.get(digest=digest)
    verdict = found.verdict
    assert verdict.path is not None
    scan = a_scan(
        domain,
        kept,
        path=verdict.path.value,
        outcome=verdict.outcome.value,
        primary_reason=verdict.primary.value,
        ds=sorted(ds.to_text() for ds in verdict.candidate),
    )
    proposal = proposals.propose(
        scan=scan,
        verdict=verdict,
        domain=domain,
        evidence=kept,
        delegation=delegation,
        now=NOW,
    )
    assert proposal is not None
    Proposal.objects.update(expires_at=NOW + timedelta(days=1))
    return stored()


def stored() -> Proposal:
    return Proposal.objects.select_related("domain__zone", "scan").get()


def decide(verb, name, proposal, comment="seen", now=NOW) -> Proposal:
    verb(
        proposal,
        actor=a_person(name, DECIDE, HOLD, COMMENT),
        digest=proposal.digest,
        comment=comment,
        now=now,
    )
    return stored()


def published(proposal: Proposal) -> Proposal:
    delegation = good().case.delegation
    parent = MemoryRegistry(delegation.parent)
    parent.delegate(delegation.child, *delegation.nameservers, ds=())
    ending = publish(proposal, registry=parent, actor=PUBLISHER, clock=Clock())
    assert ending is Ending.SENT
    return stored()


def checked(made: dossiers.Made, key: notes.VerifierKey) -> checking.Whole:
    """Return what our check finds, once the one file alone has found the same."""
    found = checking.check(made.octets, key)
    alone = audit_verify.verify_dossier(made.octets, key.to_text())
    assert bool(alone.wrong) != found.holds
    return found


def test_a_change_decided_by_two_and_published_is_proven_in_one_file(files, seal):
    proposal = a_change(two_persons=True)
    proposal = decide(proposals.approve, "ada", proposal)
    remarks.write(proposal.domain, "phoned", actor=a_person("ada", COMMENT), now=NOW)
    proposal = published(decide(proposals.approve, "bob", proposal))
    audit.record("scan.failed", stream="child:other.test.", actor=SCANNER, now=NOW)
    key = seal()

    made = dossiers.make(proposal, files)

    found = checked(made, key)
    assert found.faults == ()
    assert found.checked is not None
    assert [told.type for told in found.checked.told] == [
        "proposal.created",
        "approval.counted",
        "proposal.approved",
        "publication.begun",
        "publication.sent",
    ]
    assert (made.entries, made.bundles, made.state) == (6, 1, "sent")
    assert bundle.encode(good()) in dossier.decode(made.octets).evidence.values()


def seen_with(message: bytes) -> Proposal:
    """Let a server of the parent show no DS, by this message, and the trail tell it."""
    delegation = good().case.delegation
    target = Target(delegation.child, delegation.parent, ())
    look = Look(target, (Shown("192.0.2.53", (), message=message),), Security.INSECURE)
    assert record_look(stored(), look, now=NOW) == "visible"
    return stored()


def test_p_8_10_answers_of_the_parents_servers_go_with_the_change(files, seal):
    published(decide(proposals.approve, "ada", a_change()))
    message = answer_of(good().case)
    proposal = seen_with(message)
    key = seal()

    made = dossiers.make(proposal, files)

    found = checked(made, key)
    assert found.faults == ()
    assert list(dossier.decode(made.octets).messages.values()) == [message]
    (shown,) = found.shown
    assert (shown.server, shown.ds, shown.doubt) == ("192.0.2.53", (), "")


@pytest.mark.parametrize(
    ("damage", "named"),
    [({"message": None}, "is not there"), ({"message": b"x"}, "cannot be opened")],
    ids=["gone", "damaged"],
)
def test_p_8_10_an_answer_that_is_lost_is_told(damage, named, files, seal):
    published(decide(proposals.approve, "ada", a_change()))
    proposal = seen_with(answer_of(good().case))
    seal()
    Sighting.objects.update(**damage)

    with pytest.raises(dossiers.NoDossier, match=named):
        dossiers.make(proposal, files)


def test_no_persons_name_or_word_is_in_a_dossier(files, seal):
    """P-8.34: pseudonyms and salted digests leave the house, nothing else."""
    proposal = decide(proposals.approve, "ada", a_change(), "a private remark")
    seal()

    octets = dossiers.make(proposal, files).octets

    assert AuditDisclosure.objects.filter(value="a private remark").exists()
    assert b"private remark" not in octets
    assert b'"ada"' not in octets


def test_a_rejected_change_has_a_dossier_too(files, seal):
    proposal = decide(proposals.reject, "ada", a_change())
    key = seal()

    made = dossiers.make(proposal, files)

    assert (checked(made, key).holds, made.state) == (True, "rejected")


def test_a_hold_that_changed_the_reason_keeps_what_was_signed(files, seal):
    proposal = decide(proposals.hold, "ada", a_change())
    proposal = decide(proposals.approve, "bob", proposal)
    key = seal()

    assert checked(dossiers.make(proposal, files), key).holds


def test_a_renewal_under_a_breakers_hold_keeps_what_was_signed(files, seal):
    """The digest names the breaker then, which the row forgets at its release."""
    proposal = a_change()
    breaker = Breaker.objects.create(
        scope="global", subject="", reason="bootstraps", opened_at=NOW
    )
    holds.hold(proposal, breaker, actor=SCANNER, now=NOW)
    later = NOW + timedelta(days=2)
    proposals.propose(
        scan=proposal.scan,
        verdict=good().verdict,
        domain=proposal.domain,
        evidence=proposal.evidence,
        delegation=good().case.delegation,
        now=later,
    )
    Proposal.objects.update(expires_at=later + timedelta(days=1))
    proposal = decide(proposals.release, "ada", stored(), now=later)
    Proposal.objects.update(reason="PUB_OK")
    key = seal()

    made = dossiers.make(stored(), files)

    assert "proposal.renewed" in set(AuditEntry.objects.values_list("type", flat=True))
    assert checked(made, key).holds


def test_before_the_first_checkpoint_it_is_said_who_must_run(files):
    with pytest.raises(dossiers.NotSealed, match=r"is `manage.py sealer` running"):
        dossiers.make(a_change(), files)


def test_entries_that_are_not_sealed_are_named_with_what_to_do(files, seal):
    proposal = a_change()
    seal()
    proposal = decide(proposals.approve, "ada", proposal)

    with pytest.raises(dossiers.NotSealed) as refused:
        dossiers.make(proposal, files)

    assert "1 of 2 entries are not yet sealed, first proposal.approved" in str(
        refused.value
    )
    assert "try again in a moment" in str(refused.value)


def forget_evidence(_proposal):
    EvidenceBody.objects.update(packed=b"x")


def compact_evidence(_proposal):
    Evidence.objects.update(compacted=True)


def change_the_row(_proposal):
    Proposal.objects.update(route="rule")


def change_an_entry(proposal):
    row = AuditEntry.objects.get(about=proposal.pk)
    AuditEntry.objects.filter(pk=row.pk).update(
        body=bytes(row.body).replace(b"worker", b"wicked")
    )


def lose_the_beginning(proposal):
    AuditEntry.objects.filter(about=proposal.pk).update(about=None)


DAMAGES = {
    "evidence that is damaged": (forget_evidence, "evidence"),
    "evidence that was compacted": (compact_evidence, "compacted"),
    "a row that was changed": (change_the_row, "not what was decided about"),
    "an entry that was changed": (change_an_entry, "not in the log"),
    "an entry that is gone": (lose_the_beginning, "does not tell how"),
}


@pytest.mark.parametrize(("damage", "named"), DAMAGES.values(), ids=DAMAGES)
def test_nothing_that_would_not_hold_is_handed_out(damage, named, files, seal):
    proposal = a_change()
    seal()
    with triggers_away():
        damage(proposal)

    with pytest.raises(dossiers.NoDossier, match=named):
        dossiers.make(stored(), files)


def test_a_lost_tile_is_told(files, seal):
    proposal = decide(proposals.approve, "ada", a_change())
    seal()
    for path in files.folder.glob("tile/0/*.p/*"):
        path.unlink()

    with pytest.raises(dossiers.NoDossier, match="missing"):
        dossiers.make(proposal, files)


def test_the_export_is_in_the_trail_and_the_mark_in_the_file(files, seal):
    """S-116: who, what, when, its hash; told before and after."""
    proposal = a_change()
    key = seal()

    made = dossiers.take(proposal, files, actor=a_person("olga"), now=NOW)

    rows = AuditEntry.objects.filter(type="data.exported").order_by("number")
    begun, done = [json.loads(bytes(row.body))["data"] for row in rows]
    assert (begun["done"], done["done"]) == (False, True)
    assert (done["what"], done["proposal"]) == ("dossier", str(proposal.pk))
    assert done["sha256"] == hashlib.sha256(made.octets).hexdigest()
    assert "exported by olga" in dossier.decode(made.octets).exported
    assert checked(made, key).holds


def test_a_refused_dossier_is_no_export(files):
    proposal = a_change()

    with pytest.raises(dossiers.NotSealed):
        dossiers.take(proposal, files, actor=OPERATOR, now=NOW)

    assert not AuditEntry.objects.filter(type="data.exported").exists()


def test_the_command_writes_the_file(files, seal, tmp_path, capsys):
    proposal = decide(proposals.approve, "ada", a_change())
    key = seal()
    output = tmp_path / "change.dossier"

    call_command("audit", "dossier", str(proposal.pk), "-o", str(output))

    assert "approved, 2 entries and 1 of evidence" in capsys.readouterr().out
    assert checking.check(output.read_bytes(), key).holds


def test_the_command_says_what_is_missing(files, seal, tmp_path):
    proposal = a_change()
    output = str(tmp_path / "change.dossier")

    with pytest.raises(CommandError, match=r"is `manage.py sealer` running"):
        call_command("audit", "dossier", str(proposal.pk), "-o", output)
    with pytest.raises(CommandError, match="there is no proposal") as refused:
        call_command("audit", "dossier", str(proposal.scan_id), "-o", output)
    assert refused.value.returncode == 2
