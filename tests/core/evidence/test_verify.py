"""Judging again from a bundle alone: the same verdict, or every difference told."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from bootstrap.core.dns.names import parse_name, unrooted
from bootstrap.core.dns.records import Ds, RdataType
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.inputs import inputs_of
from bootstrap.core.evaluation.paths import Path
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome, judge
from bootstrap.core.evidence import bundle
from bootstrap.core.evidence.__main__ import main
from bootstrap.core.evidence.bundle import Bundle, Clock
from bootstrap.core.evidence.verify import verify
from bootstrap.lab.assembly import assemble
from bootstrap.lab.keys import Keyring
from bootstrap.lab.network import Network
from bootstrap.lab.scenes import demo_world
from fuzz.targets import ACCEPTED
from tests.support.rehearsal import NOW, Rehearsal, delegation_of


@cache
def good() -> Bundle:
    """Return the evidence of a child that is accepted, with all its chains."""
    network = Network(Keyring(b"evidence"), NOW)
    rehearsal = Rehearsal(assemble(demo_world(), network, clock=lambda: NOW))
    for placer in rehearsal.built.children.values():
        case = rehearsal.evaluate(delegation_of(rehearsal, placer))
        verdict = judge(case)
        if verdict.outcome is Outcome.ACCEPT and verdict.candidate:
            return Bundle(case, verdict, (("bootstrap", "0"),))
    raise AssertionError("nobody in this world is accepted")


def octets(**changes) -> bytes:
    return bundle.encode(replace(good(), **changes))


def test_the_evidence_of_an_accepted_child_reproduces_its_verdict():  # P-8.1, P-8.5, P-8.8
    found = verify(octets())

    assert found.reproduced
    assert found.address == bundle.address(octets())
    assert len(found.proofs) >= 4  # both types at two signaling names (P-8.20)
    assert any("registry" in statement for statement in found.attested)
    delegation = good().case.delegation
    (no_ds,) = [proof for proof in found.proofs if proof.rdtype == RdataType.DS]
    assert (no_ds.name, no_ds.signer) == (delegation.child, delegation.parent)
    assert no_ds.absence  # P-8.22: the parent's own zone says so, and its snapshot too
    assert not delegation.ds


FORGERIES = {
    "another candidate": ("candidate", (Ds(1, 13, 2, bytes(32)),)),
    "another outcome": ("outcome", Outcome.NOTHING),
    "a check less": ("checks", ()),
    "a later end of the proof": ("expires", NOW + timedelta(days=3650)),
    "signatures from before": ("not_before", NOW - timedelta(days=3650)),
    "signatures for longer": ("not_after", NOW + timedelta(days=3650)),
}


@pytest.mark.parametrize(("part", "value"), FORGERIES.values(), ids=FORGERIES)
def test_a_verdict_that_the_packets_do_not_support_is_told(part, value):
    found = verify(octets(verdict=replace(good().verdict, **{part: value})))

    assert not found.reproduced
    assert [difference.part for difference in found.differences] == [part]


def test_a_verdict_of_before_claims_no_time_of_all_signatures_and_is_reproduced():
    """P-8.7 came later: docs/evidence-format.md, "Stability"."""
    older = replace(good().verdict, not_before=None, not_after=None)

    assert verify(octets(verdict=older)).reproduced


def test_a_file_of_before_is_reproduced_and_says_nothing_of_what_came_later():
    old = ACCEPTED.read_bytes()

    found = verify(old)

    assert found.reproduced
    assert found.evidence is not None
    assert (found.evidence.clock, found.evidence.inputs) == (None, ())
    assert found.evidence.verdict.not_after is None
    assert bundle.encode(found.evidence) == old


def test_p_8_7_the_verdict_holds_while_all_its_signatures_do_and_no_longer():
    verdict = good().verdict
    assert verdict.not_before
    assert verdict.not_after
    assert verdict.expires
    assert verdict.not_before <= NOW < verdict.not_after <= verdict.expires

    first = judge(replace(good().case, now=verdict.not_before))
    early = judge(replace(good().case, now=verdict.not_before - timedelta(seconds=1)))
    late = judge(replace(good().case, now=verdict.not_after + timedelta(seconds=1)))

    assert Reason.X_CLOCK not in first.reasons
    assert early.outcome is not Outcome.ACCEPT
    assert late.outcome is not Outcome.ACCEPT


def named() -> tuple[bytes, ...]:
    """Return what each check of the good bundle rests on."""
    return inputs_of(good().case, good().verdict.checks)


def test_p_8_8_the_inputs_of_each_check_are_held_to_what_it_rests_on():
    found = verify(octets(inputs=named()))

    assert found.reproduced
    packets = bundle.split(good()).packets
    assert all(set(found.inputs[check]) <= set(packets) for check in found.inputs)
    assert found.inputs["check_signals"]
    assert found.inputs == verify(octets()).inputs  # said of an older file as well


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(lambda bits: bits[:-1], id="a check less"),
        pytest.param(lambda bits: (*bits, b""), id="a check more"),
        pytest.param(lambda bits: tuple(reversed(bits)), id="another order"),
        pytest.param(lambda bits: tuple(b"" for _ in bits), id="nothing"),
        pytest.param(lambda bits: (b"\x01" * 4096, *bits[1:]), id="far too many"),
    ],
)
def test_p_8_8_inputs_that_a_check_does_not_rest_on_are_told(forged):
    found = verify(octets(inputs=forged(named())))

    assert [difference.part for difference in found.differences] == ["inputs"]


def test_p_8_8_messages_are_named_by_hash_beside_each_check(tmp_path, capsys):
    path = tmp_path / "evidence"
    path.write_bytes(octets(inputs=named()))

    assert main(["verify", str(path), "--json"]) == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert [check["id"] for check in checks] == [c.id for c in good().verdict.checks]
    by_id = {check["id"]: check for check in checks}
    sent = {o.received for o in good().case.observations if "_dsboot" in str(o.query)}
    hashes = {hashlib.sha256(packet).hexdigest() for packet in sent if packet}
    assert hashes
    assert hashes <= set(by_id["check_signals"]["inputs"])
    assert by_id["check_preconditions"]["inputs"] == []

    assert main(["verify", str(path), "--explain"]) == 0
    count = len(by_id["check_signals"]["inputs"])
    assert f"rests on {count} messages" in " ".join(capsys.readouterr().out.split())


CLOCKS = {
    "nothing is recorded": None,
    "nothing corrected the clock by NTP, as its kernel told": Clock("kernel"),
    "-0.001500 s were still to be added to the clock, and that it was off by 0.002500 s"
    " at most, as its kernel told": Clock(
        "kernel",
        synchronised=True,
        offset=timedelta(microseconds=-1500),
        error=timedelta(microseconds=2500),
    ),
}


@pytest.mark.parametrize(("told", "clock"), CLOCKS.items(), ids=["no", "free", "ntp"])
def test_p_8_7_how_the_clock_stood_to_ntp_is_attested(told, clock):
    found = verify(octets(clock=clock))

    assert found.reproduced
    assert found.evidence is not None
    assert found.evidence.clock == clock
    assert any(told in statement for statement in found.attested)


def test_packets_from_another_moment_do_not_reproduce_the_verdict():
    later = replace(good().case, now=NOW + timedelta(days=365))

    assert not verify(octets(case=later)).reproduced


def test_a_missing_observation_does_not_reproduce_the_verdict():
    case = good().case
    fewer = replace(case, observations=case.observations[:-1])

    assert not verify(octets(case=fewer)).reproduced


def test_foreign_anchors_prove_nothing_of_it():
    foreign = (Anchor(Ds(1, 13, 2, bytes(32))),)

    found = verify(octets(), anchors=foreign)

    assert not found.reproduced
    assert found.proofs == ()


def test_the_anchors_of_a_stranger_give_the_same_when_they_are_the_same():  # P-B.4
    assert verify(octets(), anchors=good().case.anchors).reproduced


def test_no_single_octet_can_be_changed():
    """Every octet's place in a sample, every bit of the first and the last ones."""
    original = octets()
    places = {*range(64), *range(0, len(original), 499)}
    places |= set(range(len(original) - 64, len(original)))
    for place in places:
        changed = bytearray(original)
        changed[place] ^= 1 << place % 8
        assert not verify(bytes(changed)).reproduced, place


def test_the_command_line_ends_with_0_and_explains(tmp_path, capsys):
    path = tmp_path / "evidence"
    path.write_bytes(octets())
    anchors = tmp_path / "anchors"
    anchors.write_text(
        "".join(f". IN DS {anchor.ds.to_text()}\n" for anchor in good().case.anchors)
    )

    assert main(["verify", str(path), "--explain", "--anchor", str(anchors)]) == 0
    told = capsys.readouterr().out
    assert "reproduced" in told
    assert "_dsboot" in told
    assert "attested" in told

    assert main(["verify", str(path), "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["ds"] == sorted(ds.to_text() for ds in good().verdict.candidate)
    assert line["differences"] == []


def test_the_explanation_names_every_check_every_zone_and_what_proves_what(
    tmp_path, capsys
):
    """P-8.20, P-8.21, P-8.26."""
    path = tmp_path / "evidence"
    path.write_bytes(octets())

    main(["verify", str(path), "--explain"])

    told = capsys.readouterr().out
    said = " ".join(told.split())
    assert "the first DS of an insecure child" in said
    assert "accepted: the DS set below may be proposed" in said
    for ds in good().verdict.candidate:
        assert f"DS set to publish: {ds.to_text()}" in told
    lines = [line.strip() for line in told.splitlines()]
    marked = [line for line in lines if line.startswith(("passed ", "does not apply "))]
    assert len(marked) == len(good().verdict.checks)
    assert "check_" not in told
    assert f"in force from {good().verdict.not_before:%Y-%m-%dT%H:%M:%SZ} to" in said
    proven, _, attested = said.partition("What is only attested")
    for proof in verify(octets()).proofs:
        assert f"{unrooted(proof.name)} {proof.rdtype.name} is" in proven
        for cut in proof.cuts[1:]:
            assert f"{unrooted(cut.zone)}: secure; DS" in proven
    assert "the root: secure; trust anchor" in proven
    for statement in verify(octets()).attested:
        assert statement in attested
    assert max(map(len, lines)) < 120


def test_the_explanation_without_any_proof_says_so(tmp_path, capsys):
    path = tmp_path / "evidence"
    path.write_bytes(octets())
    anchor = tmp_path / "anchor"
    anchor.write_text(f". IN DS 1 13 2 {'00' * 32}\n")

    assert main(["verify", str(path), "--explain", "--anchor", str(anchor)]) == 1
    told = capsys.readouterr().out
    assert "DNSSEC proves nothing of it" in told
    assert "NOT the same" in told


def test_a_removal_is_explained_as_one_without_a_time_that_nobody_recorded(
    tmp_path, capsys
):
    verdict = replace(good().verdict, path=Path.REMOVAL, candidate=(), not_before=None)
    path = tmp_path / "evidence"
    path.write_bytes(octets(verdict=verdict))

    assert main(["verify", str(path), "--explain"]) == 1
    told = capsys.readouterr().out
    assert "the whole set is to be removed" in told
    assert "in force from" not in told


def test_a_verdict_that_differs_is_shown_before_and_after(tmp_path, capsys):
    path = tmp_path / "evidence"
    path.write_bytes(octets(verdict=replace(good().verdict, candidate=())))

    assert main(["verify", str(path)]) == 1
    assert "candidate: stored" in capsys.readouterr().out


def test_a_verdict_reached_without_any_anchor_is_reproduced_and_nothing_proven():
    """An own fault is a verdict too, and a bundle of it can be judged again."""
    case = replace(good().case, anchors=())
    verdict = judge(case)

    found = verify(octets(case=case, verdict=verdict))

    assert verdict.primary is Reason.X_TRUST_ANCHOR
    assert found.reproduced
    assert found.proofs == ()


def test_faults_of_the_observers_own_are_attested_by_name():
    case = replace(good().case, own_faults=(Finding(Reason.X_CLOCK, ""),))

    found = verify(octets(case=case, verdict=judge(case)))

    assert "faults of the observer's own: X_CLOCK" in found.attested


def test_a_nameserver_without_a_signaling_name_has_nothing_to_prove():  # P-1.5
    long_one = parse_name(".".join(["a" * 63] * 3 + ["b" * 40]))
    delegation = good().case.delegation
    hosts = (*delegation.nameservers, long_one)
    case = replace(good().case, delegation=replace(delegation, nameservers=hosts))

    found = verify(octets(case=case, verdict=judge(case)))

    assert found.reproduced
    assert {proof.name for proof in found.proofs} == {
        proof.name for proof in verify(octets()).proofs
    }


def test_a_file_is_held_to_the_hashes_that_the_log_has_of_it(tmp_path, capsys):
    """P-8.25: a file that one hash function takes for it is not enough."""
    path = tmp_path / "evidence"
    path.write_bytes(octets())
    first, second = bundle.address(octets()), bundle.second_hash(octets())
    of_another = bundle.second_hash(b"another")

    held = main(["verify", str(path), "--digest", first, "--digest", second.upper()])
    told = capsys.readouterr()
    stranger = main(["verify", str(path), "--digest", first, "--digest", of_another])

    assert held == 0
    assert f"SHA-512 {second}" in told.out.replace("\n          ", "")
    assert stranger == 1
    assert f"not the evidence {of_another}" in capsys.readouterr().err
