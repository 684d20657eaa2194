"""Rows in bulk: as the ORM would write them, and no constraint is passed by."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from bootstrap.models import AuditHead, Domain, Packet
from bootstrap.services import bulk

from .builders import a_domain, a_zone

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROWS = [("a" * 64, b"\x00\xff'\\", 4), ("b" * 64, b"", 0)]


def test_inserted_rows_read_as_they_were_given():
    bulk.insert(Packet, ("digest", "body", "size"), ROWS)

    found = Packet.objects.order_by("digest").values_list("digest", "body", "size")
    assert [(digest, bytes(body), size) for digest, body, size in found] == ROWS


def test_a_key_that_is_there_is_an_error_unless_it_may_stay():
    bulk.insert(Packet, ("digest", "body", "size"), ROWS)
    other = [("a" * 64, b"other", 5), ("c" * 64, b"new", 3)]

    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(Packet, ("digest", "body", "size"), other)
    bulk.insert(Packet, ("digest", "body", "size"), other, ignore_conflicts=True)

    assert bytes(Packet.objects.get(digest="a" * 64).body) == ROWS[0][1]
    assert Packet.objects.count() == 3


def test_an_update_touches_the_rows_of_its_keys_alone():
    AuditHead.objects.bulk_create(AuditHead(stream=name) for name in "abc")

    bulk.update(
        AuditHead, "stream", ("number", "digest"), [("a", 7, "x"), ("c", 9, "")]
    )

    found = dict(AuditHead.objects.values_list("stream", "number"))
    assert found == {"a": 7, "b": 0, "c": 9}
    assert AuditHead.objects.get(stream="a").digest == "x"


def test_json_times_and_null_are_written_as_the_orm_writes_them():
    zone = a_zone()
    first, second = (a_domain(zone, f"{label}.test") for label in ("one", "two"))
    rows = [(first.pk, {"NS_TIMEOUT": "x"}, NOW), (second.pk, {}, None)]

    bulk.update(Domain, "id", ("troubled_since", "signed_since"), rows)

    found = Domain.objects.filter(pk__in=[first.pk, second.pk]).order_by("pk")
    assert [(d.pk, d.troubled_since, d.signed_since) for d in found] == rows
    assert Domain.objects.filter(signed_since=None).get() == second


def test_nothing_is_written_where_nothing_was_given():
    bulk.insert(Packet, ("digest", "body", "size"), [])
    bulk.update(AuditHead, "stream", ("number",), [])
    bulk.insert_objects([])

    assert not Packet.objects.exists()


def test_more_rows_than_one_statement_takes_are_all_written(monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 3)
    rows = [(f"{number:064}", b"x", 1) for number in range(10)]

    bulk.insert(Packet, ("digest", "body", "size"), rows)

    assert Packet.objects.count() == 10
