from __future__ import annotations

from datetime import timedelta

import pytest

from bootstrap.core.evaluation.delegation import Suspension
from bootstrap.core.workflow.lifecycle import OPEN, State
from bootstrap.models import AuditEntry, Domain, DomainState
from bootstrap.services import alarms, states, suspension
from bootstrap.services.actors import OPERATOR
from bootstrap.services.states import UNDER_WAY, Known, state_of

from .builders import DS, NOW, a_domain, a_proposal, a_zone

LATER = NOW + timedelta(hours=1)
ALL = Known(alarmed=True, proposal=State.SENT)
SENT = Known(proposal=State.SENT)

# Each row has all that the rows below it have, so that only the order decides.
ROWS = {
    "alarm": (
        {"suspension": "OOB_REMOVAL", "ds": [DS], "last_reason": "UPD_BOGUS"},
        ALL,
    ),
    "suspended": (
        {"suspension": "OOB_REMOVAL", "ds": [DS], "last_reason": "UPD_BOGUS"},
        SENT,
    ),
    "broken": ({"ds": [DS], "last_reason": "UPD_BOGUS"}, SENT),
    "published": ({"ds": [DS], "last_outcome": "retry"}, SENT),
    "pending": (
        {"ds": [DS], "last_outcome": "retry"},
        Known(proposal=State.CANDIDATE),
    ),
    "secured": ({"ds": [DS], "last_outcome": "retry"}, Known()),
    "announced": (
        {"last_outcome": "retry", "last_reason": "UPD_BOGUS", "signed_since": NOW},
        Known(),
    ),
    "blocked": (
        {"last_outcome": "reject", "last_reason": "SIG_INSECURE", "signed_since": NOW},
        Known(),
    ),
    "waiting": (
        {"last_outcome": "nothing", "last_reason": "SIG_NONE", "signed_since": NOW},
        Known(),
    ),
    "signed": (
        {"last_outcome": "nothing", "last_reason": "APEX_NO_CDS", "signed_since": NOW},
        Known(),
    ),
    "unsigned": ({"last_outcome": "nothing", "last_reason": "APEX_NO_CDS"}, Known()),
}


@pytest.mark.parametrize(("state", "row"), ROWS.items(), ids=ROWS)
def test_the_first_row_that_fits_is_the_state(state, row):
    columns, known = row
    assert state_of(Domain(**columns), known) == state


def test_every_state_has_its_row():
    assert set(ROWS) == set(DomainState.values)


def test_every_open_state_of_a_proposal_means_something_to_people():
    assert UNDER_WAY.keys() == OPEN


def test_what_a_person_holds_is_blocked_at_the_operator():
    assert state_of(Domain(last_outcome="hold"), Known()) == DomainState.BLOCKED


def test_what_staff_refused_is_still_announced_and_not_merely_signed():
    refused = Domain(last_outcome="accept", last_reason="ACC_OK", signed_since=NOW)
    assert state_of(refused, Known()) == DomainState.ANNOUNCED


@pytest.mark.django_db
def test_the_stored_state_follows_alarms_and_proposals():
    domain = a_domain()
    a_proposal(domain)
    assert states.derive(domain) == DomainState.PENDING

    alarms.open_alarm("SIG_BOGUS", subject=domain.name, domain=domain, now=NOW)
    assert states.refresh([domain], now=NOW) == 1
    alarms.close_alarm("SIG_BOGUS", subject=domain.name, now=NOW)
    assert states.refresh([domain], now=LATER) == 1

    stored = Domain.objects.get()
    assert (stored.state, stored.state_since) == (DomainState.PENDING, LATER)


@pytest.mark.django_db
def test_a_state_that_stays_keeps_its_age():
    domain = a_domain(state_since=NOW)
    assert states.refresh([domain], now=LATER) == 0
    assert Domain.objects.get().state_since == NOW


@pytest.mark.django_db
def test_any_number_of_domains_takes_three_statements_a_batch(
    django_assert_num_queries,
):
    zone = a_zone()
    domains = [a_domain(zone, name=f"c{n}.test", ds=[DS]) for n in range(40)]
    with django_assert_num_queries(3):
        assert states.refresh(domains, now=NOW) == 40


@pytest.mark.django_db
def test_suspension_turns_automation_off_once_and_resuming_clears_all_of_it():
    domain = a_domain()
    why = Suspension.HOLDER_OPT_OUT
    assert suspension.suspend(domain, why, actor=OPERATOR, now=NOW, note="asked")
    assert not suspension.suspend(
        domain, Suspension.SECURITY_ALARM, actor=OPERATOR, now=LATER
    )

    stored = Domain.objects.get()
    assert (stored.suspension, stored.suspended_at) == (why, NOW)
    assert (stored.suspension_note, stored.state) == ("asked", "suspended")

    assert suspension.resume(domain, actor=OPERATOR, now=LATER)
    assert not suspension.resume(domain, actor=OPERATOR, now=LATER)

    stored = Domain.objects.get()
    assert (stored.suspension, stored.suspended_at) == ("", None)
    assert (stored.suspension_note, stored.state) == ("", "unsigned")
    types = list(AuditEntry.objects.order_by("pk").values_list("type", flat=True))
    assert types == ["suspension.began", "suspension.ended"]
