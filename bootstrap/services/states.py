"""The one derived word that people see of a domain: first row that fits (ux.md).

Stored so that lists can filter on it; nothing decides by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import Alarm, Domain, DomainState, Proposal

from . import bulk

BROKEN: Final = frozenset(
    {
        Reason.UPD_UNSIGNED,
        Reason.UPD_BOGUS,
        Reason.UPD_CHAIN_BOGUS,
        Reason.POST_CHILD_BOGUS,
        Reason.POST_CHILD_UNSIGNED,
        Reason.POST_DS_ORPHAN,
    }
)
"""Primary reasons that say: there is a DS, and the child fails under it."""
UNDER_WAY: Final = MappingProxyType(
    {
        State.SENT: DomainState.PUBLISHED,
        State.VISIBLE: DomainState.PUBLISHED,
        State.CANDIDATE: DomainState.PENDING,
        State.HELD: DomainState.PENDING,
        State.APPROVED: DomainState.PENDING,
        State.SENDING: DomainState.PENDING,
        State.FAILED: DomainState.PENDING,
    }
)
"""What an open proposal makes of its domain; total over the open states."""
BY_OUTCOME: Final = MappingProxyType(
    {
        Outcome.RETRY: DomainState.ANNOUNCED,
        # its proposal was refused or lapsed: announced, and asked for again
        Outcome.ACCEPT: DomainState.ANNOUNCED,
        Outcome.REJECT: DomainState.BLOCKED,
        Outcome.HOLD: DomainState.BLOCKED,
    }
)
BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Known:
    """What other tables say of a domain."""

    alarmed: bool = False
    proposal: State | None = None


def derive(domain: Domain) -> DomainState:
    """Return the state of one domain as all tables have it now."""
    return state_of(domain, _known([domain.pk]).get(domain.pk, Known()))


def state_of(domain: Domain, known: Known) -> DomainState:
    """Return the first row of the table that fits."""
    if known.alarmed:
        return DomainState.ALARM
    if domain.suspension:
        return DomainState.SUSPENDED
    if domain.ds and domain.last_reason in BROKEN:
        return DomainState.BROKEN
    if known.proposal is not None:
        return UNDER_WAY[known.proposal]
    if domain.ds:
        return DomainState.SECURED
    return _insecure_state(domain)


def refresh(domains: Iterable[Domain], *, now: datetime) -> int:
    """Derive and store anew, also in the given instances; return how many changed."""
    changed = 0
    batch: list[Domain] = []
    for domain in domains:
        batch.append(domain)
        if len(batch) == BATCH:
            changed += _refresh(batch, now)
            batch = []
    return changed + _refresh(batch, now)


def _insecure_state(domain: Domain) -> DomainState:
    if domain.last_outcome in BY_OUTCOME:
        return BY_OUTCOME[Outcome(domain.last_outcome)]
    if domain.last_reason == Reason.SIG_NONE:
        return DomainState.WAITING
    return DomainState.SIGNED if domain.signed_since else DomainState.UNSIGNED


def _refresh(domains: list[Domain], now: datetime) -> int:
    if not domains:
        return 0
    known = _known([domain.pk for domain in domains])
    changed = []
    for domain in domains:
        state = state_of(domain, known.get(domain.pk, Known()))
        if state != domain.state or domain.state_since is None:
            domain.state, domain.state_since = state, now
            changed.append(domain)
    rows = [(domain.pk, domain.state, domain.state_since) for domain in changed]
    bulk.update(Domain, "id", ("state", "state_since"), rows)
    return len(changed)


def _known(ids: list[int]) -> Mapping[int, Known]:
    alarmed = set(
        Alarm.objects.open().filter(domain__in=ids).values_list("domain_id", flat=True)
    )
    states = dict(
        Proposal.objects.open().filter(domain__in=ids).values_list("domain_id", "state")
    )
    return {
        pk: Known(pk in alarmed, State(states[pk]) if pk in states else None)
        for pk in alarmed | states.keys()
    }
