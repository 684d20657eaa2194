"""Rows to values: what an evaluation takes from the database, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db.models import Max

from bootstrap.core.dns.names import Name, parse_name
from bootstrap.core.dns.records import Ds
from bootstrap.core.evaluation.delegation import Delegation, History, Suspension
from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import Domain, Proposal, WorkItem

from .leasing import RETRIES

PENDING = (State.SENDING, State.SENT)
"""A change of ours that the parent may or may not show yet."""
SLICE = 500


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A child as its row had it at one moment, with what we remember of it."""

    domain: Domain
    delegation: Delegation
    history: History


def snapshots(domains: Iterable[Domain]) -> list[Snapshot]:
    """Return a snapshot of each; their zones must be loaded with them."""
    rows = list(domains)
    found: list[Snapshot] = []
    for start in range(0, len(rows), SLICE):
        part = rows[start : start + SLICE]
        ids = [domain.pk for domain in part]
        retries = dict(WorkItem.objects.filter(pk__in=ids).values_list("pk", "retries"))
        accepted = _accepted(ids)
        pending = set(
            Proposal.objects.filter(
                domain__in=ids, state__in=[state.value for state in PENDING]
            ).values_list("domain_id", flat=True)
        )
        found += [
            Snapshot(
                domain,
                delegation_of(domain, pending=domain.pk in pending),
                history_of(
                    domain,
                    accepted=accepted.get(domain.pk),
                    retries=retries.get(domain.pk, 0),
                ),
            )
            for domain in part
        ]
    return found


def _accepted(ids: list[int]) -> Mapping[int, datetime | None]:
    """Return the newest inception of a request that went to the parent (P-4.5)."""
    sent = Proposal.objects.filter(domain__in=ids, sent_at__isnull=False)
    newest = sent.order_by().values("domain").annotate(newest=Max("scan__inception"))
    return {row["domain"]: row["newest"] for row in newest}


def delegation_of(domain: Domain, *, pending: bool = False) -> Delegation:
    """Return the registry's side of a row as a value."""
    gone = domain.removed_at is not None
    return Delegation(
        child=parse_name(domain.name),
        parent=_shared_name(domain.zone.name),
        nameservers=() if gone else tuple(map(_shared_name, domain.nameservers)),
        glue=tuple((parse_name(host), address) for host, address in domain.glue),
        ds=tuple(sorted(Ds.from_text(text) for text in domain.ds)),
        statuses=tuple(domain.statuses),
        registrar=domain.registrar,
        suspended=Suspension(domain.suspension) if domain.suspension else None,
        pending_change=pending,
        version=domain.version,
        ns_changed_at=domain.ns_changed_at,
    )


@lru_cache(maxsize=16_384)
def _shared_name(text: str) -> Name:
    """Return a name that many children have in common, parsed once."""
    return parse_name(text)


def history_of(
    domain: Domain, *, accepted: datetime | None = None, retries: int = 0
) -> History:
    """Return what we remember of a child as a value."""
    known = [moment for moment in (domain.newest_inception, accepted) if moment]
    return History(
        newest_inception=max(known, default=None),
        oob_change_at=domain.oob_change_at,
        signed_since=domain.signed_since,
        troubled_since=tuple(
            (code, datetime.fromisoformat(since))
            for code, since in sorted(domain.troubled_since.items())
        ),
        retries_spent=retries >= len(RETRIES),
    )
