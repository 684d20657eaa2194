"""One finding for one cause; readiness before automation is switched on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bootstrap.models import Domain, OperatorFinding
from bootstrap.services import operators

from .builders import DS, NOW, a_domain

LATER = NOW + timedelta(hours=1)


def stuck(name, ns_key="a" * 64, reason="SIG_NONE", state="waiting", **more):
    return a_domain(name=name, ns_key=ns_key, last_reason=reason, state=state, **more)


def test_the_same_reason_at_the_same_nameservers_is_one_finding(db):  # P-5.18
    for number in range(3):
        stuck(f"a{number}.test")
    stuck("other-reason.test", reason="APEX_CDS_DIFFER", state="blocked")
    stuck("other-operator.test", ns_key="b" * 64)
    stuck("secured.test", state="secured")
    stuck("gone.test", removed_at=NOW)

    assert operators.gather(now=NOW) == 1
    finding = OperatorFinding.objects.get()
    assert (finding.reason, finding.members, finding.opened_at) == ("SIG_NONE", 3, NOW)
    assert finding.nameservers == ["ns1.op.example", "ns2.op.example"]
    assert [d.name for d in operators.members(finding)] == [
        f"a{number}.test" for number in range(3)
    ]


def test_a_finding_keeps_its_beginning_and_closes_itself_when_mended(db):
    for number in range(3):
        stuck(f"a{number}.test")
    operators.gather(now=NOW)
    stuck("one-more.test")
    operators.gather(now=NOW + timedelta(minutes=5))
    finding = OperatorFinding.objects.get()
    assert (finding.members, finding.opened_at, finding.closed_at) == (4, NOW, None)

    Domain.objects.update(state="secured", last_reason="UPD_IN_SYNC")
    assert operators.gather(now=LATER) == 0

    finding.refresh_from_db()
    assert (finding.closed_at, finding.members, finding.most) == (LATER, 0, 4)


def test_a_cause_that_comes_back_is_a_new_finding(db):
    domains = [stuck(f"a{number}.test") for number in range(2)]
    operators.gather(now=NOW)
    Domain.objects.update(state="secured")
    operators.gather(now=NOW + timedelta(minutes=5))
    Domain.objects.filter(pk__in=[d.pk for d in domains]).update(state="waiting")

    operators.gather(now=LATER)

    assert OperatorFinding.objects.count() == 2
    assert OperatorFinding.objects.open().get().opened_at == LATER


def test_gathering_twice_changes_nothing(db):
    for number in range(3):
        stuck(f"a{number}.test")
    operators.gather(now=NOW)
    before = OperatorFinding.objects.values().get()

    operators.gather(now=LATER)

    assert OperatorFinding.objects.values().get() == before


@pytest.mark.parametrize("causes", [2, 40])
def test_gathering_takes_the_same_few_queries_whatever_the_number(causes, db):
    for cause in range(causes):
        for number in range(2):
            stuck(f"c{cause}-{number}.test", ns_key=f"{cause:064}")

    with CaptureQueriesContext(connection) as caught:
        operators.gather(now=NOW)

    asked = [q for q in caught if "SAVEPOINT" not in q["sql"]]
    assert len(asked) <= 4
    assert OperatorFinding.objects.count() == causes


def test_readiness_counts_what_would_be_accepted_and_what_is_in_the_way(db):
    first = stuck("ready.test", state="announced", reason="ACC_OK")
    Domain.objects.filter(pk=first.pk).update(last_outcome="accept")
    for number in range(2):
        stuck(f"w{number}.test", last_outcome="nothing")
    stuck("b.test", reason="APEX_CDS_DIFFER", state="blocked", last_outcome="reject")
    stuck("s.test", reason="APEX_NO_CDS", state="signed", last_outcome="nothing")
    a_domain(name="u.test", last_outcome="nothing", last_scan_at=NOW)
    a_domain(name="new.test")
    a_domain(name="done.test", ds=[DS], state="secured", last_outcome="nothing")
    a_domain(name="off.test", state="suspended")

    found = operators.readiness(zone=first.zone)

    assert (found.ready, found.secured, found.total) == (1, 1, 8)
    assert [(s.reason, s.count) for s in found.blocked] == [
        ("SIG_NONE", 2),
        ("APEX_CDS_DIFFER", 1),
    ]
    assert {
        k: found.count(k) for k in ("signed", "unsigned", "unseen", "suspended")
    } == {
        "signed": 1,
        "unsigned": 1,
        "unseen": 1,
        "suspended": 1,
    }
    assert found.looked_at == NOW
    assert operators.readiness(ns_key="a" * 64).total == 5


def test_readiness_of_nothing_is_refused(db):
    with pytest.raises(ValueError, match="readiness of what"):
        operators.readiness()
