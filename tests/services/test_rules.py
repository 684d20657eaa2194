"""Rules of a zone change by two persons, with the effect told first (S-64, S-72)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction

from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.verdict import judge
from bootstrap.core.evidence.bundle import Bundle
from bootstrap.models import AuditEntry, Evidence, PolicyVersion, RulesChange
from bootstrap.services import evidence, rules, zones
from tests.support.cases import a_case, a_delegation

from .builders import NOW, a_domain, a_person, a_scan, a_zone, some_evidence

pytestmark = pytest.mark.django_db
STRICT = replace(AcceptancePolicy(), excluded_statuses=("serverHold",))
CASE = a_case(delegation=a_delegation(statuses=("serverHold",)))


@pytest.fixture
def zone():
    for name in ("mia", "max"):
        user = User.objects.create_user(name, is_staff=True)
        user.groups.set(Group.objects.filter(name="zone manager"))
    return a_zone()


MIA, MAX = a_person("mia", zones.MANAGE), a_person("max", zones.MANAGE)


def ask(zone, policy=None, reason="needed", actor=MIA, **settings):
    return rules.ask(zone, rules.Wanted(settings, policy, reason), actor=actor, now=NOW)


def confirm(change, actor=MAX):
    return rules.confirm(change, actor=actor, comment="agreed", now=NOW)


def test_nothing_changes_before_a_second_person_confirms(zone):
    change = ask(zone, STRICT, routing="auto")
    zone.refresh_from_db()
    assert zone.routing == "review"
    with pytest.raises(rules.RulesRefused, match="somebody else"):
        confirm(change, MIA)

    confirm(change)

    zone.refresh_from_db()
    assert zone.routing == "auto"
    assert zones.policy_of(zone) == STRICT
    assert PolicyVersion.objects.get(zone=zone, number=2).author == "mia"
    assert {e.type for e in AuditEntry.objects.filter(stream="zone:test.")} >= {
        "rules.proposed",
        "rules.confirmed",
        "zone.changed",
        "policy.changed",
    }


def test_the_database_itself_wants_two_persons(zone):
    change = ask(zone, routing="auto")

    with pytest.raises(IntegrityError), transaction.atomic():
        RulesChange.objects.filter(pk=change.pk).update(
            stand="confirmed", decided_by="mia"
        )


def test_rights_are_those_of_the_moment_of_confirming(zone):
    change = ask(zone, routing="auto")
    User.objects.get(username="mia").groups.clear()

    with pytest.raises(rules.RulesRefused, match="mia lacks"):
        confirm(change)
    with pytest.raises(rules.RulesRefused, match="ada lacks"):
        confirm(change, a_person("ada"))


def test_rules_that_changed_meanwhile_are_not_overwritten(zone):
    change = ask(zone, routing="auto")
    zones.change_zone(zone, actor=MAX, now=NOW, routing="auto")

    with pytest.raises(rules.RulesRefused, match="changed since"):
        confirm(change)


def test_one_change_at_a_time_and_each_decided_once(zone):
    change = ask(zone, routing="auto")
    with pytest.raises(rules.RulesRefused, match="waits already"):
        ask(zone, two_persons=True)

    rules.refuse(change, actor=MAX, comment="not now", now=NOW)

    with pytest.raises(rules.RulesRefused, match="refused already"):
        confirm(change)
    ask(zone, two_persons=True)


def test_a_change_of_nothing_or_without_reason_is_refused(zone):
    with pytest.raises(rules.RulesRefused, match="nothing would change"):
        ask(zone, AcceptancePolicy(), routing="review")
    with pytest.raises(rules.RulesRefused, match="say why"):
        ask(zone, routing="auto", reason=" ")
    with pytest.raises(zones.ZoneRefused, match="colour"):
        ask(zone, colour="blue")


def test_a_new_policy_is_tried_on_the_evidence_of_last_week(zone):
    (digest,) = evidence.store([Bundle(CASE, judge(CASE))], now=NOW)
    domain = a_domain(zone)
    a_scan(domain, Evidence.objects.get(pk=digest))
    a_scan(domain, some_evidence("not a bundle"))

    told = ask(zone, STRICT).effect

    assert (told["of"], told["judged"], told["changed"]) == (2, 1, 1)
    assert told["unreadable"] == 1
    assert told["examples"][0]["after"] == "PRE_STATUS_NOT_ACTIVE"
