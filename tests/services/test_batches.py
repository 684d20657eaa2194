"""Many decisions at once: each by its own checks, told one by one and as a whole."""

from __future__ import annotations

import json

import pytest

from bootstrap.models import AuditEntry, Domain
from bootstrap.services import batches

from .builders import NOW, a_domain, a_person, a_proposal, a_zone

pytestmark = pytest.mark.django_db


def some(count: int):
    zone = a_zone()
    return [
        a_proposal(a_domain(zone, name=f"child{number}.test"))
        for number in range(count)
    ]


def decide(rows, verb="approve", actor=None, comment="looked through"):
    pairs = [(row, row.digest) for row in rows]
    actor = actor or a_person()
    return batches.decide(verb, pairs, actor=actor, comment=comment, now=NOW)


def entries(kind):
    return [json.loads(bytes(e.body)) for e in AuditEntry.objects.filter(type=kind)]


def test_each_change_has_its_entry_and_the_batch_has_one():
    rows = some(3)

    result = decide(rows)

    assert {row.state for row in result.done} == {"approved"}
    assert len(entries("proposal.approved")) == 3
    (batch,) = entries("batch.decided")
    assert batch["data"]["done"] == [str(row.pk) for row in rows]


def test_what_cannot_be_decided_is_skipped_with_its_reason_and_the_rest_goes_through():
    rows = some(3)
    Domain.objects.filter(pk=rows[0].domain_id).update(version=9)
    pairs = [(rows[0], rows[0].digest), (rows[1], "0" * 64), (rows[2], rows[2].digest)]

    result = batches.decide(
        "approve", pairs, actor=a_person(), comment="because", now=NOW
    )

    assert result.done == (rows[2],)
    whys = [each.why for each in result.skipped]
    assert whys == [
        "the registry's data changed",
        "the proposal or its evidence changed since you looked",
    ]


def test_a_preview_says_what_the_batch_would_do_and_writes_nothing():
    rows = some(3)
    Domain.objects.filter(pk=rows[0].domain_id).update(version=9)
    rows[0].domain.refresh_from_db()
    rows[1].requested_by = "ada"
    before = AuditEntry.objects.count()

    result = batches.preview("approve", rows, actor=a_person("ada"), now=NOW)

    assert result.done == (rows[2],)
    assert [each.proposal for each in result.skipped] == rows[:2]
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize(
    ("count", "verb", "comment"),
    [(0, "approve", "why"), (1, "hold", "why"), (1, "approve", " ")],
)
def test_a_batch_that_says_nothing_clear_is_refused(count, verb, comment):
    with pytest.raises(batches.BatchRefused):
        decide(some(count), verb, comment=comment)


def test_a_batch_beyond_the_limit_is_refused_whole(monkeypatch):
    monkeypatch.setattr(batches, "MOST", 2)
    rows = some(3)

    with pytest.raises(batches.BatchRefused, match="2 is the limit"):
        decide(rows)
    assert {row.state for row in rows} == {"candidate"}


def test_who_may_not_decide_gets_nothing_through():
    result = decide(some(2), actor=a_person("rita", "bootstrap.hold_proposal"))

    assert result.done == ()
    assert len(result.skipped) == 2
