"""Whatever the packets are: a verdict, never an exception, and never an unearned yes."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import HealthCheck, given, settings, strategies as st

from bootstrap.core.dns.records import RdataType, RRset, Signed
from bootstrap.core.dnssec.chain import Absence, Cut, Needs, Proof
from bootstrap.core.dnssec.security import Flaw, Security
from bootstrap.core.evaluation.delegation import History
from bootstrap.core.evaluation.facts import Facts
from bootstrap.core.evaluation.observations import Trouble
from bootstrap.core.evaluation.reasons import Kind, Reason
from bootstrap.core.evaluation.verdict import Outcome, Verdict, conclude, judge
from tests.support.cases import (
    CHILD,
    CSK,
    NOW,
    NS1,
    Zone,
    a_case,
    a_delegation,
    all_good,
    blank,
    published,
    signals,
)

from .scenarios import BOTH, CURRENT, SCENARIOS, stale

TYPES = ("SOA", "CDS", "CDNSKEY", "DNSKEY", "NS", "probe")
GOOD = {
    (address, rdtype): Zone().respond(CHILD, RdataType.from_text(rdtype))
    for address in BOTH
    for rdtype in TYPES
    if rdtype != "probe"
}
SETTINGS = settings(
    max_examples=100, deadline=None, suppress_health_check=list(HealthCheck)
)


def flipped(packet, positions):
    octets = bytearray(packet)
    for position, value in positions:
        octets[position % len(octets)] = value
    return bytes(octets)


ODD = [
    zone.respond(CHILD, rdtype)
    for zone in (stale, Zone(records={"CDS": ["0 0 0 00"]}), Zone(signers=()))
    for rdtype in (RdataType.CDS, RdataType.DNSKEY, RdataType.CDNSKEY)
] + [blank(CHILD, RdataType.CDS).to_wire()]
packets = st.one_of(
    st.sampled_from(Trouble),
    st.binary(max_size=60),
    st.sampled_from(sorted(GOOD.values())),
    st.builds(
        flipped,
        st.sampled_from(sorted(GOOD.values())),
        st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=4),
    ),
    st.sampled_from(ODD),
)
spoiled_packets = st.dictionaries(
    st.tuples(st.sampled_from(BOTH), st.sampled_from(TYPES)), packets, max_size=6
)
SIGNAL_KEYS = sorted(signals())


@st.composite
def odd_proofs(draw):
    """Return a proof, or its lack, of any shape about one signaling name."""
    name, rdtype = draw(st.sampled_from(SIGNAL_KEYS))
    rdatas = draw(st.lists(st.binary(max_size=8), max_size=2, unique=True))
    answer = Signed(RRset(name, rdtype, 60, tuple(sorted(rdatas)))) if rdatas else None
    return Proof(
        name,
        rdtype,
        draw(st.sampled_from(Security)),
        answer=draw(st.sampled_from([answer, None])),
        absence=draw(st.sampled_from([None, *Absence])),
        zone=draw(st.sampled_from([None, NS1, name])),
        signer=draw(st.sampled_from([None, NS1, name])),
        cuts=draw(st.sampled_from([(), (Cut(NS1, Security.SECURE),)])),
        aliases=draw(st.sampled_from([(), (NS1,)])),
        wildcard=draw(st.booleans()),
        flaw=draw(st.sampled_from([None, *Flaw])),
    )


BASE = a_case()


def respoiled(spoiled, **rest):
    """Return the good case with some packets replaced."""
    made = []
    for observation in BASE.observations:
        query = observation.query
        probe = query.name != CHILD
        what = spoiled.get((query.server, "probe" if probe else query.rdtype.name))
        if isinstance(what, Trouble):
            made.append(replace(observation, received=None, trouble=what))
        elif what is not None:
            made.append(replace(observation, received=what))
        else:
            made.append(observation)
    return replace(BASE, observations=tuple(made), **rest)


histories = st.builds(
    History,
    retries_spent=st.booleans(),
    newest_inception=st.sampled_from([None, NOW]),
    troubled_since=st.sampled_from([(), (("SIG_BOGUS", NOW.replace(year=2025)),)]),
)


def check_earned(verdict: Verdict) -> None:
    """Assert what holds of every verdict (P-2.50, P-2.51)."""
    kinds = {finding.kind for finding in verdict.findings}
    assert verdict.outcome in set(Outcome)
    assert verdict.primary in verdict.reasons
    if verdict.outcome is Outcome.ACCEPT:
        assert verdict.required
        assert verdict.required <= set(verdict.findings)
        assert kinds == {Kind.INFO}
        assert verdict.candidate or verdict.primary is Reason.DEL_OK
    else:
        assert not verdict.required
    if verdict.outcome is Outcome.HOLD:
        assert verdict.candidate
    if verdict.outcome is Outcome.ERROR:
        assert kinds <= {Kind.OURS, Kind.INFO}


@SETTINGS
@given(spoiled=spoiled_packets, history=histories, secured=st.booleans())
def test_any_packets_end_in_a_verdict_that_is_earned(spoiled, history, secured):
    proofs = all_good()
    delegation = a_delegation()
    if secured:
        delegation = a_delegation(ds=CURRENT)
        proofs.put(published(CSK.ds()))
    case = respoiled(spoiled, history=history, delegation=delegation)

    verdict = conclude(Facts(case, proofs))

    check_earned(verdict)
    assert conclude(Facts(case, proofs)) == verdict
    if verdict.outcome is Outcome.ACCEPT:
        assert not any(isinstance(what, Trouble) for what in spoiled.values())


@SETTINGS
@given(odd=st.lists(odd_proofs(), min_size=1, max_size=4), history=histories)
def test_any_proofs_end_in_a_verdict_that_is_earned(odd, history):
    proofs = all_good()
    for proof in odd:
        proofs.put(proof)

    verdict = conclude(Facts(replace(BASE, history=history), proofs))

    check_earned(verdict)
    genuine = signals()
    if verdict.outcome is Outcome.ACCEPT:
        for proof in odd:
            last = proofs[proof.name, proof.rdtype]
            expected = genuine[proof.name, proof.rdtype].answer
            assert last.security is Security.SECURE
            assert last.answer == expected or last.answer is None


@SETTINGS
@given(missing=st.sets(st.sampled_from(sorted(all_good())), min_size=1))
def test_a_proof_that_was_never_fetched_accepts_nothing(missing):
    proofs = all_good()
    for key in missing:
        del proofs[key]

    verdict = conclude(Facts(BASE, proofs))

    assert isinstance(proofs(*next(iter(missing))), Needs)
    assert verdict.outcome is not Outcome.ACCEPT


@SETTINGS
@given(missing=st.sets(st.integers(0, 17), min_size=1))
def test_an_answer_that_was_never_asked_for_accepts_nothing(missing):
    case = BASE
    kept = [o for i, o in enumerate(case.observations) if i not in missing]

    verdict = conclude(Facts(replace(case, observations=tuple(kept)), all_good()))

    assert verdict.outcome is not Outcome.ACCEPT


@SETTINGS
@given(
    name=st.sampled_from(sorted(SCENARIOS)),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_observations_never_changes_a_verdict(name, order):
    scenario = SCENARIOS[name]
    shuffled = list(scenario.case.observations)
    order.shuffle(shuffled)
    case = replace(scenario.case, observations=tuple(shuffled))

    verdict = conclude(Facts(case, scenario.proofs))

    expected = conclude(Facts(scenario.case, scenario.proofs))
    assert verdict == expected


@settings(SETTINGS, max_examples=20)
@given(ttl=st.integers(0, 3600), seed=st.integers(0, 2**32))
def test_order_case_and_ttl_of_records_never_change_a_verdict(ttl, seed):
    order = random.Random(seed)  # noqa: S311 - a shuffle for a test
    shouted = {
        "NS": ["NS2.Operator.ORG.", "ns1.operator.net."],
        "CDS": [CSK.ds().to_text().lower()],
    }
    order.shuffle(shouted["NS"])
    zone = Zone(ttl=ttl, records=dict(shouted))
    case = a_case(zones=dict.fromkeys(BOTH, zone))

    verdict = conclude(Facts(case, all_good()))

    plain = conclude(Facts(BASE, all_good()))
    assert (verdict.outcome, verdict.findings) == (plain.outcome, plain.findings)
    assert verdict.candidate == plain.candidate


@SETTINGS
@given(spoiled=spoiled_packets)
def test_judging_with_the_real_validator_never_raises(spoiled):
    verdict = judge(respoiled(spoiled))

    assert verdict.outcome is Outcome.ERROR  # no chain was ever fetched
