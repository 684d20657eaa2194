"""Servers that we did not write lead to the verdicts that the lab's do (appendix F)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bootstrap.lab.kit import KitCase, Seen, cases_of
from bootstrap.services import conformance
from tests.conftest import needs
from tests.support import real_situations as real

pytestmark = pytest.mark.system
DOCS = Path(__file__).parents[2] / "docs"
AROUND_A_SCAN = {99, *range(110, 116), 120, 121, *range(123, 126)}
"""Fixtures of the appendix that no server's answer makes: notifications, publication,
and what the registry does meanwhile. tests/services and tests/system show them."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> dict[str, tuple[KitCase, Seen]]:
    """What real servers lead to, by situation."""
    needs("knotd", "named", "nsd", "pdns_server", "pdnsutil", "ip")
    with real.running(tmp_path_factory.mktemp("situations")) as lab:
        found = conformance.verdicts(lab, cases_of(lab, real.served()))
        return {case.id: (case, conformance.seen(verdict)) for case, verdict in found}


@pytest.mark.parametrize("situation", real.served())
def test_real_servers_lead_to_the_verdict_of_the_lab(situation, seen):
    case, found = seen[situation]

    assert case.faults(found) == (), found


def test_the_manual_says_which_case_is_shown_by_which_server(tmp_path):
    manual = (DOCS / "conformance.md").read_text()

    assert real.table(real.unstarted(tmp_path)) in manual


def test_every_fixture_of_the_appendix_is_a_case_or_is_about_something_else():
    appendix = (DOCS / "protocol.md").read_text().partition("## Appendix F")[2]
    demanded = {int(number) for number in re.findall(r"\bF(\d+)\b", appendix)}
    shown = {int(re.sub(r"F(\d+).*", r"\1", case)) for case in real.situations()}

    assert demanded - shown == AROUND_A_SCAN


def test_only_what_no_server_does_is_left_to_the_lab():
    assert real.ONLY_BY_THE_LAB.keys() < real.situations().keys()
    assert len(real.served()) > 90
