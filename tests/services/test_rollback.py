"""The way back is a change of its own: four eyes, evidence, trail (S-77, P-3.41)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow.lifecycle import Event, TransitionRefused
from bootstrap.models import Domain, Proposal
from bootstrap.services import proposals, rollback
from bootstrap.services.actors import OPERATOR, PUBLISHER
from bootstrap.services.binding import DecisionRefused
from bootstrap.services.publication import Ending, publish
from bootstrap.services.transitions import Note, move

from .builders import (
    DS,
    NOW,
    OTHER_DS,
    a_domain,
    a_person,
    a_scan,
    a_verdict,
    a_zone,
    offered,
    some_evidence,
)
from .parent import Clock, a_parent, an_approved, held, told

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=5)


def sent(parent, *, old=(), new=(DS,)):
    """Publish one change and return its proposal."""
    domain = a_domain(a_zone(ds_ttl_initial=600), ds=list(old))
    path = "update" if old else "bootstrap"
    proposal = an_approved(domain, old_ds=list(old), new_ds=list(new), path=path)
    assert publish_once(proposal, parent) is Ending.SENT
    return proposal


def publish_once(proposal, parent, at=NOW):
    return publish(proposal, registry=parent, actor=PUBLISHER, clock=Clock(at))


def asked(proposal, by="ada"):
    return rollback.request_rollback(
        proposal, actor=a_person(by), reason="it broke the child", now=LATER
    )


def approve(found, by="bob"):
    proposals.approve(
        found, actor=a_person(by), digest=found.digest, comment="yes", now=LATER
    )


def test_back_to_no_ds_takes_a_second_person_and_suspends_automation():  # P-4.13, P-5.40
    parent = a_parent()
    proposal = sent(parent)

    found = asked(proposal)
    assert (found.path, found.new_ds, found.auth_method) == ("removal", [], "MANUAL")
    with pytest.raises(DecisionRefused, match="asked for this"):
        approve(found, by="ada")
    approve(found)
    assert publish_once(found, parent, LATER) is Ending.SENT

    assert held(parent) == []
    child = Domain.objects.get()
    assert (child.ds, child.suspension) == ([], "OOB_REMOVAL")
    assert child.oob_change_at == LATER
    trail = told(child)
    assert trail.count("publication.sent") == 2
    assert "rollback.requested" in trail


def test_back_to_the_set_before_keeps_automation_on():
    parent = a_parent(OTHER_DS)
    proposal = sent(parent, old=[OTHER_DS])

    found = asked(proposal)
    approve(found)
    assert publish_once(found, parent, LATER) is Ending.SENT

    assert held(parent) == [OTHER_DS]
    assert found.path == "update"
    assert Domain.objects.get().suspension == ""


def test_the_change_that_is_rolled_back_is_no_longer_watched():
    proposal = sent(a_parent())
    asked(proposal)
    assert Proposal.objects.get(pk=proposal.pk).state == "conflict"
    assert Proposal.objects.open().count() == 1


def test_a_settled_change_can_be_rolled_back_and_stays_settled():
    proposal = sent(a_parent())
    proposal.refresh_from_db()
    for event in (Event.APPEAR, Event.SETTLE):
        note = Note(type=EntryType.PUBLICATION_SETTLED)
        move(proposal, event, note, actor=PUBLISHER, now=NOW)

    found = asked(proposal)

    assert found.state == "candidate"
    assert Proposal.objects.get(pk=proposal.pk).state == "settled"
    with pytest.raises(DecisionRefused, match="open"):
        asked(proposal)


def test_its_evidence_is_the_newest_evaluation():
    proposal = sent(a_parent())
    damage = some_evidence("damage")
    a_scan(
        proposal.domain,
        damage,
        started_at=NOW + timedelta(minutes=2),
        outcome="reject",
        primary_reason="UPD_CHAIN_BOGUS",
        ds=[],
    )
    assert asked(proposal).evidence_id == damage.pk


def test_no_evaluation_of_the_child_ends_or_renews_it():
    """The child still asks for what broke it, or for nothing: people decide."""
    proposal = sent(a_parent())
    found = asked(proposal)
    child = Domain.objects.get()
    verdict = a_verdict(outcome=Outcome.REJECT, primary=Reason.UPD_BOGUS, candidate=())
    offered(child, verdict, now=LATER + timedelta(hours=2), evidence="new")
    offered(child, a_verdict(OTHER_DS), now=LATER + timedelta(hours=3), evidence="x")

    after = Proposal.objects.get(pk=found.pk)
    assert (after.state, after.digest) == ("candidate", found.digest)
    approve(after)
    assert after.state == "approved"


def test_whoever_may_not_decide_cannot_ask():
    proposal = sent(a_parent())
    for actor in (a_person("eve", "bootstrap.hold_proposal"), OPERATOR):
        with pytest.raises(DecisionRefused, match="permission"):
            rollback.request_rollback(proposal, actor=actor, reason="x", now=LATER)
    with pytest.raises(DecisionRefused, match="reason"):
        rollback.request_rollback(proposal, actor=a_person(), reason="", now=LATER)


def test_a_set_that_another_channel_replaced_is_left_alone():
    proposal = sent(a_parent())
    Domain.objects.update(ds=[OTHER_DS])
    with pytest.raises(DecisionRefused, match="another DS set"):
        asked(proposal)
    assert Proposal.objects.get(pk=proposal.pk).state == "sent"


def test_what_was_never_published_has_no_way_back():
    with pytest.raises(TransitionRefused):
        asked(an_approved())
