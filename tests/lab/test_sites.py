"""What ails the machine that looks, done to evidence that was seen well."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bootstrap.core.dns.names import ROOT
from bootstrap.core.dns.records import Ds
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.delegation import Delegation
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.lab.circumstances import read
from bootstrap.lab.keys import Keyring
from bootstrap.lab.network import Network
from bootstrap.lab.placing import Placer
from bootstrap.lab.recipes import InvalidRecipe
from bootstrap.lab.sites import ANCHORS, Site
from bootstrap.lab.worlds import Child

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ANCHOR = Anchor(Ds(1, 13, 2, b"\x11" * 32))
CASE = Case(Delegation(ROOT, ROOT, ()), (), (ANCHOR,), AcceptancePolicy(), NOW)

PLACER = Placer(Network(Keyring(b"sites"), NOW), Child(name="a.test", operators=()))


def test_a_site_that_nothing_ails_changes_nothing():
    assert Site().applied(CASE, PLACER) is CASE


@pytest.mark.parametrize(
    ("word", "in_force"),
    [("none", 0), ("early", 0), ("over", 0), ("dated", 1), ("other", 1)],
)
def test_anchors_are_in_force_or_not(word, in_force):
    anchors = Site(anchors=word).applied(CASE, PLACER).anchors

    assert sum(anchor.holds_at(NOW) for anchor in anchors) == in_force
    assert anchors != (ANCHOR,)
    assert word in ANCHORS


def test_an_own_fault_is_told_with_its_code():
    (fault,) = Site(faults=("X_DB",)).applied(CASE, PLACER).own_faults

    assert fault.reason == "X_DB"


@pytest.mark.parametrize(
    "table",
    [{"faults": ["X_ODD"]}, {"anchors": "odd"}, {"troubles": {"b1": "odd"}}],
    ids=str,
)
def test_words_that_mean_nothing_are_refused_with_their_place(table):
    with pytest.raises(InvalidRecipe, match=r"here: no '"):
        read(Site, table, "here")
