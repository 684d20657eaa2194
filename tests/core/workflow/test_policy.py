from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.paths import AuthMethod, Path
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome, Verdict
from bootstrap.core.workflow.policy import (
    APPROVALS,
    Facts,
    NotProposable,
    Route,
    RoutingPolicy,
    is_alarm,
    route,
)

AUTO = RoutingPolicy(review=False)
REVIEW = RoutingPolicy(review=True)
EVERYTHING = RoutingPolicy(review=True, updates_too=True, removals_too=True)

policies = st.builds(
    RoutingPolicy,
    review=st.booleans(),
    two_persons=st.booleans(),
    updates_too=st.booleans(),
    removals_too=st.booleans(),
    single_path=st.booleans(),
)
facts = st.builds(
    Facts, alarm=st.sampled_from(["", "SIG_BOGUS"]), breaker=st.sampled_from(["", "x"])
)


def a_verdict(path=Path.BOOTSTRAP, outcome=Outcome.ACCEPT, **changes):
    methods = {Path.BOOTSTRAP: AuthMethod.RFC9615}
    defaults = {
        "path": path,
        "outcome": outcome,
        "primary": Reason.ACC_OK,
        "findings": (),
        "checks": (),
        "auth_method": methods.get(path, AuthMethod.RFC7344_CHAIN),
    }
    return Verdict(**{**defaults, **changes})


def test_every_route_says_how_many_persons_it_takes():
    assert APPROVALS.keys() == set(Route)


def test_under_policy_auto_a_rule_approves():  # P-4.11, P-5.41
    routed = route(a_verdict(), Facts(), AUTO)
    assert (routed.route, routed.reason, routed.approvals) == (Route.RULE, "ACC_OK", 0)


def test_under_policy_review_a_person_approves_a_first_ds():
    routed = route(a_verdict(), Facts(), REVIEW)
    assert (routed.route, routed.reason, routed.approvals) == (
        Route.STAFF,
        "POL_MANUAL_REVIEW",
        1,
    )


@pytest.mark.parametrize("path", [Path.UPDATE, Path.REMOVAL])
def test_a_rollover_or_removal_never_waits_for_a_person_by_default(path):  # P-0.12
    assert route(a_verdict(path), Facts(), REVIEW).route is Route.RULE


@pytest.mark.parametrize("path", list(Path))
def test_it_waits_when_the_policy_says_so(path):
    assert route(a_verdict(path), Facts(), EVERYTHING).route is Route.STAFF


def test_a_zone_may_want_two_persons():
    routed = route(a_verdict(), Facts(), RoutingPolicy(two_persons=True))
    assert (routed.route, routed.approvals) == (Route.TWO_PERSONS, 2)


def test_trust_in_one_signaling_zone_can_be_a_matter_for_staff():
    verdict = a_verdict(findings=(Finding(Reason.SIG_SINGLE_PATH),))
    wary = RoutingPolicy(review=False, single_path=True)

    assert route(verdict, Facts(), wary).route is Route.STAFF
    assert route(a_verdict(), Facts(), wary).route is Route.RULE


def test_what_is_held_or_stopped_is_for_people_and_says_why():
    held = a_verdict(outcome=Outcome.HOLD, primary=Reason.ACC_NSEC_BROKEN)
    unasked = a_verdict(Path.REMOVAL, auth_method=AuthMethod.MANUAL)
    found = [
        route(held, Facts(), AUTO),
        route(a_verdict(), Facts(alarm="SIG_BOGUS"), AUTO),
        route(unasked, Facts(), AUTO),
    ]

    assert [(routed.route, routed.reason) for routed in found] == [
        (Route.HOLD, "ACC_NSEC_BROKEN"),
        (Route.HOLD, "SIG_BOGUS"),
        (Route.TWO_PERSONS, "POL_MANUAL_REVIEW"),
    ]


@given(policies, facts)
def test_what_a_check_holds_only_two_persons_can_let_pass(routing, known):
    verdict = a_verdict(outcome=Outcome.HOLD, primary=Reason.ACC_NSEC_BROKEN)
    routed = route(verdict, known, routing)
    assert (routed.route, routed.reason) == (Route.HOLD, "ACC_NSEC_BROKEN")
    assert routed.approvals == 2


@given(policies, st.sampled_from(Path))
def test_nothing_is_approved_by_rule_while_an_alarm_or_a_breaker_is_open(routing, path):
    verdict = a_verdict(path)
    alarmed = route(verdict, Facts(alarm="SIG_BOGUS", breaker="all"), routing)
    broken = route(verdict, Facts(breaker="all"), routing)
    assert (alarmed.route, alarmed.reason) == (Route.HOLD, "SIG_BOGUS")
    assert (broken.route, broken.reason) == (Route.HOLD, "all")


@given(policies)
def test_a_removal_that_the_child_did_not_ask_for_takes_two_persons(routing):
    verdict = a_verdict(Path.REMOVAL, auth_method=AuthMethod.MANUAL)
    assert route(verdict, Facts(), routing).route is Route.TWO_PERSONS


@pytest.mark.parametrize(
    "outcome", [Outcome.NOTHING, Outcome.REJECT, Outcome.RETRY, Outcome.ERROR]
)
def test_other_outcomes_ask_for_no_change(outcome):
    with pytest.raises(NotProposable):
        route(a_verdict(outcome=outcome), Facts(), AUTO)


@pytest.mark.parametrize(
    ("code", "stops"),
    [("SIG_BOGUS", True), ("UPD_CHAIN_BOGUS", True), ("X_CLOCK", False), ("?", False)],
)
def test_an_alarm_stops_automation_when_its_class_is_a(code, stops):
    assert is_alarm(code) is stops
