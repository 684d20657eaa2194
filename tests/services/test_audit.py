from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
from django.db import (
    IntegrityError,
    OperationalError,
    connection,
    connections,
    transaction,
)

from bootstrap.core.tlog import entries
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow.lifecycle import Event, State, TransitionRefused
from bootstrap.models import (
    AuditDisclosure,
    AuditEntry,
    AuditHead,
    AuditPending,
    AuditPerson,
    Proposal,
)
from bootstrap.services import audit, transitions
from bootstrap.services.actors import SCANNER

from .builders import NOW, a_person, a_proposal, some_evidence

pytestmark = pytest.mark.django_db

APPROVED = transitions.Note(type=EntryType.PROPOSAL_APPROVED)


def an_entry(stream: str = "child:a.test.", writer: int = 0) -> AuditEntry:
    return audit.record(
        "scan.verdict", stream=stream, actor=SCANNER, now=NOW, writer=writer
    )


def body_of(entry: AuditEntry):
    return json.loads(bytes(entry.body))


def test_a_stream_is_numbered_without_gaps_and_each_entry_names_the_one_before():  # S-88, P-8.32
    first, second = an_entry(), an_entry()
    elsewhere = an_entry("child:b.test.")

    assert [first.number, second.number, elsewhere.number] == [1, 2, 1]
    assert first.previous == ""
    assert second.previous == entries.digest(bytes(first.body))
    assert body_of(second)["prev"] == second.previous


def test_many_entries_at_once_are_numbered_as_if_one_by_one():
    drafts = [
        audit.Draft(
            type=EntryType.SCAN_VERDICT,
            stream=f"child:{name}.",
            actor=SCANNER,
            now=NOW,
        )
        for name in ("b", "a", "b")
    ]

    rows = audit.append(drafts)

    assert [(row.stream, row.number) for row in rows] == [
        ("child:b.", 1),
        ("child:a.", 1),
        ("child:b.", 2),
    ]
    assert rows[2].previous == entries.digest(bytes(rows[0].body))
    assert AuditHead.objects.get(stream="child:b.").number == 2


def test_an_entry_waits_for_the_sealer_without_anybody_saying_so():
    entry = an_entry()
    assert AuditPending.objects.get().entry == entry


def test_an_unknown_type_is_refused():  # S-87, P-8.31
    with pytest.raises(audit.UnknownEntryType):
        audit.record("proposal.vanished", stream="s", actor=SCANNER, now=NOW)


def test_evidence_is_named_with_its_size_and_must_be_stored():  # S-98
    stored = some_evidence()
    entry = audit.record(
        EntryType.SCAN_VERDICT,
        stream="s",
        actor=SCANNER,
        now=NOW,
        evidence=[stored.digest],
    )

    assert body_of(entry)["ev"] == [
        {"h": stored.digest, "m": audit.EVIDENCE_MEDIA, "s": stored.size}
    ]
    assert "ev512" not in body_of(entry)["data"]  # stored by nobody just now
    with pytest.raises(audit.EvidenceMissing):
        audit.record(
            "scan.verdict", stream="s", actor=SCANNER, now=NOW, evidence=["0" * 64]
        )


def test_names_and_comments_of_people_stay_out_of_the_entry():  # S-95, P-8.34
    entry = audit.record(
        "proposal.approved",
        stream="s",
        actor=a_person("ada.lovelace"),
        now=NOW,
        private={"comment": "called the holder"},
    )

    assert b"ada" not in bytes(entry.body)
    assert b"called" not in bytes(entry.body)
    kept = AuditDisclosure.objects.filter(entry_uid=entry.uid)
    assert {row.name: row.value for row in kept} == {
        "actor": "ada.lovelace",
        "comment": "called the holder",
    }
    again = [entries.Disclosure(row.salt, row.name, row.value).digest for row in kept]
    assert sorted(again) == body_of(entry)["sd"]


def test_a_person_has_one_pseudonym_until_its_key_is_destroyed():
    first = audit.pseudonym("ada")
    assert audit.pseudonym("ada") == first
    assert audit.pseudonym("bob") != first

    AuditPerson.objects.get(name="ada").delete()
    assert audit.pseudonym("ada") != first


def test_an_entry_is_gone_when_its_transaction_is():
    with transaction.atomic():
        an_entry()
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()
    assert an_entry().number == 1


CHANGES = {
    "update": lambda rows: rows.update(type="x"),
    "delete": lambda rows: rows._raw_delete(rows.db),
    "raw update": lambda _: run("UPDATE bootstrap_auditentry SET type = 'x'"),
    "raw delete": lambda _: run("DELETE FROM bootstrap_auditentry"),
}


def run(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_database_refuses_to_change_an_entry(change):  # S-86
    entry = an_entry()

    with pytest.raises(IntegrityError), transaction.atomic():
        change(AuditEntry.objects.filter(pk=entry.pk))
    assert AuditEntry.objects.get() == entry


@pytest.mark.skipif(connection.vendor != "sqlite", reason="REPLACE is SQLite's")
@pytest.mark.parametrize("same", ["id", "uid", "stream and number"])
def test_sqlite_refuses_to_replace_an_entry(same):  # F-5
    entry = an_entry()
    values = {
        "id": entry.pk if same == "id" else 999,
        "uid": entry.uid.hex if same == "uid" else "0" * 32,
        "stream": entry.stream,
        "number": 1 if same == "stream and number" else 2,
    }

    with pytest.raises(IntegrityError), transaction.atomic():
        run(
            "REPLACE INTO bootstrap_auditentry"
            " (id, uid, stream, number, previous, type, at, body)"
            " VALUES (%s, %s, %s, %s, '', 'x', '2026-01-01', x'00')",
            *values.values(),
        )
    assert AuditEntry.objects.get().type == "scan.verdict"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has none")
@pytest.mark.django_db(transaction=True)
def test_postgresql_refuses_to_truncate_the_trail():
    an_entry()
    with pytest.raises(IntegrityError), transaction.atomic():
        run("TRUNCATE bootstrap_auditentry CASCADE")


def test_a_number_out_of_turn_is_refused():
    an_entry()
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.create(
            uid=entries.uuid7(NOW, bytes(10)),
            stream="child:a.test.",
            number=3,
            type="x",
            at=NOW,
            body=b"{}",
        )


def test_a_proposal_does_not_move_without_an_entry():  # S-85
    proposal = a_proposal()

    with pytest.raises(IntegrityError), transaction.atomic():
        proposal.advance(Event.APPROVE)
    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.update(state="approved")
    with pytest.raises(IntegrityError), transaction.atomic():
        run("UPDATE bootstrap_proposal SET state = 'approved'")
    proposal.refresh_from_db()
    assert proposal.state == State.CANDIDATE


def test_an_entry_allows_one_move_and_not_a_second():
    proposal = a_proposal()
    transitions.move(proposal, Event.APPROVE, APPROVED, actor=SCANNER, now=NOW)

    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.update(state="settled", version=3)
    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.update(state="settled")


def test_a_move_tells_from_where_to_where_and_since_when():
    proposal = a_proposal()
    later = NOW + timedelta(minutes=1)

    entry = transitions.move(
        proposal, Event.APPROVE, APPROVED, actor=SCANNER, now=later, approved_at=later
    )

    found = body_of(entry)["data"]
    assert (found["from"], found["to"]) == ("candidate", "approved")
    assert found["proposal"] == str(proposal.pk)
    assert (entry.about, entry.about_version) == (proposal.pk, 2)
    proposal.refresh_from_db()
    assert (proposal.state, proposal.version) == (State.APPROVED, 2)
    assert proposal.state_since == proposal.approved_at == later


def test_of_two_who_saw_the_same_version_the_second_is_refused():
    proposal = a_proposal()
    late = Proposal.objects.get()
    transitions.move(proposal, Event.APPROVE, APPROVED, actor=SCANNER, now=NOW)

    with pytest.raises(TransitionRefused):
        transitions.move(late, Event.APPROVE, APPROVED, actor=SCANNER, now=NOW)
    assert AuditEntry.objects.count() == 1


def test_a_move_that_fails_leaves_no_entry():
    proposal = a_proposal(state="settled")
    with pytest.raises(TransitionRefused):
        transitions.move(proposal, Event.APPROVE, APPROVED, actor=SCANNER, now=NOW)
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_eight_writers_leave_no_gap_in_any_stream():
    writers, each, streams = 8, 15, 3
    failures: list[Exception] = []

    def write(writer: int) -> None:
        try:
            for turn in range(each):
                an_entry(f"s{(writer + turn) % streams}", writer=writer)
        except Exception as exc:  # noqa: BLE001 - told to the main thread
            failures.append(exc)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=[n]) for n in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert AuditEntry.objects.count() == AuditPending.objects.count() == writers * each
    for stream in range(streams):
        rows = AuditEntry.objects.filter(stream=f"s{stream}").order_by("number")
        before = ""
        for number, row in enumerate(rows, start=1):
            assert (row.number, row.previous) == (number, before)
            before = entries.digest(bytes(row.body))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("stream", "waits"), [("child:b.test.", False), ("child:a.test.", True)]
)
def test_writers_wait_for_those_of_their_own_stream_alone(stream, waits):
    """No global counter: an act that is not over holds up nobody elsewhere."""
    failures: list[Exception] = []

    def write() -> None:
        try:
            run("SET lock_timeout = '2s'")
            an_entry(stream)
        except OperationalError as exc:
            failures.append(exc)
        finally:
            connections.close_all()

    with transaction.atomic():
        an_entry("child:a.test.")
        other = threading.Thread(target=write)
        other.start()
        other.join()

    assert bool(failures) is waits
    assert AuditEntry.objects.filter(stream=stream).count() == 1
