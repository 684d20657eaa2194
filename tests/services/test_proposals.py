from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils.module_loading import import_string
from django_q.models import OrmQ

from bootstrap import bell, clock
from bootstrap.core.evaluation.paths import AuthMethod, Path
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import AuditEntry, Decision, DomainState, Proposal, WorkItem
from bootstrap.services import alarms, binding, proposals
from bootstrap.services.actors import SCANNER

from .builders import (
    DS,
    NOW,
    OTHER_DS,
    a_domain,
    a_proposal,
    a_verdict,
    a_zone,
    offered,
    proposed,
    some_evidence,
)

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
NOTHING = a_verdict(
    outcome=Outcome.NOTHING, primary=Reason.APEX_NO_CDS, path=None, candidate=()
)
RETRY = a_verdict(outcome=Outcome.RETRY, primary=Reason.NS_TIMEOUT, candidate=())


@pytest.fixture
def auto():
    return a_domain(a_zone(routing="auto"))


@pytest.fixture
def review():
    return a_domain(a_zone(routing="review"))


def trail() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("type", flat=True))


def stored(proposal: Proposal) -> Proposal:
    return Proposal.objects.get(pk=proposal.pk)


def test_policy_auto_approves_by_rule_in_the_same_breath(auto):
    found = stored(proposed(auto))

    assert (found.state, found.reason, found.route) == ("approved", "ACC_OK", "rule")
    assert (found.new_ds, found.old_ds) == ([DS], [])
    assert found.approved_at == NOW
    decision = Decision.objects.get()
    assert (decision.actor, decision.via, decision.digest) == (
        "policy",
        "rule",
        found.digest,
    )
    assert trail() == ["proposal.created", "proposal.approved"]
    assert OrmQ.objects.count() == 1


def test_policy_review_waits_for_a_person(review):
    found = stored(proposed(review))

    assert (found.state, found.reason) == (State.CANDIDATE, "POL_MANUAL_REVIEW")
    assert found.approvals_needed == 1
    assert not Decision.objects.exists()
    assert OrmQ.objects.count() == 0
    review.refresh_from_db()
    assert review.state == DomainState.PENDING


def test_what_a_check_holds_is_held_under_any_policy(auto):
    verdict = a_verdict(outcome=Outcome.HOLD, primary=Reason.ACC_NSEC_BROKEN)
    found = stored(proposed(auto, verdict))

    assert (found.state, found.reason) == (State.HELD, "ACC_NSEC_BROKEN")
    assert found.approvals_needed == 2
    assert trail() == ["proposal.created", "proposal.held"]


def test_an_open_security_alarm_keeps_the_rule_from_approving(auto):
    alarms.open_alarm("SIG_BOGUS", subject=auto.name, domain=auto, now=NOW)
    found = stored(proposed(auto))
    assert (found.state, found.reason) == (State.HELD, "SIG_BOGUS")


def test_a_rollover_does_not_wait_for_review(review):  # P-0.12
    review.ds = [OTHER_DS]
    review.save()
    verdict = a_verdict(path=Path.UPDATE, auth_method=AuthMethod.RFC7344_CHAIN)
    assert stored(proposed(review, verdict)).state == State.APPROVED


def test_a_change_passes_a_registrars_lock_by_and_says_so_in_the_trail(auto):  # P-5.32
    type(auto).objects.update(statuses=["clientUpdateProhibited"])
    auto.refresh_from_db()

    found = stored(proposed(auto))

    created = AuditEntry.objects.get(type="proposal.created")
    told = json.loads(bytes(created.body))
    assert found.state == State.APPROVED
    assert told["data"]["statuses"] == ["clientUpdateProhibited"]
    assert told["actor"] == {"kind": "system", "ref": SCANNER.name}


def test_a_changed_ns_set_is_published_after_the_quiet_time(auto):
    auto.ns_changed_at = NOW - timedelta(seconds=100)
    auto.save()
    assert stored(proposed(auto)).not_before == NOW + timedelta(seconds=200)


def test_a_proposal_ends_with_the_first_signature_that_it_relies_on(auto):
    assert stored(proposed(auto, a_verdict(expires=NOW + HOUR))).expires_at == (
        NOW + HOUR
    )


@pytest.mark.parametrize("verdict", [NOTHING, RETRY], ids=["nothing", "retry"])
def test_a_verdict_that_asks_for_nothing_proposes_nothing(auto, verdict):
    assert offered(auto, verdict) is None
    assert not Proposal.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"suspension": "OOB_REMOVAL"},
        {"removed_at": NOW},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_look_at_yesterdays_registry_data_proposes_nothing(auto, change):
    delegation_before = auto.version
    type(auto).objects.filter(pk=auto.pk).update(**change)
    assert auto.version == delegation_before

    assert offered(auto) is None
    assert not Proposal.objects.exists()


def test_nothing_is_proposed_in_a_zone_whose_automation_is_off():
    domain = a_domain(a_zone(routing="auto", automated=False))
    assert offered(domain) is None


def test_an_identical_proposal_is_kept(review):
    first = proposed(review)
    again = proposed(review, now=NOW + timedelta(minutes=30), evidence="newer")

    assert again == first
    assert stored(first).digest == first.digest
    assert Proposal.objects.count() == 1


def test_old_evidence_of_an_undecided_proposal_is_renewed(review):
    first = proposed(review)
    later = NOW + 2 * HOUR
    proposed(review, now=later, evidence="newer")

    found = stored(first)
    assert found.evidence == some_evidence("newer")
    assert found.digest != first.digest
    assert found.expires_at == later + 24 * HOUR
    assert (found.state, found.created_at) == (State.CANDIDATE, NOW)
    assert trail()[-1] == "proposal.renewed"


def test_what_one_of_two_persons_signed_is_not_renewed_under_their_hand():
    domain = a_domain(a_zone(routing="review", two_persons=True))
    first = proposed(domain)
    Decision.objects.create(
        proposal=first,
        verb="approve",
        actor="ada",
        actor_kind="staff",
        via="dashboard",
        digest=first.digest,
        at=NOW,
    )
    proposed(domain, now=NOW + 2 * HOUR, evidence="newer")
    assert stored(first).digest == first.digest


def test_a_confirmed_approval_keeps_its_evidence_and_gets_a_newer_look(auto):
    first = proposed(auto)
    proposed(auto, now=NOW + 2 * HOUR, evidence="newer")

    found = stored(first)
    assert found.evidence == first.evidence
    assert found.digest == first.digest
    assert found.scan.started_at == NOW + 2 * HOUR


def test_a_withdrawn_request_lapses(auto):
    first = proposed(auto)
    assert offered(auto, NOTHING, now=NOW + HOUR) is None

    found = stored(first)
    assert (found.state, found.reason) == (State.STALE, "APEX_NO_CDS")
    assert trail()[-1] == "proposal.stale"


def test_another_candidate_takes_the_place_of_the_first(review):
    first = proposed(review)
    second = proposed(review, a_verdict(OTHER_DS), now=NOW + HOUR)

    assert stored(first).state == State.STALE
    assert (second.state, second.new_ds) == (State.CANDIDATE, [OTHER_DS])


def test_trouble_on_the_way_leaves_an_open_proposal_alone(review):
    first = proposed(review)
    assert proposed(review, RETRY, now=NOW + 2 * HOUR) == first
    assert stored(first).evidence == first.evidence


@pytest.mark.parametrize("state", ["sending", "sent", "visible"])
def test_what_may_have_left_for_the_parent_is_not_taken_back(auto, state):
    under_way = a_proposal(auto, state=state)
    assert proposed(auto, NOTHING) == under_way
    assert stored(under_way).state == state


def test_an_expired_proposal_lapses_and_its_child_is_looked_at_again(review):
    first = proposed(review)

    assert proposals.lapse_expired(now=NOW + 24 * HOUR - timedelta(seconds=1)) == 0
    assert proposals.lapse_expired(now=NOW + 24 * HOUR) == 1

    assert stored(first).reason == "PUB_EVIDENCE_STALE"
    assert WorkItem.objects.get().due_at == NOW + 24 * HOUR


def test_the_schedule_lapses_what_is_expired(review):
    first = proposed(review, now=clock.now() - 25 * HOUR)
    work = bell.TURNS["expiries"].work

    assert import_string(work.value)() == 1
    assert stored(first).state == State.STALE


def test_a_lapse_says_why_in_the_trail(review):
    first = proposed(review)
    proposals.lapse(
        first, actor=SCANNER, now=NOW, reason=Reason.PUB_CONFLICT, why="NS changed"
    )

    data = json.loads(bytes(AuditEntry.objects.get(type="proposal.stale").body))["data"]
    assert (data["reason"], data["why"]) == ("PUB_CONFLICT", "NS changed")
    assert (data["from"], data["to"]) == ("candidate", "stale")


def test_the_digest_covers_what_an_approver_sees(review):  # S-65
    first = proposed(review)
    digests = {first.digest}
    for column, value in {
        "new_ds": [OTHER_DS],
        "old_ds": [OTHER_DS],
        "nameservers": ["ns.other.example"],
        "path": "update",
        "auth_method": "MANUAL",
        "delegation_version": 9,
        "evidence_id": "e" * 64,
        "reason": "X",
        "route": "hold",
    }.items():
        changed = stored(first)
        setattr(changed, column, value)
        digests.add(binding.digest_of(changed, review))
    assert len(digests) == 10
