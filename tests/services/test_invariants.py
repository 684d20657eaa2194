"""Each invariant holds after an honest life, and is found broken when it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from bootstrap import clock
from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome, Verdict
from bootstrap.core.evidence.bundle import Bundle
from bootstrap.models import (
    Alarm,
    AuditHead,
    AuditLeaf,
    AuditPending,
    Checkpoint,
    Domain,
    Evidence,
    EvidenceBody,
    Proposal,
    WorkItem,
    Zone,
)
from bootstrap.services import evidence, invariants, proposals, sealing, signing
from bootstrap.services.actors import PUBLISHER
from bootstrap.services.logfiles import LogFiles
from bootstrap.services.publication import Ending, publish
from tests.support.cases import a_case
from tests.support.trail import triggers_away

from .builders import (
    DS,
    NOW,
    OTHER_DS,
    a_delegation,
    a_domain,
    a_scan,
    a_verdict,
    a_zone,
)
from .parent import Clock, a_parent

pytestmark = pytest.mark.django_db
VERDICT = Verdict(
    None, Outcome.NOTHING, Reason.APEX_NO_CDS, (Finding(Reason.APEX_NO_CDS),), ()
)
BUNDLE = Bundle(a_case(), VERDICT, (("bootstrap", "0"),))
LATER = NOW + timedelta(minutes=2)


@pytest.fixture
def life(tmp_path) -> Proposal:
    """One change through the services, published, and sealed."""
    child = a_domain(a_zone(routing="auto"))
    WorkItem.objects.create(domain=child, due_at=NOW, trigger="schedule")
    address = evidence.store([BUNDLE], now=NOW)[0]
    kept = Evidence.objects.get(pk=address)
    change = proposals.propose(
        scan=a_scan(child, kept),
        verdict=a_verdict(),
        domain=child,
        evidence=kept,
        delegation=a_delegation(child),
        now=NOW,
    )
    assert change is not None
    parent = a_parent()
    ending = publish(change, registry=parent, actor=PUBLISHER, clock=Clock())
    assert ending is Ending.SENT
    signing.make_key(tmp_path / "log.key")
    signer = signing.Signer(
        "portal.example/audit", tmp_path / "log.key", tmp_path / "s"
    )
    sealing.seal(files=LogFiles(tmp_path / "log"), signer=signer, now=NOW)
    return Proposal.objects.get()


def broken():
    return {one.invariant for one in invariants.violations(now=LATER)}


def sql(text, *values):
    """Do what no service does, past the triggers."""
    with triggers_away(), connection.cursor() as cursor:
        cursor.execute(text, values)


def test_an_honest_life_breaks_none(life):
    assert invariants.violations(now=LATER) == []


def _second_sent(life):
    sql(
        "UPDATE bootstrap_auditentry SET about_version = 99, type = 'publication.sent'"
        " WHERE type = 'publication.begun'"
    )


def _sent_before_approved(life):
    sql(
        "UPDATE bootstrap_auditentry SET about_version = 77"
        " WHERE type = 'proposal.approved'"
    )


def _tampered(_life):
    sql("UPDATE bootstrap_auditentry SET body = %s WHERE number = 2", b"{}")


def _gap(_life):
    sql("UPDATE bootstrap_auditentry SET number = 9 WHERE number = 4")


def _second_open(life):
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX proposal_one_open_per_domain")
    Proposal.objects.create(
        **{
            field.name: getattr(life, field.name)
            for field in Proposal._meta.concrete_fields
            if field.name != "id"
        }
    )


def _unseal(_life):
    AuditPending.objects.create(entry_id=AuditLeaf.objects.earliest("index").entry_id)


SPOILED = {
    "published and never approved": ("I-1", _sent_before_approved),
    "sent twice": ("I-1", _second_sent),
    "ours, and not what we sent": (
        "I-1",
        lambda _: Domain.objects.update(ds=[OTHER_DS]),
    ),
    "half sent and left alone": (
        "I-2",
        lambda _: sql("UPDATE bootstrap_proposal SET state = 'sending'"),
    ),
    "published and unwatched": (
        "I-2",
        lambda _: Proposal.objects.update(next_try_at=None),
    ),
    "two open changes": ("I-3", _second_open),
    "a parent that nobody compares": (
        "I-4",
        lambda _: Zone.objects.update(
            primary="192.0.2.1", tsig_key_file="k", created_at=NOW - timedelta(days=1)
        ),
    ),
    "most sets differ": (
        "I-4",
        lambda _: Alarm.objects.create(
            code="DS_DRIFTED", subject="test", opened_at=NOW, last_seen_at=NOW
        ),
    ),
    "a gap in a stream": ("I-5", _gap),
    "a head that says more": ("I-5", lambda _: AuditHead.objects.update(number=50)),
    "an entry that waits": ("I-5", _unseal),
    "an entry with another body": ("I-6", _tampered),
    "a checkpoint of another tree": (
        "I-6",
        lambda _: Checkpoint.objects.create(size=1, root=b"x", note="", at=NOW),
    ),
    "evidence with another content": (
        "I-7",
        lambda _: EvidenceBody.objects.update(packed=b"x"),
    ),
    "a child that nobody will scan": ("I-8", lambda _: WorkItem.objects.all().delete()),
    "a move without an entry": (
        "I-9",
        lambda _: sql("UPDATE bootstrap_proposal SET version = 55"),
    ),
    "a child blamed for our fault": (
        "I-10",
        lambda life: a_scan(life.domain, kind="X", outcome="reject", started_at=LATER),
    ),
}


@pytest.mark.parametrize(("invariant", "spoil"), SPOILED.values(), ids=SPOILED)
def test_what_is_broken_is_found(life, invariant, spoil):
    spoil(life)
    assert invariant in broken()


def test_a_broken_one_is_an_alarm_until_it_holds_again(life):
    WorkItem.objects.all().delete()
    assert invariants.watch(now=LATER) == 1
    alarm = Alarm.objects.open().get()
    assert (alarm.code, alarm.subject) == ("INVARIANT_BROKEN", "I-8")
    assert alarm.detail == "child.test has no place in the schedule"

    WorkItem.objects.create(domain=life.domain, due_at=NOW, trigger="schedule")
    assert invariants.watch(now=LATER) == 0
    assert not Alarm.objects.open().exists()


def test_the_command_ends_with_one_when_something_is_broken(capsys):
    a_domain(a_zone(created_at=clock.now()), created_at=clock.now(), ds=[DS])
    with pytest.raises(SystemExit) as ended:
        call_command("check_invariants")
    assert ended.value.code == 1
    assert "I-8: child.test" in capsys.readouterr().out
    WorkItem.objects.create(domain=Domain.objects.get(), due_at=NOW, trigger="x")
    call_command("check_invariants")
    assert "10 hold, 0 not" in capsys.readouterr().out
