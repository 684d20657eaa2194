"""Rows in bulk: as the ORM would write them, and no constraint is passed by."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from bootstrap.models import AuditHead, Domain, EvidencePiece
from bootstrap.services import bulk

from .builders import a_domain, a_zone

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NAMES = ("day", "digest", "packed")
ROWS = [(NOW.date(), "a" * 64, b"\x00\xff'\\"), (NOW.date(), "b" * 64, b"")]


def test_inserted_rows_read_as_they_were_given():
    bulk.insert(EvidencePiece, NAMES, ROWS)

    found = EvidencePiece.objects.order_by("digest").values_list(*NAMES)
    assert [(day, digest, bytes(packed)) for day, digest, packed in found] == ROWS


def test_a_key_that_is_there_is_an_error_unless_it_may_stay():
    bulk.insert(EvidencePiece, NAMES, ROWS)
    other = [(NOW.date(), "a" * 64, b"other"), (NOW.date(), "c" * 64, b"new")]

    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(EvidencePiece, NAMES, other)
    bulk.insert(EvidencePiece, NAMES, other, ignore_conflicts=True)

    assert bytes(EvidencePiece.objects.get(digest="a" * 64).packed) == ROWS[0][2]
    assert EvidencePiece.objects.count() == 3


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
    bulk.insert(EvidencePiece, NAMES, [])
    bulk.update(AuditHead, "stream", ("number",), [])
    bulk.insert_objects([])

    assert not EvidencePiece.objects.exists()


def test_more_rows_than_one_statement_takes_are_all_written(monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 3)
    rows = [(NOW.date(), f"{number:064}", b"x") for number in range(10)]

    bulk.insert(EvidencePiece, NAMES, rows)

    assert EvidencePiece.objects.count() == 10
