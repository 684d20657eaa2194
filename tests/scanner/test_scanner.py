"""The scanner over a whole laboratory: root, parents, operators, children."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bootstrap import clock
from bootstrap.core.dns.hints import read_hints
from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.anchor_files import read_anchors
from bootstrap.core.dnssec.budget import Budget
from bootstrap.core.dnssec.chain import Proof, validate
from bootstrap.core.dnssec.security import Security
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.delegation import Delegation
from bootstrap.core.evaluation.observations import Trouble, seen
from bootstrap.core.evaluation.plan import plan
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.queries import Carrier, Lookup, Query
from bootstrap.scanner.egress import Egress, networks
from bootstrap.scanner.pacing import Limits
from bootstrap.scanner.replay import Replay
from bootstrap.scanner.scanner import Scanner

from .support import run


def a_scanner(lab, **changes):
    settings = {
        "hints": read_hints(lab.root_hints.read_text()),
        "anchors": read_anchors(lab.anchors.read_text()),
        "clock": clock.now,
        "egress": Egress(allowed=networks(lab.allowed_networks)),
        "port": lab.port,
        "limits": Limits(),
    }
    return Scanner(**{**settings, **changes})


def a_case(lab, name):
    child = next(c for c in lab.manifest()["children"] if c["name"] == name)
    apex = parse_name(name)
    return Case(
        Delegation(apex, apex.parent(), tuple(map(parse_name, child["nameservers"]))),
        (),
        read_anchors(lab.anchors.read_text()),
        AcceptancePolicy(),
        clock.now(),
    )


def prove(lab, observations, name, rdtype):
    """Return what a validator says that has nothing but these observations."""
    return validate(
        parse_name(name),
        rdtype,
        seen=seen(observations),
        anchors=read_anchors(lab.anchors.read_text()),
        now=clock.now(),
        budget=Budget(),
    )


SIGNAL = "_dsboot.good.{}.test._signal.ns1.lantern.example"
LOOKUPS = {
    "a host in a signed zone": ("ns1.lantern.example", RdataType.A, Security.SECURE),
    "an absent type": ("ns1.lantern.example", RdataType.AAAA, Security.SECURE),
    "an absent name": ("nothing.alpha.test", RdataType.A, Security.SECURE),
    "a signal": (SIGNAL.format("alpha"), RdataType.CDS, Security.SECURE),
    "a signal under NSEC3": (SIGNAL.format("beta"), RdataType.CDNSKEY, Security.SECURE),
    "an absent DS": ("good.alpha.test", RdataType.DS, Security.SECURE),
    "an apex without DS": ("good.alpha.test", RdataType.CDS, Security.INSECURE),
    "an apex with DS": ("secured.beta.test", RdataType.SOA, Security.SECURE),
}


@pytest.mark.parametrize(("name", "rdtype", "security"), LOOKUPS.values(), ids=LOOKUPS)
def test_a_look_up_brings_all_that_a_proof_needs_for(lab, name, rdtype, security):
    async def scene():
        async with a_scanner(lab) as scanner:
            return await scanner.lookup([Lookup(parse_name(name), rdtype)])

    found = prove(lab, run(scene), name, rdtype)

    assert isinstance(found, Proof)
    assert found.security is security


def test_a_remembered_chain_is_evidence_again(lab):
    names = [SIGNAL.format(parent) for parent in ("alpha", "beta")]

    async def scene():
        async with a_scanner(lab) as scanner:
            first = await scanner.lookup([Lookup(parse_name(names[0]), RdataType.CDS)])
            second = await scanner.lookup([Lookup(parse_name(names[1]), RdataType.CDS)])
            return first, second

    first, second = run(scene)

    assert prove(lab, second, names[1], RdataType.CDS).security is Security.SECURE
    shared = {id(o) for o in first} & {id(o) for o in second}
    assert len(shared) > 5
    assert len(second) - len(shared) < len(first)


def test_signals_are_fetched_anew_each_time(lab):
    """P-1.43: what was seen a moment ago is no answer for the next evaluation."""
    lookup = Lookup(parse_name(SIGNAL.format("alpha")), RdataType.CDS)

    async def scene():
        async with a_scanner(lab) as scanner:
            return [await scanner.lookup([lookup]) for _ in range(2)]

    first, second = (
        [o for o in found if o.query.rdtype is RdataType.CDS] for found in run(scene)
    )

    assert len(first) == len(second) == 1
    assert first[0].sent != second[0].sent


def test_names_are_minimised(lab):
    """P-1.44: no server sees more labels than it needs to refer us onwards."""

    async def scene():
        async with a_scanner(lab) as scanner:
            lookup = Lookup(parse_name(SIGNAL.format("alpha")), RdataType.CDS)
            return await scanner.lookup([lookup])

    for observation in run(scene):
        query = observation.query
        if query.zone != parse_name("_signal.ns1.lantern.example"):
            assert len(query.name.labels) <= len(query.zone.labels) + 2


def test_a_case_is_observed_until_its_plan_is_empty(lab):
    case = a_case(lab, "good.alpha.test")

    async def scene():
        async with a_scanner(lab) as scanner:
            return await scanner.observe(case)

    found = run(scene)

    assert not plan(replace(case, observations=found))
    assert not [o for o in found if o.trouble is Trouble.LIMIT]
    apex = [o for o in found if o.query.zone == case.delegation.child]
    assert {o.transport for o in apex} == {"tcp"}
    assert {o.query.rdtype for o in apex} >= {
        RdataType.SOA,
        RdataType.CDS,
        RdataType.CDNSKEY,
        RdataType.DNSKEY,
        RdataType.NS,
    }


def test_a_case_is_validated_at_its_own_time(lab):
    """The clock is ten years ahead; the plan goes by the case, and so do we."""
    case = a_case(lab, "good.alpha.test")
    later = clock.now() + timedelta(days=3650)

    async def scene():
        async with a_scanner(lab, clock=lambda: later) as scanner:
            return await scanner.observe(case)

    questions = [
        (o.query.zone, o.query.name, o.query.rdtype)
        for o in run(scene)
        if o.query.rdtype is RdataType.DNSKEY and o.query.zone != case.delegation.child
    ]
    assert len(questions) == len(set(questions))  # no second opinion was needed


def test_hundreds_of_cases_are_observed_at_once(lab):
    case = a_case(lab, "good.beta.test")

    async def scene():
        async with a_scanner(lab) as scanner:
            return await asyncio.gather(*(scanner.observe(case) for _ in range(100)))

    for found in run(scene):
        assert not [o for o in found if o.trouble is not None]


def test_the_budget_of_a_case_ends_as_limit(lab):
    """S-10: what was not asked is said, and never passed over in silence."""
    case = a_case(lab, "good.alpha.test")

    async def scene():
        async with a_scanner(lab, limits=Limits(queries=15)) as scanner:
            return await scanner.observe(case)

    found = run(scene)

    assert sum(1 for o in found if o.received is not None) <= 15
    assert [o for o in found if o.trouble is Trouble.LIMIT]


def test_too_many_addresses_of_a_child_end_as_limit(lab):
    case = a_case(lab, "good.alpha.test")

    async def scene():
        async with a_scanner(lab, limits=Limits(addresses=1)) as scanner:
            return await scanner.observe(case)

    apex = [o for o in run(scene) if o.query.zone == case.delegation.child]

    answered = {o.query.server for o in apex if o.received is not None}
    limited = {o.query.server for o in apex if o.trouble is Trouble.LIMIT}
    assert len(answered) == 1
    assert limited
    assert not limited & answered


def test_a_stored_scan_can_be_replayed_without_a_packet(lab):
    case = a_case(lab, "good.alpha.test")

    async def scene():
        async with a_scanner(lab) as scanner:
            stored = await scanner.observe(case)
        replay = Replay(stored, clock=clock.now)
        async with a_scanner(lab, transport=replay, port=1) as scanner:
            return stored, await scanner.observe(case)

    stored, again = run(scene)

    assert {o.sent for o in again if o.attempts} <= {o.sent for o in stored}
    assert not plan(replace(case, observations=again))


def test_a_query_that_is_not_in_the_record_is_unreachable():
    query = Query(
        "192.0.2.1", parse_name("a"), parse_name("a"), RdataType.A, Carrier.TCP
    )
    seen = run(lambda: Replay([], clock=clock.now).ask(query))

    assert (seen.trouble, seen.attempts) == (Trouble.UNREACHABLE, 0)
