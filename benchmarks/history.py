"""What a large registry has behind it: evaluations, changes, alarms, the trail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.core.management import call_command
from django.db import transaction
from django.db.models import F, Model

from bootstrap.core.evaluation.reasons import MEANINGS, Reason
from bootstrap.core.evaluation.verdict import judge
from bootstrap.core.evidence.bundle import Bundle
from bootstrap.models import (
    Alarm,
    AuditDisclosure,
    AuditEntry,
    AuditHead,
    AuditLeaf,
    AuditPending,
    Checkpoint,
    DailyFigures,
    Decision,
    Domain,
    Evidence,
    Note,
    Proposal,
    Publication,
    ScanAttempt,
    ScanFinding,
    Sighting,
    WorkItem,
    Zone,
)
from bootstrap.services import evidence, heartbeats, operators, statistics
from tests.support import cases, rows

from . import registry
from .loading import analyze, move_sequences, put, trust
from .registry import SCANS, ZONES, Child

DAY = timedelta(days=1)
TOLD = frozenset({"pending", "published", "blocked", "alarm"})
"""States whose last evaluation keeps everything; routine ones are compacted."""
OPEN = {0: "failed", 1: "held", 2: "held"}
"""Of each twenty changes in the queue; the rest are candidates."""
STUCK = ("blocked", "waiting", "announced", "broken", "alarm")
READER = "reader"
DAYS = 60

Rows = Iterator[dict[str, Any]]


def fill(count: int, now: datetime) -> Iterator[str]:
    """Fill the database; say after each step what was written."""
    call_command("migrate", verbosity=0)
    _zones(now)
    bundle = _bundle(now)
    steps: list[tuple[type[Model], Callable[[Child], Iterable[dict[str, Any]]]]] = [
        (Domain, lambda child: [registry.domain(child)]),
        (WorkItem, lambda child: [registry.work(child)]),
        (Evidence, _evidence),
        (ScanAttempt, lambda child: _scans(child, bundle)),
        (ScanFinding, _findings),
        (Proposal, _changes),
        (Decision, _decisions),
        (Publication, _publications),
        (Sighting, _sightings),
        (Alarm, _alarms),
        (Note, _notes),
    ]
    with transaction.atomic():
        trust()
        for model, make in steps:
            everyone = registry.children(count, now)
            written = put(model, (row for child in everyone for row in make(child)))
            yield f"{written:>9,} {model.__name__}"
        yield f"{_trail(count, now):>9,} AuditEntry"
    move_sequences([Domain, ScanFinding, Decision, Publication, Sighting, Alarm, Note])
    move_sequences([AuditEntry, AuditDisclosure])
    _figures(now)
    rows.a_reader(READER)
    analyze()


def _zones(now: datetime) -> None:
    for number, name in enumerate(ZONES, start=1):
        Zone.objects.create(id=number, name=name, created_at=now - 400 * DAY)
    move_sequences([Zone])


def _bundle(now: datetime) -> str:
    """Keep one real bundle, for pages that open it; return its address."""
    case = cases.a_case()
    (digest,) = evidence.store([Bundle(case, judge(case))], now=now)
    return digest


def _evidence(child: Child) -> Rows:
    if child.standing[0] in TOLD or _is_settled(child):
        yield {
            "digest": registry.digest("evidence", child.number),
            "size": 4711,
            "created_at": child.looked,
        }


def _scans(child: Child, bundle: str) -> Rows:
    state, outcome, reason = child.standing
    for turn in range(SCANS):
        row = {
            "id": registry.key("scan", child.number * SCANS + turn),
            "domain_id": child.number + 1,
            "trigger": "schedule",
            "started_at": child.looked - turn * 20 * DAY,
            "duration_ms": 40 + child.number % 400,
            "path": "bootstrap",
            "outcome": outcome,
            "primary_reason": reason,
            "kind": MEANINGS[Reason(reason)].kind.value,
            "reasons": [reason],
            "software": "0.1.0",
            "queries": 12,
        }
        if turn == 0 and state in TOLD:
            row |= _in_full(child)
            real = state == "pending"
            row["evidence_id"] = (
                bundle if real else registry.digest("evidence", child.number)
            )
        yield row


def _in_full(child: Child) -> dict[str, Any]:
    return {
        "ds": [rows.ds()],
        "checks": rows.checks(),
        "nameservers": rows.four_servers(rows.ds()),
        "signals": rows.signals(child.name, "secure", "secure"),
        "findings": [_told(child)],
    }


def _findings(child: Child) -> Rows:
    told = _told(child)
    if child.standing[0] in TOLD and told["kind"] != "I":
        yield {
            "id": child.number + 1,
            "scan_id": registry.key("scan", child.number * SCANS),
            **told,
        }


def _told(child: Child) -> dict[str, str]:
    reason = child.standing[2]
    return {
        "reason": reason,
        "kind": MEANINGS[Reason(reason)].kind.value,
        "subject": registry.servers(child.operator)[0],
        "detail": "",
    }


def _is_settled(child: Child) -> bool:
    return child.standing[0] == "secured" and child.number % 3 == 0


def _changes(child: Child) -> Rows:
    state = child.standing[0]
    if state == "pending":
        waits = OPEN.get(child.number // 7 % 20, "candidate")
        yield _change(child, waits, child.looked)
    elif state == "published":
        yield _change(child, "visible", child.looked) | _sent(child.looked)
    elif _is_settled(child):
        sent = child.looked - child.number % 400 * DAY
        yield _change(child, "settled", sent) | _sent(sent) | {"settled_at": sent + DAY}


def _sent(at: datetime) -> dict[str, Any]:
    return {"approved_at": at, "sent_at": at, "visible_at": at}


def _change(child: Child, state: str, at: datetime) -> dict[str, Any]:
    hosts = registry.servers(child.operator)
    return {
        "id": registry.key("proposal", child.number),
        "domain_id": child.number + 1,
        "path": "bootstrap",
        "auth_method": "RFC9615",
        "state": state,
        "state_since": at,
        "reason": "POL_MANUAL_REVIEW",
        "new_ds": [rows.ds(child.number % 65_536)],
        "nameservers": hosts,
        "operator": hosts[0].partition(".")[2],
        "delegation_version": 1,
        "digest": registry.digest("proposal", child.number),
        "route": "staff",
        "approvals_needed": 1,
        "requested_by": "scanner",
        "scan_id": registry.key("scan", child.number * SCANS),
        "evidence_id": registry.digest("evidence", child.number),
        "created_at": at,
        "not_before": at,
        "expires_at": at + 2 * DAY,
    }


def _decisions(child: Child) -> Rows:
    if _is_settled(child):
        yield {
            "id": child.number + 1,
            "proposal_id": registry.key("proposal", child.number),
            "verb": "approve",
            "actor": f"approver-{child.number % 12}",
            "actor_kind": "staff",
            "via": "dashboard",
            "comment": "Looked at every server.",
            "digest": registry.digest("proposal", child.number),
            "at": child.looked - child.number % 400 * DAY,
        }


def _publications(child: Child) -> Rows:
    if _is_settled(child):
        at = child.looked - child.number % 400 * DAY
        yield {
            "id": child.number + 1,
            "proposal_id": registry.key("proposal", child.number),
            "number": 1,
            "fence": 1,
            "began_at": at,
            "ended_at": at,
            "outcome": "applied",
            "rcode": "NOERROR",
        }


def _sightings(child: Child) -> Rows:
    if _is_settled(child):
        yield {
            "id": child.number + 1,
            "proposal_id": registry.key("proposal", child.number),
            "at": child.looked - child.number % 400 * DAY,
            "server": "192.0.2.53",
            "matches": True,
        }


def _alarms(child: Child) -> Rows:
    is_open = child.standing[0] == "alarm"
    if is_open or child.number % 50 == 1:
        at = child.looked - child.number % 90 * DAY
        yield {
            "id": child.number + 1,
            "code": "SIG_BOGUS",
            "subject": child.name,
            "domain_id": child.number + 1,
            "opened_at": at,
            "last_seen_at": child.looked,
            "acknowledged_at": None if is_open else at + timedelta(minutes=40),
            "acknowledged_by": "" if is_open else "approver-1",
            "closed_at": None if is_open else at + DAY,
        }


def _notes(child: Child) -> Rows:
    if child.number % 100 == 2:
        yield {
            "id": child.number + 1,
            "domain_id": child.number + 1,
            "author": "approver-2",
            "text": "The operator says that it will be mended this week.",
            "at": child.looked,
        }


def _trail(count: int, now: datetime) -> int:
    """Write the trail in the order of time, sealed but for the last few."""
    newest = min(count, 50)
    put(AuditEntry, (_entry(child) for child in _backwards(count, now)))
    put(AuditHead, (_head(child) for child in _backwards(count, now)))
    put(AuditDisclosure, _disclosures(count, now))
    sealed = AuditEntry.objects.filter(pk__lte=count - newest)
    AuditPending.objects.filter(entry__in=sealed).delete()
    leaves = sealed.order_by("pk").values_list("pk", "body")
    put(AuditLeaf, (_leaf(pk, bytes(body)) for pk, body in list(leaves.iterator())))
    Checkpoint.objects.create(size=count - newest, root=bytes(32), note="", at=now)
    return count


def _backwards(count: int, now: datetime) -> Iterator[Child]:
    return (Child(number, count, now) for number in reversed(range(count)))


def _entry(child: Child) -> dict[str, Any]:
    person = child.number % 20 == 0
    return {
        "id": child.count - child.number,
        "uid": registry.key_in_time(child.looked, child.number),
        "stream": f"child:{child.name}.",
        "number": 1,
        "type": "scan.requested" if person else "delegation.ns-changed",
        "at": child.looked,
        "body": registry.body(child, child.looked),
    }


def _head(child: Child) -> dict[str, Any]:
    digest = hashlib.sha256(registry.body(child, child.looked)).hexdigest()
    return {"stream": f"child:{child.name}.", "number": 1, "digest": digest}


def _disclosures(count: int, now: datetime) -> Rows:
    for number in range(0, count, 20):
        at = Child(number, count, now).looked
        yield {
            "id": number + 1,
            "entry_uid": registry.key_in_time(at, number),
            "digest": registry.digest("disclosure", number)[:43],
            "salt": "s" * 22,
            "name": "actor",
            "value": f"approver-{number // 20 % 12}",
        }


def _leaf(pk: int, body: bytes) -> dict[str, Any]:
    return {"index": pk - 1, "entry_id": pk, "hash": hashlib.sha256(body).digest()}


def _figures(now: datetime) -> None:
    """Let the tasks count today, and write the days before after its likeness."""
    operators.gather(now=now)
    operators.count_operators()
    operators.count_zones()
    statistics.count(now=now)
    heartbeats.beat("worker", now=now)
    for row in list(DailyFigures.objects.all()):
        for ago in range(1, DAYS):
            row.pk, row.day = None, (now - ago * DAY).date()
            row.secured = int(row.secured * 0.99)
            row.save(force_insert=True)
    Zone.objects.update(imported_at=F("created_at"))
