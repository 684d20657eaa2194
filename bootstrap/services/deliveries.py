"""Sends what the outbox holds: signed, to checked addresses, again when it fails.

Each row is taken by compare-and-set and put off first, so that a crash costs a
late second try and no row is sent by two workers at once. A receiver may see an
event twice and tells by its id.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import OuterRef, Subquery

from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Delivery, Webhook

from . import audit, outbox, posting
from .actors import Actor

if TYPE_CHECKING:
    from bootstrap.scanner.egress import Egress

WAITS: Final = tuple(timedelta(minutes=m) for m in (5, 10, 20, 40, 80, 160, 320, 640))
"""Between tries; after the last one it is given up and stays in the log."""
BATCH: Final = 50
SECRET_BYTES: Final = 32
GOOD: Final = range(200, 300)
MANY: Final = 100
"""Webhooks on one page."""
COUNTED: Final = 10_000
"""Counting what waits stops here."""
TRIAL: Final = "webhook.test"


class WebhookRefused(Exception):
    """Such a webhook could never be told anything."""


@transaction.atomic
def add(url: str, events: tuple[str, ...], *, actor: Actor, now: datetime) -> Webhook:
    """Tell one more machine from now on; its secret is in the row.

    Raises:
        WebhookRefused: no such address, or no such type of entry.
    """
    try:
        posting.parse(url)
    except posting.NotSent as refusal:
        raise WebhookRefused(str(refusal)) from refusal
    for event in events:
        if not any(outbox.wants([event], known) for known in EntryType):
            raise WebhookRefused(f"no entry is ever a {event!r}")
    if not events:
        raise WebhookRefused("name at least one event, or *")
    hook = Webhook.objects.create(
        url=url,
        secret=secrets.token_urlsafe(SECRET_BYTES),
        events=sorted(set(events)),
        created_at=now,
    )
    _record(EntryType.WEBHOOK_ADDED, hook, actor, now)
    return hook


@transaction.atomic
def remove(hook: Webhook, *, actor: Actor, now: datetime) -> None:
    """Tell it nothing any more; the log of what it was told stays."""
    if Webhook.objects.filter(pk=hook.pk, active=True).update(active=False):
        hook.active = False
        _record(EntryType.WEBHOOK_REMOVED, hook, actor, now)


def _record(entry_type: EntryType, hook: Webhook, actor: Actor, now: datetime) -> None:
    audit.record(
        entry_type,
        stream="webhooks",
        actor=actor,
        now=now,
        webhook=hook.pk,
        url=hook.url,
        events=hook.events,
    )


def send_again(row: Delivery, *, now: datetime) -> None:
    """Put a delivery that was given up back in the outbox, with all its tries.

    What it tells is an entry that happened and stays, so nothing is recorded anew.

    Raises:
        WebhookRefused: it was not given up, was a trial, or its webhook is removed.
    """
    again = Delivery.objects.filter(
        pk=row.pk, webhook__active=True, entry__isnull=False
    )
    moved = again.exclude(given_up_at=None).update(
        given_up_at=None, attempts=0, due_at=now
    )
    if not moved:
        raise WebhookRefused("only what was given up can be sent again")


def log_of(hook: Webhook, limit: int) -> list[Delivery]:
    """Return what a webhook was told and how that went, the newest first."""
    return list(hook.deliveries.select_related("entry").order_by("-pk")[:limit])


@dataclass(frozen=True, slots=True)
class Listener:
    """A webhook as staff see it: its host alone, for a path may hold a secret."""

    number: int
    host: str
    events: Sequence[str]
    waiting: int
    last: Delivery | None


def listeners() -> list[Listener]:
    """Return the webhooks that are told something, with how it went last."""
    newest = Delivery.objects.filter(webhook=OuterRef("pk")).exclude(tried_at=None)
    last = Subquery(newest.order_by("-pk").values("pk")[:1])
    hooks = list(Webhook.objects.filter(active=True).annotate(last=last)[:MANY])
    outbox = Delivery.objects.waiting().order_by().values_list("webhook", flat=True)
    waiting = Counter(outbox[:COUNTED])
    tried = Delivery.objects.in_bulk([hook.last for hook in hooks if hook.last])
    return [
        Listener(
            hook.pk,
            posting.parse(hook.url).host,
            hook.events,
            waiting[hook.pk],
            tried.get(hook.last),
        )
        for hook in hooks
    ]


def try_out(
    hook: Webhook, *, egress: Egress, clock: Callable[[], datetime]
) -> Delivery:
    """Send a trial now; return how it went."""
    row = Delivery.objects.create(webhook=hook, due_at=clock())
    _send(row, egress, clock)
    return row


def deliver_due(
    *, egress: Egress, clock: Callable[[], datetime], limit: int = BATCH
) -> Counter[str]:
    """Send what is due; return how many tries ended how."""
    ended: Counter[str] = Counter()
    rows = Delivery.objects.due(clock()).select_related("webhook", "entry")
    for row in list(rows[:limit]):
        if _take(row, clock()):
            ended[_send(row, egress, clock)] += 1
    return ended


def _take(row: Delivery, now: datetime) -> bool:
    """Put the row off before it is sent; False if another worker was quicker."""
    mine = Delivery.objects.filter(pk=row.pk, attempts=row.attempts, due_at=row.due_at)
    return bool(mine.update(due_at=now + WAITS[min(row.attempts, len(WAITS) - 1)]))


def _send(row: Delivery, egress: Egress, clock: Callable[[], datetime]) -> str:
    now = clock()
    octets = body_of(row)
    try:
        row.status, row.trouble = (
            posting.post(
                row.webhook.url,
                octets,
                headers=headers_for(row, octets, now),
                egress=egress,
            ),
            "",
        )
    except posting.NotSent as trouble:
        row.status, row.trouble = None, str(trouble)[:200]
    return _note(row, clock())


def _note(row: Delivery, now: datetime) -> str:
    row.attempts += 1
    row.tried_at = now
    if row.status is not None and row.status in GOOD:
        row.delivered_at, ending = now, "delivered"
    elif row.attempts > len(WAITS) or row.entry is None:
        row.given_up_at, ending = now, "given up"
    else:
        row.due_at, ending = now + WAITS[row.attempts - 1], "failed"
    row.save()
    return ending


def body_of(row: Delivery) -> bytes:
    """Return what is sent: the entry as hashed, under an id that stays the same."""
    if row.entry is None:
        told: dict[str, object] = {"id": f"test-{row.pk}", "type": TRIAL, "entry": None}
    else:
        told = {
            "id": str(row.entry.uid),
            "type": row.entry.type,
            "entry": json.loads(bytes(row.entry.body)),
        }
    return json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode()


def headers_for(row: Delivery, octets: bytes, now: datetime) -> dict[str, str]:
    """Return our headers: nothing of them comes from the DNS (S-112)."""
    stamp = str(int(now.astimezone(UTC).timestamp()))
    return {
        "Content-Type": "application/json",
        "User-Agent": "bootstrap-portal",
        "Webhook-Id": str(row.entry.uid) if row.entry else f"test-{row.pk}",
        "Webhook-Timestamp": stamp,
        "Webhook-Signature": "v1=" + signature(row.webhook.secret, stamp, octets),
    }


def signature(secret: str, stamp: str, octets: bytes) -> str:
    """Return HMAC-SHA-256, in hex, over timestamp, a dot and the body."""
    return hmac.digest(secret.encode(), stamp.encode() + b"." + octets, "sha256").hex()
