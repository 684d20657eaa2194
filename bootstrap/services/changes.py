"""What the registry's changes do to a child: proposals, suspension, schedule.

An NS change voids an open approval (P-4.44), a DS set removed by another channel
turns automation off and a new one on again (P-5.43). What our own publication
is doing to the DS set at this moment is no change by another channel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q

from bootstrap.core.evaluation.delegation import Suspension
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import Domain, Proposal

from . import adoption, audit, leasing, states, suspension
from .actors import Actor
from .audit import Draft
from .lapsing import LAPSABLE, lapse
from .staging import Difference, Staging

UNDER_WAY: Final = (State.SENDING, State.SENT, State.VISIBLE)


@dataclass(frozen=True, slots=True)
class Change:
    """Applies what a staged source shows differently, batch by batch."""

    staged: Staging
    actor: Actor
    now: datetime
    as_of: datetime
    """When the source was taken from the parent: later changes are not in it."""

    def update(self, ids: list[int]) -> int:
        """Give these domains the source's data; return how many changed."""
        domains = _locked(ids)
        self._show_ours(ids)
        found = self.staged.differences(ids)
        if not found:
            return 0
        changed = [difference.id for difference in found]
        adoption.apply(
            self.staged,
            changed,
            renewed=[d.id for d in found if d.ns_changed or d.transferred],
            now=self.now,
        )
        audit.append(draft for d in found for draft in self._drafts(d))
        fresh = {domain.pk: domain for domain in _read(domains)}
        self._ds_changes([d for d in found if d.ds_changed], fresh)
        self._resume([d for d in found if d.ds or d.returned], fresh)
        self._lapse(changed, "the registry's data changed")
        self._look_again(found)
        states.refresh(fresh.values(), now=self.now)
        return len(found)

    def remove(self, ids: list[int]) -> int:
        """Take note that these children are no longer delegated."""
        domains = _locked(ids)
        audit.append(
            self._draft(
                EntryType.DELEGATION_REMOVED,
                domain.name,
                nameservers=domain.nameservers,
                ds=domain.ds,
            )
            for domain in domains
        )
        for domain in domains:
            domain.removed_at = domain.changed_at = self.now
            domain.ds = []
            domain.version += 1
        Domain.objects.bulk_update(
            domains, ["removed_at", "changed_at", "ds", "version"], batch_size=200
        )
        self._lapse(ids, "the domain is no longer delegated", look_again=False)
        states.refresh(domains, now=self.now)
        return len(domains)

    def _show_ours(self, ids: Sequence[int]) -> None:
        """Let the source show our DS set where we are changing it ourselves.

        A transfer that began before our UPDATE still shows the old set, one
        after it may show the new set before the publisher has said so.
        """
        ours = Proposal.objects.filter(
            Q(state__in=UNDER_WAY) | Q(sent_at__gte=self.as_of), domain__in=ids
        )
        shown = {d.id: d for d in self.staged.differences(ids) if d.ds_changed}
        for proposal in ours:
            difference = shown.get(proposal.domain_id)
            if difference is None:
                continue
            known = (sorted(proposal.old_ds), sorted(proposal.new_ds))
            if sorted(difference.ds) in known:
                self.staged.show_ds(difference.name, difference.old_ds)

    def _drafts(self, difference: Difference) -> Iterable[Draft]:
        name = difference.name
        if difference.ns_changed:
            yield self._draft(
                EntryType.DELEGATION_NS_CHANGED,
                name,
                old=difference.old_nameservers,
                new=difference.nameservers,
                returned=difference.returned,
            )
        if difference.ds_changed:
            yield self._draft(
                EntryType.DELEGATION_DS_CHANGED,
                name,
                old=difference.old_ds,
                new=difference.ds,
            )
        if difference.transferred:
            yield self._draft(
                EntryType.DELEGATION_TRANSFERRED,
                name,
                old=difference.old_registrar,
                new=difference.registrar,
            )

    def _draft(self, entry_type: EntryType, name: str, **data: object) -> Draft:
        return Draft(
            type=entry_type,
            stream=f"child:{name}.",
            actor=self.actor,
            now=self.now,
            data=data,
        )

    def _ds_changes(
        self, changed: Sequence[Difference], fresh: dict[int, Domain]
    ) -> None:
        """Take note of DS sets changed by another channel (P-4.5, P-5.43, P-4.35).

        One that left the zone lost its stored set then: it comes back with a new
        one or with none, and is not taken for a removal.
        """
        Domain.objects.filter(pk__in=[d.id for d in changed]).update(
            oob_change_at=self.now, auth_method=""
        )
        for difference in changed:
            domain = fresh[difference.id]
            domain.oob_change_at, domain.auth_method = self.now, ""
            if not difference.ds:
                suspension.suspend(
                    domain, Suspension.OOB_REMOVAL, actor=self.actor, now=self.now
                )

    def _resume(self, found: Sequence[Difference], fresh: dict[int, Domain]) -> None:
        """End the suspension of a removal: a new DS set, or a new delegation.

        A name that left the zone and is back is in all likelihood another
        registration, which nobody asked to keep insecure.
        """
        for difference in found:
            domain = fresh[difference.id]
            if domain.suspension == Suspension.OOB_REMOVAL:
                suspension.resume(domain, actor=self.actor, now=self.now)

    def _lapse(self, ids: Sequence[int], why: str, *, look_again: bool = True) -> None:
        open_ones = Proposal.objects.filter(domain__in=ids, state__in=sorted(LAPSABLE))
        for proposal in open_ones.with_domain():
            lapse(
                proposal,
                actor=self.actor,
                now=self.now,
                reason=Reason.PUB_CONFLICT,
                why=why,
                look_again=look_again,
            )

    def _look_again(self, found: Sequence[Difference]) -> None:
        ns_changed = [d.id for d in found if d.ns_changed]
        others = [d.id for d in found if not d.ns_changed]
        leasing.request(ns_changed, trigger=Trigger.NS_CHANGE, now=self.now)
        leasing.request(others, trigger=Trigger.SCHEDULE, now=self.now)


def _locked(ids: Sequence[int]) -> list[Domain]:
    """Lock the children, in order: decisions and publications lock them too."""
    return list(
        Domain.objects.select_for_update(of=("self",))
        .select_related("zone")
        .filter(pk__in=ids)
        .order_by("pk")
    )


def _read(domains: Sequence[Domain]) -> list[Domain]:
    return list(
        Domain.objects.select_related("zone").filter(pk__in=[d.pk for d in domains])
    )
