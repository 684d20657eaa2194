"""Anchors and the chain (protocol.md, 7.1), aliases (7.7), servers (7.9)."""

from __future__ import annotations

import pytest

from bootstrap.core.dnssec.chain import Absence
from bootstrap.core.dnssec.security import Security
from tests.support.signed import SIGNAL, a_tree, n


@pytest.mark.parametrize("algorithm", [8, 13, 15])
@pytest.mark.parametrize("denial", ["nsec", "nsec3", "compact"])
def test_a_signal_with_a_whole_chain_is_secure(algorithm, denial):
    tree = a_tree(algorithm, denial=denial)
    proof = tree.prove(SIGNAL, "CDS")
    assert (proof.security, proof.flaw, proof.detail) == (Security.SECURE, None, "")
    assert proof.zone == proof.signer == n("_signal.ns1.example.net")
    assert proof.answer is not None
    assert [c.zone for c in proof.cuts] == [
        n("."),
        n("net"),
        n("example.net"),
        n("_signal.ns1.example.net"),
    ]
    absent = tree.prove(SIGNAL, "CDNSKEY")
    assert (absent.security, absent.absence) == (Security.SECURE, Absence.NODATA)
    nothing = tree.prove("_dsboot.other.ch._signal.ns1.example.net", "CDS")
    assert (nothing.security, nothing.absence) == (Security.SECURE, Absence.NXDOMAIN)
