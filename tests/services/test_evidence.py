"""Evidence as kept: identical bytes, shared packets, damage never passed on."""

from __future__ import annotations

import zlib
from dataclasses import replace

import pytest

from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome, Verdict
from bootstrap.core.evidence import bundle
from bootstrap.core.evidence.bundle import Bundle
from bootstrap.models import Evidence, Packet
from bootstrap.services import evidence
from bootstrap.services.evidence import EvidenceDamaged
from tests.support.cases import NOW, a_case

VERDICT = Verdict(
    None, Outcome.NOTHING, Reason.APEX_NO_CDS, (Finding(Reason.APEX_NO_CDS),), ()
)
BUNDLE = Bundle(a_case(), VERDICT, (("bootstrap", "0"),))


@pytest.mark.django_db
def test_the_identical_bytes_come_back():  # P-5.3
    (digest,) = evidence.store([BUNDLE], now=NOW)

    assert evidence.octets_of(digest) == bundle.encode(BUNDLE)
    assert evidence.load(digest) == BUNDLE
    assert Evidence.objects.get().size == len(bundle.encode(BUNDLE))


@pytest.mark.django_db
def test_a_packet_of_two_bundles_is_stored_once():
    other = replace(BUNDLE, made_by=(("bootstrap", "1"),))
    digests = evidence.store([BUNDLE], now=NOW) + evidence.store([other], now=NOW)

    assert len(set(digests)) == 2
    assert Packet.objects.count() == len(bundle.split(BUNDLE).packets)
    assert evidence.load(digests[1]) == other


@pytest.mark.django_db
def test_the_same_bundle_twice_is_one_row():
    assert (
        evidence.store([BUNDLE, BUNDLE], now=NOW)
        == [bundle.address(bundle.encode(BUNDLE))] * 2
    )
    assert Evidence.objects.count() == 1


DAMAGES = {
    "a packet of another content": (Packet, "body", zlib.compress(b"x"), "packet"),
    "a blob that is no stream": (Packet, "body", b"xyz", "cannot be opened"),
    "a stream that ends early": (
        Evidence,
        "manifest",
        zlib.compress(b"x" * 99)[:-5],
        "ends in the middle",
    ),
    "a bomb": (
        Evidence,
        "manifest",
        zlib.compress(bytes(bundle.MAX_OCTETS + 1)),
        "larger",
    ),
    "another manifest": (Evidence, "manifest", zlib.compress(b"\xa0"), "another"),
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "column", "blob", "problem"), DAMAGES.values(), ids=DAMAGES
)
def test_damage_in_the_store_is_told_and_not_passed_on(
    model, column, blob, problem
):  # S-98
    (digest,) = evidence.store([BUNDLE], now=NOW)
    model.objects.update(**{column: blob})

    with pytest.raises(EvidenceDamaged, match=problem):
        evidence.load(digest)
