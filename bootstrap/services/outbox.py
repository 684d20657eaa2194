"""What other machines will be told: written in the transaction of the event.

Called where the trail grows, so that no service can forget it and nothing is told
that was rolled back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bootstrap import bell
from bootstrap.models import AuditEntry, Delivery, Webhook


def fill(entries: Sequence[AuditEntry]) -> None:
    """Put each entry in the outbox of every webhook that asked for its type."""
    hooks = list(Webhook.objects.filter(active=True))
    rows = [
        Delivery(webhook=hook, entry=entry, due_at=entry.at)
        for hook in hooks
        for entry in entries
        if wants(hook.events, entry.type)
    ]
    if rows:
        Delivery.objects.bulk_create(rows, batch_size=500)
        bell.ring(bell.Work.DELIVERIES)


def wants(events: Iterable[str], entry_type: str) -> bool:
    """Say whether a type is among the wanted ones; "*" ends a beginning."""
    return any(
        entry_type.startswith(event[:-1])
        if event.endswith("*")
        else event == entry_type
        for event in events
    )
