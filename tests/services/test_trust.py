"""Which trust anchors were believed, and since when, is in the trail (P-8.31, S-43)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bootstrap.core.dnssec.anchor_files import read_anchors
from bootstrap.models import AuditEntry
from bootstrap.services import trust

from .builders import NOW

pytestmark = pytest.mark.django_db
OLD = f". 3600 IN DS 20326 8 2 {'E0' * 32}\n"
NEW = f". 3600 IN DS 38696 8 2 {'68' * 32}\n"
LATER = NOW + timedelta(hours=1)


def told():
    entries = AuditEntry.objects.filter(type="anchors.changed").order_by("number")
    return [json.loads(bytes(entry.body))["data"] for entry in entries]


def test_the_first_anchors_are_recorded_and_the_same_ones_are_not_again():
    both = read_anchors(OLD + NEW)

    assert trust.note(both, now=NOW)
    assert not trust.note(tuple(reversed(both)), now=LATER)

    (first,) = told()
    assert len(first["anchors"]) == 2
    assert first["anchors"] == first["added"]
    assert ". DS 20326 8 2 " + "E0" * 32 in first["anchors"][0]


def test_an_anchor_that_comes_and_one_that_goes_are_named():
    trust.note(read_anchors(OLD), now=NOW)

    assert trust.note(read_anchors(NEW), now=LATER)

    last = told()[-1]
    assert ["20326" in each for each in last["removed"]] == [True]
    assert ["38696" in each for each in last["added"]] == [True]
