"""Evidence on pages: the bundle octet for octet, and every message readable."""

from __future__ import annotations

import pytest
from django.urls import reverse

from bootstrap import clock
from bootstrap.core.evaluation.verdict import judge
from bootstrap.core.evidence import bundle
from bootstrap.core.evidence.bundle import Bundle
from bootstrap.models import Evidence, EvidenceBody
from bootstrap.services import evidence
from tests.support import cases, rows

from .conftest import enter


@pytest.fixture
def kept(db):
    """A scan whose evidence is a real bundle, and that bundle."""
    case = cases.a_case()
    found = Bundle(case, judge(case))
    (digest,) = evidence.store([found], now=clock.now())
    domain = rows.a_domain(rows.a_zone(), "kept.example")
    scan = rows.a_scan(domain, evidence=Evidence.objects.get(digest=digest))
    return scan, found


@pytest.fixture
def reader(db):
    return enter(rows.a_reader())


def test_the_download_is_the_bundle_octet_for_octet(kept, reader):
    scan, found = kept

    answer = reader.get(reverse("dashboard:evidence", args=[scan.pk]))

    assert answer.content == bundle.encode(found)
    assert bundle.address(answer.content) == scan.evidence_id
    assert answer["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "page", ["dashboard:scan", "admin:bootstrap_scanattempt_change"]
)
def test_every_message_is_shown_as_dig_would_and_in_hex(kept, reader, page):
    scan, found = kept

    text = reader.get(reverse(page, args=[scan.pk])).text

    assert text.count('class="packet"') == len(found.case.observations)
    assert ";QUESTION" in text
    assert "0000  " in text


def test_a_scan_without_evidence_has_nothing_to_download(registry, reader):
    scan = registry.scans["alarm"]

    answer = reader.get(reverse("dashboard:evidence", args=[scan.pk]))

    assert answer.status_code == 404


def test_damaged_evidence_does_not_take_the_page_down(kept, reader):
    scan, _found = kept
    EvidenceBody.objects.update(packed=b"not what was put here")

    answer = reader.get(reverse("dashboard:scan", args=[scan.pk]))

    assert answer.status_code == 200
    assert "cannot be read" in answer.text
