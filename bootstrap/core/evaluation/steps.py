"""The steps of the standards, one function each, in the order of the story.

A step yields findings and never stops another; it raises for nothing that a
child does. Which steps apply, and which findings count, is for `judge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from bootstrap.core.dns.names import unrooted
from bootstrap.core.dns.records import Ds
from bootstrap.core.dnssec.chain import Absence, Proof
from bootstrap.core.dnssec.security import Flaw, Security

from . import acceptance, signals as signal_rules, updates
from .answers import USED_TYPES
from .apex import ApexState
from .facts import Facts
from .findings import Finding
from .matrix import Group
from .observations import Trouble
from .paths import Path
from .queries import Carrier
from .reasons import Kind, Reason
from .requests import Request
from .signals import SignalState

Step = Callable[[Facts], Iterator[Finding]]


# ── our own site ──────────────────────────────────────────────────────────────


def check_own_site(facts: Facts) -> Iterator[Finding]:
    """Our clock, anchors, resolver and egress are in order (P-2.23, S-46)."""
    case = facts.case
    yield from case.own_faults
    if not any(anchor.holds_at(case.now) for anchor in case.anchors):
        yield Finding(Reason.X_TRUST_ANCHOR, "", "no trust anchor is in force")
    for observation in case.observations:
        query = observation.query
        mine = query.zone == facts.child and query.carrier is Carrier.TCP
        if mine and observation.trouble is Trouble.NO_EGRESS:
            yield Finding(Reason.X_EGRESS_FAMILY, query.server)


# ── the parent's side ─────────────────────────────────────────────────────────


def check_preconditions(facts: Facts) -> Iterator[Finding]:
    """The registry's data allow an automatic change (protocol.md 2.3)."""
    yield from facts.choice.findings


def check_published_ds(facts: Facts) -> Iterator[Finding]:
    """The parent publishes what the registry holds (P-1.50, P-2.2, P-8.22)."""
    child = unrooted(facts.child)
    proof = facts.published
    if not proves_ds(facts, proof):
        yield Finding(_own_fault(proof), child, f"DS at the parent: {proof.detail}")
    elif proof.absence is Absence.NXDOMAIN:
        yield Finding(Reason.PRE_NOT_DELEGATED, child, "not in the published zone")
    elif _published_ds(proof) != frozenset(facts.delegation.ds):
        found = ", ".join(sorted(ds.to_text() for ds in _published_ds(proof)))
        reason = Reason.UPD_OOB_CONFLICT if facts.has_ds else Reason.PRE_PENDING_CHANGE
        yield Finding(reason, child, f"published DS: {found or 'none'}")


def proves_ds(facts: Facts, proof: Proof) -> bool:
    """Say whether the parent's word about DS is genuine.

    That an insecure delegation has no DS may rest on opt-out (RFC 5155, 8.6),
    as long as the parent itself is secure.
    """
    if proof.security is Security.SECURE:
        return proof.answer is not None or proof.absence is not None
    parent = facts.delegation.parent
    return (
        proof.security is Security.INSECURE
        and proof.answer is None
        and proof.flaw in {None, Flaw.NO_DS, Flaw.OPT_OUT}
        and any(
            cut.zone == parent and cut.security is Security.SECURE for cut in proof.cuts
        )
    )


def _published_ds(proof: Proof) -> frozenset[Ds]:
    rdatas = proof.answer.rrset.rdatas if proof.answer else ()
    return frozenset(Ds.from_wire(rdata) for rdata in rdatas)


def _own_fault(proof: Proof) -> Reason:
    """Return which of our own parts fails when our own parent cannot be proven."""
    if proof.flaw in {Flaw.EXPIRED, Flaw.NOT_YET_VALID}:
        return Reason.X_CLOCK
    if proof.security in {Security.INSECURE, Security.BOGUS}:
        return Reason.X_TRUST_ANCHOR
    return Reason.X_RESOLVER


# ── the child's servers ───────────────────────────────────────────────────────


def check_nameservers(facts: Facts) -> Iterator[Finding]:
    """Every nameserver has addresses that can be asked (P-1.17, P-2.3)."""
    yield from facts.reach.findings
    for address in sorted(facts.excluded):
        yield Finding(Reason.NS_EXCLUDED_UNREACHABLE, address)


def check_responses(facts: Facts) -> Iterator[Finding]:
    """Every address answers every question about the apex (P-2.30)."""
    for answer in facts.answers:
        if answer.rdtype in USED_TYPES:
            continue  # what breaks without a DS does not break by one (P-3.13)
        reason, detail = answer.reason, answer.detail
        if facts.has_ds and reason is Reason.NS_NODATA_NO_SOA:
            reason = Reason.NS_OK_NODATA  # counts as a response (RFC 9975, 3)
        yield Finding(reason, f"{answer.address} {answer.rdtype.name}", detail)
    for address, rdtype in facts.missing:
        subject = f"{address} {rdtype.name}"
        yield Finding(Reason.X_UNCLASSIFIED, subject, "never asked")


def check_apex(facts: Facts) -> Iterator[Finding]:
    """RFC 9615, 4.2 step 2; RFC 9975, section 3: all servers ask for the same."""
    yield from facts.apex.findings
    deletes = {Reason.CMP_DELETE_MIXED, Reason.CMP_DELETE_PARTIAL}
    if facts.has_ds and deletes & {finding.reason for finding in facts.apex.findings}:
        yield Finding(Reason.DEL_INCONSISTENT, unrooted(facts.child))


# ── signals ───────────────────────────────────────────────────────────────────


def check_signals(facts: Facts) -> Iterator[Finding]:
    """RFC 9615, 4.2 step 3: each signal is genuine, or proven absent."""
    yield from signal_rules.signal_findings(facts.signals)


def check_agreement(facts: Facts) -> Iterator[Finding]:
    """RFC 9615, 4.2 steps 1 and 4: signals exist, agree, and equal the apex."""
    yield from facts.compared
    if facts.signal_state is SignalState.EQUAL:
        zone = signal_rules.single_path(facts.signals)
        if zone is not None:
            yield Finding(Reason.SIG_SINGLE_PATH, unrooted(zone))


# ── an existing DS ────────────────────────────────────────────────────────────


def check_current_chain(facts: Facts) -> Iterator[Finding]:
    """The child validates under the DS that it has (P-4.8)."""
    yield from updates.check_current_chain(facts.old, facts.case.history)


def check_signer(facts: Facts) -> Iterator[Finding]:
    """RFC 7344, 4.1: a key of the current DS signed the request."""
    yield from updates.check_signer(facts.old, facts.request_types, facts.request)


def check_replay(facts: Facts) -> Iterator[Finding]:
    """RFC 7344, 6.2: an older request never undoes a newer one (S-40)."""
    child, history = facts.child, facts.case.history
    if facts.has_ds:
        yield from updates.check_replay(child, facts.inception, history)
    else:
        yield from updates.check_revival(child, facts.inceptions, history)


def check_change(facts: Facts) -> Iterator[Finding]:
    """What kind of change it is (P-4.12)."""
    if facts.request is Request.KEYS:
        yield from updates.check_change(facts.child, facts.current, facts.requested)


# ── would it break the child? ─────────────────────────────────────────────────


def check_keys(facts: Facts) -> Iterator[Finding]:
    """The keys are in use, strong, and of algorithms that we take (P-2.45)."""
    trial, keys, policy = facts.trial, facts.requested, facts.policy
    yield from acceptance.check_algorithms(trial, keys, policy)
    yield from acceptance.check_digests(facts.apex.cds, policy)
    yield from acceptance.check_keys(trial, keys, policy)
    if _too_young(facts):
        yield Finding(Reason.POL_TOO_YOUNG, unrooted(facts.child))


def _too_young(facts: Facts) -> bool:
    """Say whether the child was first seen signed too recently (P-3.20)."""
    since = facts.case.history.signed_since or facts.case.now
    return not facts.has_ds and facts.case.now - since < facts.policy.min_signed_age


def check_path(facts: Facts) -> Iterator[Finding]:
    """BCP 246, 4.2.1: a valid path from the new DS, on every server (P-3.4)."""
    lost = list(updates.check_path_after(facts.trial)) if facts.has_ds else []
    yield from lost or acceptance.check_path(facts.trial)


def check_zone_data(facts: Facts) -> Iterator[Finding]:
    """The apex verifies under the new DS, whoever is asked (P-3.5, P-3.6)."""
    yield from acceptance.check_zone_data(facts.trial, signer_rule=facts.has_ds)


def check_windows(facts: Facts) -> Iterator[Finding]:
    """No signature relied on ends soon (P-3.8)."""
    yield from acceptance.check_windows(facts.trial, facts.policy)


def check_completeness(facts: Facts) -> Iterator[Finding]:
    """RFC 4035, 2.2: every algorithm of the DS signs the zone (P-3.11)."""
    yield from acceptance.check_completeness(facts.trial)


def check_denial(facts: Facts) -> Iterator[Finding]:
    """A name that should not exist provably does not (P-2.9, P-3.5)."""
    yield from acceptance.check_denial(facts.trial)


def check_ns_set(facts: Facts) -> Iterator[Finding]:
    """RFC 7344, 9: hosts that only the child names pass as well (P-3.7)."""
    hosts = {name for answer in facts.answers for name in answer.hosts()}
    extra = sorted(hosts - set(facts.delegation.nameservers))
    if extra:
        troubles = [f for f in facts.extra.findings if f.kind is not Kind.INFO]
        silent = set(facts.extra.addresses) - {
            copy.address for copy in facts.extra_trial.copies
        }
        troubles += [Finding(Reason.NS_UNREACHABLE, address) for address in silent]
        yield from acceptance.extra_hosts_findings(extra, troubles, facts.extra_trial)
    elif hosts and hosts != set(facts.delegation.nameservers):
        missing = sorted(set(facts.delegation.nameservers) - hosts)
        names = ", ".join(unrooted(name) for name in missing)
        yield Finding(Reason.ACC_NS_SET_DIFFERS_OK, names, "not named by the child")


def check_work(facts: Facts) -> Iterator[Finding]:
    """The zone costs resolvers no more than they spend (P-3.22)."""
    yield from acceptance.check_work(facts.trial)


# ── which step applies when ───────────────────────────────────────────────────


def _always(_facts: Facts) -> bool:
    return True


def _on_a_path(facts: Facts) -> bool:
    return facts.choice.path is not None


def _bootstrapping(facts: Facts) -> bool:
    return facts.choice.path is Path.BOOTSTRAP


def _changing(facts: Facts) -> bool:
    """A DS exists, and the servers agree on something else."""
    agreed = facts.apex.state in {ApexState.KEYS, ApexState.DELETE}
    return facts.has_ds and agreed and not facts.in_sync


def _following(facts: Facts) -> bool:
    """It could undo what came before: a change, or a first DS after another."""
    revives = _accepting(facts) and facts.case.history.last_change is not None
    return _changing(facts) or revives


def _requesting(facts: Facts) -> bool:
    return _changing(facts) or facts.in_sync


def _accepting(facts: Facts) -> bool:
    """There is a candidate that nothing so far speaks against."""
    if facts.choice.path is Path.BOOTSTRAP:
        return facts.cell.accepts
    return _changing(facts) and facts.request is Request.KEYS


def _admissible(facts: Facts) -> bool:
    """The request's algorithms are taken: else the whole of it is refused (P-2.45)."""
    if not _accepting(facts) or not facts.candidate:
        return False
    findings = acceptance.check_algorithms(facts.trial, facts.requested, facts.policy)
    return all(finding.kind is Kind.INFO for finding in findings)


def _secured(facts: Facts) -> bool:
    return facts.has_ds


@dataclass(frozen=True, slots=True)
class Stage:
    """A step, the group that its findings belong to, and when it applies."""

    step: Step
    group: Group
    applies: Callable[[Facts], bool]

    @property
    def id(self) -> str:
        """The step's name, which is part of the command line's contract."""
        return getattr(self.step, "__name__", "")


STAGES: Final = (
    Stage(check_own_site, Group.SITE, _always),
    Stage(check_preconditions, Group.PARENT, _always),
    Stage(check_published_ds, Group.PARENT, _on_a_path),
    Stage(check_nameservers, Group.SERVERS, _on_a_path),
    Stage(check_responses, Group.SERVERS, _on_a_path),
    Stage(check_apex, Group.APEX, _on_a_path),
    Stage(check_signals, Group.SIGNALS, _bootstrapping),
    Stage(check_agreement, Group.SIGNALS, _bootstrapping),
    Stage(check_current_chain, Group.CONTENT, _secured),
    Stage(check_signer, Group.CONTENT, _changing),
    Stage(check_replay, Group.CONTENT, _following),
    Stage(check_change, Group.CONTENT, _requesting),
    Stage(check_keys, Group.CONTENT, _accepting),
    Stage(check_path, Group.CONTENT, _admissible),
    Stage(check_zone_data, Group.CONTENT, _admissible),
    Stage(check_windows, Group.CONTENT, _admissible),
    Stage(check_completeness, Group.CONTENT, _admissible),
    Stage(check_denial, Group.CONTENT, _admissible),
    Stage(check_ns_set, Group.CONTENT, _admissible),
    Stage(check_work, Group.CONTENT, _admissible),
)
"""All steps in order; a verdict lists every one of them."""
