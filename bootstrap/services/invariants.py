"""What must hold at every moment, whatever crashed (security.md 8.5, I-1 to I-10).

Each check yields sentences about what does not hold; none changes anything. They
read the whole trail: for fault tests and once a day, not for pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from types import MappingProxyType
from typing import Final

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery

from bootstrap.core.evaluation.reasons import Kind
from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.core.tlog import entries, merkle
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow.lifecycle import OPEN, State
from bootstrap.models import (
    Alarm,
    AuditEntry,
    AuditHead,
    AuditLeaf,
    AuditPending,
    Checkpoint,
    Domain,
    Evidence,
    Proposal,
    ScanAttempt,
    Zone,
)

from . import alarms, drift
from .evidence import EvidenceUnreadable, octets_of

ALARM: Final = "INVARIANT_BROKEN"
MOST: Final = 100
"""Sentences of one check; more would say the same."""
PUBLISHED: Final = (State.SENT, State.VISIBLE, State.SETTLED)
GRACE: Final = timedelta(minutes=10)
"""How long an abandoned change may wait for whoever settles it."""
UNCOMPARED: Final = timedelta(hours=3)
UNSEALED: Final = timedelta(seconds=60)
BUNDLES: Final = 500
"""Newest bundles that are opened, beside those of open proposals."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One sentence about what does not hold."""

    invariant: str
    detail: str


def _published(_now: datetime) -> Iterator[str]:
    """I-1: a published change was approved before it was sent, and sent once."""
    changes = Proposal.objects.filter(state__in=PUBLISHED).annotate(
        approved=_version_of(EntryType.PROPOSAL_APPROVED),
        sent=_version_of(EntryType.PUBLICATION_SENT),
        created=Exists(_entries(EntryType.PROPOSAL_CREATED)),
    )
    wrong = Q(approved=None) | Q(sent=None) | Q(created=False)
    for change in changes.filter(wrong | Q(approved__gt=F("sent"))):
        yield f"{change.pk}: created, approved and sent are not in the trail in order"
    sent = AuditEntry.objects.filter(type=EntryType.PUBLICATION_SENT.value)
    doubled = sent.order_by().values("about").annotate(times=Count("pk"))
    for row in doubled.filter(times__gt=1):
        yield f"{row['about']}: sent {row['times']} times"
    yield from _unaccounted()


def _unaccounted() -> Iterator[str]:
    """Yield children whose automated DS set is not what our last change sent."""
    last = Proposal.objects.filter(domain=OuterRef("pk")).exclude(sent_at=None)
    newest = last.order_by("-sent_at").values("new_ds")[:1]
    ours = Domain.objects.delegated().exclude(auth_method="").exclude(ds=[])
    rows = ours.annotate(sent=Subquery(newest)).values_list("name", "ds", "sent")
    for name, ds, sent in rows.iterator():
        if sent is None or sorted(ds) != sorted(sent):
            yield f"{name}: its DS set is marked as ours, and no change of ours sent it"


def _moving(now: datetime) -> Iterator[str]:
    """I-2: what was approved ends, is leased, or is due at some time."""
    late = now - GRACE
    stuck = Q(state=State.SENDING) & (Q(lease_until=None) | Q(lease_until__lt=late))
    unwatched = Q(state__in=[State.SENT, State.VISIBLE], next_try_at=None)
    unlapsed = Q(state=State.APPROVED, expires_at__lt=late)
    for change in Proposal.objects.filter(stuck | unwatched | unlapsed):
        yield f"{change.pk} is {change.state}, and nobody will move it"


def _one_open(_now: datetime) -> Iterator[str]:
    """I-3: no child has two open changes."""
    open_ones = Proposal.objects.filter(state__in=sorted(OPEN)).order_by()
    counted = open_ones.values("domain__name").annotate(number=Count("pk"))
    for row in counted.filter(number__gt=1):
        yield f"{row['domain__name']} has {row['number']} open changes"


def _as_expected(now: datetime) -> Iterator[str]:
    """I-4: the parent holds what we expect, as far as we looked lately."""
    zones = Zone.objects.filter(automated=True, created_at__lt=now - UNCOMPARED)
    zones = zones.exclude(primary="").exclude(tsig_key_file="")
    old = Q(reconciled_at=None) | Q(reconciled_at__lt=now - UNCOMPARED)
    for zone in zones.filter(old):
        yield f"{zone.name} was not compared with its parent for {UNCOMPARED}"
    for alarm in Alarm.objects.open().filter(code=drift.ALARM, domain=None):
        yield f"{alarm.subject}: {alarm.detail}"


def _streams(now: datetime) -> Iterator[str]:
    """I-5: streams have no gaps, and nothing waits for its place for long."""
    rows = AuditEntry.objects.order_by().values("stream")
    counted = rows.annotate(count=Count("pk"), last=Max("number"))
    for row in counted.exclude(count=F("last")):
        yield f"{row['stream']}: {row['count']} entries, the last is {row['last']}"
    newest = AuditEntry.objects.filter(stream=OuterRef("stream")).order_by("-number")
    heads = AuditHead.objects.annotate(last=Subquery(newest.values("number")[:1]))
    for head in heads.exclude(number=F("last")).exclude(number=0, last=None):
        yield f"{head.stream}: its head says {head.number}"
    if Checkpoint.objects.exists():  # else no sealer was ever started here
        waiting = AuditPending.objects.filter(entry__at__lt=now - UNSEALED).count()
        if waiting:
            yield f"{waiting} entries wait for the sealer"


def _tree(_now: datetime) -> Iterator[str]:
    """I-6: the tree is that of the entries, and every checkpoint one of its sizes."""
    hashes: list[bytes] = []
    rows = AuditLeaf.objects.order_by("index").values_list(
        "index", "hash", "entry__body"
    )
    for index, kept, body in rows.iterator():
        if index != len(hashes) or bytes(kept) != entries.leaf_hash(bytes(body)):
            yield f"leaf {index} is out of place, or not that of its entry"
            return
        hashes.append(bytes(kept))
    nodes = merkle.in_memory(hashes)
    for checkpoint in Checkpoint.objects.order_by("-size")[:MOST]:
        held = checkpoint.size <= len(hashes)
        if not held or merkle.root(checkpoint.size, nodes) != bytes(checkpoint.root):
            yield f"checkpoint {checkpoint.size} is not one of this tree"


def _evidence(_now: datetime) -> Iterator[str]:
    """I-7: evidence is there, and is what its address says."""
    open_ones = Proposal.objects.open().values_list("evidence_id", flat=True)
    newest = Evidence.objects.order_by("-created_at").values_list("pk", flat=True)
    for digest in {*open_ones, *newest[:BUNDLES]}:
        try:
            octets_of(digest)
        except EvidenceUnreadable as damage:
            yield str(damage)


def _all_scanned(_now: datetime) -> Iterator[str]:
    """I-8: every child has its place in the schedule, or is parked with a reason."""
    forgotten = Domain.objects.delegated().filter(work=None)
    for name in forgotten.values_list("name", flat=True):
        yield f"{name} has no place in the schedule"


def _moves_recorded(_now: datetime) -> Iterator[str]:
    """I-9: no proposal is where no entry has moved it."""
    said = AuditEntry.objects.filter(
        about=OuterRef("pk"), about_version=OuterRef("version")
    )
    for change in Proposal.objects.exclude(Exists(said)):
        yield f"{change.pk} came to version {change.version} without an entry"


def _nobody_blamed(_now: datetime) -> Iterator[str]:
    """I-10: no verdict blames a child for a fault of ours."""
    blamed = Q(kind=Kind.OURS.value) & ~Q(outcome=Outcome.ERROR.value)
    mixed = Q(marks__kind=Kind.OURS.value, outcome=Outcome.REJECT.value)
    for scan in ScanAttempt.objects.filter(blamed | mixed).distinct():
        yield f"{scan.pk} says {scan.outcome} while a fault was ours"


CHECKS: Final[Mapping[str, Callable[[datetime], Iterator[str]]]] = MappingProxyType(
    {
        "I-1": _published,
        "I-2": _moving,
        "I-3": _one_open,
        "I-4": _as_expected,
        "I-5": _streams,
        "I-6": _tree,
        "I-7": _evidence,
        "I-8": _all_scanned,
        "I-9": _moves_recorded,
        "I-10": _nobody_blamed,
    }
)


def violations(*, now: datetime) -> list[Violation]:
    """Return what does not hold, a hundred sentences an invariant at most."""
    return [
        Violation(name, detail)
        for name, check in CHECKS.items()
        for detail in islice(check(now), MOST)
    ]


def watch(*, now: datetime) -> int:
    """Check all, and open or close an alarm an invariant; return how many are broken."""
    found = violations(now=now)
    for name in CHECKS:
        details = [one.detail for one in found if one.invariant == name]
        if details:
            more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
            detail = f"{details[0]}{more}"
            alarms.open_alarm(ALARM, subject=name, detail=detail, now=now)
        else:
            alarms.close_alarm(ALARM, subject=name, now=now)
    return len({one.invariant for one in found})


def _entries(entry_type: EntryType) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(about=OuterRef("pk"), type=entry_type.value)


def _version_of(entry_type: EntryType) -> Subquery:
    """The newest version that an entry of this type moved the proposal to."""
    newest = _entries(entry_type).order_by("-about_version")
    return Subquery(newest.values("about_version")[:1])
