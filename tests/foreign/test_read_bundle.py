"""A reader that knows only the document sees what our own code sees."""

from __future__ import annotations

import ast
import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from bootstrap.core.dns.names import unrooted
from bootstrap.core.evaluation.inputs import inputs_of
from bootstrap.core.evidence import bundle
from bootstrap.core.evidence.bundle import BundleMalformed
from bootstrap.core.evidence.verify import verify
from fuzz.targets import ACCEPTED, accepted
from tests.core.evidence.making import BUNDLES

from . import read_bundle

READER = Path(read_bundle.__file__)
OCTETS = ACCEPTED.read_bytes()


def test_it_needs_nothing_but_the_standard_library():
    tree = ast.parse(READER.read_text())
    imported = {
        name.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
    } | {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }

    assert imported <= sys.stdlib_module_names


def test_it_prints_delegation_packets_verdict_and_address():
    told = subprocess.run(
        [sys.executable, "-I", str(READER), str(ACCEPTED)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()

    honest = accepted()
    delegation, verdict = honest.case.delegation, honest.verdict
    assert f"address {bundle.address(OCTETS)}" in told
    assert f"child {unrooted(delegation.child)}." in told
    for host in delegation.nameservers:
        assert f"nameserver {unrooted(host)}." in told
    assert f"judged {honest.case.now:%Y-%m-%dT%H:%M:%SZ}" in told
    packets = [line for line in told if line.startswith("packet ")]
    assert len(packets) == len(honest.case.observations)
    assert f"outcome {verdict.outcome.value}" in told
    assert f"primary {verdict.primary.value}" in told
    for ds in verdict.candidate:
        assert f"candidate {ds.to_text().upper()}" in told


def test_p_8_8_it_names_the_inputs_of_each_check_as_the_verifier_does():
    honest = accepted()
    inputs = inputs_of(honest.case, honest.verdict.checks)
    octets = bundle.encode(replace(honest, inputs=inputs))

    told = [line for line in read_bundle.lines(octets) if line.startswith("rests ")]

    found = verify(octets)
    assert found.reproduced
    assert told == [
        " ".join(["rests", check.id, *found.inputs[check.id]])
        for check in honest.verdict.checks
    ]


@given(BUNDLES)
@settings(max_examples=30, deadline=None)
def test_it_reads_whatever_our_code_writes(evidence):
    octets = bundle.encode(evidence)

    address, found = read_bundle.read(octets)

    assert address == bundle.address(octets)
    received = [
        seen.get("received", b"") for seen in found["case"].get("observations", [])
    ]
    assert received == [seen.received or b"" for seen in evidence.case.observations]
    assert list(read_bundle.lines(octets))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_it_refuses_what_our_code_refuses(data):
    """A change behind a right seal: both read another content, or neither reads."""
    opened = bytearray(OCTETS[:-32])
    at = data.draw(st.integers(0, len(opened) - 1))
    opened[at] ^= data.draw(st.integers(1, 255))
    octets = bytes(opened) + hashlib.sha256(opened).digest()
    try:
        bundle.decode(octets)
    except BundleMalformed:
        return
    read_bundle.read(octets)  # what ours accepts, a stranger can read


@pytest.mark.parametrize("at", [0, 30, 1000, len(OCTETS) - 1])
def test_damage_is_seen(at):
    damaged = bytearray(OCTETS)
    damaged[at] ^= 1

    with pytest.raises(read_bundle.Wrong):
        read_bundle.read(bytes(damaged))
