"""From when to when all signatures that a verdict rests on are in force (P-8.7).

That is the parent's word, addresses, signals, and the child's zone under the old
set and the new one. Nothing is decided by it: what is not in force now proves
nothing, and is no part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bootstrap.core.dnssec.chain import Proof

from .acceptance import relied_on
from .facts import Facts
from .plan import extra_hosts
from .proofs import settled
from .servers import families
from .trial import Trial

Window = tuple[datetime | None, datetime | None]
"""From when and until when; None where no signature says so."""


def window(facts: Facts) -> Window:
    """Return the latest inception and the earliest expiration of all of them."""
    found = list(_windows(facts))
    starts = [start for start, _ in found if start is not None]
    ends = [end for _, end in found if end is not None]
    return max(starts, default=None), min(ends, default=None)


def _windows(facts: Facts) -> Iterator[Window]:
    for proof in _proofs(facts):
        yield proof.not_before, proof.not_after
    for trial in _trials(facts):
        yield from _of(trial)


def _proofs(facts: Facts) -> Iterator[Proof]:
    yield facts.published
    hosts = {*facts.delegation.nameservers, *extra_hosts(facts.case, facts.answers)}
    for host in sorted(hosts):
        for rdtype in families(facts.policy):
            yield settled(facts.prove, host, rdtype)
    for signal in () if facts.has_ds else facts.signals:
        yield from signal.proofs


def _trials(facts: Facts) -> Iterator[Trial]:
    yield facts.trial
    yield facts.extra_trial
    if facts.has_ds:
        yield facts.old


def _of(trial: Trial) -> Iterator[Window]:
    for copy in trial.copies:
        negatives = (*copy.negatives, *copy.lacking)
        denying = [trial.weighed(copy, name, reply).used for name, reply in negatives]
        for verified in (
            *relied_on(trial, copy),
            *(v for used in denying for v in used),
        ):
            yield verified.not_before, verified.not_after
