"""Evaluate children: load, observe, judge, save, propose; in order of completion.

A crash anywhere loses nothing: what was not saved keeps its lease until it ends,
and then somebody else takes the item up again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from bootstrap import bell, clock as clocks, config
from bootstrap.core.dns.names import Name, parse_name, unrooted
from bootstrap.core.evaluation import views
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.delegation import Delegation
from bootstrap.core.evaluation.glance import Routine, may_end_early
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evidence import bundle
from bootstrap.models import Domain, Zone

from . import glances, leasing, machinery, parentside, recording, trusting, zones
from .evaluating import Judged, Site, evaluate_all
from .leasing import Lease
from .recording import Recorded
from .snapshots import snapshots

SAVE_AT_MOST: Final = 100
"""Whole evaluations in one transaction."""


class Write(Protocol):
    """Writes a group of results under their leases, in one transaction."""

    def __call__(
        self, group: Sequence[Judged], leases: Mapping[int, Lease], *, now: datetime
    ) -> list[Recorded]:
        """Return what was written."""
        ...


class UnknownParent(Exception):
    """No parent zone of this name is ours; the message says what to do."""


def site() -> Site:
    """Return the site that the settings describe.

    Raises:
        config.Unusable: a variable holds nonsense.
    """
    world = trusting.trusted(config.world(), now=clocks.now())
    return Site(
        eyes=lambda: world.scanner(clock=clocks.now),
        anchors=world.anchors,
        control=world.control(),
        clock=clocks.now,
        ticks=clocks.ticks,
        clock_state=machinery.clock_state,
        at_once=config.scanning().at_once,
        skip_families=world.dns.skip_families,
    )


def evaluate(
    domains: Iterable[Domain], *, trigger: Trigger, at: Site, save: bool = True
) -> Iterator[Recorded]:
    """Evaluate children now, whatever their turn; yield each when it is done.

    With `save` off no row changes.
    """
    rows = list(domains)
    if not save:
        for group in evaluate_all(_cases(rows, {}, trigger, at), at):
            yield from map(_unsaved, group)
        return
    term = config.scanning().lease
    leases = {
        lease.domain_id: lease for lease in _taken(rows, trigger, at.clock(), term)
    }
    yield from _work_off(leases, at)


def drain(*, holder: str, at: Site) -> Iterator[Recorded]:
    """Work off what is due, until nothing is or the burst is over (S-74).

    What is left then is for the next task, which is rung for.
    """
    limits = config.scanning()
    until = at.ticks() + limits.burst.total_seconds()
    while at.ticks() < until:
        claimed = leasing.claim(
            limits.batch,
            holder=holder,
            now=at.clock(),
            term=limits.lease,
            deaths=limits.deaths,
        )
        if not claimed:
            return
        leases = {lease.domain_id: lease for lease in claimed}
        yield from _work_off(leases, at, until=until)
    bell.ring(bell.Work.SCANS)


def _taken(
    rows: Iterable[Domain], trigger: Trigger, now: datetime, term: timedelta
) -> Iterator[Lease]:
    ids = [domain.pk for domain in rows]
    for lease in leasing.take_all(ids, holder="command", now=now, term=term):
        yield replace(lease, trigger=trigger)


def _work_off(
    leases: dict[int, Lease], at: Site, *, until: float = float("inf")
) -> Iterator[Recorded]:
    """Evaluate what is leased; what is not done at `until` is given back.

    After a failure nothing is given back: the leases run out, and are counted.
    """
    term = config.scanning().lease
    left = dict(leases)
    # One instance of a zone for all of its children, not one each.
    rows = Domain.objects.prefetch_related("zone").in_bulk(list(leases)).values()
    renewed = at.ticks()
    cases = _cases(rows, leases, Trigger.SCHEDULE, at)
    groups = evaluate_all(cases, at, routine=_routine(rows, cases, at))
    with contextlib.closing(groups):
        for group in groups:
            for write, part in _parts(group):
                recorded = write(part, leases, now=at.clock())
                for judged in part:
                    left.pop(judged.key, None)
                try:
                    yield from recorded
                except GeneratorExit:
                    _give_back(left)
                    raise
            if at.ticks() > until:
                break
            if at.ticks() - renewed > term.total_seconds() / 3:
                leasing.renew(left.values(), now=at.clock(), term=term)
                renewed = at.ticks()
    _give_back(left)


def _parts(group: Sequence[Judged]) -> Iterator[tuple[Write, Sequence[Judged]]]:
    """Yield what is written in one transaction, and by whom."""
    early = [judged for judged in group if judged.glance is not None]
    if early:
        yield glances.record, early
    whole = [judged for judged in group if judged.glance is None]
    for start in range(0, len(whole), SAVE_AT_MOST):
        yield recording.record, whole[start : start + SAVE_AT_MOST]


def _routine(
    rows: Iterable[Domain], cases: Iterable[tuple[int, Case]], at: Site
) -> dict[int, Routine]:
    """Return those whose scan may end after stage one."""
    full_every, today = config.scanning().full_every, at.clock().date()
    last = {row.pk: (row.last_outcome, row.last_reason) for row in rows}
    routines = ((key, Routine(case, last[key])) for key, case in cases)
    return {
        key: routine
        for key, routine in routines
        if may_end_early(routine, full_every=full_every, today=today)
    }


def _give_back(left: dict[int, Lease]) -> None:
    for lease in left.values():
        leasing.give_back(lease)


def _cases(
    rows: Iterable[Domain], leases: dict[int, Lease], trigger: Trigger, at: Site
) -> list[tuple[int, Case]]:
    policies: dict[int, AcceptancePolicy] = {}
    cases: list[tuple[int, Case]] = []
    for snapshot in snapshots(rows):
        zone = snapshot.domain.zone
        if zone.pk not in policies:
            policies[zone.pk] = _policy(zone, at)
        lease = leases.get(snapshot.domain.pk)
        case = Case(
            delegation=snapshot.delegation,
            observations=(),
            anchors=at.anchors,
            policy=policies[zone.pk],
            now=at.clock(),
            trigger=lease.trigger if lease else trigger,
            history=snapshot.history,
        )
        cases.append((snapshot.domain.pk, case))
    return cases


def _policy(zone: Zone, at: Site) -> AcceptancePolicy:
    """Return the zone's policy, as far as this site can follow it."""
    policy = zones.policy_of(zone)
    lacking = {*policy.skip_families, *at.skip_families}
    return replace(policy, skip_families=tuple(sorted(lacking)))


def evaluate_unknown(names: Sequence[Name], *, at: Site) -> Iterator[Recorded]:
    """Evaluate names that no row knows, as their parent's servers delegate them.

    Nothing is saved: the registry does not know them (yet).

    Raises:
        UnknownParent: a name's parent zone is none of ours.
    """
    parents = {name: parent_of(name) for name in names}
    world = trusting.trusted(config.world(), now=at.clock())
    cases: list[tuple[int, Case]] = []
    for number, (name, zone) in enumerate(parents.items()):
        delegation = asyncio.run(parentside.delegation(name, zone, world))
        cases.append((number, _case_of(delegation, zone, at)))
    for group in evaluate_all(cases, at):
        yield from map(_unsaved, group)


def _case_of(delegation: Delegation, zone: Zone, at: Site) -> Case:
    return Case(
        delegation=delegation,
        observations=(),
        anchors=at.anchors,
        policy=_policy(zone, at),
        now=at.clock(),
    )


def parent_of(name: Name) -> Zone:
    """Return the zone of ours that would delegate `name`: the deepest above it.

    Raises:
        UnknownParent: there is none.
    """
    above = [unrooted(name.split(depth)[1]) for depth in range(1, len(name.labels))]
    found = {zone.name: zone for zone in Zone.objects.filter(name__in=above)}
    if not found:
        raise UnknownParent(
            f"{unrooted(name)}: not known here, and no parent zone of it is."
            " Add the zone (manage.py zone add) and import its delegations."
        )
    return found[max(found, key=lambda text: len(parse_name(text).labels))]


def _unsaved(judged: Judged) -> Recorded:
    octets = bundle.encode(recording.bundle_of(judged))
    return Recorded(judged, bundle.address(octets))


def as_json(recorded: Recorded) -> dict[str, Any]:
    """Return the line of `manage.py scan --json`: a contract, see the README."""
    judged = recorded.judged
    verdict, case = judged.verdict, judged.case
    return {
        "domain": unrooted(case.delegation.child),
        "path": verdict.path.value if verdict.path else None,
        "outcome": verdict.outcome.value,
        "primary_reason": verdict.primary.value,
        "reasons": [reason.value for reason in verdict.reasons],
        "kind": verdict.kind.value,
        "ds": sorted(ds.to_text() for ds in verdict.candidate),
        "checks": [views.check_view(check) for check in verdict.checks],
        "nameservers": [views.server_view(view) for view in verdict.nameservers],
        "signals": [views.signal_view(view) for view in verdict.signals],
        "evidence": recorded.address,
        "started": f"{case.now:%Y-%m-%dT%H:%M:%S.%fZ}",
        "duration_ms": judged.duration // timedelta(milliseconds=1),
    }
