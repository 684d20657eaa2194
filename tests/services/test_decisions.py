from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
from django.db import connections
from django_q.models import OrmQ

from bootstrap.core.workflow.lifecycle import State, TransitionRefused
from bootstrap.models import (
    AuditDisclosure,
    AuditEntry,
    Decision,
    Domain,
    DomainState,
    Proposal,
    WorkItem,
    Zone,
)
from bootstrap.services import proposals
from bootstrap.services.actors import POLICY
from bootstrap.services.proposals import DecisionRefused, StaleDecision

from .builders import (
    DECIDE,
    HOLD,
    NOW,
    OTHER_DS,
    a_domain,
    a_person,
    a_proposal,
    a_scan,
    a_zone,
    proposed,
)

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def waiting() -> Proposal:
    return proposed(a_domain(a_zone(routing="review")))


def decide(verb, proposal: Proposal, who: str = "ada", **changes) -> None:
    words = {
        "actor": a_person(who),
        "digest": proposal.digest,
        "comment": "looks right",
        "now": LATER,
    }
    verb(proposal, **{**words, **changes})


def approve(proposal: Proposal, who: str = "ada", **changes) -> None:
    decide(proposals.approve, proposal, who, **changes)


def last() -> AuditEntry:
    return AuditEntry.objects.order_by("-pk")[0]


def test_an_approval_moves_the_row_and_wakes_the_publisher(waiting):  # P-5.47, P-8.9
    approve(waiting)

    assert (waiting.state, waiting.approved_at) == (State.APPROVED, LATER)
    assert waiting.expires_at == LATER + timedelta(hours=24)
    decision = Decision.objects.get()
    assert (decision.actor, decision.verb, decision.comment) == (
        "ada",
        "approve",
        "looks right",
    )
    assert last().type == "proposal.approved"
    assert OrmQ.objects.count() == 1


def test_the_comment_is_kept_apart_from_the_trail(waiting):
    approve(waiting, comment="rang the operator")

    assert b"rang" not in bytes(last().body)
    kept = AuditDisclosure.objects.get(entry_uid=last().uid, name="comment")
    assert kept.value == "rang the operator"
    assert kept.digest in json.loads(bytes(last().body))["sd"]


@pytest.mark.parametrize(
    ("verb", "state"),
    [("reject", State.REJECTED), ("hold", State.HELD)],
)
def test_staff_can_say_no_or_wait(waiting, verb, state):
    decide(getattr(proposals, verb), waiting)

    assert waiting.state == state
    assert Decision.objects.get().verb == verb
    assert OrmQ.objects.count() == 0


def test_a_held_one_is_released_to_wait_for_approval(waiting):
    decide(proposals.hold, waiting)
    decide(proposals.release, waiting)
    assert waiting.state == State.CANDIDATE


def test_a_failed_publication_is_released_to_the_publisher():
    failed = a_proposal(state="failed", attempts=8, next_try_at=NOW)
    decide(proposals.release, failed)

    assert (failed.state, failed.attempts, failed.next_try_at) == (
        State.APPROVED,
        0,
        None,
    )
    assert OrmQ.objects.count() == 1


REFUSED = {
    "a reviewer approves": ("approve", {"actor": a_person("ada", HOLD)}),
    "a reviewer rejects": ("reject", {"actor": a_person("ada", HOLD)}),
    "an approver without hold holds": ("hold", {"actor": a_person("ada", DECIDE)}),
    "a rule says it is staff's turn": ("approve", {"actor": POLICY}),
    "nobody with rights": ("approve", {"actor": a_person("ada", "x.y")}),
}


@pytest.mark.parametrize(("verb", "changes"), REFUSED.values(), ids=REFUSED)
def test_who_lacks_the_right_is_refused_and_it_is_recorded(waiting, verb, changes):
    with pytest.raises(DecisionRefused):
        decide(getattr(proposals, verb), waiting, **changes)

    waiting.refresh_from_db()
    assert waiting.state == State.CANDIDATE
    assert not Decision.objects.exists()
    assert last().type == "decision.refused"


def test_the_one_who_asked_cannot_approve():
    asked = a_proposal(requested_by="ada")
    with pytest.raises(DecisionRefused, match="asked for this"):
        approve(asked, "ada")
    approve(asked, "bob")
    assert asked.state == State.APPROVED


def test_two_persons_means_two_persons():
    domain = a_domain(a_zone(routing="review", two_persons=True))
    waiting = proposed(domain)

    approve(waiting, "ada")
    assert waiting.state == State.CANDIDATE
    assert last().type == "approval.counted"

    with pytest.raises(DecisionRefused, match="already"):
        approve(waiting, "ada")
    assert waiting.state == State.CANDIDATE

    approve(waiting, "bob")
    assert waiting.state == State.APPROVED


def test_what_a_check_held_takes_two_persons():
    held = a_proposal(state="held", route="hold", approvals_needed=2)
    approve(held, "ada")
    assert held.state == State.HELD
    approve(held, "bob")
    assert held.state == State.APPROVED


def test_a_rule_route_that_was_held_still_takes_a_person():
    held = a_proposal(state="held", route="rule", approvals_needed=0)
    approve(held, "ada")
    assert held.state == State.APPROVED


@pytest.mark.parametrize("verb", ["approve", "reject", "hold"])
def test_a_decision_on_what_was_not_on_the_screen_is_refused(waiting, verb):  # S-65
    with pytest.raises(StaleDecision):
        decide(getattr(proposals, verb), waiting, digest="0" * 64)

    waiting.refresh_from_db()
    assert waiting.state == State.CANDIDATE
    assert last().type == "approval.stale"


def change_domain(**columns):
    return lambda proposal: Domain.objects.filter(pk=proposal.domain_id).update(
        **columns
    )


def newer_scan(**columns):
    return lambda proposal: a_scan(proposal.domain, started_at=LATER, **columns)


CHANGES = {
    "NS set": (change_domain(nameservers=["ns.evil.example"]), "NS set"),
    "DS set": (change_domain(ds=[OTHER_DS]), "DS set"),
    "registry version": (change_domain(version=2), "registry"),
    "suspension": (change_domain(suspension="HOLDER_OPT_OUT"), "HOLDER_OPT_OUT"),
    "removal": (change_domain(removed_at=NOW), "delegated"),
    "zone switched off": (
        lambda _proposal: Zone.objects.update(automated=False),
        "zone",
    ),
    "CDS withdrawn": (
        newer_scan(outcome="nothing", ds=[], primary_reason="APEX_NO_CDS"),
        "APEX_NO_CDS",
    ),
    "another candidate": (newer_scan(ds=[OTHER_DS]), "newer"),
}


@pytest.mark.parametrize("verb", ["approve", "release"])
@pytest.mark.parametrize(("change", "named"), CHANGES.values(), ids=CHANGES)
def test_a_change_since_the_evidence_lapses_the_proposal(change, named, verb):
    proposal = a_proposal(state="held")
    change(proposal)

    with pytest.raises(StaleDecision, match=named):
        decide(getattr(proposals, verb), proposal)

    assert proposal.state == State.STALE
    assert not Decision.objects.exists()
    assert last().type == "proposal.stale"
    assert WorkItem.objects.get().domain == proposal.domain


@pytest.mark.parametrize("outcome", ["retry", "error"])
def test_trouble_on_the_way_does_not_void_a_proposal(waiting, outcome):
    a_scan(waiting.domain, started_at=LATER, outcome=outcome, ds=[])
    approve(waiting)
    assert waiting.state == State.APPROVED


def test_an_approval_comes_too_late_after_a_day(waiting):
    with pytest.raises(StaleDecision, match="expired"):
        approve(waiting, now=NOW + timedelta(hours=24))
    assert waiting.state == State.STALE


def test_who_comes_second_is_refused(waiting):
    late = Proposal.objects.get(pk=waiting.pk)
    approve(waiting, "ada")

    with pytest.raises(TransitionRefused):
        approve(late, "bob")
    assert Decision.objects.count() == 1
    assert last().type == "decision.refused"


def test_the_state_that_people_see_follows(waiting):
    decide(proposals.reject, waiting)
    domain = Domain.objects.get()
    assert domain.state == DomainState.UNSIGNED


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_approvals_at_once_exactly_one_moves_the_row():
    waiting = proposed(a_domain(a_zone(routing="review")))
    outcomes: list[str] = []
    tries = list(range(100))

    def press() -> None:
        while tries:
            try:
                number = tries.pop()
            except IndexError:
                break
            mine = Proposal.objects.get(pk=waiting.pk)
            try:
                approve(mine, f"person{number}")
            except TransitionRefused:
                outcomes.append("refused")
            else:
                outcomes.append("approved")
        connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["approved"] + ["refused"] * 99
    assert Proposal.objects.get().version == 2
    assert AuditEntry.objects.filter(type="proposal.approved").count() == 1
    assert Decision.objects.count() == 1
    assert OrmQ.objects.count() == 1
