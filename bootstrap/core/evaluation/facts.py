"""What one evaluation knows, each thing found out once and in a fixed order.

Steps read facts and yield findings; nothing here concludes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import Ds, Key, RdataType
from bootstrap.core.dnssec.budget import Budget
from bootstrap.core.dnssec.chain import Proof
from bootstrap.core.dnssec.signatures import Context

from .acceptance import expiry, inception, needed
from .answers import REQUEST_TYPES, Answer, answers_of, probes_of
from .apex import REQUIRED_TYPES, Apex, ApexState, read_apex, usable
from .candidate import candidate_of
from .case import Case
from .compare import KeyId, requested_keys
from .findings import Finding
from .matrix import MATRIX, Cell
from .paths import Choice, Path, choose_path
from .plan import extra_hosts, probe_name
from .proofs import MEMO, Prove, settled
from .reasons import Kind, Reason
from .requests import Request, request_of
from .servers import Reach, delegated, reach
from .signals import (
    Signal,
    SignalState,
    compare_signals,
    read_signals,
    signal_inceptions,
    signal_state,
)
from .trial import Copy, Trial, copies_of, trial_of
from .updates import current_keys

DEAD: Final = frozenset(
    {Reason.NS_TIMEOUT, Reason.NS_UNREACHABLE, Reason.NS_TCP_UNAVAILABLE}
)
"""Silence that may be left out of an update in the end (P-2.31)."""
DEAD_AFTER: Final = timedelta(hours=24)


class Facts:
    """A case and what follows from it; all trials share one allowance."""

    def __init__(self, case: Case, prove: Prove) -> None:
        self.case = case
        self.prove = prove
        self.context = Context(case.now, Budget(), memo=MEMO)
        self.delegation = case.delegation
        self.child = case.delegation.child
        self.policy = case.policy

    @cached_property
    def choice(self) -> Choice:
        """The path that the registry's data allow, and why."""
        return choose_path(self.delegation, self.policy)

    @property
    def path(self) -> Path:
        """The path, bootstrap when there is none: nothing is then decided by it."""
        return self.choice.path or Path.BOOTSTRAP

    @property
    def has_ds(self) -> bool:
        """An existing DS is to be changed, and not a first one to be made."""
        return self.choice.path is Path.UPDATE

    @cached_property
    def published(self) -> Proof:
        """What the parent publishes as DS (P-2.2)."""
        return settled(self.prove, self.child, RdataType.DS)

    @cached_property
    def reach(self) -> Reach:
        """The servers of the delegation."""
        return delegated(self.case, self.prove)

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """The apex answers of the delegation's servers, without excluded ones."""
        return tuple(a for a in self.all_answers if a.address not in self.excluded)

    @cached_property
    def all_answers(self) -> tuple[Answer, ...]:
        """The apex answers of the delegation's servers."""
        addresses = set(self.reach.addresses)
        return tuple(a for a in answers_of(self.case) if a.address in addresses)

    @cached_property
    def addresses(self) -> tuple[str, ...]:
        """The addresses that must agree."""
        return tuple(a for a in self.reach.addresses if a not in self.excluded)

    @cached_property
    def excluded(self) -> frozenset[str]:
        """Servers that an update may do without: long dead, others alive (P-2.31)."""
        if not self.has_ds or not self.case.history.retries_spent:
            return frozenset()
        since = dict(self.case.history.troubled_since)
        dead = {
            address
            for address in self.reach.addresses
            if self._long_dead(address, since)
        }
        return frozenset(dead if dead < set(self.reach.addresses) else ())

    def _long_dead(self, address: str, since: dict[str, datetime]) -> bool:
        reasons = [a.reason for a in self.all_answers if a.address == address]
        return bool(reasons) and all(
            reason in DEAD
            and reason.value in since
            and self.case.now - since[reason.value] >= DEAD_AFTER
            for reason in reasons
        )

    @cached_property
    def missing(self) -> tuple[tuple[str, RdataType], ...]:
        """What should have been asked and has no observation."""
        seen = {(answer.address, answer.rdtype) for answer in self.answers}
        types = (*REQUIRED_TYPES, RdataType.NS)
        wanted = [(address, t) for address in self.addresses for t in types]
        return tuple(pair for pair in wanted if pair not in seen)

    @property
    def complete(self) -> bool:
        """Every required response is there and usable (P-2.30, P-2.31)."""
        good = usable(self.path)
        answered = all(
            answer.reason in good
            for answer in self.answers
            if answer.rdtype in REQUIRED_TYPES
        )
        sound = all(finding.kind is Kind.INFO for finding in self.reach.findings)
        return bool(self.addresses) and answered and sound and not self.missing

    @cached_property
    def apex(self) -> Apex:
        """What the child's servers say together."""
        return read_apex(
            self.answers,
            child=self.child,
            path=self.path,
            complete=self.complete,
            policy=self.policy,
        )

    @cached_property
    def request(self) -> Request:
        """What is asked of the parent."""
        return request_of(self.apex.cds, self.apex.cdnskey)

    @property
    def request_types(self) -> tuple[RdataType, ...]:
        """The types by which it is asked."""
        contents = (self.apex.cds, self.apex.cdnskey)
        pairs = zip(REQUEST_TYPES, contents, strict=True)
        return tuple(rdtype for rdtype, content in pairs if content)

    @cached_property
    def signals(self) -> tuple[Signal, ...]:
        """The signals of the nameservers that owe one."""
        return read_signals(self.child, self.delegation.nameservers, self.prove)

    @cached_property
    def compared(self) -> tuple[Finding, ...]:
        """What the comparison of the signals found."""
        return tuple(compare_signals(self.child, self.signals, self.apex))

    @cached_property
    def signal_state(self) -> SignalState:
        """The column of the matrix."""
        return signal_state(self.signals, self.compared)

    @cached_property
    def cell(self) -> Cell:
        """The cell of the matrix."""
        return MATRIX[self.apex.state, self.signal_state]

    @cached_property
    def copies(self) -> tuple[Copy, ...]:
        """One copy of the apex per address."""
        probes = [p for p in probes_of(self.case) if p.address in self.addresses]
        return copies_of(self.answers, probes)

    @cached_property
    def dnskeys(self) -> tuple[Key, ...]:
        """All keys in use at any server."""
        keys = {key for copy in self.copies for key in copy.keys}
        return tuple(sorted(keys, key=Key.to_wire))

    @cached_property
    def requested(self) -> frozenset[KeyId]:
        """The keys that the child wants to be secured by."""
        found = requested_keys(self.apex.cds, self.apex.cdnskey, self.child)
        if found:
            return found
        return frozenset(
            KeyId(ds.algorithm, ds.key_tag, ds.digest) for ds in self.candidate
        )

    @cached_property
    def current(self) -> frozenset[KeyId]:
        """The keys that the parent's DS names."""
        return current_keys(self.delegation.ds, self.dnskeys, self.child)

    @cached_property
    def candidate(self) -> tuple[Ds, ...]:
        """The DS RRset that would be published; empty for a removal."""
        if self.request is not Request.KEYS:
            return ()
        return candidate_of(
            self.apex.cds,
            self.apex.cdnskey,
            owner=self.child,
            dnskeys=self.dnskeys,
            digests=self.policy.digests,
        )

    @cached_property
    def trial(self) -> Trial:
        """The candidate, put to the test."""
        return trial_of(self.child, self.candidate, self.copies, self.context)

    @cached_property
    def old(self) -> Trial:
        """The current DS, put to the test."""
        return trial_of(self.child, self.delegation.ds, self.copies, self.context)

    @property
    def in_sync(self) -> bool:
        """The child asks for the keys that the parent has (P-4.7)."""
        settled_apex = self.apex.state in {ApexState.KEYS, ApexState.INCOMPLETE}
        asks = settled_apex and self.request is Request.KEYS and self.has_ds
        return asks and self._harmonious and self.requested == self.current

    @property
    def _harmonious(self) -> bool:
        """What was received agrees, though something may be missing (P-2.25)."""
        ignored = {Reason.APEX_INCOMPLETE}
        return all(
            finding.kind is Kind.INFO or finding.reason in ignored
            for finding in self.apex.findings
        )

    @cached_property
    def extra(self) -> Reach:
        """The servers that only the child names (P-3.7)."""
        names = extra_hosts(self.case, self.answers)
        return reach(names, self.case, self.prove) if names else Reach()

    @cached_property
    def extra_trial(self) -> Trial:
        """The candidate at the servers that only the child names."""
        addresses = set(self.extra.addresses)
        answers = [a for a in answers_of(self.case) if a.address in addresses]
        return trial_of(
            self.child, self.candidate, copies_of(answers, ()), self.context
        )

    @property
    def probe(self) -> Name | None:
        """The name that should not exist; None when there is no room for one."""
        return probe_name(self.case)

    @cached_property
    def needed(self) -> frozenset[tuple[str, str]]:
        """What must hold at each address."""
        return needed(self.addresses, self.request_types)

    @cached_property
    def inception(self) -> datetime | None:
        """When the signatures of the request begin (P-4.5)."""
        trial = self.old if self.has_ds else self.trial
        keys = {
            copy.address: trial.matched(copy) if self.has_ds else copy.keys
            for copy in self.copies
        }
        return inception(trial, self.request_types, keys)

    @property
    def inceptions(self) -> tuple[datetime, ...]:
        """When the signatures of a first request begin: the child's, the signals'."""
        own = (self.inception,) if self.inception else ()
        return own + signal_inceptions(self.signals, self.case.now)

    @property
    def expires(self) -> datetime | None:
        """When the first signature relied on ends (P-1.62)."""
        ends = (
            [proof.not_after for signal in self.signals for proof in signal.proofs]
            if not self.has_ds
            else []
        )
        ends += [expiry(self.old if self.request is Request.DELETE else self.trial)]
        return min((end for end in ends if end is not None), default=None)
