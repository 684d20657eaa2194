"""The bootstrap matrix, cell by cell, realised by whole cases (protocol.md 2.6)."""

from __future__ import annotations

import itertools

import pytest

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.security import Flaw, Security
from bootstrap.core.evaluation.apex import ApexState
from bootstrap.core.evaluation.facts import Facts
from bootstrap.core.evaluation.matrix import MATRIX
from bootstrap.core.evaluation.observations import Trouble
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.signals import SignalState
from bootstrap.core.evaluation.verdict import Outcome, conclude
from tests.support.cases import (
    DELETE,
    NS1,
    NS2,
    Zone,
    a_case,
    a_delegation,
    addresses,
    failed,
    signals,
)

from .scenarios import BOTH, FIRST, NOTHING, ONE, stale

QUIET = Zone(records=NOTHING)
REMOVAL = Zone(records=DELETE)
INSIDE = (parse_name("ns1.example.ch"), parse_name("ns2.example.ch"))

APEX = {
    "A0": (QUIET, QUIET, {}),
    "A1": (Zone(), Zone(), {}),
    "A2": (REMOVAL, REMOVAL, {}),
    "A3": (Zone(), stale, {}),
    "A4": (Zone(), Zone(), {(ONE, "CDS"): Trouble.TIMEOUT}),
}
"""What the two servers serve, and which packets fail."""


def vouched(state, zone):
    """Return the proofs of signals in one state, for an apex that serves `zone`."""
    signed = Zone() if zone is QUIET else zone
    if state == "S0":
        return signals(QUIET)
    if state == "S2":
        return signals(signed, hosts=(NS1,)) | signals(QUIET, hosts=(NS2,))
    if state == "S6":
        return signals(signed, hosts=(NS1,)) | signals(stale, hosts=(NS2,))
    made = signals(zone if state == "S1" else signed)
    flaws = {
        "S3": (Security.INSECURE, Flaw.NO_DS),
        "S4": (Security.BOGUS, Flaw.SIGNATURE_WRONG),
        "S5": (Security.INDETERMINATE, Flaw.UNREACHABLE),
    }
    if state in flaws:
        made[FIRST] = failed(*FIRST, *flaws[state])
    return made


NOTHING_OF = {"A0": Reason.APEX_NO_CDS, "A2": Reason.DEL_NOTHING_TO_DELETE}
R = Reason
EXPECTED = {
    ("A0", "S2"): (Outcome.RETRY, R.CMP_APEX_EMPTY_SIGNAL_NOT),
    ("A0", "S6"): (Outcome.RETRY, R.CMP_APEX_EMPTY_SIGNAL_NOT),
    ("A1", "S0"): (Outcome.NOTHING, R.SIG_NONE),
    ("A1", "S1"): (Outcome.ACCEPT, R.ACC_OK),
    ("A1", "S2"): (Outcome.RETRY, R.SIG_PARTIAL),
    ("A1", "S3"): (Outcome.REJECT, R.SIG_INSECURE),
    ("A1", "S4"): (Outcome.RETRY, R.SIG_BOGUS),
    ("A1", "S5"): (Outcome.RETRY, R.SIG_UNREACHABLE),
    ("A1", "S6"): (Outcome.RETRY, R.CMP_SIGNALS_DIFFER),
    ("A1", "S7"): (Outcome.REJECT, R.SIG_NO_OUT_OF_DOMAIN_NS),
    **{("A3", f"S{column}"): (Outcome.RETRY, R.APEX_CDS_DIFFER) for column in range(8)},
    **{("A4", f"S{column}"): (Outcome.RETRY, R.NS_TIMEOUT) for column in range(7)},
    ("A4", "S7"): (Outcome.REJECT, R.SIG_NO_OUT_OF_DOMAIN_NS),
}
"""Every cell that is not "nothing"."""
ALSO = {
    ("A3", "S4"): {R.SIG_BOGUS},
    ("A3", "S6"): {R.CMP_SIGNALS_DIFFER},
    ("A4", "S0"): {R.APEX_INCOMPLETE},
    ("A4", "S1"): {R.APEX_INCOMPLETE},
    ("A4", "S2"): {R.APEX_INCOMPLETE, R.SIG_PARTIAL},
    ("A4", "S3"): {R.APEX_INCOMPLETE, R.SIG_INSECURE},
    ("A4", "S4"): {R.APEX_INCOMPLETE, R.SIG_BOGUS},
    ("A4", "S5"): {R.APEX_INCOMPLETE, R.SIG_UNREACHABLE},
    ("A4", "S6"): {R.APEX_INCOMPLETE, R.CMP_SIGNALS_DIFFER},
}
CELLS = list(itertools.product(APEX, [f"S{column}" for column in range(8)]))


def facts_of(row, column):
    zone, other, spoiled = APEX[row]
    impossible = column == "S7"
    hosts = INSIDE if impossible else (NS1, NS2)
    proofs = addresses(dict(zip(hosts, ((a,) for a in BOTH), strict=True)))
    proofs.update({} if impossible else vouched(column, zone))
    case = a_case(
        zones=dict(zip(BOTH, (zone, other), strict=True)),
        spoiled=spoiled,
        delegation=a_delegation(nameservers=hosts),
    )
    return Facts(case, proofs)


def test_the_matrix_has_every_cell():
    assert set(MATRIX) == set(itertools.product(ApexState, SignalState))


@pytest.mark.parametrize(("row", "column"), CELLS)
def test_a_cell_ends_as_the_matrix_says(row, column):  # P-1.20
    facts = facts_of(row, column)
    cannot_occur = (row, column) == ("A0", "S1")
    if not cannot_occur:
        assert (facts.apex.state, facts.signal_state) == (row, column)

    verdict = conclude(facts)

    nothing = (Outcome.NOTHING, NOTHING_OF.get(row))
    assert (verdict.outcome, verdict.primary) == EXPECTED.get((row, column), nothing)
    assert ALSO.get((row, column), set()) <= set(verdict.reasons)


def test_only_one_cell_of_the_matrix_accepts():  # P-1.13, P-1.14
    accepting = [cell for cell, found in MATRIX.items() if found.accepts]

    assert accepting == [(ApexState.KEYS, SignalState.EQUAL)]


def test_signals_that_are_all_genuine_and_empty_leave_an_empty_apex_alone():
    assert signals(QUIET)[FIRST].rdtype == RdataType.CDS
