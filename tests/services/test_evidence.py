"""Evidence as kept: identical bytes, shared packets, damage never passed on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import given, settings, strategies as st

from bootstrap.core.dns.names import ROOT, parse_name, unrooted
from bootstrap.core.dns.records import RdataType
from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.observations import Observation
from bootstrap.core.evaluation.queries import Query
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome, Verdict
from bootstrap.core.evidence import bundle
from bootstrap.core.evidence.bundle import Bundle
from bootstrap.models import Evidence, EvidenceBody, EvidencePiece
from bootstrap.models.squeezed import squeeze, unsqueeze
from bootstrap.services import audit, evidence, packing, secondhash
from bootstrap.services.actors import SCANNER
from bootstrap.services.evidence import EvidenceDamaged
from tests.core.evidence.making import BUNDLES
from tests.support.cases import NOW, a_case

VERDICT = Verdict(
    None, Outcome.NOTHING, Reason.APEX_NO_CDS, (Finding(Reason.APEX_NO_CDS),), ()
)
CASE = a_case()
PIECES = EvidencePiece.objects
BUNDLE = Bundle(a_case(), VERDICT, (("bootstrap", "0"),))


@pytest.mark.django_db
def test_the_identical_bytes_come_back():  # P-5.3
    (digest,) = evidence.store([BUNDLE], now=NOW)

    assert evidence.octets_of(digest) == bundle.encode(BUNDLE)
    assert evidence.load(digest) == BUNDLE
    assert Evidence.objects.get().size == len(bundle.encode(BUNDLE))


def with_exchanges(number: int, *names: str) -> Bundle:
    """Return a bundle in which something was asked about each of these names."""
    case = a_case()
    seen = tuple(
        Observation(
            Query("192.0.2.1", ROOT, parse_name(name), RdataType.DS),
            NOW,
            f"asked {name}".encode(),
            f"answered {name} at length".encode() * 9,
        )
        for name in names
    )
    case = replace(case, observations=seen)
    return Bundle(case, VERDICT, (("bootstrap", str(number)),))


@pytest.mark.django_db
def test_what_two_bundles_of_a_day_share_is_stored_once():  # P-8.37
    own = unrooted(CASE.delegation.child)
    first, second = (with_exchanges(n, "test", own) for n in (1, 2))

    digests = evidence.store([first], now=NOW) + evidence.store([second], now=NOW)

    assert len(set(digests)) == 2
    assert [evidence.load(digest) for digest in digests] == [first, second]
    pieces = [unsqueeze(bytes(row.packed), 10_000) for row in PIECES.all()]
    assert sum(b"answered test" in piece for piece in pieces) == 1
    assert not any(own.encode() in piece for piece in pieces)


@pytest.mark.django_db
def test_each_day_has_pieces_of_its_own():
    """So that a day's evidence alone says which of its pieces are still needed."""
    digests = evidence.store([with_exchanges(1, "test")], now=NOW)
    count = PIECES.count()
    digests += evidence.store([with_exchanges(2, "test")], now=NOW + timedelta(1))

    assert PIECES.count() == 2 * count
    assert all(evidence.load(digest) for digest in digests)


@given(bundles=st.lists(BUNDLES, min_size=1, max_size=4))
@settings(max_examples=15, deadline=None)
@pytest.mark.django_db
def test_whatever_is_stored_is_exported_under_its_address(bundles):  # P-5.3
    with transaction.atomic():
        digests = evidence.store(bundles, now=NOW)
        exported = [evidence.octets_of(digest) for digest in digests]
        transaction.set_rollback(True)

    assert exported == [bundle.encode(each) for each in bundles]
    assert digests == [hashlib.sha256(octets).hexdigest() for octets in exported]


@pytest.mark.django_db
def test_the_same_bundle_twice_is_one_row():
    assert (
        evidence.store([BUNDLE, BUNDLE], now=NOW)
        == [bundle.address(bundle.encode(BUNDLE))] * 2
    )
    assert Evidence.objects.count() == 1


DAMAGES = {
    "a piece of another content": (EvidencePiece, "packed", squeeze(b"\0\1x"), "other"),
    "a piece that is no stream": (EvidencePiece, "packed", b"xyz", "cannot be opened"),
    "no pieces": (EvidenceBody, "pieces", b"", "piece 0 of 0"),
    "keys of other pieces": (EvidenceBody, "pieces", packing.keys([10**9]), "missing"),
    "no keys": (EvidenceBody, "pieces", b"\3", "no keys"),
    "a body that ends early": (EvidenceBody, "packed", squeeze(b"x")[:-1], "middle"),
    "a bomb": (
        EvidenceBody,
        "packed",
        squeeze(bytes(bundle.MAX_OCTETS + 1)),
        "larger",
    ),
    "another body": (EvidenceBody, "packed", squeeze(b"\0\1\xa0"), "another"),
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "column", "blob", "problem"), DAMAGES.values(), ids=DAMAGES
)
def test_damage_in_the_store_is_told_and_not_passed_on(
    model, column, blob, problem
):  # S-98
    (digest,) = evidence.store([with_exchanges(1, "test")], now=NOW)
    model.objects.update(**{column: blob})

    with pytest.raises(EvidenceDamaged, match=problem):
        evidence.load(digest)


@pytest.mark.django_db
def test_a_body_that_is_gone_is_damage_and_not_compaction():  # S-98
    (digest,) = evidence.store([BUNDLE], now=NOW)
    EvidenceBody.objects.all().delete()

    with pytest.raises(EvidenceDamaged, match="gone"):
        evidence.octets_of(digest)


@pytest.mark.django_db
@pytest.mark.parametrize("length", [0, 1, 7, 64])
def test_an_address_is_found_by_how_it_begins(length):
    (digest,) = evidence.store([BUNDLE], now=NOW)
    begins = Evidence.objects.filter(digest__startswith=digest[:length].upper())

    assert begins.get().digest == digest


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["xyz", "0" * 65, "é"])
def test_what_is_no_address_is_found_nowhere(text):
    evidence.store([BUNDLE], now=NOW)

    assert not Evidence.objects.filter(digest__startswith=text).exists()


@pytest.mark.django_db
def test_bodies_lie_in_the_partition_of_their_month_even_if_it_came_late():
    """On PostgreSQL; on SQLite there is one table, and nothing to make."""
    if connection.vendor != "postgresql":
        assert evidence.keep_months(now=NOW) == 0
        return
    late = datetime(2037, 3, 1, tzinfo=UTC) - timedelta(microseconds=1)
    bundles = [with_exchanges(n, "test") for n in (1, 2)]
    (before,) = evidence.store(bundles[:1], now=late)
    (after,) = evidence.store(bundles[1:], now=late + timedelta(microseconds=1))
    assert partitions() == {before: "rest", after: "rest"}
    connection.check_constraints()  # as a commit would

    assert evidence.keep_months(now=late) == evidence.MONTHS_AHEAD

    assert partitions() == {before: "203702", after: "203703"}
    assert evidence.keep_months(now=late) == 0
    assert [evidence.load(digest) for digest in (before, after)] == bundles


def partitions() -> dict[str, str]:
    """Return the end of the name of the table in which each body lies."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(evidence_id, 'hex'), tableoid::regclass::text"
            " FROM bootstrap_evidencebody"
        )
        return {digest: table.rpartition("_")[2] for digest, table in cursor.fetchall()}


@pytest.mark.django_db
def test_the_entry_that_first_names_evidence_has_its_second_hash():  # P-8.25, S-98
    (digest,) = evidence.store([BUNDLE], now=NOW)

    entry = audit.record(
        "scan.verdict", stream="s", actor=SCANNER, now=NOW, evidence=[digest]
    )

    told = json.loads(bytes(entry.body))
    octets = bundle.encode(BUNDLE)
    assert told["data"]["ev512"] == [hashlib.sha512(octets).hexdigest()]


def test_the_newest_second_hashes_are_remembered_and_the_rest_forgotten(monkeypatch):
    monkeypatch.setattr(secondhash, "_known", {})
    for number in range(secondhash.MOST + 1):
        secondhash.remember(f"{number:064x}", b"")
    secondhash.remember(f"{1:064x}", b"")

    assert secondhash.of(f"{0:064x}") == ""
    assert len(secondhash.of(f"{1:064x}")) == 128
