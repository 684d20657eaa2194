"""From the look at a child to the change of its DS set."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dnssec.security import Security
from bootstrap.core.evaluation.verdict import Verdict
from bootstrap.core.tlog.types import EntryType as T
from bootstrap.models import (
    Domain,
    Proposal,
    WorkItem,
)
from bootstrap.registry.ports import Published
from bootstrap.services import (
    batches,
    claims,
    lapsing,
    leasing,
    notes,
    outcomes,
    proposals,
    recording,
    requests,
    rollback,
    scanruns,
    sightings,
    ttls,
)
from bootstrap.services.actors import PUBLISHER
from bootstrap.services.binding import DecisionRefused, StaleDecision
from bootstrap.services.drift import Held, take_in
from bootstrap.services.looking import Look, Shown, Target
from bootstrap.services.requests import REQUEST_SCAN
from bootstrap.services.sending import Effect, Report, ds_of
from tests.services import test_recording
from tests.services.builders import (
    DS,
    NOW,
    OTHER_DS,
    a_delegation,
    a_domain,
    a_person,
    a_scan,
    a_verdict,
    a_zone,
    proposed,
    some_evidence,
)
from tests.services.parent import CHILD, Clock, a_parent, an_approved

from .acting import LATER, Act, refused, writes

# ── evaluations ─────────────────────────────


@writes(T.SCAN_REQUESTED)
def ask_for_a_scan(scene):
    domain = a_domain()
    return lambda: requests.request_scan(
        domain, actor=a_person("ada", REQUEST_SCAN), now=NOW
    )


@writes(T.SCAN_VERDICT)
def judge(scene):
    domain = a_domain(a_zone(routing="review"))
    leases = test_recording.leased(domain)
    judged = test_recording.judged(domain, test_recording.ACCEPTED)
    return lambda: recording.record([judged], leases, now=NOW)


@writes(T.SCAN_BATCH)
def judge_without_news(scene):
    domain = a_domain(last_outcome="nothing", last_reason="APEX_NO_CDS")
    leases = test_recording.leased(domain)
    judged = test_recording.judged(domain, test_recording.NOTHING)
    return lambda: recording.record([judged], leases, now=NOW)


@writes(T.SCAN_FAILED)
def park(scene):
    domain = a_domain()
    WorkItem.objects.create(
        domain=domain,
        due_at=NOW,
        trigger="schedule",
        attempts=3,
        lease_until=NOW - timedelta(minutes=1),
    )
    term = timedelta(minutes=1)
    return lambda: leasing.claim(10, holder="a", now=NOW, term=term)


@writes(T.SCANS_STARTED)
def start_scans(scene):
    zone = a_domain().zone
    return lambda: scanruns.start(zone, actor=a_person("ada", REQUEST_SCAN), now=NOW)


@writes(T.SCANS_STOPPED)
def stop_scans(scene):
    zone = a_domain().zone
    who = a_person("ada", REQUEST_SCAN)
    scanruns.start(zone, actor=who, now=NOW)
    return lambda: scanruns.stop(zone, actor=who, now=NOW)


# ── proposals and decisions ─────────────────────────────


def waiting(**changes: Any) -> Proposal:
    return proposed(a_domain(a_zone(**changes)))


def decide(verb: str, who: str = "ada", **words: Any) -> None:
    proposal = Proposal.objects.get()
    words = {"comment": "yes", "now": NOW, "digest": proposal.digest, **words}
    getattr(proposals, verb)(proposal, actor=words.pop("actor", a_person(who)), **words)


def proposing(domain: Domain, verdict: Verdict | None = None, **words: Any) -> Act:
    """Store a scan, and return that its verdict is handed to `propose`."""
    verdict, now = verdict or a_verdict(), words.get("now", NOW)
    kept = some_evidence(words.get("evidence", "evidence"))
    scan = a_scan(
        domain,
        kept,
        started_at=now,
        primary_reason=verdict.primary.value,
        ds=sorted(ds.to_text() for ds in verdict.candidate),
    )
    return lambda: proposals.propose(
        scan=scan,
        verdict=verdict,
        domain=domain,
        evidence=kept,
        delegation=a_delegation(domain),
        now=now,
    )


@writes(T.PROPOSAL_CREATED)
def propose(scene):
    return proposing(a_domain())


@writes(T.PROPOSAL_RENEWED)
def renew(scene):
    domain = waiting().domain
    return proposing(domain, now=NOW + timedelta(hours=23), evidence="newer")


@writes(T.PROPOSAL_APPROVED)
def approve(scene):
    waiting()
    return lambda: decide("approve")


@writes(T.APPROVAL_COUNTED)
def approve_as_the_first_of_two(scene):
    waiting(two_persons=True)
    return lambda: decide("approve")


@writes(T.PROPOSAL_REJECTED)
def reject(scene):
    waiting()
    return lambda: decide("reject")


@writes(T.PROPOSAL_HELD)
def hold(scene):
    waiting()
    return lambda: decide("hold")


@writes(T.PROPOSAL_RELEASED)
def release(scene):
    waiting()
    decide("hold")
    return lambda: decide("release")


@writes(T.PROPOSAL_STALE)
def expire(scene):
    waiting()
    return lambda: lapsing.lapse_expired(now=NOW + timedelta(days=30))


@writes(T.APPROVAL_STALE)
def approve_another_digest(scene):
    waiting()

    def act():
        with refused(StaleDecision):
            decide("approve", digest="0" * 64)

    return act


@writes(T.DECISION_REFUSED)
def approve_without_the_right(scene):
    waiting()

    def act():
        with refused(DecisionRefused):
            decide("approve", actor=a_person("eve", "bootstrap.view_audit"))

    return act


@writes(T.BATCH_DECIDED)
def decide_many(scene):
    waiting()

    def act():
        found = Proposal.objects.get()
        batches.decide(
            "approve",
            [(found, found.digest)],
            actor=a_person(),
            comment="looked through",
            now=NOW,
        )

    return act


@writes(T.NOTE_WRITTEN)
def remark(scene):
    domain = a_domain()
    who = a_person("ada", notes.COMMENT)
    return lambda: notes.write(domain, "called the holder", actor=who, now=NOW)


# ── publication ─────────────────────────────


@writes(T.PUBLICATION_BEGUN)
def begin(scene):
    an_approved()
    return lambda: claims.begin(Proposal.objects.get(), actor=PUBLISHER, now=NOW)


def concluding(effect: Effect) -> Act:
    claim = claims.begin(an_approved(), actor=PUBLISHER, now=NOW)
    assert isinstance(claim, claims.Claim)
    held = Published(ds=ds_of([DS]), ttl=600, serial=1)
    report = Report(effect, request=b"x", held=held)
    return lambda: outcomes.conclude(claim, report, actor=PUBLISHER, now=NOW)


@writes(T.PUBLICATION_SENT)
def send(scene):
    return concluding(Effect.APPLIED)


@writes(T.PUBLICATION_DEFERRED)
def defer(scene):
    return concluding(Effect.UNREACHABLE)


@writes(T.PUBLICATION_CONFLICT)
def disagree(scene):
    return concluding(Effect.CONFLICT)


@writes(T.PUBLICATION_FAILED)
def fail(scene):
    return concluding(Effect.REFUSED)


def looking(state: str, **columns: Any) -> Act:
    domain = a_domain(a_zone(ds_ttl_initial=600), ds=[DS])
    an_approved(domain, state=state, sent_at=NOW, **columns)
    target = Target(CHILD, parse_name("test"), ds_of([DS]))
    shown = (Shown("192.0.2.1", target.ds, 600, 7),)
    look = Look(target, shown, Security.SECURE)
    return lambda: sightings.record_look(Proposal.objects.get(), look, now=LATER)


@writes(T.PUBLICATION_VISIBLE)
def appear(scene):
    return looking("sent")


@writes(T.PUBLICATION_SETTLED)
def settle(scene):
    return looking("visible", visible_at=NOW, settle_at=NOW)


@writes(T.ROLLBACK_REQUESTED)
def ask_for_the_way_back(scene):
    domain = a_domain(a_zone(ds_ttl_initial=600), ds=[DS])
    an_approved(domain, state="sent", sent_at=NOW)
    return lambda: rollback.request_rollback(
        Proposal.objects.get(), actor=a_person(), reason="it broke the child", now=LATER
    )


@writes(T.TTL_RESTORED)
def restore_the_ttl(scene):
    domain = a_domain(a_zone(ds_ttl_initial=600, ds_ttl=86_400), ds=[DS])
    an_approved(domain, state="settled", sent_at=NOW)
    clock = Clock(NOW + ttls.LOW_FOR)

    def act():
        parent = a_parent(DS)
        parent.ttl[CHILD] = 600
        clock.pass_by(days=1)  # one that failed is tried again after a pause
        ttls.restore_due(registry_for=lambda _zone: parent, clock=clock)

    return act


@writes(T.DS_DRIFTED)
def drift(scene):
    zone = a_domain(ds=[DS]).zone
    held = Held("child.test", [OTHER_DS])
    return lambda: take_in(zone, held, as_of=NOW, now=NOW)
